//! Packets to frames: one decoder per codec, all of one shape.

mod pcm;

use retake_formats::Codec;

use super::demux::CodecParams;
use crate::{AudioError, block::Block, channels::ChannelMask};

/// What a packet was decoded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    pub sample_rate: u32,
    /// Channels are those of the block, in the order of WAVE.
    pub mask: ChannelMask,
}

/// The packet cannot be decoded: what is wrong with it. The next one may be fine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PacketError(pub String);

pub(super) trait PacketDecoder: Send {
    /// Decodes a packet into `block`, whatever was in it: channels and frames as the packet has them,
    /// which may be none. Rate and channels may change from packet to packet. Samples may be no
    /// numbers; that is looked after elsewhere.
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError>;

    /// How many frames a packet stands for, without decoding it, where its bytes tell.
    fn frames(&self, packet: &[u8]) -> Option<u64>;

    /// Forgets what came before: the next packet does not follow on the last.
    fn reset(&mut self);
}

/// The decoder for a stream; [`AudioError::UnknownCodec`] where there is none.
pub(super) fn open(params: &CodecParams) -> Result<Box<dyn PacketDecoder>, AudioError> {
    match &params.codec {
        Codec::Pcm | Codec::PcmFloat | Codec::Alaw | Codec::Mulaw => {
            Ok(Box::new(pcm::PcmDecoder::open(params)?))
        }
        Codec::Unknown(name) => Err(AudioError::UnknownCodec {
            codec: name.clone(),
        }),
        known => Err(AudioError::UnknownCodec {
            codec: known.name().to_owned(),
        }),
    }
}
