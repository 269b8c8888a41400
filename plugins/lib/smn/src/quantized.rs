//! Convolutions in whole numbers of 16 bits: half the instructions of floats, and half the memory.
//!
//! The inputs of a map are 12 bits of its largest, the weights of an output what keeps its sum within 32: some 10 bits.
//! `tests/official.rs` says how far that is from the authors' floats.

use retake_signal::lanes::{I4, S8};

use crate::layers::{COLUMNS, Map, ROWS, gather};

const INPUT_MAX: f32 = 4_095.0;
/// All weights of an output together; times the largest input it fits 31 bits.
const WEIGHTS_MAX: f32 = 520_000.0;

/// Two inputs for eight outputs.
type Panel = [S8; COLUMNS / 4];

/// As [`crate::layers::Convolution`]. What goes into a window is a multiple of two numbers.
pub struct Quantized {
    rows: usize,
    columns: usize,
    /// Eight outputs after another, each with all pairs of inputs of the window.
    panels: Vec<Panel>,
    /// What a weight of each output is to be multiplied by.
    steps: Vec<f32>,
    bias: Vec<f32>,
    /// The map, and its windows of four places, one after the other.
    inputs: Vec<i16>,
    gathered: Vec<i16>,
}

impl Quantized {
    /// `weights` input by input, the window's rows first; a bias for each output, of which there are a multiple of
    /// eight.
    pub fn new(rows: usize, columns: usize, weights: &[f32], bias: Vec<f32>) -> Self {
        let outputs = bias.len();
        let of_output = |output: usize| weights.iter().skip(output).step_by(outputs);
        let step = |output: usize| {
            let all: f32 = of_output(output).map(|weight| weight.abs()).sum();
            let largest = of_output(output).fold(0.0f32, |most, weight| most.max(weight.abs()));
            (all / WEIGHTS_MAX)
                .max(largest / f32::from(i16::MAX))
                .max(f32::MIN_POSITIVE)
        };
        let steps: Vec<f32> = (0..outputs).map(step).collect();
        let whole = |input: usize, output: usize| {
            (weights[input * outputs + output] / steps[output]).round() as i16
        };
        let inputs = weights.len() / outputs;
        let mut panels = Vec::with_capacity(weights.len() / 2 / COLUMNS);
        for first in (0..outputs).step_by(COLUMNS) {
            panels.extend((0..inputs).step_by(2).map(|input| -> Panel {
                std::array::from_fn(|n| {
                    S8::new(std::array::from_fn(|at| {
                        whole(input + at % 2, first + 4 * n + at / 2)
                    }))
                })
            }));
        }
        Self {
            rows,
            columns,
            panels,
            steps,
            bias,
            inputs: Vec::new(),
            gathered: Vec::new(),
        }
    }

    /// Without padding. Nothing below zero comes out.
    pub fn run(&mut self, input: &Map, output: &mut Map) {
        let largest = input.values.iter().fold(0.0f32, |most, value| {
            let size = value.abs();
            if size > most { size } else { most }
        });
        let step = if largest > 0.0 {
            largest / INPUT_MAX
        } else {
            1.0
        };
        let per_step = 1.0 / step;
        self.inputs.clear();
        // To the nearest, which for what is not below zero is that.
        let whole = input
            .values
            .iter()
            .map(|value| (value * per_step + 0.5) as i16);
        self.inputs.extend(whole);

        let outputs = self.bias.len();
        let (rows, columns) = (input.rows + 1 - self.rows, input.columns + 1 - self.columns);
        output.shape(rows, columns, outputs);
        let inputs = self.rows * self.columns * input.channels;
        let places = rows * columns;
        for first in (0..places).step_by(ROWS) {
            let window = (self.rows, self.columns);
            gather(input, &self.inputs, window, first, &mut self.gathered);
            let wanted = ROWS.min(places - first);
            for (n, panel) in self.panels.chunks_exact(inputs / 2).enumerate() {
                let sums = four(&self.gathered, inputs, panel);
                for (place, sums) in sums.iter().enumerate().take(wanted) {
                    let at = (first + place) * outputs;
                    for (to, sum) in (n * COLUMNS..).zip(sums) {
                        let sum = *sum as f32 * step * self.steps[to] + self.bias[to];
                        output.values[at + to] = if sum < 0.0 { 0.0 } else { sum };
                    }
                }
            }
        }
    }
}

/// Four places times one panel.
#[inline(always)]
fn four(gathered: &[i16], inputs: usize, panel: &[Panel]) -> [[i32; COLUMNS]; ROWS] {
    let mut sums = [[I4::zero(); COLUMNS / 4]; ROWS];
    let places: [&[[i16; 2]]; ROWS] =
        std::array::from_fn(|n| gathered[n * inputs..][..inputs].as_chunks().0);
    for (at, weights) in panel.iter().enumerate().take(inputs / 2) {
        for (sums, place) in sums.iter_mut().zip(places) {
            let pair = S8::splat(place[at]);
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = sum.plus_products(pair, *weights);
            }
        }
    }
    sums.map(|[low, high]| {
        let mut row = [0; COLUMNS];
        row[..4].copy_from_slice(&low.to_array());
        row[4..].copy_from_slice(&high.to_array());
        row
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Convolution;

    #[test]
    fn it_is_the_convolution_in_floats_to_within_a_thousandth() {
        let mut input = Map::new();
        input.shape(5, 6, 16);
        for (n, value) in input.values.iter_mut().enumerate() {
            *value = ((n * 37) % 101) as f32 / 7.0;
        }
        let (window, outputs) = (3 * 3 * 16, 24);
        let weights: Vec<f32> = (0..window * outputs)
            .map(|n| ((n * 53) % 97) as f32 / 97.0 - 0.4)
            .collect();
        let bias: Vec<f32> = (0..outputs).map(|n| 3.0 * n as f32).collect();
        let (mut whole, mut floats) = (Map::new(), Map::new());
        Quantized::new(3, 3, &weights, bias.clone()).run(&input, &mut whole);
        Convolution::new(3, 3, &weights, bias).run(&input, true, &mut floats);
        assert_eq!((whole.rows, whole.columns, whole.channels), (3, 4, outputs));
        let most = floats.values.iter().copied().fold(0.0, f32::max);
        assert!(most > 100.0, "{most}");
        for (whole, float) in whole.values.iter().zip(&floats.values) {
            assert!((whole - float).abs() < 1e-3 * most, "{whole} {float}");
        }
    }
}
