//! Decoders that others wrote may panic on damaged bytes; that then is an error of the packet, and
//! the next one is decoded by a new decoder.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Heard, PacketDecoder, PacketError};
use crate::{block::Block, decode::demux::CodecParams};

struct Contained<D> {
    params: CodecParams,
    open: fn(&CodecParams) -> Result<D, PacketError>,
    /// `None` after a panic, until the next packet.
    decoder: Option<D>,
}

pub(super) fn contained<D: PacketDecoder + 'static>(
    params: &CodecParams,
    open: fn(&CodecParams) -> Result<D, PacketError>,
) -> Result<Box<dyn PacketDecoder>, PacketError> {
    let decoder = guarded(|| open(params))?;
    Ok(Box::new(Contained {
        params: params.clone(),
        open,
        decoder: Some(decoder),
    }))
}

fn guarded<T>(run: impl FnOnce() -> Result<T, PacketError>) -> Result<T, PacketError> {
    // Whatever a panic has left half done is dropped by the callers.
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(PacketError("the decoder cannot cope with it".to_owned())))
}

impl<D: PacketDecoder> PacketDecoder for Contained<D> {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        let Some(mut decoder) = self.decoder.take() else {
            self.decoder = Some(guarded(|| (self.open)(&self.params))?);
            return self.decode(packet, block);
        };
        // The outer error is a panic: the decoder is gone then.
        let (heard, decoder) = guarded(|| Ok((decoder.decode(packet, block), decoder)))
            .inspect_err(|_| block.reset(0))?;
        self.decoder = Some(decoder);
        heard
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        self.decoder.as_ref()?.frames(packet)
    }

    fn reset(&mut self) {
        if let Some(decoder) = &mut self.decoder {
            decoder.reset();
        }
    }
}
