//! The period of the voice, by correlation of the signal with its own past.
//!
//! First coarsely at a quarter of the rate, then around the two best candidates at half of it, then
//! checked for being a multiple of the true period. Sums are added in the order of the original, so
//! that both decide alike where two periods are nearly as good.

use super::WINDOW;
use crate::approximate::{at_least, at_most};
use retake_signal::lanes::F4;

/// In frames at 48 kHz.
const PERIOD_MIN: usize = 60;
const PERIOD_MAX: usize = 768;

/// Frames that the search needs.
pub const HISTORY: usize = PERIOD_MAX + WINDOW;

/// The search's range: the shortest periods are only found by halving longer ones.
const RANGE: usize = PERIOD_MAX - 3 * PERIOD_MIN;

// The same at half the rate, where most of the work is done.
const HALF_HISTORY: usize = HISTORY / 2;
const HALF_WINDOW: usize = WINDOW / 2;
const HALF_PERIOD_MIN: usize = PERIOD_MIN / 2;
const HALF_PERIOD_MAX: usize = PERIOD_MAX / 2;
const HALF_RANGE: usize = RANGE / 2;

// And at a quarter.
const QUARTER_WINDOW: usize = WINDOW / 4;
const QUARTER_RANGE: usize = RANGE / 4;
/// Fractions of a period that are tried at most: a half to a fifteenth.
const FRACTIONS: usize = SECOND_CHECK.len() - 2;
/// Products computed at a time.
const SIDE_BY_SIDE: usize = 6;
/// Lags correlated at a time: with as many sums as there are registers for, additions do not wait for the
/// ones before.
const LAGS: usize = 24;
const QUARTER_RANGE_PADDED: usize = QUARTER_RANGE.next_multiple_of(LAGS);

pub struct PitchFinder {
    /// The history at half the rate, its spectrum flattened.
    half: [f32; HALF_HISTORY],
    last_period: usize,
    last_gain: f32,
}

impl PitchFinder {
    pub fn new() -> Self {
        Self {
            half: [0.0; HALF_HISTORY],
            last_period: 0,
            last_gain: 0.0,
        }
    }

    /// The period in frames, within the search's limits whatever the signal is.
    pub fn find(&mut self, history: &[f32; HISTORY]) -> usize {
        halve(history, &mut self.half);
        flatten(&mut self.half);
        let lag = self.search();
        let (period, gain) = self.undouble(PERIOD_MAX - lag);
        self.last_period = period;
        self.last_gain = gain;
        period
    }

    /// The part of the history that is compared with all others: the newest.
    fn newest(&self) -> &[f32] {
        &self.half[HALF_PERIOD_MAX..]
    }

    /// Where in the history the newest window fits best.
    fn search(&self) -> usize {
        let mut x = [0.0; QUARTER_WINDOW];
        let mut y = [0.0; QUARTER_WINDOW + QUARTER_RANGE_PADDED + LAGS];
        for (x, half) in x.iter_mut().zip(self.newest().chunks_exact(2)) {
            *x = half[0];
        }
        for (y, half) in y[..QUARTER_WINDOW + QUARTER_RANGE]
            .iter_mut()
            .zip(self.half.chunks_exact(2))
        {
            *y = half[0];
        }
        let mut correlation = [0.0; QUARTER_RANGE_PADDED];
        for (chunk, correlation) in correlation.as_chunks_mut::<LAGS>().0.iter_mut().enumerate() {
            *correlation = correlate::<{ LAGS / 4 }, LAGS>(&x, &y[chunk * LAGS..]);
        }
        let coarse = best_two(&correlation[..QUARTER_RANGE], &y, QUARTER_WINDOW);

        let mut correlation = [0.0; HALF_RANGE];
        for best in [coarse.0, coarse.1] {
            let around = (2 * best).saturating_sub(2)..(2 * best + 3).min(HALF_RANGE);
            let starts: [usize; 5] =
                std::array::from_fn(|n| (around.start + n).min(around.end - 1));
            for (start, product) in starts.into_iter().zip(self.products(&starts)) {
                correlation[start] = at_least(product, -1.0);
            }
        }
        let (best, _) = best_two(&correlation, &self.half, HALF_WINDOW);
        let offset = if best > 0 && best < HALF_RANGE - 1 {
            lean(
                correlation[best - 1],
                correlation[best],
                correlation[best + 1],
            )
        } else {
            0
        };
        (2 * best).wrapping_add_signed(-offset)
    }

