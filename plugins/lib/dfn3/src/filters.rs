//! The second decoder: a filter over five frames for each of the lower bins.

use crate::activation::{relu, tanh};
use crate::convolution::Band;
use crate::encoder::Encoded;
use crate::matrix::{Grouped, Matrix, Stride};
use crate::recurrent::Recurrent;
use crate::weights::Weights;
use crate::{BATCH, CHANNELS, EMBEDDING, FILTERED, TAPS, UNITS};

/// Real and imaginary part of each tap.
pub const PARTS: usize = 2 * TAPS;
/// Frames that the convolution over time takes.
const FRAMES: usize = 5;
/// Two groups of channels, each making half of the parts.
const GROUP: usize = CHANNELS / 2;
const GROUP_PARTS: usize = PARTS / 2;
/// What a group makes of one frame's bin for that frame and the four after it.
const SHARES: usize = FRAMES * GROUP_PARTS;

pub struct Filters {
    to_state: Grouped,
    states: [Recurrent; 2],
    skip: Grouped,
    output: Grouped,
    shares: [Matrix; 2],
    mix: Box<[[f32; PARTS]; PARTS]>,
    bias: Box<[f32; PARTS]>,
    small: [Vec<f32>; 2],
    /// Of the frames before the batch and of the batch, group by group.
    shared: Vec<[[[f32; SHARES]; 2]; FILTERED]>,
}

/// The filters of one frame.
pub type Coefficients = [[f32; PARTS]; FILTERED];

impl Filters {
    pub fn new(weights: &mut Weights) -> Self {
        let small = || vec![0.0; BATCH * UNITS];
        Self {
            to_state: Grouped::new(&weights.take(EMBEDDING * UNITS / 8), 8, UNITS / 8),
            states: std::array::from_fn(|_| Recurrent::new(weights)),
            skip: Grouped::new(&weights.take(EMBEDDING * UNITS / 16), 16, UNITS / 16),
            output: Grouped::new(
                &weights.take(UNITS * FILTERED * PARTS / 16),
                16,
                FILTERED * PARTS / 16,
            ),
            shares: std::array::from_fn(|_| Matrix::new(&weights.take(GROUP * SHARES), SHARES)),
            mix: weights.rows(),
            bias: weights.row(),
            small: [small(), small()],
            shared: vec![[[[0.0; SHARES]; 2]; FILTERED]; FRAMES - 1 + BATCH],
        }
    }

    pub fn run(&mut self, encoded: &Encoded, filters: &mut [Coefficients; BATCH]) {
        let [ping, pong] = &mut self.small;
        self.to_state.times_relu(&encoded.embedding, BATCH, ping);
        self.states[0].run(ping, pong);
        self.states[1].run(pong, ping);
        self.skip.times(&encoded.embedding, BATCH, pong);
        ping.iter_mut()
            .zip(pong)
            .for_each(|(state, skip)| *state += *skip);
        let parts = filters.as_flattened_mut().as_flattened_mut();
        self.output.times(ping, BATCH, parts);
        parts.iter_mut().for_each(|part| *part = tanh(*part));
        self.share(&encoded.bins);
        for (frames, filters) in self.shared.windows(FRAMES).zip(filters) {
            for (bin, filter) in filters.iter_mut().enumerate() {
                let heard = std::array::from_fn(|frame| &frames[frame][bin]);
                let past = self.mixed(&collected(heard));
                for (part, past) in filter.iter_mut().zip(past) {
                    *part += past;
                }
            }
        }
        let kept = self.shared.len() - BATCH;
        self.shared.copy_within(BATCH..BATCH + kept, 0);
    }

    /// A convolution over time is a sum over frames, and each frame's shares in it are made once.
    fn share(&mut self, bins: &[Band]) {
        let new = &mut self.shared[FRAMES - 1..];
        let output = new.as_flattened_mut().as_flattened_mut().as_flattened_mut();
        for (group, matrix) in self.shares.iter().enumerate() {
            let input = &bins.as_flattened()[group * GROUP..];
            let output = &mut output[group * SHARES..];
            matrix.times(
                (input, Stride(CHANNELS)),
                BATCH * FILTERED,
                None,
                (output, Stride(2 * SHARES)),
            );
        }
    }

    fn mixed(&self, input: &[f32; PARTS]) -> [f32; PARTS] {
        let mut sums = *self.bias;
        for (x, weights) in input.iter().zip(&*self.mix) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += x * weight;
            }
        }
        sums.map(relu)
    }
}

/// What five frames share in the parts of the last.
fn collected(frames: [&[[f32; SHARES]; 2]; FRAMES]) -> [f32; PARTS] {
    let mut parts = [0.0; PARTS];
    for (frame, shares) in frames.iter().enumerate() {
        for (parts, shares) in parts
            .as_chunks_mut::<GROUP_PARTS>()
            .0
            .iter_mut()
            .zip(*shares)
        {
            let shares = &shares[frame * GROUP_PARTS..][..GROUP_PARTS];
            parts
                .iter_mut()
                .zip(shares)
                .for_each(|(part, share)| *part += share);
        }
    }
    parts
}
