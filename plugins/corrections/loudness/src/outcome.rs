//! What came out: the loudness of the result, measured as it leaves. By the rule of the first pass:
//! ITU-R BS.1770-5, and of less than 400 ms what is there.

use retake_plugin_sdk::prelude::Block;
use retake_signal::{gate::Gate, k_weighting::KFilter};

use crate::segments::Segments;

const HOPS_PER_BLOCK: usize = 4;

pub struct Outcome {
    channels: Vec<(f64, KFilter)>,
    hop_frames: usize,
    filled: usize,
    energy: f64,
    whole: f64,
    hops: [f64; HOPS_PER_BLOCK],
    hops_seen: usize,
    gate: Gate,
    /// Frames of the limiter's latency that are still to come, then of the recording.
    skip: u64,
    left: u64,
    total_frames: u64,
}

impl Outcome {
    pub fn new(rate_hz: u32, weights: &[f64], latency: usize, total_frames: u64) -> Self {
        let filter = KFilter::new(f64::from(rate_hz));
        let weighted = weights.iter().map(|&weight| (weight, filter.clone()));
        Self {
            channels: weighted.collect(),
            hop_frames: Segments::new(rate_hz).hop_frames,
            filled: 0,
            energy: 0.0,
            whole: 0.0,
            hops: [0.0; HOPS_PER_BLOCK],
            hops_seen: 0,
            gate: Gate::new(),
            skip: latency as u64,
            left: total_frames,
            total_frames,
        }
    }

    pub fn add(&mut self, block: &Block) {
        let frames = block[0].len() as u64;
        let mut from = self.skip.min(frames);
        self.skip -= from;
        let end = frames.min(from + self.left);
        self.left -= end - from;
        while from < end {
            let to = end.min(from + (self.hop_frames - self.filled) as u64);
            for ((weight, filter), samples) in self.channels.iter_mut().zip(block) {
                if *weight > 0.0 {
                    self.energy += *weight * filter.energy(&samples[from as usize..to as usize]);
                }
            }
            self.filled += (to - from) as usize;
            from = to;
            if self.filled == self.hop_frames {
                self.end_hop();
            }
        }
    }

    fn end_hop(&mut self) {
        self.filled = 0;
        self.whole += self.energy;
        self.hops.rotate_left(1);
        self.hops[HOPS_PER_BLOCK - 1] = std::mem::take(&mut self.energy);
        self.hops_seen += 1;
        if self.hops_seen >= HOPS_PER_BLOCK {
            let frames = (self.hop_frames * HOPS_PER_BLOCK) as f64;
            self.gate.add(self.hops.iter().sum::<f64>() / frames);
        }
    }

    /// `None`: silence.
    pub fn lufs(&self) -> Option<f64> {
        if self.total_frames >= (HOPS_PER_BLOCK * self.hop_frames) as u64 {
            return self.gate.integrated_lufs();
        }
        let power = (self.whole + self.energy) / self.total_frames.max(1) as f64;
        (power > 0.0).then(|| -0.691 + 10.0 * power.log10())
    }
}
