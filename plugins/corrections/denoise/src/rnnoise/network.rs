//! The recurrent network: three gated recurrent units between two dense layers, 22 gains out.
//!
//! Weights are stored as 8-bit integers, 1/256 each. They are unpacked once, into columns of
//! [`COLUMN`] outputs: a column's sums stay in registers while its weights stream by.

use super::activation;
use super::bands::BANDS;
use super::features::FEATURES;
use crate::approximate::at_least;
use retake_signal::lanes::F4;

/// As Xiph trained it in 2018; the format is that of nnnoiseless' `RnnModel::from_bytes`.
const WEIGHTS: &[u8] = include_bytes!("weights.rnn");

const SCALE: f32 = 1.0 / 256.0;

/// All layer sizes are multiples of it, the last one with padding.
const COLUMN: usize = 24;
const LANES: usize = COLUMN / 4;

const DENSE: usize = 24;
const VOICE: usize = 24;
const NOISE: usize = 48;
const DENOISE: usize = 96;

pub struct Network {
    input: Dense,
    voice: Gru<VOICE>,
    noise: Gru<NOISE>,
    denoise: Gru<DENOISE>,
    output: Dense,
    speech: Dense,
}

/// What the network makes of a frame.
pub struct Opinion {
    /// How much of each band to keep, 0 to 1.
    pub gains: [f32; BANDS],
    /// How likely it is that somebody speaks, 0 to 1.
    pub speech: f32,
}

impl Network {
    pub fn new() -> Self {
        let mut reader = Reader { rest: WEIGHTS };
        Self {
            input: Dense::read(&mut reader, FEATURES, DENSE),
            voice: Gru::read(&mut reader, DENSE),
            noise: Gru::read(&mut reader, DENSE + VOICE + FEATURES),
            denoise: Gru::read(&mut reader, VOICE + NOISE + FEATURES),
            output: Dense::read(&mut reader, DENOISE, BANDS),
            speech: Dense::read(&mut reader, VOICE, 1),
        }
    }

    pub fn compute(&mut self, features: &[f32; FEATURES]) -> Opinion {
        let mut dense = self.input.compute(features);
        dense
            .chunks_exact_mut(4)
            .for_each(|x| tanh(F4::load(x)).store(x));

        self.voice.step(&dense);
        let mut to_noise = [0.0; DENSE + VOICE + FEATURES];
        to_noise[..DENSE].copy_from_slice(&dense);
        to_noise[DENSE..DENSE + VOICE].copy_from_slice(&self.voice.state);
        to_noise[DENSE + VOICE..].copy_from_slice(features);
        self.noise.step(&to_noise);

        let mut to_denoise = [0.0; VOICE + NOISE + FEATURES];
        to_denoise[..VOICE].copy_from_slice(&self.voice.state);
        to_denoise[VOICE..VOICE + NOISE].copy_from_slice(&self.noise.state);
        to_denoise[VOICE + NOISE..].copy_from_slice(features);
        self.denoise.step(&to_denoise);

        let mut gains = self.output.compute(&self.denoise.state);
        gains
            .chunks_exact_mut(4)
            .for_each(|x| sigmoid(F4::load(x)).store(x));
        let speech = self.speech.compute(&self.voice.state);
        let [speech, ..] = sigmoid(F4::load(&speech)).to_array();
        Opinion {
            gains: std::array::from_fn(|band| gains[band]),
            speech,
        }
    }
}

/// One output per neuron: bias plus weighted inputs, before the activation.
struct Dense {
    bias: Vec<f32>,
    weights: Matrix,
}

impl Dense {
    fn read(reader: &mut Reader, inputs: usize, neurons: usize) -> Self {
        reader.header(inputs, neurons);
        let weights = Matrix::unpack(reader.take(inputs * neurons), neurons);
        let bias = unpack(reader.take(neurons), neurons.next_multiple_of(COLUMN));
        Self { bias, weights }
    }

    fn compute(&self, input: &[f32]) -> [f32; COLUMN] {
        let mut sums = [0.0; COLUMN];
        sums.copy_from_slice(&self.bias);
        self.weights.multiply_add(0, input, &mut sums);
        sums
    }
}

/// A gated recurrent unit of `N` neurons with rectified output. Its sums stand in the order of the
/// file: update gates, reset gates, candidates.
struct Gru<const N: usize> {
    bias: Vec<f32>,
    input_weights: Matrix,
    state_weights: Matrix,
    sums: Vec<f32>,
    state: [f32; N],
}

impl<const N: usize> Gru<N> {
    fn read(reader: &mut Reader, inputs: usize) -> Self {
        reader.header(inputs, N);
        let input_weights = Matrix::unpack(reader.take(inputs * 3 * N), 3 * N);
        let state_weights = Matrix::unpack(reader.take(N * 3 * N), 3 * N);
        let bias = unpack(reader.take(3 * N), 3 * N);
        Self {
            sums: vec![0.0; 3 * N],
            bias,
            input_weights,
            state_weights,
            state: [0.0; N],
        }
    }

