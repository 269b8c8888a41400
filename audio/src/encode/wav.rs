//! WAV, and RF64 (EBU Tech 3306) where the sizes need more than 32 bits.
//!
//! The length is known beforehand, so the right header is written at once: nothing has to be
//! patched, and a file that was cut short still says what it should have held.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use super::{WavDepth, quantize::Quantizer};
use crate::{Block, Spec};

const FORMAT_PCM: u16 = 1;
const FORMAT_FLOAT: u16 = 3;
const FORMAT_EXTENSIBLE: u16 = 0xfffe;
/// What follows the format code in a sub-format GUID.
const GUID_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

pub(crate) struct WavWriter {
    out: BufWriter<File>,
    depth: WavDepth,
    quantizer: Quantizer,
    scratch: Vec<u8>,
    /// A chunk's length is even: the data chunk's may need one more byte behind it.
    pads: bool,
}

impl WavWriter {
    pub(super) fn create(out: File, spec: Spec, depth: WavDepth, frames: u64) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 16, out);
        let frame_bytes = u64::from(spec.channels) * bytes_per_sample(depth);
        let data_bytes = frames * frame_bytes;
        out.write_all(&header(spec, depth, frames, data_bytes))?;
        let bits = if depth == WavDepth::Int16 { 16 } else { 24 };
        Ok(Self {
            out,
            depth,
            quantizer: Quantizer::new(bits, spec.channels as usize),
            scratch: Vec::new(),
            pads: data_bytes % 2 == 1,
        })
    }

    pub(super) fn push(&mut self, block: &Block) -> io::Result<()> {
        let channels = block.channels();
        let frames = block.frames();
        let width = bytes_per_sample(self.depth) as usize;
        self.scratch.resize(frames * channels * width, 0);
        if self.depth == WavDepth::Float32 {
            for (channel, samples) in block.planes().enumerate() {
                let to = self
                    .scratch
                    .chunks_exact_mut(4)
                    .skip(channel)
                    .step_by(channels);
                for (to, sample) in to.zip(samples) {
                    to.copy_from_slice(&sample.to_le_bytes());
                }
            }
        } else {
            self.quantizer.quantize(block);
            for (channel, values) in self.quantizer.values.iter().enumerate() {
                let to = self
                    .scratch
                    .chunks_exact_mut(width)
                    .skip(channel)
                    .step_by(channels);
                for (to, value) in to.zip(values) {
                    to.copy_from_slice(&value.to_le_bytes()[..width]);
                }
            }
        }
        self.out.write_all(&self.scratch)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.pads {
            self.out.write_all(&[0])?;
        }
        self.out.flush()
    }
}

fn bytes_per_sample(depth: WavDepth) -> u64 {
    match depth {
        WavDepth::Int16 => 2,
        WavDepth::Int24 => 3,
        WavDepth::Float32 => 4,
    }
}

/// Everything before the first sample.
fn header(spec: Spec, depth: WavDepth, frames: u64, data_bytes: u64) -> Vec<u8> {
    let format = format_chunk(spec, depth, frames);
    let ds64_bytes: u64 = 8 + 28;
    let riff_bytes = 4 + format.len() as u64 + 8 + data_bytes.next_multiple_of(2);
    let is_long = riff_bytes + ds64_bytes > u64::from(u32::MAX);

    let mut header = Vec::new();
    if is_long {
        header.extend_from_slice(b"RF64");
        header.extend_from_slice(&u32::MAX.to_le_bytes());
        header.extend_from_slice(b"WAVEds64");
        header.extend_from_slice(&28u32.to_le_bytes());
        header.extend_from_slice(&(riff_bytes + ds64_bytes).to_le_bytes());
        header.extend_from_slice(&data_bytes.to_le_bytes());
        header.extend_from_slice(&frames.to_le_bytes());
        header.extend_from_slice(&0u32.to_le_bytes());
    } else {
        header.extend_from_slice(b"RIFF");
        header.extend_from_slice(&(riff_bytes as u32).to_le_bytes());
        header.extend_from_slice(b"WAVE");
    }
    header.extend_from_slice(&format);
    header.extend_from_slice(b"data");
    let data_field = if is_long { u32::MAX } else { data_bytes as u32 };
    header.extend_from_slice(&data_field.to_le_bytes());
    header
}

