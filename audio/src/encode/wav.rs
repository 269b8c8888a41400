//! WAV, and RF64 (EBU Tech 3306) where the sizes need more than 32 bits.
//!
//! The length is known beforehand, so the right header is written at once: nothing has to be
//! patched, and a file that was cut short still says what it should have held.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use super::{
    OUT_BUFFER_BYTES, WavDepth,
    interleave::{interleave, low_bytes},
    quantize::Quantizer,
};
use crate::{
    Block, Spec, Tags,
    tags::write_riff,
    wav::{WaveFormat, header, tag},
};

pub(crate) struct WavWriter {
    out: BufWriter<File>,
    depth: WavDepth,
    quantizer: Quantizer,
    scratch: Vec<u8>,
    /// A chunk's length is even: the data chunk's may need one more byte behind it.
    pads: bool,
    /// The chunks behind the samples.
    after: Vec<u8>,
}

impl WavWriter {
    pub(super) fn create(
        out: File,
        spec: Spec,
        depth: WavDepth,
        frames: u64,
        tags: &Tags,
    ) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(OUT_BUFFER_BYTES, out);
        let coding = match depth {
            WavDepth::Int16 | WavDepth::Int24 => tag::PCM,
            WavDepth::Float32 => tag::FLOAT,
        };
        let format = WaveFormat::linear(spec, coding, 8 * bytes_per_sample(depth));
        let data_bytes = frames * u64::from(format.block_align);
        let before = write_riff::before(tags);
        let after = write_riff::after(tags, spec.sample_rate, frames);
        let after_bytes = after.len() as u64;
        out.write_all(&header(&format, frames, data_bytes, &before, after_bytes))?;
        let bits = if depth == WavDepth::Int16 { 16 } else { 24 };
        Ok(Self {
            out,
            depth,
            quantizer: Quantizer::new(bits, spec.channels as usize),
            scratch: Vec::new(),
            pads: data_bytes % 2 == 1,
            after,
        })
    }

    pub(super) fn push(&mut self, block: &Block) -> io::Result<()> {
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
        if self.pads {
            self.out.write_all(&[0])?;
        }
        self.out.write_all(&self.after)?;
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
