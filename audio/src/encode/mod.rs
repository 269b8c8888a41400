//! Planar `f32` in, a file that people can play out.
//!
//! All writers stream: they need no more than a few blocks of memory, and patch at the end what
//! only then is known. Samples beyond full scale are clamped where the format has a full scale.

mod encoding;
mod fit;
mod flac;
mod interleave;
mod keep;
mod m4a;
pub(crate) mod mix;
mod mp3;
mod opus;
mod quantize;
mod wav;

pub use encoding::Encoding;
pub(crate) use fit::rescale;
pub(crate) use flac::{crc8 as flac_crc8, crc16 as flac_crc16, crc16_on as flac_crc16_on};
pub(crate) use m4a::{Coder as AacCoder, write_both as write_m4a_of_both};
pub(crate) use opus::{DiscreteOpus, GRANULE_RATE as OPUS_RATE};

use std::{fs::File, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::{AudioError, Block, CHANNELS_MAX, Spec, Tags};
use fit::Fit;

/// Written at once: with less than this, the system's own work for a file is twice as much.
const OUT_BUFFER_BYTES: usize = 1 << 18;

/// What a corrected recording is written as.
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
    /// The nearest bitrate that there is, constant or on average.
    Mp3 {
        bitrate_bps: Option<u32>,
        vbr: bool,
    },
    /// AAC-LC in MP4.
    M4a {
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

/// A new file, or an emptied one, as an [`Encoder`] needs it.
pub fn create_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    let options = options.read(true).write(true).create(true).truncate(true);
    options.open(path)
}

/// One file being written. `out` is at its start, writable and readable; what it holds after an error
/// is worth nothing.
pub struct Encoder {
    fit: Fit,
    writer: Writer,
}

enum Writer {
    Wav(Box<wav::WavWriter>),
    Flac(Box<flac::FlacWriter>),
    OggOpus(Box<opus::OpusWriter>),
    Mp3(Box<mp3::Mp3Writer>),
    M4a(Box<m4a::M4aWriter>),
}

impl Encoder {
    /// No more than `frames_max` will be pushed: where that is their number, what is written first is
    /// right from the start, else it is patched at the end. The spec is one that the pipeline takes, with no more
    /// channels than the format can have. What of the recording the format cannot hold is left out: see
    /// [`Encoding::cannot_keep`].
    pub fn create(
        encoding: impl Into<Encoding>,
        spec: Spec,
        frames_max: u64,
        tags: &Tags,
        out: File,
    ) -> Result<Self, AudioError> {
        let encoding = encoding.into();
        let format = encoding.format;
        let written = encoding.written(spec);
        // Also what is mixed down is not taken without end.
        let channels = match spec.channels {
            ..=CHANNELS_MAX => written.channels,
            more => more,
        };
        if channels > format.channels_max() {
            return Err(AudioError::UnsupportedStream {
                field: "number of channels",
                value: channels.to_string(),
                allowed: format!("1 to {} in {}", format.channels_max(), format.name()),
            });
        }
        let fit = Fit::new(spec, written)?;
        let frames_max = fit.frames(frames_max);
        let writer =
            match format {
                Format::Wav { depth } => Writer::Wav(Box::new(wav::WavWriter::create(
                    out, written, depth, frames_max, tags,
                )?)),
                Format::Flac { bits } => Writer::Flac(Box::new(flac::FlacWriter::create(
                    out, written, bits, frames_max, tags,
                )?)),
                Format::OggOpus { bitrate_bps } => Writer::OggOpus(Box::new(
                    opus::OpusWriter::create(out, written, bitrate_bps, tags)?,
                )),
                Format::Mp3 { bitrate_bps, vbr } => Writer::Mp3(Box::new(mp3::Mp3Writer::create(
                    out,
                    written,
                    bitrate_bps,
                    vbr,
                    frames_max,
                    tags,
                )?)),
                Format::M4a { bitrate_bps } => Writer::M4a(Box::new(m4a::M4aWriter::create(
                    out,
                    written,
                    bitrate_bps,
                    frames_max,
                    tags,
                )?)),
            };
        Ok(Self { fit, writer })
    }

    /// Blocks of any length: the pipeline's are all equally long but the last.
    pub fn push(&mut self, block: &Block) -> Result<(), AudioError> {
        self.writer.push(self.fit.push(block))
    }

    pub fn finish(mut self) -> Result<(), AudioError> {
        self.writer.push(&self.fit.finish())?;
        self.writer.finish()
    }
}

impl Writer {
    fn push(&mut self, block: &Block) -> Result<(), AudioError> {
        if block.is_empty() {
            return Ok(());
        }
        match self {
            Self::Wav(writer) => Ok(writer.push(block)?),
            Self::Flac(writer) => Ok(writer.push(block)?),
            Self::OggOpus(writer) => writer.push(block),
            Self::Mp3(writer) => writer.push(block),
            Self::M4a(writer) => writer.push(block),
        }
    }

    fn finish(self) -> Result<(), AudioError> {
        match self {
            Self::Wav(writer) => Ok(writer.finish()?),
            Self::Flac(writer) => Ok(writer.finish()?),
            Self::OggOpus(writer) => writer.finish(),
            Self::Mp3(writer) => writer.finish(),
            Self::M4a(writer) => writer.finish(),
        }
    }
}
