//! Rows times a matrix: where nearly all of the time goes.

use retake_signal::lanes::F4;

use crate::activation::relu;

/// Columns that are worked on together: two vectors. With four rows that is eight sums, which with what
/// they are made of fits the sixteen registers there are. Weights are kept as vectors: put together out of a
/// slice they would be loaded one by one.
const COLUMNS: usize = 8;
const ROWS: usize = 4;

/// So many rows of inputs, so many columns of outputs.
pub struct Matrix {
    inputs: usize,
    outputs: usize,
    /// Eight columns after another, each input by input; the last is padded with zeros.
    panels: Vec<[F4; COLUMNS / 4]>,
}

/// Where rows are read or written: each begins `stride` after the one before.
#[derive(Clone, Copy)]
pub struct Stride(pub usize);

impl Matrix {
    /// `weights` input by input.
    pub fn new(weights: &[f32], outputs: usize) -> Self {
        let inputs = weights.len() / outputs;
        let panel = |first: usize| {
            weights.chunks_exact(outputs).map(move |row| {
                let weight = |column: usize| row.get(column).copied().unwrap_or(0.0);
                std::array::from_fn(|vector| {
                    F4::new(std::array::from_fn(|lane| {
                        weight(first + 4 * vector + lane)
                    }))
                })
            })
        };
        Self {
            inputs,
            outputs,
            panels: (0..outputs).step_by(COLUMNS).flat_map(panel).collect(),
        }
    }

    /// What stays of negative results is up to `keep`.
    #[inline(always)]
    fn run(
        &self,
        (input, from): (&[f32], Stride),
        rows: usize,
        bias: Option<&[f32]>,
        (output, to): (&mut [f32], Stride),
        keep: impl Fn(f32) -> f32 + Copy,
    ) {
        debug_assert!(rows.is_multiple_of(ROWS));
        for (number, panel) in self.panels.chunks_exact(self.inputs).enumerate() {
            let first = number * COLUMNS;
            let columns = COLUMNS.min(self.outputs - first);
            let mut start = [0.0; COLUMNS];
            if let Some(bias) = bias {
                start[..columns].copy_from_slice(&bias[first..first + columns]);
            }
            for row in (0..rows).step_by(ROWS) {
                let rows: [&[f32]; ROWS] = std::array::from_fn(|n| {
                    let at = (row + n) * from.0;
                    &input[at..at + self.inputs]
                });
                let sums = four_rows(rows, panel, &start);
                for (n, sums) in sums.iter().enumerate() {
                    let at = (row + n) * to.0 + first;
                    let output = &mut output[at..at + columns];
                    for (output, sum) in output.iter_mut().zip(sums) {
                        *output = keep(*sum);
                    }
                }
            }
        }
    }

    /// `rows`, a multiple of four, times the matrix.
    pub fn times(
        &self,
        input: (&[f32], Stride),
        rows: usize,
        bias: Option<&[f32]>,
        output: (&mut [f32], Stride),
    ) {
        self.run(input, rows, bias, output, |sum| sum);
    }

    /// The same, with nothing where the result is negative.
    pub fn times_relu(
        &self,
        input: (&[f32], Stride),
        rows: usize,
        bias: Option<&[f32]>,
        output: (&mut [f32], Stride),
    ) {
        self.run(input, rows, bias, output, relu);
    }
}

#[inline(always)]
fn four_rows(
    rows: [&[f32]; ROWS],
    panel: &[[F4; COLUMNS / 4]],
    start: &[f32; COLUMNS],
) -> [[f32; COLUMNS]; ROWS] {
    let (low, high) = (F4::load(&start[..4]), F4::load(&start[4..]));
    let mut sums = [(low, high); ROWS];
    let mut add = |[low, high]: [F4; COLUMNS / 4], inputs: [f32; ROWS]| {
        for (sums, x) in sums.iter_mut().zip(inputs) {
            let x = F4::splat(x);
            sums.0 = sums.0.plus(low.times(x));
            sums.1 = sums.1.plus(high.times(x));
        }
    };
    // Four inputs at a time, so that one address serves them all.
    let (panel, panel_rest) = panel.as_chunks::<4>();
    let [(a, a_rest), (b, b_rest), (c, c_rest), (d, d_rest)] = rows.map(|row| row.as_chunks::<4>());
    for ((((weights, a), b), c), d) in panel.iter().zip(a).zip(b).zip(c).zip(d) {
        for n in 0..4 {
            add(weights[n], [a[n], b[n], c[n], d[n]]);
        }
    }
    for ((((weights, a), b), c), d) in panel_rest
        .iter()
        .zip(a_rest)
        .zip(b_rest)
        .zip(c_rest)
        .zip(d_rest)
    {
        add(*weights, [*a, *b, *c, *d]);
    }
    sums.map(|(low, high)| {
        let mut row = [0.0; COLUMNS];
        low.store(&mut row[..4]);
        high.store(&mut row[4..]);
        row
    })
}

/// A matrix for one row at a time, as recurrence wants it: each weight is used once, so that it is laid out
/// for reading alone.
pub struct Recurrence {
    outputs: usize,
    panels: Vec<[F4; WIDE / 4]>,
}

/// Eight vectors of sums, so that no addition waits for the one before.
const WIDE: usize = 32;

