//! FLAC (RFC 9639), streaming: one block of samples in memory, STREAMINFO patched at the end.
//!
//! Our own encoder, because none of the crates is both fast and bounded in memory; the numbers are
//! in docs/decisions/flac-encoder.md. It does what reference encoders do at their middle setting:
//! blocks of 4096 frames, left/right/mid/side by estimate, fixed predictors and linear prediction
//! up to order 8, partitioned Rice codes. Loops are written for the compiler to vectorize.

mod bits;
mod frame;
mod lpc;
mod metadata;
mod rice;
mod subframe;

use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
};

use md5::{Digest, Md5};

pub(crate) use bits::{crc8, crc16, crc16_on};

use super::{
    FlacBits, OUT_BUFFER_BYTES,
    interleave::{interleave, low_bytes},
    quantize::Quantizer,
};
use crate::{Block, Spec, Tags};
use frame::FrameEncoder;
use metadata::Foreign;

/// More the format cannot have.
pub(super) const CHANNELS_MAX: u32 = 8;
/// Frames of audio per FLAC frame; the largest power of two that the streamable subset allows at
/// every rate.
const BLOCK_SIZE: usize = 4096;
/// Where STREAMINFO's body starts: behind "fLaC" and the block's own header.
const STREAMINFO_AT: u64 = 8;
/// The total must fit STREAMINFO's 36 bits; 0 stands for unknown.
const TOTAL_MAX: u64 = (1 << 36) - 1;

pub(crate) struct FlacWriter {
    out: BufWriter<File>,
    spec: Spec,
    bits: u32,
    quantizer: Quantizer,
    encoder: FrameEncoder,
    /// Quantized frames that do not fill a FLAC frame yet, one list per channel.
    pending: Vec<Vec<i32>>,
    digest: Md5,
    /// Interleaved little-endian bytes of a block, for the digest.
    scratch: Vec<u8>,
    frames: u64,
    frames_max: u64,
    /// Where in the file what stands that tells the number of frames, besides STREAMINFO.
    foreign: Option<(u64, Foreign)>,
    frame_bytes_min: u32,
    frame_bytes_max: u32,
}

impl FlacWriter {
    /// `spec` has at most [`CHANNELS_MAX`].
    pub(super) fn create(
        mut out: File,
        spec: Spec,
        bits: FlacBits,
        frames_max: u64,
        tags: &Tags,
    ) -> io::Result<Self> {
        let bits = match bits {
            FlacBits::Bits16 => 16,
            FlacBits::Bits24 => 24,
        };
        out.seek(SeekFrom::Start(0))?;
        let channels = spec.channels as usize;
        let mut writer = Self {
            out: BufWriter::with_capacity(OUT_BUFFER_BYTES, out),
            spec,
            bits,
            quantizer: Quantizer::new(bits, channels),
            encoder: FrameEncoder::new(spec, bits),
            pending: vec![Vec::with_capacity(2 * BLOCK_SIZE); channels],
            digest: Md5::new(),
            scratch: Vec::new(),
            frames: 0,
            frames_max,
            foreign: None,
            frame_bytes_min: 0,
            frame_bytes_max: 0,
        };
        writer.out.write_all(b"fLaC")?;
        writer.out.write_all(&[0, 0, 0, 34])?;
        let streaminfo = writer.streaminfo([0; 16]);
        writer.out.write_all(&streaminfo)?;
        let foreign = metadata::write(&mut writer.out, spec, bits as u16, frames_max, tags)?;
        if let Some(foreign) = foreign {
            let bytes = foreign.blocks(frames_max).len() as u64;
            writer.foreign = Some((writer.out.stream_position()? - bytes, foreign));
        }
        Ok(writer)
    }

    pub(super) fn push(&mut self, block: &Block) -> io::Result<()> {
        self.quantizer.quantize(block);
        self.digest_values();
        self.frames += block.frames() as u64;
        for (pending, values) in self.pending.iter_mut().zip(&self.quantizer.values) {
            pending.extend_from_slice(values);
        }
        let mut from = 0;
        while self.pending[0].len() - from >= BLOCK_SIZE {
            self.write_frame(from, BLOCK_SIZE)?;
            from += BLOCK_SIZE;
        }
        for pending in &mut self.pending {
            pending.drain(..from);
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        let rest = self.pending[0].len();
        if rest > 0 {
            self.write_frame(0, rest)?;
        }
        let digest = std::mem::take(&mut self.digest).finalize().into();
        let streaminfo = self.streaminfo(digest);
        self.out.seek(SeekFrom::Start(STREAMINFO_AT))?;
        self.out.write_all(&streaminfo)?;
        if let Some((at, foreign)) = &self.foreign
            && self.frames < self.frames_max
        {
            self.out.seek(SeekFrom::Start(*at))?;
            self.out.write_all(&foreign.blocks(self.frames))?;
        }
        self.out.flush()
    }

    fn write_frame(&mut self, from: usize, frames: usize) -> io::Result<()> {
        let channels: Vec<&[i32]> = self
            .pending
            .iter()
            .map(|p| &p[from..from + frames])
            .collect();
        let bytes = self.encoder.encode(&channels);
        let len = bytes.len() as u32;
        self.frame_bytes_min = if self.frame_bytes_min == 0 {
            len
        } else {
            self.frame_bytes_min.min(len)
        };
        self.frame_bytes_max = self.frame_bytes_max.max(len);
        self.out.write_all(bytes)
    }

    /// The digest is over the samples as they would stand in a WAV file (RFC 9639 section 8.2).
    fn digest_values(&mut self) {
        let planes = self.quantizer.values.iter().map(Vec::as_slice);
        match self.bits {
            16 => interleave(planes, &mut self.scratch, low_bytes::<2>),
            _ => interleave(planes, &mut self.scratch, low_bytes::<3>),
        }
        self.digest.update(&self.scratch);
    }

    /// RFC 9639 section 8.2.
    fn streaminfo(&self, digest: [u8; 16]) -> [u8; 34] {
        let mut body = [0; 34];
        body[0..2].copy_from_slice(&(BLOCK_SIZE as u16).to_be_bytes());
        body[2..4].copy_from_slice(&(BLOCK_SIZE as u16).to_be_bytes());
        body[4..7].copy_from_slice(&self.frame_bytes_min.to_be_bytes()[1..]);
        body[7..10].copy_from_slice(&self.frame_bytes_max.to_be_bytes()[1..]);
        let total = if self.frames > TOTAL_MAX {
            0
        } else {
            self.frames
        };
        let packed = u64::from(self.spec.sample_rate) << 44
            | u64::from(self.spec.channels - 1) << 41
            | u64::from(self.bits - 1) << 36
            | total;
        body[10..18].copy_from_slice(&packed.to_be_bytes());
        body[18..34].copy_from_slice(&digest);
        body
    }
}
