//! Planar `f32` in, a file that people can play out.
//!
//! All writers stream: they need no more than a few blocks of memory, and patch at the end what
//! only then is known. Samples beyond full scale are clamped where the format has a full scale.

mod flac;
mod opus;
mod quantize;
mod wav;

use std::fs::File;

use serde::{Deserialize, Serialize};

use crate::{AudioError, Block, Spec};

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

/// One file being written. Blocks come from the pipeline: all equally long but the last.
pub(crate) enum Encoder {
    Wav(wav::WavWriter),
    Flac(Box<flac::FlacWriter>),
    OggOpus(Box<opus::OpusWriter>),
}

impl Encoder {
    /// `frames` is how many will be pushed.
    pub(crate) fn create(
        format: &Format,
        spec: Spec,
        frames: u64,
        out: File,
    ) -> Result<Self, AudioError> {
        Ok(match *format {
            Format::Wav { depth } => Self::Wav(wav::WavWriter::create(out, spec, depth, frames)?),
            Format::Flac { bits } => {
                Self::Flac(Box::new(flac::FlacWriter::create(out, spec, bits)?))
            }
            Format::OggOpus { bitrate_bps } => Self::OggOpus(Box::new(opus::OpusWriter::create(
                out,
                spec,
                frames,
                bitrate_bps,
            )?)),
        })
    }

    pub(crate) fn push(&mut self, block: &Block) -> Result<(), AudioError> {
        match self {
            Self::Wav(writer) => Ok(writer.push(block)?),
            Self::Flac(writer) => Ok(writer.push(block)?),
            Self::OggOpus(writer) => writer.push(block),
        }
    }

    pub(crate) fn finish(self) -> Result<(), AudioError> {
        match self {
            Self::Wav(writer) => Ok(writer.finish()?),
            Self::Flac(writer) => Ok(writer.finish()?),
            Self::OggOpus(writer) => writer.finish(),
        }
    }
}
