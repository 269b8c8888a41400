//! Convolutions over bands, channel by channel, and the mixing of channels behind each. Maps are band by band,
//! in each all channels.

use crate::CHANNELS;
use crate::activation::relu;
use crate::matrix::{Matrix, Stride};
use crate::weights::Weights;

/// What one band holds.
pub type Band = [f32; CHANNELS];

const NOTHING: Band = [0.0; CHANNELS];

/// Each channel over three neighbouring bands, then all channels mixed, and nothing below zero.
pub struct Separable {
    across: Across,
    mix: Mix,
    scratch: Vec<Band>,
}

impl Separable {
    pub fn new(weights: &mut Weights) -> Self {
        Self {
            across: Across(weights.rows()),
            mix: Mix::new(weights),
            scratch: Vec::new(),
        }
    }

    /// Frame by frame, from frames of `bands` to frames of as many, divided by `step`.
    pub fn run(&mut self, input: &[Band], bands: usize, step: usize, output: &mut [Band]) {
        self.scratch.resize(input.len() / step, NOTHING);
        let frames = input.chunks_exact(bands);
        for (input, output) in frames.zip(self.scratch.chunks_exact_mut(bands / step)) {
            for (n, output) in output.iter_mut().enumerate() {
                let at = n * step;
                let below = if at > 0 { &input[at - 1] } else { &NOTHING };
                self.across.run(
                    below,
                    &input[at],
                    input.get(at + 1).unwrap_or(&NOTHING),
                    output,
                );
            }
        }
        self.mix.run(&self.scratch, output);
    }

    /// The same upwards: from frames of `bands` to frames of twice as many (a transposed convolution).
    pub fn run_doubling(&mut self, input: &[Band], bands: usize, output: &mut [Band]) {
        self.scratch.resize(2 * input.len(), NOTHING);
        let [first, middle, last] = &*self.across.0;
        let frames = input.chunks_exact(bands);
        for (input, output) in frames.zip(self.scratch.chunks_exact_mut(2 * bands)) {
            for (n, pair) in output.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                let (here, above) = (&input[n], input.get(n + 1).unwrap_or(&NOTHING));
                let [even, odd] = pair;
                for channel in 0..CHANNELS {
                    even[channel] = middle[channel] * here[channel];
                    odd[channel] = last[channel] * here[channel] + first[channel] * above[channel];
                }
            }
        }
        self.mix.run(&self.scratch, output);
    }
}

struct Across(Box<[Band; 3]>);

impl Across {
    fn run(&self, below: &Band, here: &Band, above: &Band, output: &mut Band) {
        let [first, middle, last] = &*self.0;
        for channel in 0..CHANNELS {
            output[channel] = first[channel] * below[channel]
                + middle[channel] * here[channel]
                + last[channel] * above[channel];
        }
    }
}

/// All channels of a band into all channels, with a bias, and nothing below zero.
struct Mix {
    matrix: Matrix,
    bias: Box<Band>,
}

impl Mix {
    fn new(weights: &mut Weights) -> Self {
        Self {
            matrix: Matrix::new(&weights.take(CHANNELS * CHANNELS), CHANNELS),
            bias: weights.row(),
        }
    }

    fn run(&self, input: &[Band], output: &mut [Band]) {
        let (rows, stride) = (input.len(), Stride(CHANNELS));
        let output = (output.as_flattened_mut(), stride);
        self.matrix.times_relu(
            (input.as_flattened(), stride),
            rows,
            Some(&*self.bias),
            output,
        );
    }
}

/// One channel's 3 × 3 values, frame by frame, into many channels.
pub struct Taps(Box<[Band; 9]>);

impl Taps {
    pub fn new(weights: &mut Weights) -> Self {
        Self(weights.rows())
    }

    /// `frames` are three, each with a zero before its first band and one behind its last; what is made is
    /// for the band at `at`.
    pub fn run(&self, frames: [&[f32]; 3], at: usize, start: &Band) -> Band {
        let mut output = *start;
        for (frame, taps) in frames.iter().zip(self.0.as_chunks::<3>().0) {
            let [a, b, c]: [f32; 3] = std::array::from_fn(|n| frame[at + n]);
            for n in 0..CHANNELS {
                output[n] += a * taps[0][n] + b * taps[1][n] + c * taps[2][n];
            }
        }
        output
    }
}

/// A factor and a bias for each channel, and nothing below zero: the way past the middle of the network.
pub struct Skip {
    factor: Box<Band>,
    bias: Box<Band>,
}

impl Skip {
    pub fn new(weights: &mut Weights) -> Self {
        Self {
            factor: weights.row(),
            bias: weights.row(),
        }
    }

    /// Adds it to what is there.
    pub fn add(&self, input: &[Band], sum: &mut [Band]) {
        for (input, sum) in input.iter().zip(sum) {
            for channel in 0..CHANNELS {
                sum[channel] += relu(self.factor[channel] * input[channel] + self.bias[channel]);
            }
        }
    }
}
