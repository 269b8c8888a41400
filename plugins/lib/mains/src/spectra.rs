//! The first pass: long spectra of the whole recording, one every four seconds.

use std::f64::consts::PI;
use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};

use crate::comb::{Comb, Finding, Mains};
use crate::decimate::Decimator;

/// Seconds one spectrum sees: lines 0.25 Hz apart are two.
const WINDOW_S: f64 = 8.0;
/// A recording shorter than that is not judged: its lines are too wide to tell from a voice.
const SHORTEST_S: f64 = 3.0;

pub struct Analysis {
    decimator: Decimator,
    /// Hz, after decimation.
    rate: f64,
    window_frames: usize,
    low: Vec<f32>,
    spectrum: Option<Spectrum>,
    combs: Vec<Comb>,
}

impl Analysis {
    pub fn new(sample_rate: u32, candidates: &[Mains], harmonics: usize, prominence: f64) -> Self {
        let decimator = Decimator::new(sample_rate);
        let rate = decimator.rate(sample_rate);
        Self {
            decimator,
            rate,
            window_frames: (WINDOW_S * rate).round() as usize,
            low: Vec::new(),
            spectrum: None,
            combs: candidates
                .iter()
                .map(|mains| Comb::new(*mains, harmonics, prominence))
                .collect(),
        }
    }

    pub fn add(&mut self, input: &[f32]) {
        self.decimator.run(input, &mut self.low);
        while self.low.len() >= self.window_frames {
            self.look(self.window_frames);
            self.low.drain(..self.window_frames / 2);
        }
    }

    /// What hum there is, if any. What is left after the last whole window is not looked at, unless
    /// it is all there is.
    pub fn finish(&mut self) -> Option<Finding> {
        let only = self.combs.iter().all(Comb::has_seen_nothing);
        if only && self.low.len() as f64 >= SHORTEST_S * self.rate {
            self.spectrum = None;
            self.look(self.low.len());
        }
        self.low = Vec::new();
        self.spectrum = None;
        let hop_s = 0.5 * self.window_frames as f64 / self.rate;
        self.combs
            .iter()
            .filter_map(|comb| comb.finding(hop_s))
            .max_by(|a, b| a.evidence.total_cmp(&b.evidence))
    }

    fn look(&mut self, frames: usize) {
        let rate = self.rate;
        let spectrum = self.spectrum.get_or_insert_with(|| Spectrum::new(frames));
        let power = spectrum.power(&self.low[..frames]);
        for comb in &mut self.combs {
            comb.look(power, rate / frames as f64);
        }
    }
}

/// The power spectrum of a Hann window.
struct Spectrum {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    power: Vec<f32>,
}

impl Spectrum {
    fn new(frames: usize) -> Self {
        let turn = 2.0 * PI / frames as f64;
        // Scaled so that a sine's peak is its amplitude squared.
        let scale = 4.0 / frames as f64;
        Self {
            fft: RealFftPlanner::new().plan_fft_forward(frames),
            window: (0..frames)
                .map(|n| (scale * (0.5 - 0.5 * (turn * n as f64).cos())) as f32)
                .collect(),
            power: Vec::new(),
        }
    }

    fn power(&mut self, frames: &[f32]) -> &[f32] {
        let mut input: Vec<f32> = frames
            .iter()
            .zip(&self.window)
            .map(|(s, w)| s * w)
            .collect();
        let mut bins = self.fft.make_output_vec();
        // Fails only for buffers of a wrong length, and these are the plan's own.
        if self.fft.process(&mut input, &mut bins).is_ok() {
            self.power = bins.iter().map(|bin| bin.norm_sqr()).collect();
        }
        &self.power
    }
}
