//! A band that is taken out of a signal or put into it, by a filter of linear phase: a windowed sinc.

use std::f64::consts::PI;

/// Frames filtered together.
const RUN: usize = 32;

pub struct Band {
    taps: Vec<f32>,
}

impl Band {
    /// The edges are about `4 / length_s` Hz wide. From one frequency to the other, or up to half the rate where nothing is left above it.
    pub fn new(rate_hz: f64, length_s: f64, from_hz: f64, to_hz: f64) -> Self {
        let reach = (rate_hz * length_s / 2.0).round().max(4.0) as i32;
        // An ideal low-pass; up to half the rate it is the signal itself.
        let lowpass = |n: i32, hz: f64| {
            let angle = 2.0 * hz / rate_hz;
            match n {
                0 => angle,
                n => (PI * angle * f64::from(n)).sin() / (PI * f64::from(n)),
            }
        };
        let top_hz = if to_hz > 0.45 * rate_hz {
            rate_hz / 2.0
        } else {
            to_hz
        };
        let taps = (-reach..=reach)
            .map(|n| {
                // Hamming's window.
                let window = 0.54 + 0.46 * (PI * f64::from(n) / f64::from(reach + 1)).cos();
                (window * (lowpass(n, top_hz) - lowpass(n, from_hz))) as f32
            })
            .collect();
        Self { taps }
    }

    /// Frames that must be known on either side of one.
    pub fn reach(&self) -> usize {
        self.taps.len() / 2
    }

    /// Adds the band, times a factor for each frame. `around` begins `reach` frames before the
    /// first of `out` and ends as many after the last.
    pub fn add(&self, around: &[f32], out: &mut [f32], factor: impl Fn(usize) -> f32) {
        for first in (0..out.len()).step_by(RUN) {
            let run = &mut out[first..];
            let frames = run.len().min(RUN);
            let mut sums = [0.0f32; RUN];
            for (offset, &tap) in self.taps.iter().enumerate() {
                let from = &around[first + offset..][..frames];
                for (sum, sample) in sums.iter_mut().zip(from) {
                    *sum += tap * sample;
                }
            }
            for (n, (sample, sum)) in run.iter_mut().zip(&sums[..frames]).enumerate() {
                *sample += factor(first + n) * sum;
            }
        }
    }
}
