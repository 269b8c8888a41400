//! Audio as a sum of its own past: what fits is kept, what does not is rebuilt from both sides.
//!
//! A frame of audio that follows `x[n] = -a1 x[n-1] - ... - ap x[n-p] + e[n]` with small errors e
//! tells missing frames from the ones around them: those that make the errors smallest
//! (A. J. E. M. Janssen, R. N. J. Veldhuis, L. B. Vries, "Adaptive interpolation of discrete-time
//! signals that can be modeled as autoregressive processes", IEEE Trans. ASSP 34, 1986;
//! S. J. Godsill, P. J. W. Rayner, "Digital Audio Restoration", 1998, chapter 5).
//!
//! Shared by the corrections that repair stretches: clicks and clipped peaks.

mod sliding;
mod solve;
mod stretches;
mod window;

use sliding::{RUN_F32, RUN_F64, autocorrelation, slide};
use solve::Skyline;
pub use stretches::Stretches;
pub use window::Hann;

/// Part of the power that is added as white noise before the fit (-90 dB): digital silence and pure
/// tones have a model, too.
const WHITENING: f64 = 1e-9;

/// Coefficients of a predictor; the first is 1.
#[derive(Debug, Clone)]
pub struct Model {
    coefficients: Vec<f64>,
}

impl Model {
    /// Fits a model of this order to a stretch of audio as long as the window: autocorrelation under it, and
    /// the Levinson-Durbin recursion. `None` for silence.
    pub fn fit(audio: &[f64], window: &Hann, order: usize) -> Option<Self> {
        let windowed = window.over(audio);
        let lags = autocorrelation(&windowed, order.min(audio.len().saturating_sub(1)));
        let power = *lags.first()?;
        if power <= 0.0 || !power.is_finite() {
            return None;
        }
        Some(Self {
            coefficients: levinson(&lags, power * (1.0 + WHITENING)),
        })
    }

    pub fn order(&self) -> usize {
        self.coefficients.len() - 1
    }

    /// For each frame, how far it is off from what its past says; what comes before `audio` is
    /// taken for silence.
    pub fn forward_errors(&self, audio: &[f64]) -> Vec<f64> {
        let mirrored: Vec<f64> = self.coefficients.iter().rev().copied().collect();
        let mut signal = vec![0.0; self.order()];
        signal.extend_from_slice(audio);
        slide::<RUN_F64, _>(&signal, &mirrored)
    }

    /// For each frame, how far it is off from what its future says.
    pub fn backward_errors(&self, audio: &[f64]) -> Vec<f64> {
        let mut signal = audio.to_vec();
        signal.resize(audio.len() + self.order(), 0.0);
        slide::<RUN_F64, _>(&signal, &self.coefficients)
    }

    /// The lesser of both errors of each frame in half the digits and half the time, and by how much they may
    /// be off.
    pub fn rough_errors(&self, audio: &[f64]) -> (Vec<f32>, f64) {
        let order = self.order();
        let mut signal = vec![0.0; order];
        signal.extend(audio.iter().map(|sample| *sample as f32));
        signal.resize(order + audio.len() + order, 0.0);
        let coefficients = self.coefficients.iter().map(|a| *a as f32);
        let mirrored: Vec<f32> = coefficients.clone().rev().collect();
        let coefficients: Vec<f32> = coefficients.collect();
        let forward = slide::<RUN_F32, _>(&signal[..order + audio.len()], &mirrored);
        let mut errors = slide::<RUN_F32, _>(&signal[order..], &coefficients);
        for (error, forward) in errors.iter_mut().zip(forward) {
            let (backward, forward) = (error.abs(), forward.abs());
            *error = if forward < backward {
                forward
            } else {
                backward
            };
        }
        let most: f64 = self.coefficients.iter().map(|a| a.abs()).sum();
        let highest = audio.iter().fold(0.0, |highest, sample: &f64| {
            if sample.abs() > highest {
                sample.abs()
            } else {
                highest
            }
        });
        // Each addition rounds a partial sum, to either side by chance; none is higher than all together.
        let roundings = (order as f64).sqrt() * f64::from(f32::EPSILON);
        (errors, roundings * most * highest)
    }

    /// Replaces the frames at `missing` (ascending) by those that make the errors smallest. False,
    /// and nothing is replaced, where they cannot be told.
    pub fn interpolate(&self, audio: &mut [f64], missing: &[usize]) -> bool {
        let Some(values) = self.told(audio, missing) else {
            return false;
        };
        for (at, value) in missing.iter().zip(values) {
            audio[*at] = value;
        }
        true
    }

    /// The same, but no frame falls below its `floor` (above it, where that is negative): what a
    /// clipped peak must at least have been. Frames that would are held at their floor and the rest
    /// told anew, until none would (an active set; the rounds are few because peaks are smooth).
    pub fn interpolate_beyond(&self, audio: &mut [f64], missing: &[usize], floors: &[f64]) -> bool {
        const ROUNDS: usize = 4;
        let mut held = vec![false; missing.len()];
        for _ in 0..ROUNDS {
            let free: Vec<usize> = (0..missing.len()).filter(|i| !held[*i]).collect();
            let places: Vec<usize> = free.iter().map(|i| missing[*i]).collect();
            let Some(values) = self.told(audio, &places) else {
                return false;
            };
            let mut short = false;
            for (i, value) in free.into_iter().zip(values) {
                let floor = floors[i];
                let beyond = if floor < 0.0 {
                    value <= floor
                } else {
                    value >= floor
                };
                audio[missing[i]] = if beyond { value } else { floor };
                held[i] = !beyond;
                short |= !beyond;
            }
            if !short {
                break;
            }
        }
        true
    }

    /// The most likely values of the frames at `missing`, given all others.
    fn told(&self, audio: &[f64], missing: &[usize]) -> Option<Vec<f64>> {
        let order = self.order();
        let a = &self.coefficients;
        let pull: Vec<f64> = (0..=order)
            .map(|lag| dot(&a[..=order - lag], &a[lag..]))
            .collect();
        // The pull of both sides on a frame, in the order of the frames around it.
        let around: Vec<f64> = pull.iter().rev().chain(&pull[1..]).copied().collect();
        let mut known = audio.to_vec();
        missing.iter().for_each(|at| known[*at] = 0.0);
        let mut right: Vec<f64> = missing
            .iter()
            .map(|&at| {
                let (first, end) = (at.saturating_sub(order), audio.len().min(at + order + 1));
                let skipped = order - (at - first);
                -dot(&around[skipped..skipped + end - first], &known[first..end])
            })
            .collect();
        Skyline::factor(missing, &pull)?.solve(&mut right);
        right.iter().all(|value| value.is_finite()).then_some(right)
    }
}

fn levinson(lags: &[f64], power: f64) -> Vec<f64> {
    let mirrored: Vec<f64> = lags.iter().rev().copied().collect();
    let mut a = vec![1.0];
    let mut error = power;
    for order in 1..lags.len() {
        // Each with the lag that is as far from the newest as it is from the oldest.
        let reflection = -dot(&a, &mirrored[lags.len() - 1 - order..][..order]) / error;
        error *= 1.0 - reflection * reflection;
        if error <= 0.0 {
            break;
        }
        a.push(0.0);
        for low in 0..=order / 2 {
            let (x, y) = (a[low], a[order - low]);
            a[low] = x + reflection * y;
            if low != order - low {
                a[order - low] = y + reflection * x;
            }
        }
    }
    a
}

/// In partial sums, which the compiler turns into vectors that need not wait for each other.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a_chunks
        .remainder()
        .iter()
        .zip(b_chunks.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests;