    fn step(&mut self, input: &[f32]) {
        self.sums.copy_from_slice(&self.bias);
        self.input_weights.multiply_add(0, input, &mut self.sums);
        let (gates, candidates) = self.sums.split_at_mut(2 * N);
        self.state_weights.multiply_add(0, &self.state, gates);
        gates
            .chunks_exact_mut(4)
            .for_each(|x| sigmoid(F4::load(x)).store(x));
        let (update, reset) = gates.split_at(N);

        let mut kept = [0.0; N];
        for ((kept, state), reset) in kept.iter_mut().zip(&self.state).zip(reset) {
            *kept = state * reset;
        }
        self.state_weights.multiply_add(2 * N, &kept, candidates);
        for ((state, update), candidate) in self.state.iter_mut().zip(update).zip(candidates) {
            let candidate = at_least(SCALE * *candidate, 0.0);
            *state = update * *state + (1.0 - update) * candidate;
        }
    }
}

/// Weights as columns of [`COLUMN`] outputs: for each column, for each input, that many weights.
struct Matrix {
    weights: Vec<[f32; COLUMN]>,
    inputs: usize,
}

impl Matrix {
    /// From rows of one input each.
    fn unpack(bytes: &[u8], outputs: usize) -> Self {
        let rows = || bytes.chunks_exact(outputs);
        let mut weights = Vec::new();
        for first in (0..outputs).step_by(COLUMN) {
            for row in rows() {
                let cut = &row[first..outputs.min(first + COLUMN)];
                weights.push(
                    unpack(cut, COLUMN)
                        .try_into()
                        .expect("it was padded to that"),
                );
            }
        }
        Self {
            inputs: rows().count(),
            weights,
        }
    }

    /// Adds the weighted inputs to outputs `first..first + sums.len()`.
    fn multiply_add(&self, first: usize, input: &[f32], sums: &mut [f32]) {
        debug_assert!(input.len() == self.inputs && first.is_multiple_of(COLUMN));
        for (column, sums) in sums.chunks_exact_mut(COLUMN).enumerate() {
            let from = (first / COLUMN + column) * self.inputs;
            let mut lanes = [F4::splat(0.0); LANES];
            for (lane, sums) in lanes.iter_mut().zip(sums.chunks_exact(4)) {
                *lane = F4::load(sums);
            }
            for (weights, &input) in self.weights[from..from + self.inputs].iter().zip(input) {
                let input = F4::splat(input);
                for (lane, weights) in lanes.iter_mut().zip(weights.chunks_exact(4)) {
                    *lane = lane.plus(F4::load(weights).times(input));
                }
            }
            for (lane, sums) in lanes.into_iter().zip(sums.chunks_exact_mut(4)) {
                lane.store(sums);
            }
        }
    }
}

/// Signed bytes as floats, with zeros up to `padded`.
fn unpack(bytes: &[u8], padded: usize) -> Vec<f32> {
    let mut floats: Vec<f32> = bytes
        .iter()
        .map(|&byte| f32::from(byte.cast_signed()))
        .collect();
    floats.resize(padded, 0.0);
    floats
}

struct Reader {
    rest: &'static [u8],
}

impl Reader {
    /// Sizes and activation of the next layer. The file is part of this program, so the sizes are
    /// known; reading them tells a wrong file from the right one.
    fn header(&mut self, inputs: usize, neurons: usize) {
        let header = self.take(3);
        assert_eq!(
            header[..2],
            [inputs as u8, neurons as u8],
            "weights.rnn is another network"
        );
    }

    fn take(&mut self, bytes: usize) -> &'static [u8] {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }
}

/// Of sums that are still to be scaled.
#[inline(always)]
fn sigmoid(sum: F4) -> F4 {
    let half = F4::splat(0.5);
    half.plus(half.times(tanh(sum.times(half))))
}

#[inline(always)]
fn tanh(sum: F4) -> F4 {
    activation::tanh(sum.times(F4::splat(SCALE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_multiplies_as_written() {
        // Three inputs, 48 outputs; weight of input i for output o is i * o - 20, as a byte.
        let weight = |i: usize, o: usize| (i * o) as f32 - 20.0;
        let bytes: Vec<u8> = (0..3)
            .flat_map(|i| (0..48).map(move |o| (weight(i, o) as i8).cast_unsigned()))
            .collect();
        let matrix = Matrix::unpack(&bytes, 48);
        let input = [1.0, -2.0, 0.5];
        let expected = |o: usize| 1.0 + (0..3).map(|i| weight(i, o) * input[i]).sum::<f32>();
        let mut all = [1.0; 48];
        matrix.multiply_add(0, &input, &mut all);
        let mut second = [1.0; 24];
        matrix.multiply_add(24, &input, &mut second);
        assert_eq!(all, std::array::from_fn(expected));
        assert_eq!(second, all[24..]);
    }
}