impl Recurrence {
    /// `weights` input by input; `outputs` is a multiple of 32.
    pub fn new(weights: &[f32], outputs: usize) -> Self {
        debug_assert!(outputs.is_multiple_of(WIDE));
        let panel = |first: usize| {
            weights
                .chunks_exact(outputs)
                .map(move |row| std::array::from_fn(|n| F4::load(&row[first + 4 * n..])))
        };
        Self {
            outputs,
            panels: (0..outputs).step_by(WIDE).flat_map(panel).collect(),
        }
    }

    pub fn times(&self, input: &[f32], bias: &[f32], output: &mut [f32]) {
        let panels = self.panels.chunks_exact(input.len());
        let bias = bias[..self.outputs].as_chunks::<WIDE>().0;
        let output = output[..self.outputs].as_chunks_mut::<WIDE>().0;
        for ((panel, bias), output) in panels.zip(bias).zip(output) {
            let mut sums: [F4; WIDE / 4] =
                std::array::from_fn(|n| F4::load(&bias[4 * n..4 * n + 4]));
            for (weights, x) in panel.iter().zip(input) {
                let x = F4::splat(*x);
                for (sum, weights) in sums.iter_mut().zip(weights) {
                    *sum = sum.plus(weights.times(x));
                }
            }
            for (output, sum) in output.as_chunks_mut::<4>().0.iter_mut().zip(sums) {
                *output = sum.to_array();
            }
        }
    }
}

/// Matrices side by side: each takes its share of the inputs and makes its share of the outputs.
pub struct Grouped {
    groups: Vec<Matrix>,
}

impl Grouped {
    /// Group by group, each input by input.
    pub fn new(weights: &[f32], groups: usize, outputs: usize) -> Self {
        let each = weights.len() / groups;
        let group = |weights| Matrix::new(weights, outputs);
        Self {
            groups: weights.chunks_exact(each).map(group).collect(),
        }
    }

    fn inputs(&self) -> usize {
        self.groups.iter().map(|group| group.inputs).sum()
    }

    fn outputs(&self) -> usize {
        self.groups.iter().map(|group| group.outputs).sum()
    }

    /// `rows`, a multiple of four, that lie one behind the other.
    pub fn times(&self, input: &[f32], rows: usize, output: &mut [f32]) {
        let (from, to) = (Stride(self.inputs()), Stride(self.outputs()));
        let (mut read, mut written) = (0, 0);
        for group in &self.groups {
            group.times(
                (&input[read..], from),
                rows,
                None,
                (&mut output[written..], to),
            );
            read += group.inputs;
            written += group.outputs;
        }
    }

    pub fn times_relu(&self, input: &[f32], rows: usize, output: &mut [f32]) {
        self.times(input, rows, output);
        let written = rows * self.outputs();
        output[..written].iter_mut().for_each(|x| *x = relu(*x));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count)
            .map(|n| ((n * 7919 + seed * 104_729) % 2003) as f32 / 1001.5 - 1.0)
            .collect()
    }

    fn plainly(input: &[f32], weights: &[f32], outputs: usize, bias: &[f32]) -> Vec<f32> {
        (0..outputs)
            .map(|column| {
                let products = input
                    .iter()
                    .zip(weights.chunks_exact(outputs))
                    .map(|(x, row)| x * row[column]);
                bias[column] + products.sum::<f32>()
            })
            .collect()
    }

    fn assert_close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (n, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(
                (found - expected).abs() < 1e-4,
                "{n}: {found} and not {expected}"
            );
        }
    }

    #[test]
    fn any_width_is_multiplied_and_nothing_beyond_is_touched() {
        for (inputs, outputs) in [(64, 64), (9, 25), (32, 60), (1, 8), (5, 3)] {
            let (weights, bias) = (numbers(inputs * outputs, 1), numbers(outputs, 2));
            let input = numbers(8 * (inputs + 3), 3);
            let mut output = vec![9.0; 8 * (outputs + 2)];
            let (from, to) = (Stride(inputs + 3), Stride(outputs + 2));
            Matrix::new(&weights, outputs).times((&input, from), 8, Some(&bias), (&mut output, to));
            for (input, output) in input.chunks(inputs + 3).zip(output.chunks(outputs + 2)) {
                let expected = plainly(&input[..inputs], &weights, outputs, &bias);
                assert_close(&output[..outputs], &expected);
                assert_eq!(output[outputs..], [9.0, 9.0]);
            }
        }
    }

    #[test]
    fn a_single_row_is_multiplied() {
        let (weights, bias, input) = (numbers(40 * 96, 1), numbers(96, 2), numbers(40, 3));
        let mut output = [0.0; 96];
        Recurrence::new(&weights, 96).times(&input, &bias, &mut output);
        assert_close(&output, &plainly(&input, &weights, 96, &bias));
    }

    #[test]
    fn groups_keep_to_their_own() {
        let (weights, input) = (numbers(3 * 10 * 5, 1), numbers(4 * 30, 2));
        let mut output = [0.0; 4 * 15];
        Grouped::new(&weights, 3, 5).times(&input, 4, &mut output);
        for (input, output) in input.chunks(30).zip(output.chunks(15)) {
            for group in 0..3 {
                let expected = plainly(
                    &input[10 * group..][..10],
                    &weights[50 * group..][..50],
                    5,
                    &[0.0; 5],
                );
                assert_close(&output[5 * group..][..5], &expected);
            }
        }
        Grouped::new(&weights, 3, 5).times_relu(&input, 4, &mut output);
        assert!(output.iter().all(|x| *x >= 0.0) && output.contains(&0.0));
    }
}
