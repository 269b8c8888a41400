//! Linear prediction: which coefficients, how precise, and what they leave (RFC 9639 section 9.2.6).
//!
//! Everything is computed in `f64`. For the analysis that is the precision that tonal signals need;
//! for the residual it is exact, as the sum of 8 products of a 25-bit sample and a 15-bit
//! coefficient has at most 43 bits, and processors without wide integer multiplication have wide
//! `f64`.

use std::f64::consts::{LN_2, PI};

pub(super) const ORDER_MAX: usize = 8;
/// Bits of the largest coefficient, sign included: 12 as the reference encoder takes for this block
/// size at 16 bits, 14 for more.
pub(super) fn precision(bits: u32) -> u32 {
    if bits <= 17 { 12 } else { 14 }
}
/// The stream has 5 bits for the shift and forbids negative ones.
const SHIFT_MAX: i32 = 15;
/// Half of what a residual may be, so that folding the sign in cannot overflow.
const RESIDUAL_MAX: f64 = (1u32 << 30) as f64;
/// Samples handled at once.
const LANES: usize = 8;
/// Adding it moves a number's whole part, rounded to the nearest, into the lowest bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

pub(super) struct Predictor {
    /// The first one meets the newest sample.
    pub coefficients: Vec<i32>,
    pub shift: u32,
    pub precision: u32,
}

/// The analysis window for blocks of one length, and scratch space.
pub(super) struct Analyzer {
    window: Vec<f64>,
    windowed: Vec<f64>,
}

impl Analyzer {
    pub(super) fn new() -> Self {
        Self {
            window: Vec::new(),
            windowed: Vec::new(),
        }
    }

    /// The predictor expected to give the smallest subframe; `None` where there is nothing to
    /// predict.
    pub(super) fn analyze(&mut self, samples: &[f64], bits: u32) -> Option<Predictor> {
        if samples.len() <= 4 * ORDER_MAX {
            return None;
        }
        if self.window.len() != samples.len() {
            self.window = tukey_window(samples.len());
        }
        self.windowed.clear();
        self.windowed
            .extend(samples.iter().zip(&self.window).map(|(x, w)| x * w));
        let autocorrelation = autocorrelation(&self.windowed);
        if autocorrelation[0] <= 0.0 {
            return None;
        }
        let precision = precision(bits);
        let real = best_order(&autocorrelation, samples.len(), precision + bits)?;
        quantize(&real, precision)
    }
}

impl Predictor {
    /// Appends what the prediction leaves of `samples[order..]`; false if that is too large for the
    /// format.
    pub(super) fn residual(&self, samples: &[f64], out: &mut Vec<i32>) -> bool {
        match self.coefficients.len() {
            1 => self.residual_of_order::<1>(samples, out),
            2 => self.residual_of_order::<2>(samples, out),
            3 => self.residual_of_order::<3>(samples, out),
            4 => self.residual_of_order::<4>(samples, out),
            5 => self.residual_of_order::<5>(samples, out),
            6 => self.residual_of_order::<6>(samples, out),
            7 => self.residual_of_order::<7>(samples, out),
            8 => self.residual_of_order::<8>(samples, out),
            order => unreachable!("order {order} is beyond the analyzer's"),
        }
    }

    fn residual_of_order<const ORDER: usize>(&self, samples: &[f64], out: &mut Vec<i32>) -> bool {
        let scale = 1.0 / f64::from(1u32 << self.shift);
        // Scaling by a power of two is exact, so it can be done once, on the coefficients. Oldest
        // sample first, as they lie in memory.
        let coefficients: [f64; ORDER] =
            std::array::from_fn(|i| f64::from(self.coefficients[ORDER - 1 - i]) * scale);
        // The prediction is rounded down. Rounding to the nearest does the same once half of the
        // unit is taken off and half of the finest step put back.
        let down = 0.5 - 0.5 * scale;
        let start = out.len();
        out.resize(start + samples.len() - ORDER, 0);
        let mut largest = [0.0f64; LANES];
        let mut predict = |window: &[f64], sample: f64, lane: usize| {
            let mut sum = -down;
            for i in 0..ORDER {
                sum += coefficients[i] * window[i];
            }
            let residual = sample - ((sum + ROUNDER) - ROUNDER);
            let magnitude = residual.abs();
            largest[lane] = if magnitude > largest[lane] {
                magnitude
            } else {
                largest[lane]
            };
            (residual + ROUNDER).to_bits() as i32
        };
        let (runs, rest) = out[start..].as_chunks_mut::<LANES>();
        for (to, seen) in runs
            .iter_mut()
            .zip(samples.windows(LANES + ORDER).step_by(LANES))
        {
            for lane in 0..LANES {
                to[lane] = predict(&seen[lane..lane + ORDER], seen[lane + ORDER], lane);
            }
        }
        let done = runs.len() * LANES;
        for (to, seen) in rest.iter_mut().zip(samples[done..].windows(ORDER + 1)) {
            *to = predict(&seen[..ORDER], seen[ORDER], 0);
        }
        largest.into_iter().fold(0.0, f64::max) < RESIDUAL_MAX
    }
}

