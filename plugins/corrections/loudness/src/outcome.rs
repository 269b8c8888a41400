//! What came out: the loudness of the result, measured as it leaves, by the rule of the first pass.

use retake_plugin_sdk::prelude::Block;
use retake_signal::meter::Meter;

pub struct Outcome {
    meter: Meter,
    /// Frames of the limiter's latency that are still to come, then of the recording.
    skip: u64,
    left: u64,
}

impl Outcome {
    pub fn new(rate_hz: u32, weights: &[f64], latency: usize, total_frames: u64) -> Self {
        Self {
            meter: Meter::new(rate_hz, weights),
            skip: latency as u64,
            left: total_frames,
        }
    }

    pub fn add(&mut self, block: &Block) {
        let frames = block[0].len() as u64;
        let from = self.skip.min(frames);
        self.skip -= from;
        let end = frames.min(from + self.left);
        self.left -= end - from;
        self.meter.add(block, from as usize..end as usize);
    }

    /// `None`: silence.
    pub fn lufs(&self) -> Option<f64> {
        self.meter.integrated_lufs()
    }
}