    /// Takes a fraction of the period where that fits nearly as well.
    fn undouble(&self, period: usize) -> (usize, f32) {
        let x = &self.half[..];
        let whole = (period / 2).min(HALF_PERIOD_MAX - 1);
        let last_period = self.last_period / 2;

        // Which fractions will be tried, each with another multiple of it that a true period fits
        // too, is known beforehand: so their correlations can be computed side by side.
        let mut lags = [0; 2 + 2 * FRACTIONS];
        lags[1] = whole;
        let mut fractions = 0;
        for (k, second_check) in SECOND_CHECK.iter().enumerate().skip(2) {
            let lag = (2 * whole + k) / (2 * k);
            if lag < HALF_PERIOD_MIN {
                break;
            }
            let check = match k {
                2 if lag + whole > HALF_PERIOD_MAX => whole,
                2 => whole + lag,
                _ => (2 * second_check * whole + k) / (2 * k),
            };
            lags[2 + 2 * fractions..][..2].copy_from_slice(&[lag, check]);
            fractions += 1;
        }
        let mut correlations = [0.0; 2 + 2 * FRACTIONS];
        let lags = &lags[..2 + 2 * fractions];
        for (lags, correlations) in lags
            .chunks(SIDE_BY_SIDE)
            .zip(correlations.chunks_mut(SIDE_BY_SIDE))
        {
            let starts: [usize; SIDE_BY_SIDE] =
                std::array::from_fn(|n| HALF_PERIOD_MAX - lags.get(n).unwrap_or(&0));
            correlations.copy_from_slice(&self.products(&starts)[..correlations.len()]);
        }

        let xx = correlations[0];
        let mut energies = [0.0; HALF_PERIOD_MAX + 1];
        energies[0] = xx;
        let mut energy = xx;
        for lag in 1..=HALF_PERIOD_MAX {
            let (entering, leaving) = (
                x[HALF_PERIOD_MAX - lag],
                x[HALF_PERIOD_MAX + HALF_WINDOW - lag],
            );
            energy += entering * entering - leaving * leaving;
            energies[lag] = at_least(energy, 0.0);
        }

        let gain = |xy: f32, yy: f32| xy / (1.0 + xx * yy).sqrt();
        let mut best = Candidate {
            lag: whole,
            xy: correlations[1],
            yy: energies[whole],
        };
        let whole_gain = gain(best.xy, best.yy);
        let mut best_gain = whole_gain;
        for fraction in 0..fractions {
            let (k, at) = (fraction + 2, 2 + 2 * fraction);
            let (lag, check) = (lags[at], lags[at + 1]);
            let xy = (correlations[at] + correlations[at + 1]) / 2.0;
            let yy = (energies[lag] + energies[check]) / 2.0;
            let this_gain = gain(xy, yy);
            let continuity = match lag.abs_diff(last_period) {
                0..=1 => self.last_gain,
                2 if 5 * k * k < whole => self.last_gain / 2.0,
                _ => 0.0,
            };
            // Short lags correlate by themselves, so they must do better.
            let threshold = if lag < 3 * HALF_PERIOD_MIN {
                at_least(0.85 * whole_gain - continuity, 0.4)
            } else {
                at_least(0.7 * whole_gain - continuity, 0.3)
            };
            if this_gain > threshold {
                best = Candidate { lag, xy, yy };
                best_gain = this_gain;
            }
        }

        let xy = at_least(best.xy, 0.0);
        let fit = if best.yy <= xy {
            1.0
        } else {
            xy / (best.yy + 1.0)
        };
        let [before, at, after] = self
            .products(&[-1, 0, 1].map(|step| HALF_PERIOD_MAX - best.lag.wrapping_add_signed(step)));
        let offset = lean(before, at, after);
        let period = (2 * best.lag).wrapping_add_signed(offset).max(PERIOD_MIN);
        (period, at_most(fit, best_gain))
    }
}

impl PitchFinder {
    /// The inner products of the newest window with the windows at `starts`. Each has its sums in a
    /// lane of four, added in order at the end; side by side, they do not wait for each other.
    #[inline(always)]
    fn products<const N: usize>(&self, starts: &[usize; N]) -> [f32; N] {
        let windows = starts.map(|start| &self.half[start..start + HALF_WINDOW]);
        let mut sums = [F4::splat(0.0); N];
        for (at, x) in self.newest()[..HALF_WINDOW].chunks_exact(4).enumerate() {
            let x = F4::load(x);
            for (sum, window) in sums.iter_mut().zip(&windows) {
                *sum = sum.plus(x.times(F4::load(&window[4 * at..4 * at + 4])));
            }
        }
        sums.map(F4::sum)
    }
}

struct Candidate {
    lag: usize,
    xy: f32,
    yy: f32,
}

const SECOND_CHECK: [usize; 16] = [0, 0, 3, 2, 3, 2, 5, 2, 3, 2, 3, 2, 5, 2, 3, 2];

/// To which side the peak lies of three neighbouring values.
fn lean(before: f32, at: f32, after: f32) -> isize {
    if after - before > 0.7 * (at - before) {
        1
    } else if before - after > 0.7 * (at - after) {
        -1
    } else {
        0
    }
}

/// Every second frame of the history, smoothed.
fn halve(history: &[f32; HISTORY], half: &mut [f32; HALF_HISTORY]) {
    const FAST: usize = HALF_HISTORY - 4;
    half[0] = (history[1] / 2.0 + history[0]) / 2.0;
    let middle = F4::splat(0.5);
    let load = |at: usize| F4::load(&history[at..at + 4]);
    for n in (1..FAST).step_by(4) {
        let (before, at) = load(2 * n - 1).unzip(load(2 * n + 3));
        let (after, _) = load(2 * n + 1).unzip(load(2 * n + 5));
        let beside = before.plus(after).times(middle);
        beside.plus(at).times(middle).store(&mut half[n..n + 4]);
    }
    for n in FAST..HALF_HISTORY {
        half[n] = ((history[2 * n - 1] + history[2 * n + 1]) / 2.0 + history[2 * n]) / 2.0;
    }
}

