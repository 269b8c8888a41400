//! Convolutions as matrices, and what lies between them.

use retake_signal::lanes::F4;

/// Rows and columns that are worked on together: eight sums, which with what they are made of fit the
/// sixteen registers there are.
pub const ROWS: usize = 4;
pub const COLUMNS: usize = 8;

type Panel = [F4; COLUMNS / 4];

/// A map of so many rows and columns with so many channels at each place.
pub struct Map {
    pub rows: usize,
    pub columns: usize,
    pub channels: usize,
    pub values: Vec<f32>,
}

/// A window that goes over a map and makes a place of each position; with a window of one place, a layer that
/// connects everything.
pub struct Convolution {
    rows: usize,
    columns: usize,
    outputs: usize,
    /// Eight outputs after another, each with all inputs of the window.
    panels: Vec<Panel>,
    bias: Vec<f32>,
    /// The windows of four places, one after the other.
    gathered: Vec<f32>,
}

impl Map {
    pub fn new() -> Self {
        Self {
            rows: 0,
            columns: 0,
            channels: 0,
            values: Vec::new(),
        }
    }

    pub fn shape(&mut self, rows: usize, columns: usize, channels: usize) {
        (self.rows, self.columns, self.channels) = (rows, columns, channels);
        self.values.clear();
        self.values.resize(rows * columns * channels, 0.0);
    }

    fn place(&self, row: usize, column: usize) -> usize {
        (row * self.columns + column) * self.channels
    }
}

impl Convolution {
    /// `weights` input by input, the window's rows first; a bias for each output.
    pub fn new(rows: usize, columns: usize, weights: &[f32], bias: Vec<f32>) -> Self {
        let outputs = bias.len();
        let mut panels = Vec::with_capacity(weights.len() / COLUMNS);
        for first in (0..outputs).step_by(COLUMNS) {
            panels.extend(weights.chunks_exact(outputs).map(|row| -> Panel {
                let weight = |at: usize| row.get(at).copied().unwrap_or(0.0);
                std::array::from_fn(|n| {
                    F4::new(std::array::from_fn(|lane| weight(first + 4 * n + lane)))
                })
            }));
        }
        Self {
            rows,
            columns,
            outputs,
            panels,
            bias,
            gathered: Vec::new(),
        }
    }

    /// Without padding. Nothing below zero comes out if `rectified`.
    pub fn run(&mut self, input: &Map, rectified: bool, output: &mut Map) {
        let (rows, columns) = (input.rows + 1 - self.rows, input.columns + 1 - self.columns);
        output.shape(rows, columns, self.outputs);
        let inputs = self.rows * self.columns * input.channels;
        let places = rows * columns;
        for first in (0..places).step_by(ROWS) {
            let window = (self.rows, self.columns);
            gather(input, &input.values, window, first, &mut self.gathered);
            let wanted = ROWS.min(places - first);
            let all = self.panels.chunks_exact(inputs);
            for (panel, start) in all.zip((0..self.outputs).step_by(COLUMNS)) {
                let sums = four(&self.gathered, inputs, panel);
                let end = self.outputs.min(start + COLUMNS);
                for (n, sums) in sums.iter().enumerate().take(wanted) {
                    let at = (first + n) * self.outputs;
                    for output_at in start..end {
                        let sum = sums[output_at - start] + self.bias[output_at];
                        let sum = if rectified && sum < 0.0 { 0.0 } else { sum };
                        output.values[at + output_at] = sum;
                    }
                }
            }
        }
    }
}

/// The windows of four places from one on, one after the other. Past the end the last place is made again. The values
/// stand as in the map, whatever they are.
pub fn gather<T: Copy + Default>(
    map: &Map,
    values: &[T],
    (rows, columns): (usize, usize),
    first: usize,
    gathered: &mut Vec<T>,
) {
    let stretch = columns * map.channels;
    let inputs = rows * stretch;
    gathered.resize(ROWS * inputs, T::default());
    let per_row = map.columns + 1 - columns;
    let last = (map.rows + 1 - rows) * per_row - 1;
    for n in 0..ROWS {
        let place = (first + n).min(last);
        let (row, column) = (place / per_row, place % per_row);
        for within in 0..rows {
            let from = map.place(row + within, column);
            let to = n * inputs + within * stretch;
            gathered[to..to + stretch].copy_from_slice(&values[from..from + stretch]);
        }
    }
}

