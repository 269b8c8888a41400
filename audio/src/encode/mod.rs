//! Planar `f32` in, a file that people can play out.
//!
//! All writers stream: they need no more than a few blocks of memory, and patch at the end what
//! only then is known. Samples beyond full scale are clamped where the format has a full scale.

mod flac;
mod interleave;
mod keep;
mod opus;
mod quantize;
mod wav;

pub(crate) use flac::{crc8 as flac_crc8, crc16 as flac_crc16, crc16_on as flac_crc16_on};

use std::fs::File;

use serde::{Deserialize, Serialize};

use crate::{AudioError, Block, Spec, Tags};

/// Written at once: with less than this, the system's own work for a file is twice as much.
const OUT_BUFFER_BYTES: usize = 1 << 18;

/// How a corrected recording is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    Wav {
        depth: WavDepth,
    },
    Flac {
        bits: FlacBits,
    },
    /// `bitrate_bps` is for all channels together; `None` takes a good one for the channel count.
    OggOpus {
        bitrate_bps: Option<u32>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WavDepth {
    Int16,
    Int24,
    Float32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlacBits {
    Bits16,
    Bits24,
}

/// One file being written. `out` is at its start and writable; what it holds after an error is
/// worth nothing.
pub struct Encoder(Writer);

enum Writer {
    Wav(Box<wav::WavWriter>),
    Flac(Box<flac::FlacWriter>),
    OggOpus(Box<opus::OpusWriter>),
}

impl Encoder {
    /// No more than `frames_max` will be pushed: where that is their number, what is written first is
    /// right from the start, else it is patched at the end. The spec is one that the pipeline takes, with no more
    /// channels than the format can have. What of the tags the format cannot hold is left out: see
    /// [`Format::cannot_keep`].
    pub fn create(
        format: &Format,
        spec: Spec,
        frames_max: u64,
        tags: &Tags,
        out: File,
    ) -> Result<Self, AudioError> {
        if spec.channels > format.channels_max() {
            return Err(AudioError::UnsupportedStream {
                field: "number of channels",
                value: spec.channels.to_string(),
                allowed: format!("1 to {} in {}", format.channels_max(), format.name()),
            });
        }
        Ok(Self(match *format {
            Format::Wav { depth } => Writer::Wav(Box::new(wav::WavWriter::create(
                out, spec, depth, frames_max, tags,
            )?)),
            Format::Flac { bits } => Writer::Flac(Box::new(flac::FlacWriter::create(
                out, spec, bits, frames_max, tags,
            )?)),
            Format::OggOpus { bitrate_bps } => Writer::OggOpus(Box::new(opus::OpusWriter::create(
                out,
                spec,
                bitrate_bps,
                tags,
            )?)),
        }))
    }

    /// Blocks of any length but none: the pipeline's are all equally long but the last.
    pub fn push(&mut self, block: &Block) -> Result<(), AudioError> {
        match &mut self.0 {
            Writer::Wav(writer) => Ok(writer.push(block)?),
            Writer::Flac(writer) => Ok(writer.push(block)?),
            Writer::OggOpus(writer) => writer.push(block),
        }
    }

    pub fn finish(self) -> Result<(), AudioError> {
        match self.0 {
            Writer::Wav(writer) => Ok(writer.finish()?),
            Writer::Flac(writer) => Ok(writer.finish()?),
            Writer::OggOpus(writer) => writer.finish(),
        }
    }
}