/// `fmt `, and `fact` where the format is not plain PCM. More than two channels or 16 bits call for
/// the extensible form.
fn format_chunk(spec: Spec, depth: WavDepth, frames: u64) -> Vec<u8> {
    let code = if depth == WavDepth::Float32 {
        FORMAT_FLOAT
    } else {
        FORMAT_PCM
    };
    let is_extensible = spec.channels > 2 || depth == WavDepth::Int24;
    let frame_bytes = spec.channels as u16 * bytes_per_sample(depth) as u16;
    let bits = 8 * bytes_per_sample(depth) as u16;

    let mut fields = Vec::new();
    let stated = if is_extensible {
        FORMAT_EXTENSIBLE
    } else {
        code
    };
    fields.extend_from_slice(&stated.to_le_bytes());
    fields.extend_from_slice(&(spec.channels as u16).to_le_bytes());
    fields.extend_from_slice(&spec.sample_rate.to_le_bytes());
    fields.extend_from_slice(&(spec.sample_rate * u32::from(frame_bytes)).to_le_bytes());
    fields.extend_from_slice(&frame_bytes.to_le_bytes());
    fields.extend_from_slice(&bits.to_le_bytes());
    if is_extensible {
        fields.extend_from_slice(&22u16.to_le_bytes());
        fields.extend_from_slice(&bits.to_le_bytes());
        fields.extend_from_slice(&speaker_mask(spec.channels).to_le_bytes());
        fields.extend_from_slice(&code.to_le_bytes());
        fields.extend_from_slice(&GUID_TAIL);
    } else if code == FORMAT_FLOAT {
        fields.extend_from_slice(&0u16.to_le_bytes());
    }

    let mut chunk = b"fmt ".to_vec();
    chunk.extend_from_slice(&(fields.len() as u32).to_le_bytes());
    chunk.extend_from_slice(&fields);
    if code == FORMAT_FLOAT {
        chunk.extend_from_slice(b"fact");
        chunk.extend_from_slice(&4u32.to_le_bytes());
        chunk.extend_from_slice(&u32::try_from(frames).unwrap_or(u32::MAX).to_le_bytes());
    }
    chunk
}

/// The usual loudspeakers for a number of channels, the same as FLAC assigns.
fn speaker_mask(channels: u32) -> u32 {
    match channels {
        1 => 0x4,
        2 => 0x3,
        3 => 0x7,
        4 => 0x33,
        5 => 0x37,
        6 => 0x3f,
        7 => 0x70f,
        8 => 0x63f,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn u32_at(bytes: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
    }

    #[test]
    fn a_file_beyond_four_gib_is_rf64_with_its_sizes_in_ds64() {
        let spec = Spec {
            sample_rate: 48_000,
            channels: 2,
        };
        let frames = 2_000_000_000u64;
        let header = header(spec, WavDepth::Int16, frames, frames * 4);
        assert_eq!(&header[..4], b"RF64");
        assert_eq!(u32_at(&header, 4), u32::MAX);
        assert_eq!(&header[12..16], b"ds64");
        let u64_at =
            |at: usize| u64::from(u32_at(&header, at)) | u64::from(u32_at(&header, at + 4)) << 32;
        assert_eq!(u64_at(20), header.len() as u64 - 8 + frames * 4);
        assert_eq!(u64_at(28), frames * 4);
        assert_eq!(u64_at(36), frames);
        assert_eq!(u32_at(&header, header.len() - 4), u32::MAX);
    }

    #[test]
    fn a_short_file_is_plain_riff_with_the_size_of_the_rest() {
        let spec = Spec {
            sample_rate: 8_000,
            channels: 1,
        };
        let header = header(spec, WavDepth::Int24, 5, 15);
        assert_eq!(&header[..4], b"RIFF");
        assert_eq!(u32_at(&header, 4) as usize, header.len() - 8 + 16);
        assert_eq!(u32_at(&header, header.len() - 4), 15);
    }
}
