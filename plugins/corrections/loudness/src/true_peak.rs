//! Peaks between the samples, by interpolation (ITU-R BS.1770-4, Annex 2).
//!
//! A sinc of 48 taps under a Hann window, fourfold below 96 kHz and twofold above, which is the
//! filter of libebur128: what our limiter holds, that common meter measures.

use std::f64::consts::PI;

const TAPS: usize = 48;

pub struct Interpolator {
    /// One filter per point between two samples, oldest sample first.
    between: Vec<Vec<f32>>,
    /// By how much a point may at most exceed the largest sample around it.
    pub overshoot_max: f32,
}

impl Interpolator {
    pub fn new(rate_hz: u32) -> Self {
        let factor = if rate_hz < 96_000 { 4 } else { 2 };
        let tap = |j: usize| {
            let hann = 0.5 * (1.0 - (2.0 * PI * j as f64 / TAPS as f64).cos());
            let angle = (j as f64 - TAPS as f64 / 2.0) * PI / factor as f64;
            (hann * angle.sin() / angle) as f32
        };
        let taps = TAPS / factor;
        let between: Vec<Vec<f32>> = (1..factor)
            .map(|point| (0..taps).rev().map(|k| tap(factor * k + point)).collect())
            .collect();
        let gain = |taps: &Vec<f32>| taps.iter().map(|tap| tap.abs()).sum::<f32>();
        // A little more, for rounding.
        let overshoot_max = between.iter().map(gain).fold(1.0, f32::max) * 1.001;
        Self {
            between,
            overshoot_max,
        }
    }

    /// Frames that must be known after a frame for the points that follow it. Before it, one less.
    pub fn reach(&self) -> usize {
        self.between[0].len() / 2
    }

    /// For each frame the largest size of it and of the points up to the next frame, or what is in
    /// `peaks` already if that is larger. `samples` begins `reach - 1` frames before the first of
    /// `peaks` and ends `reach` after the last.
    pub fn peaks(&self, samples: &[f32], peaks: &mut [f32]) {
        const RUN: usize = 16;
        let before = self.reach() - 1;
        assert_eq!(samples.len(), peaks.len() + 2 * before + 1);
        for (peak, sample) in peaks.iter_mut().zip(&samples[before..]) {
            *peak = max(*peak, sample.abs());
        }
        for taps in &self.between {
            let mut runs = peaks.chunks_exact_mut(RUN);
            let mut first = 0;
            for run in &mut runs {
                let mut sums = [0.0f32; RUN];
                for (offset, &tap) in taps.iter().enumerate() {
                    let from = &samples[first + offset..first + offset + RUN];
                    for (sum, sample) in sums.iter_mut().zip(from) {
                        *sum += tap * sample;
                    }
                }
                for (peak, sum) in run.iter_mut().zip(sums) {
                    *peak = max(*peak, sum.abs());
                }
                first += RUN;
            }
            for (offset, peak) in runs.into_remainder().iter_mut().enumerate() {
                let from = &samples[first + offset..];
                let sum: f32 = taps
                    .iter()
                    .zip(from)
                    .map(|(tap, sample)| tap * sample)
                    .sum();
                *peak = max(*peak, sum.abs());
            }
        }
    }
}

/// The largest size of a sample.
pub fn sample_peak(samples: &[f32]) -> f32 {
    // Lanes of their own, or the compiler has to keep the order of a single maximum.
    let mut lanes = [0.0f32; 8];
    let (runs, rest) = samples.as_chunks::<8>();
    for run in runs {
        for (lane, sample) in lanes.iter_mut().zip(run) {
            *lane = max(*lane, sample.abs());
        }
    }
    rest.iter()
        .map(|sample| sample.abs())
        .chain(lanes)
        .fold(0.0, max)
}

/// Unlike `f32::max` it need not care for numbers that are none, and is one instruction.
#[inline(always)]
fn max(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}
