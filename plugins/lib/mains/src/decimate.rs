//! A lower sample rate to look for hum at: hum ends long before 3 kHz.

use std::f64::consts::PI;

/// Hz. What comes out has at least this rate (or the input's own), so that it carries the highest harmonic of all,
/// 40 times 60 Hz.
const RATE_MIN: f64 = 6_000.0;
/// Filter taps per sample that comes out. A Blackman window of that length falls from pass to stop
/// within 1 kHz around half the new rate.
const TAPS_PER_STEP: usize = 32;

pub struct Decimator {
    step: usize,
    taps: Vec<f32>,
    held: Vec<f32>,
}

impl Decimator {
    pub fn new(sample_rate: u32) -> Self {
        let step = (f64::from(sample_rate) / RATE_MIN).floor().max(1.0) as usize;
        Self {
            step,
            taps: lowpass(step),
            held: Vec::new(),
        }
    }

    /// Hz.
    pub fn rate(&self, sample_rate: u32) -> f64 {
        f64::from(sample_rate) / self.step as f64
    }

    /// Appends to `low` what `input` yields.
    pub fn run(&mut self, input: &[f32], low: &mut Vec<f32>) {
        if self.step == 1 {
            low.extend_from_slice(input);
            return;
        }
        self.held.extend_from_slice(input);
        let mut start = 0;
        while start + self.taps.len() <= self.held.len() {
            let window = &self.held[start..start + self.taps.len()];
            low.push(window.iter().zip(&self.taps).map(|(s, t)| s * t).sum());
            start += self.step;
        }
        self.held.drain(..start.min(self.held.len()));
    }
}

/// A windowed sinc with its edge at half the new rate, and a gain of 1 for a constant.
fn lowpass(step: usize) -> Vec<f32> {
    let count = TAPS_PER_STEP * step + 1;
    let middle = (count - 1) as f64 / 2.0;
    let taps: Vec<f64> = (0..count)
        .map(|n| {
            let x = PI * (n as f64 - middle) / step as f64;
            let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
            let turn = 2.0 * PI * n as f64 / (count - 1) as f64;
            sinc * (0.42 - 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos())
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| (tap / sum) as f32).collect()
}
