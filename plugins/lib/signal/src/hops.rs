//! Loudness over time: K-weighted power (ITU-R BS.1770-4) in hops, and what EBU Tech 3341 and 3342
//! make of it.
//!
//! One number per hop is kept for the whole recording: at ten hops a second 144 KB an hour.

use crate::k_weighting::{self, KFilter};
use crate::steps::Steps;

/// Quieter than this is silence (ITU-R BS.1770-4).
pub const ABSOLUTE_LUFS: f64 = -70.0;
/// Nor does what is this much quieter than the mean of the rest count towards a loudness.
const RELATIVE_LU: f64 = -10.0;
/// The same for the loudness range (EBU Tech 3342).
const RANGE_RELATIVE_LU: f64 = -20.0;
/// Power of a hop without any signal, so that it has a level in dB: -200.
const NOTHING: f64 = 1e-20;

/// Loudness of a K-weighted mean power, summed over channels.
pub fn lufs(power: f64) -> f64 {
    -0.691 + 10.0 * power.max(NOTHING).log10()
}

/// Measures a stream in hops.
pub struct Hops {
    channels: Vec<(f64, KFilter)>,
    steps: Steps,
    energy: f64,
    /// Weighted mean power of each full hop, summed over channels.
    pub powers: Vec<f32>,
}

impl Hops {
    /// `weights` says how much each channel counts: see [`crate::weights`].
    pub fn new(rate_hz: u32, weights: &[f64], hops_per_second: usize) -> Self {
        let filter = KFilter::new(f64::from(rate_hz));
        Self {
            channels: weights
                .iter()
                .map(|&weight| (weight, filter.clone()))
                .collect(),
            steps: Steps::new((rate_hz as usize + hops_per_second / 2) / hops_per_second),
            energy: 0.0,
            powers: Vec::new(),
        }
    }

    pub fn hop_frames(&self) -> usize {
        self.steps.frames()
    }

    /// Measures a block: one list of samples per channel.
    pub fn add(&mut self, block: &[Vec<f32>]) {
        let frames = block.first().map_or(0, Vec::len);
        let mut from = 0;
        while let Some(piece) = self.steps.piece(from, frames) {
            let heard = self.channels.iter_mut().zip(block);
            self.energy += k_weighting::energy(heard.map(|((weight, filter), samples)| {
                (*weight, filter, &samples[piece.range.clone()])
            }));
            if piece.ends {
                self.end_hop(self.steps.frames());
            }
            from = piece.range.end;
        }
    }

    /// Takes what has not filled a hop as one more.
    pub fn finish(&mut self) {
        if self.steps.filled() > 0 {
            self.end_hop(self.steps.filled());
        }
    }

    fn end_hop(&mut self, frames: usize) {
        let energy = std::mem::take(&mut self.energy);
        self.powers.push((energy / frames as f64) as f32);
    }
}

/// Mean power of `width` hops in a row, for each place where they fit.
pub fn windows(powers: &[f32], width: usize) -> Vec<f64> {
    let mean = |hops: &[f32]| hops.iter().map(|&p| f64::from(p)).sum::<f64>() / width as f64;
    powers.windows(width).map(mean).collect()
}

/// Integrated loudness with both gates. `powers` in hops of 100 ms; `None`: silence, or too short.
pub fn integrated_lufs(powers: &[f32]) -> Option<f64> {
    let blocks = windows(powers, 4);
    gated(&blocks, RELATIVE_LU)
        .and_then(|loud| mean(&loud))
        .map(lufs)
}

/// The loudness range in LU (EBU Tech 3342): of the short-term loudness, windows of 3 s, the
/// distance from the tenth to the 95th percentile. `None`: silence, or shorter than 3 s.
pub fn range_lu(powers: &[f32]) -> Option<f64> {
    let mut loud = gated(&windows(powers, 30), RANGE_RELATIVE_LU)?;
    loud.sort_by(f64::total_cmp);
    let percentile = |part: f64| lufs(loud[((loud.len() - 1) as f64 * part).round() as usize]);
    Some(percentile(0.95) - percentile(0.1))
}

fn gated(powers: &[f64], relative_lu: f64) -> Option<Vec<f64>> {
    let heard: Vec<f64> = powers
        .iter()
        .copied()
        .filter(|&power| lufs(power) >= ABSOLUTE_LUFS)
        .collect();
    let threshold = mean(&heard)? * 10f64.powf(relative_lu / 10.0);
    Some(
        heard
            .into_iter()
            .filter(|&power| power >= threshold)
            .collect(),
    )
}

fn mean(powers: &[f64]) -> Option<f64> {
    (!powers.is_empty()).then(|| powers.iter().sum::<f64>() / powers.len() as f64)
}
