//! WAV, and RF64 (EBU Tech 3306) where the sizes need more than 32 bits.
//!
//! Where the length is known beforehand the right header is written at once, so that a file that was
//! cut short still says what it should have held. Else the header is written again at the end.

use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
};

use super::{
    OUT_BUFFER_BYTES, WavDepth,
    interleave::{interleave, low_bytes},
    quantize::Quantizer,
};
use crate::{
    Block, Spec, Tags,
    tags::write_riff,
    wav::{Sizes, WaveFormat, header, tag},
};

pub(crate) struct WavWriter {
    out: BufWriter<File>,
    depth: WavDepth,
    quantizer: Quantizer,
    scratch: Vec<u8>,
    format: WaveFormat,
    tags: Tags,
    /// The chunks before the samples.
    before: Vec<u8>,
    frames: u64,
    frames_max: u64,
}

impl WavWriter {
    pub(super) fn create(
        out: File,
        spec: Spec,
        depth: WavDepth,
        frames_max: u64,
        tags: &Tags,
    ) -> io::Result<Self> {
        let out = BufWriter::with_capacity(OUT_BUFFER_BYTES, out);
        let coding = match depth {
            WavDepth::Int16 | WavDepth::Int24 => tag::PCM,
            WavDepth::Float32 => tag::FLOAT,
        };
        let format = WaveFormat::linear(spec, coding, 8 * bytes_per_sample(depth));
        let bits = if depth == WavDepth::Int16 { 16 } else { 24 };
        let mut writer = Self {
            out,
            depth,
            quantizer: Quantizer::new(bits, spec.channels as usize),
            scratch: Vec::new(),
            format,
            tags: tags.clone(),
            before: write_riff::before(tags),
            frames: 0,
            frames_max,
        };
        let header = writer.header(frames_max);
        writer.out.write_all(&header)?;
        Ok(writer)
    }

    fn header(&self, frames: u64) -> Vec<u8> {
        let sizes = Sizes {
            frames,
            frames_max: self.frames_max,
            after_bytes: self.after(frames).len() as u64,
        };
        header(&self.format, sizes, &self.before)
    }

    /// The chunks behind the samples.
    fn after(&self, frames: u64) -> Vec<u8> {
        write_riff::after(&self.tags, self.format.sample_rate, frames)
    }

    pub(super) fn push(&mut self, block: &Block) -> io::Result<()> {
        self.frames += block.frames() as u64;
        let Self {
            quantizer, scratch, ..
        } = self;
        if self.depth == WavDepth::Float32 {
            interleave(block.planes(), scratch, f32::to_le_bytes);
        } else {
            quantizer.quantize(block);
            let planes = quantizer.values.iter().map(Vec::as_slice);
            match self.depth {
                WavDepth::Int16 => interleave(planes, scratch, low_bytes::<2>),
                _ => interleave(planes, scratch, low_bytes::<3>),
            }
        }
        self.out.write_all(&self.scratch)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        // A chunk's length is even.
        if self.frames * u64::from(self.format.block_align) % 2 == 1 {
            self.out.write_all(&[0])?;
        }
        let after = self.after(self.frames);
        self.out.write_all(&after)?;
        if self.frames < self.frames_max {
            let header = self.header(self.frames);
            self.out.seek(SeekFrom::Start(0))?;
            self.out.write_all(&header)?;
        }
        self.out.flush()
    }
}

fn bytes_per_sample(depth: WavDepth) -> u16 {
    match depth {
        WavDepth::Int16 => 2,
        WavDepth::Int24 => 3,
        WavDepth::Float32 => 4,
    }
}
