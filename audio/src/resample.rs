//! Changes the sample rate; output is aligned with the input and exactly as long as asked.
//!
//! One FFT block does the work of a filter of that length, so the blocks are long: the transition
//! from pass to stop is narrow and nothing audible is lost. Both block sizes are even, because the
//! delay is half a block and half a frame cannot be trimmed.

use audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

use crate::{AudioError, Block};

/// Shortest FFT block on either side, in frames.
const FFT_FRAMES_MIN: usize = 4096;
/// Rates that have no common divisor need one FFT block as long as the rate itself.
const RATE_MAX: u32 = 384_000;

/// Samples are kept within this: sums of larger ones overflow in the transform, whose inverse then
/// panics.
const SAMPLE_MAX: f32 = 1e12;

/// Takes frames of any number at the one rate and gives those that are ready at the other.
pub struct Resampler {
    /// `None`: both rates are the same, and frames pass through.
    fft: Option<Fft<f32>>,
    /// Input that does not fill an FFT block yet.
    pending: Block,
    /// Output of one FFT block, as rubato writes it.
    scratch: Vec<Vec<f32>>,
    /// Frames of the filter's delay that are still to be dropped.
    delay_left: usize,
    given: u64,
}

impl Resampler {
    pub fn new(from_hz: u32, to_hz: u32, channels: usize) -> Result<Self, AudioError> {
        for rate in [from_hz, to_hz] {
            if !(1..=RATE_MAX).contains(&rate) {
                return Err(AudioError::UnsupportedStream {
                    field: "sample rate",
                    value: format!("{rate} Hz"),
                    allowed: format!("1 to {RATE_MAX} Hz"),
                });
            }
        }
        let fft = (from_hz != to_hz).then(|| {
            Fft::<f32>::new_custom(
                from_hz as usize,
                to_hz as usize,
                fft_frames_in(from_hz as usize, to_hz as usize),
                1,
                channels,
                WindowFunction::BlackmanHarris2,
                FixedSync::Both,
            )
            .expect("the rates and the block size are not zero")
        });
        let (delay_left, frames_out) = fft
            .as_ref()
            .map_or((0, 0), |fft| (fft.output_delay(), fft.fft_size_out()));
        Ok(Self {
            fft,
            pending: Block::new(channels),
            scratch: vec![vec![0.0; frames_out]; channels],
            delay_left,
            given: 0,
        })
    }

    /// Appends what is ready to `out`; it may be nothing.
    pub fn push(&mut self, block: &Block, out: &mut Block) {
        let before = out.frames();
        if let Some(block_frames) = self.fft.as_ref().map(Fft::fft_size_in) {
            let new_from = self.pending.frames();
            self.pending.append(block);
            for plane in self.pending.planes_mut() {
                for sample in &mut plane[new_from..] {
                    *sample = sample.clamp(-SAMPLE_MAX, SAMPLE_MAX);
                }
            }
            let mut from = 0;
            while self.pending.frames() - from >= block_frames {
                self.transform(from, out);
                from += block_frames;
            }
            self.pending.drop_front(from);
        } else {
            out.append(block);
        }
        self.given += (out.frames() - before) as u64;
    }

    /// Flushes and appends the rest, so that all output together has `total_frames_out` frames. Past
    /// the end of the input there is silence.
    pub fn finish(mut self, total_frames_out: u64, out: &mut Block) {
        let wanted = total_frames_out.saturating_sub(self.given) as usize;
        let end = out.frames() + wanted;
        if let Some(block_frames) = self.fft.as_ref().map(Fft::fft_size_in) {
            // A whole block of silence besides, at most, flushes the delay of half a block.
            let mut flushes = 0;
            while out.frames() < end && flushes < 3 {
                self.pending.resize(block_frames);
                self.transform(0, out);
                self.pending.clear();
                flushes += 1;
            }
        }
        out.resize(end);
    }

    /// One FFT block from `pending[from..]`, without what is left of the delay, onto `out`.
    fn transform(&mut self, from: usize, out: &mut Block) {
        let fft = self.fft.as_mut().expect("only called where rates differ");
        let frames_in = fft.fft_size_in();
        let frames_out = fft.fft_size_out();
        let channels = self.scratch.len();
        let indexing = rubato::Indexing::new().input_offset(from);
        let input =
            SequentialSliceOfVecs::new(self.pending.as_planes(), channels, from + frames_in)
                .expect("pending holds a block from there on");
        let mut output = SequentialSliceOfVecs::new_mut(&mut self.scratch, channels, frames_out)
            .expect("scratch was made for one block");
        fft.process_into_buffer(&input, &mut output, Some(&indexing))
            .expect("both buffers hold exactly one block");
        let dropped = self.delay_left.min(frames_out);
        self.delay_left -= dropped;
        out.append_with(|channel, plane| {
            plane.extend_from_slice(&self.scratch[channel][dropped..]);
        });
    }
}

/// The smallest block that is long enough and even on both sides.
fn fft_frames_in(from_hz: usize, to_hz: usize) -> usize {
    let divisor = greatest_common_divisor(from_hz, to_hz);
    let (unit_in, unit_out) = (from_hz / divisor, to_hz / divisor);
    let units = FFT_FRAMES_MIN.div_ceil(unit_in.min(unit_out));
    unit_in * units.next_multiple_of(2)
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}
