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

/// Takes frames of any number at the one rate and gives those that are ready at the other.
pub struct Resampler {
    /// `None`: both rates are the same, and frames pass through.
    fft: Option<Fft<f32>>,
    channels: usize,
    /// Input that does not fill an FFT block yet.
    pending: Block,
    /// Output of one FFT block.
    scratch: Block,
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
            channels,
            pending: vec![Vec::new(); channels],
            scratch: vec![vec![0.0; frames_out]; channels],
            delay_left,
            given: 0,
        })
    }

    /// What is ready; it may be nothing.
    pub fn push(&mut self, block: &Block) -> Block {
        debug_assert_eq!(block.len(), self.channels);
        let Some(fft) = &self.fft else {
            self.given += block[0].len() as u64;
            return block.clone();
        };
        for (pending, channel) in self.pending.iter_mut().zip(block) {
            pending.extend_from_slice(channel);
        }
        let block_frames = fft.fft_size_in();
        let mut ready: Block = vec![Vec::new(); self.channels];
        let mut from = 0;
        while self.pending[0].len() - from >= block_frames {
            self.transform(from, &mut ready);
            from += block_frames;
        }
        for pending in &mut self.pending {
            pending.drain(..from);
        }
        self.given += ready[0].len() as u64;
        ready
    }

    /// Flushes and gives the rest, so that all output together has `total_frames_out` frames. Past
    /// the end of the input there is silence.
    pub fn finish(mut self, total_frames_out: u64) -> Block {
        let wanted = total_frames_out.saturating_sub(self.given) as usize;
        let mut rest: Block = vec![Vec::with_capacity(wanted); self.channels];
        if let Some(block_frames) = self.fft.as_ref().map(Fft::fft_size_in) {
            // A whole block of silence besides, at most, flushes the delay of half a block.
            let mut flushes = 0;
            while rest[0].len() < wanted && flushes < 3 {
                for pending in &mut self.pending {
                    pending.resize(block_frames, 0.0);
                }
                self.transform(0, &mut rest);
                self.pending.iter_mut().for_each(Vec::clear);
                flushes += 1;
            }
        }
        for channel in &mut rest {
            channel.resize(wanted, 0.0);
        }
        rest
    }

    /// One FFT block from `pending[from..]`, without what is left of the delay, onto `ready`.
    fn transform(&mut self, from: usize, ready: &mut Block) {
        let fft = self.fft.as_mut().expect("only called where rates differ");
        let frames_in = fft.fft_size_in();
        let frames_out = fft.fft_size_out();
        let indexing = rubato::Indexing::new().input_offset(from);
        let input = SequentialSliceOfVecs::new(&self.pending, self.channels, from + frames_in)
            .expect("pending holds a block from there on");
        let mut output =
            SequentialSliceOfVecs::new_mut(&mut self.scratch, self.channels, frames_out)
                .expect("scratch was made for one block");
        fft.process_into_buffer(&input, &mut output, Some(&indexing))
            .expect("both buffers hold exactly one block");
        let dropped = self.delay_left.min(frames_out);
        self.delay_left -= dropped;
        for (ready, scratch) in ready.iter_mut().zip(&self.scratch) {
            ready.extend_from_slice(&scratch[dropped..]);
        }
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
