//! Integrated loudness (ITU-R BS.1770-4) and loudness range (EBU Tech 3342), in fixed memory.

use retake_plugin_sdk::prelude::Block;

// What the loudness correction measures with: the two must agree.
use retake_signal::{
    gate::Gate,
    k_weighting::{self, KFilter},
};

/// Hops of 100 ms: four to a block, thirty to a short-term loudness.
const HOPS_PER_BLOCK: usize = 4;
const HOPS_PER_SHORT_TERM: usize = 30;

pub struct Loudness {
    channels: Vec<(f64, KFilter)>,
    hop_frames: usize,
    filled: usize,
    energy: f64,
    /// The last 30, the newest at the end.
    hops: Vec<f64>,
    gate: Gate,
    /// Short-term powers by tenths of a LU above -70 LUFS.
    short_term: Vec<u64>,
}

impl Loudness {
    /// `weights` says how much each channel counts.
    pub fn new(rate_hz: u32, weights: Vec<f64>) -> Self {
        let weights = weights.into_iter();
        Self {
            channels: weights
                .map(|weight| (weight, KFilter::new(f64::from(rate_hz))))
                .collect(),
            hop_frames: (rate_hz as usize + 5) / 10,
            filled: 0,
            energy: 0.0,
            hops: Vec::with_capacity(HOPS_PER_SHORT_TERM + 1),
            gate: Gate::new(),
            short_term: vec![0; 1000],
        }
    }

    pub fn add(&mut self, block: &Block) {
        let frames = block[0].len();
        let mut from = 0;
        while from < frames {
            let to = frames.min(from + self.hop_frames - self.filled);
            let heard = self.channels.iter_mut().zip(block);
            self.energy += k_weighting::energy(
                heard.map(|((weight, filter), samples)| (*weight, filter, &samples[from..to])),
            );
            self.filled += to - from;
            from = to;
            if self.filled == self.hop_frames {
                self.end_hop();
            }
        }
    }

    /// `None`: silence, or shorter than 400 ms.
    pub fn integrated_lufs(&self) -> Option<f64> {
        self.gate.integrated_lufs()
    }

    /// From the 10th to the 95th percentile of what is at most 20 LU below the mean; `None` where
    /// there are not 3 s of it.
    pub fn range_lu(&self) -> Option<f64> {
        let lufs = |bin: usize| -70.0 + bin as f64 / 10.0;
        let power = |bin: usize| 10f64.powf(lufs(bin) / 10.0);
        let count: u64 = self.short_term.iter().sum();
        let bins = || self.short_term.iter().copied().enumerate();
        let mean = bins()
            .map(|(bin, count)| power(bin) * count as f64)
            .sum::<f64>()
            / count as f64;
        let gated = |bin: usize| power(bin) >= mean / 100.0;
        let gated_count: u64 = bins()
            .filter(|(bin, _)| gated(*bin))
            .map(|(_, count)| count)
            .sum();
        let percentile = |percent: u64| {
            let mut left = gated_count.checked_sub(1)? * percent / 100;
            let found = bins().filter(|(bin, _)| gated(*bin)).find(|(_, count)| {
                let is_here = left < *count;
                left = left.saturating_sub(*count);
                is_here
            });
            found.map(|(bin, _)| lufs(bin))
        };
        Some(percentile(95)? - percentile(10)?)
    }

    fn end_hop(&mut self) {
        self.hops.push(std::mem::take(&mut self.energy));
        self.filled = 0;
        let mean = |hops: &[f64]| hops.iter().sum::<f64>() / (hops.len() * self.hop_frames) as f64;
        if let Some(from) = self.hops.len().checked_sub(HOPS_PER_BLOCK) {
            self.gate.add(mean(&self.hops[from..]));
        }
        if self.hops.len() == HOPS_PER_SHORT_TERM {
            let lufs = -0.691 + 10.0 * mean(&self.hops).log10();
            if lufs >= -70.0 {
                let bin = ((lufs + 70.0) * 10.0) as usize;
                self.short_term[bin.min(999)] += 1;
            }
            self.hops.remove(0);
        }
    }
}
