//! Integrated loudness (ITU-R BS.1770-5, EBU R 128) of what passes by: blocks of 400 ms, each 100 ms after
//! the last, and of a recording that is shorter than one, all of it. Held against the host's own meter and
//! libebur128 by a test of the host.

use super::{
    gate::Gate,
    k_weighting::{self, KFilter},
};

const HOPS_PER_BLOCK: usize = 4;

pub struct Meter {
    channels: Vec<(f64, KFilter)>,
    hop_frames: usize,
    filled: usize,
    energy: f64,
    /// Of the last hops, the newest at the end, and how many there were.
    last: [f64; HOPS_PER_BLOCK],
    hops: usize,
    gate: Gate,
}

impl Meter {
    /// `weights` says how much each channel counts.
    pub fn new(rate_hz: u32, weights: &[f64]) -> Self {
        let filter = KFilter::new(f64::from(rate_hz));
        let weighted = weights.iter().map(|&weight| (weight, filter.clone()));
        Self {
            channels: weighted.collect(),
            hop_frames: (rate_hz as usize + 5) / 10,
            filled: 0,
            energy: 0.0,
            last: [0.0; HOPS_PER_BLOCK],
            hops: 0,
            gate: Gate::new(),
        }
    }

    /// Takes these frames of every channel.
    pub fn add(&mut self, channels: &[Vec<f32>], frames: std::ops::Range<usize>) {
        let mut from = frames.start;
        while from < frames.end {
            let to = frames.end.min(from + self.hop_frames - self.filled);
            let heard = self.channels.iter_mut().zip(channels);
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

    fn end_hop(&mut self) {
        self.filled = 0;
        self.last.rotate_left(1);
        self.last[HOPS_PER_BLOCK - 1] = std::mem::take(&mut self.energy);
        self.hops += 1;
        if self.hops >= HOPS_PER_BLOCK {
            let frames = (self.hop_frames * HOPS_PER_BLOCK) as f64;
            self.gate.add(self.last.iter().sum::<f64>() / frames);
        }
    }

    /// `None`: silence.
    pub fn integrated_lufs(&self) -> Option<f64> {
        if self.hops >= HOPS_PER_BLOCK {
            return self.gate.integrated_lufs();
        }
        let frames = self.hops * self.hop_frames + self.filled;
        let energy = self.last.iter().sum::<f64>() + self.energy;
        let mut all = Gate::new();
        all.add(energy / frames.max(1) as f64);
        all.integrated_lufs()
    }
}