/// Cosine slopes over the first and the last quarter.
fn tukey_window(len: usize) -> Vec<f64> {
    let slope = len / 4;
    let rise = |i: usize| 0.5 - 0.5 * (PI * (i as f64 + 0.5) / slope.max(1) as f64).cos();
    (0..len)
        .map(|i| match i.min(len - 1 - i) {
            edge if edge < slope => rise(edge),
            _ => 1.0,
        })
        .collect()
}

fn autocorrelation(samples: &[f64]) -> [f64; ORDER_MAX + 1] {
    std::array::from_fn(|lag| dot(&samples[lag..], &samples[..samples.len() - lag]))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_runs, a_rest) = a.as_chunks::<LANES>();
    let (b_runs, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a_runs.iter().zip(b_runs) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// Levinson-Durbin up to the highest order; gives the coefficients of the one whose residual and
/// coefficients together are expected to be smallest.
fn best_order(
    autocorrelation: &[f64; ORDER_MAX + 1],
    frames: usize,
    bits_per_order: u32,
) -> Option<Vec<f64>> {
    let mut error = autocorrelation[0];
    let mut coefficients: Vec<f64> = Vec::with_capacity(ORDER_MAX);
    let mut best: Option<(f64, Vec<f64>)> = None;
    for order in 1..=ORDER_MAX {
        let predicted: f64 = coefficients
            .iter()
            .zip(autocorrelation[1..order].iter().rev())
            .map(|(c, r)| c * r)
            .sum();
        let reflection = (autocorrelation[order] - predicted) / error;
        if !reflection.is_finite() {
            break;
        }
        let before = coefficients.clone();
        for (c, mirrored) in coefficients.iter_mut().zip(before.iter().rev()) {
            *c -= reflection * mirrored;
        }
        coefficients.push(reflection);
        error *= 1.0 - reflection * reflection;

        // Laplacian residual: its entropy by the error's power.
        let power = error.max(0.0) * LN_2 * LN_2 * 0.5 / frames as f64;
        let sample_bits = (0.5 * power.log2()).max(0.0);
        let bits = sample_bits * (frames - order) as f64 + f64::from(bits_per_order) * order as f64;
        if best.as_ref().is_none_or(|(best_bits, _)| bits < *best_bits) {
            best = Some((bits, coefficients.clone()));
        }
        if error <= 0.0 {
            break;
        }
    }
    best.map(|(_, coefficients)| coefficients)
}

/// Whole coefficients with a common shift; each rounding error is carried on to the next.
fn quantize(real: &[f64], precision: u32) -> Option<Predictor> {
    let largest = real.iter().fold(0.0f64, |max, c| max.max(c.abs()));
    if !(largest > 0.0 && largest.is_finite()) {
        return None;
    }
    let magnitude = largest.log2().floor() as i32 + 1;
    let shift = (precision as i32 - 1 - magnitude).min(SHIFT_MAX);
    if shift < 0 {
        return None;
    }
    let (low, high) = (-(1i32 << (precision - 1)), (1i32 << (precision - 1)) - 1);
    let mut carried = 0.0;
    let coefficients: Vec<i32> = real
        .iter()
        .map(|c| {
            let exact = c * f64::from(1u32 << shift) + carried;
            let rounded = (exact.round() as i32).clamp(low, high);
            carried = exact - f64::from(rounded);
            rounded
        })
        .collect();
    Some(Predictor {
        coefficients,
        shift: shift as u32,
        precision,
    })
}