/// Takes the formants away by linear prediction of fourth order, so that the period stands out.
fn flatten(half: &mut [f32; HALF_HISTORY]) {
    const ORDER: usize = 4;
    const FAST: usize = HALF_HISTORY - ORDER;
    /// Zeros before and after, so that no lag of two vectors ends outside.
    const BEFORE: usize = ORDER + 1;
    let mut padded = [0.0; BEFORE + HALF_HISTORY + 4];
    padded[BEFORE..BEFORE + HALF_HISTORY].copy_from_slice(half);
    let lags = correlate::<2, 8>(&half[..FAST], &padded[BEFORE..]);
    let mut correlation = [0.0; ORDER + 1];
    correlation.copy_from_slice(&lags[..=ORDER]);
    for (lag, correlation) in correlation.iter_mut().enumerate() {
        let mut rest = 0.0;
        for n in lag + FAST..HALF_HISTORY {
            rest += half[n] * half[n - lag];
        }
        *correlation += rest;
    }
    // A noise floor at -40 dB, and a window over the lags.
    correlation[0] *= 1.0001;
    for (lag, correlation) in correlation.iter_mut().enumerate().skip(1) {
        *correlation -= *correlation * (0.008 * lag as f32) * (0.008 * lag as f32);
    }
    let mut predictor = predict(&correlation);
    let mut bandwidth = 1.0;
    for coefficient in &mut predictor {
        bandwidth *= 0.9;
        *coefficient *= bandwidth;
    }
    // With a zero more, against the tilt of speech.
    let [a, b, c, d] = predictor;
    let filter = [a + 0.8, b + 0.8 * a, c + 0.8 * b, d + 0.8 * c, 0.8 * d];
    for (n, half) in half.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let past = |lag: usize| F4::load(&padded[BEFORE + 4 * n - lag..][..4]);
        let mut sum = past(0);
        for (lag, factor) in filter.iter().enumerate() {
            sum = sum.plus(F4::splat(*factor).times(past(lag + 1)));
        }
        sum.store(half);
    }
}

/// Levinson and Durbin's recursion.
fn predict(correlation: &[f32; 5]) -> [f32; 4] {
    let mut predictor = [0.0; 4];
    let mut error = correlation[0];
    if error == 0.0 {
        return predictor;
    }
    for i in 0..4 {
        let mut sum = 0.0;
        for j in 0..i {
            sum += predictor[j] * correlation[i - j];
        }
        sum += correlation[i + 1];
        let reflection = -sum / error;
        predictor[i] = reflection;
        for j in 0..i.div_ceil(2) {
            let (a, b) = (predictor[j], predictor[i - 1 - j]);
            predictor[j] = a + reflection * b;
            predictor[i - 1 - j] = b + reflection * a;
        }
        error -= reflection * reflection * error;
        // 30 dB are enough.
        if error < 0.001 * correlation[0] {
            break;
        }
    }
    predictor
}

/// The correlation of `x` with `y` at lags 0, 1, 2...: four in each of `VECTORS`.
#[inline(always)]
fn correlate<const VECTORS: usize, const LAGS: usize>(x: &[f32], y: &[f32]) -> [f32; LAGS] {
    let mut sums = [F4::splat(0.0); VECTORS];
    for (x, y) in x.iter().zip(y.array_windows::<LAGS>()) {
        let x = F4::splat(*x);
        for (sum, y) in sums.iter_mut().zip(y.as_chunks::<4>().0) {
            *sum = sum.plus(x.times(F4::load(y)));
        }
    }
    let mut correlation = [0.0; LAGS];
    for (sum, correlation) in sums.iter().zip(correlation.as_chunks_mut::<4>().0) {
        sum.store(correlation);
    }
    correlation
}

/// The two lags with the largest correlation for the energy they correlate with.
fn best_two(correlation: &[f32], y: &[f32], window: usize) -> (usize, usize) {
    #[derive(Clone, Copy)]
    struct Best {
        lag: usize,
        numerator: f32,
        denominator: f32,
    }
    let mut best = Best {
        lag: 0,
        numerator: -1.0,
        denominator: 0.0,
    };
    let mut second = Best { lag: 1, ..best };
    let mut energy = 1.0;
    for y in &y[..window] {
        energy += y * y;
    }
    for (lag, &value) in correlation.iter().enumerate() {
        if value > 0.0 {
            let this = Best {
                lag,
                numerator: value * value,
                denominator: energy,
            };
            let beats = |other: Best| this.numerator * other.denominator > other.numerator * energy;
            if beats(second) {
                if beats(best) {
                    second = best;
                    best = this;
                } else {
                    second = this;
                }
            }
        }
        energy += y[lag + window] * y[lag + window] - y[lag] * y[lag];
        energy = at_least(energy, 1.0);
    }
    (best.lag, second.lag)
}