/// Four rows times one panel.
#[inline(always)]
fn four(gathered: &[f32], inputs: usize, panel: &[Panel]) -> [[f32; COLUMNS]; ROWS] {
    let mut sums = [[F4::splat(0.0); COLUMNS / 4]; ROWS];
    let rows: [&[f32]; ROWS] = std::array::from_fn(|n| &gathered[n * inputs..][..inputs]);
    for (at, weights) in panel.iter().enumerate().take(inputs) {
        for (sums, row) in sums.iter_mut().zip(rows) {
            let value = F4::splat(row[at]);
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = sum.plus(value.times(*weight));
            }
        }
    }
    sums.map(|sums| {
        let mut row = [0.0; COLUMNS];
        for (sum, to) in sums.iter().zip(row.chunks_exact_mut(4)) {
            sum.store(to);
        }
        row
    })
}

/// The greatest of each stretch of `rows` and `columns`. `padded`, the stretches cover all of the map and hang
/// over equally at both ends, as far as that goes; else what fills none is left out.
pub fn pool(input: &Map, (rows, columns): (usize, usize), padded: bool, output: &mut Map) {
    let count = |length: usize, step: usize| match padded {
        true => length.div_ceil(step),
        false => length / step,
    };
    let over = |length: usize, step: usize| match padded {
        true => (length.div_ceil(step) * step - length) / 2,
        false => 0,
    };
    let (before_rows, before_columns) = (over(input.rows, rows), over(input.columns, columns));
    output.shape(
        count(input.rows, rows),
        count(input.columns, columns),
        input.channels,
    );
    output.values.fill(f32::NEG_INFINITY);
    for row in 0..input.rows.min(output.rows * rows - before_rows) {
        for column in 0..input.columns.min(output.columns * columns - before_columns) {
            let from = input.place(row, column);
            let to = output.place(
                (row + before_rows) / rows,
                (column + before_columns) / columns,
            );
            let channels = input.channels;
            let greatest = &mut output.values[to..to + channels];
            for (greatest, value) in greatest
                .iter_mut()
                .zip(&input.values[from..from + channels])
            {
                // Unlike `f32::max`, no call: nothing here is no number.
                *greatest = if *value > *greatest {
                    *value
                } else {
                    *greatest
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(rows: usize, columns: usize, channels: usize) -> Map {
        let values = (0..rows * columns * channels).map(|n| ((n * 37) % 101) as f32 / 50.0 - 1.0);
        Map {
            rows,
            columns,
            channels,
            values: values.collect(),
        }
    }

    #[test]
    fn a_convolution_is_the_sum_over_its_window() {
        for (rows, columns, channels, outputs) in [(7, 4, 1, 64), (3, 3, 5, 8), (1, 1, 12, 3)] {
            let input = map(rows + 2, columns + 4, channels);
            let count = rows * columns * channels * outputs;
            let weights: Vec<f32> = (0..count)
                .map(|n| ((n * 53) % 97) as f32 / 97.0 - 0.5)
                .collect();
            let bias: Vec<f32> = (0..outputs).map(|n| n as f32 / 10.0).collect();
            let mut output = Map::new();
            Convolution::new(rows, columns, &weights, bias.clone()).run(&input, false, &mut output);
            assert_eq!(
                (output.rows, output.columns, output.channels),
                (3, 5, outputs)
            );
            for row in 0..3 {
                for column in 0..5 {
                    for to in 0..outputs {
                        let mut sum = bias[to];
                        for r in 0..rows {
                            for c in 0..columns {
                                for from in 0..channels {
                                    let weight = (r * columns + c) * channels + from;
                                    sum += weights[weight * outputs + to]
                                        * input.values[input.place(row + r, column + c) + from];
                                }
                            }
                        }
                        let found = output.values[output.place(row, column) + to];
                        assert!((found - sum).abs() < 1e-4, "{found} {sum}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_pool_covers_what_it_is_told_to() {
        let input = map(6, 3, 2);
        let greatest = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
            let places = rows.flat_map(|row| columns.clone().map(move |column| (row, column)));
            let values = places.map(|(row, column)| input.values[input.place(row, column)]);
            values.fold(f32::NEG_INFINITY, f32::max)
        };
        let mut output = Map::new();
        // Two rows too few: one hangs over at each end; a column too few: at the end.
        pool(&input, (4, 2), true, &mut output);
        assert_eq!((output.rows, output.columns), (2, 2));
        assert_eq!(output.values[0], greatest(0..3, 0..2));
        assert_eq!(output.values[output.place(1, 1)], greatest(3..6, 2..3));
        pool(&input, (4, 2), false, &mut output);
        assert_eq!((output.rows, output.columns), (1, 1));
        assert_eq!(output.values[0], greatest(0..4, 0..2));
    }
}
