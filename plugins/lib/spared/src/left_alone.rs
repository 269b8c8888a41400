//! What stays as it was because a step before has found music there: for corrections that work on samples and
//! give back as many as they take, some frames late.

use std::collections::VecDeque;

use retake_plugin_sdk::Block;

use crate::{SECOND, Spared};

pub struct LeftAlone {
    spared: Spared,
    hop_frames: u64,
    latency: u64,
    /// Per channel what went in and has not come out.
    dry: Vec<VecDeque<f32>>,
    /// Frames that have come out, of them `latency` before the first.
    out: u64,
}

impl LeftAlone {
    pub fn new(spared: Spared, rate_hz: u32, channels: usize, latency: usize) -> Self {
        Self {
            spared,
            hop_frames: u64::from(rate_hz) / SECOND,
            latency: latency as u64,
            dry: vec![std::iter::repeat_n(0.0, latency).collect(); channels],
            out: 0,
        }
    }

    /// For each hop of so many frames whether music lies in it.
    pub fn music(&self, hops: usize, hop_frames: usize) -> Vec<bool> {
        let share = |hop: usize| {
            let middle = (hop * hop_frames + hop_frames / 2) as u64;
            self.spared.share(middle / self.hop_frames)
        };
        (0..hops).map(|hop| share(hop) > 0.0).collect()
    }

    /// Before a block is worked on.
    pub fn remember(&mut self, block: &Block) {
        if !self.spared.is_empty() {
            for (dry, channel) in self.dry.iter_mut().zip(block) {
                dry.extend(channel);
            }
        }
    }

    /// Afterwards: puts back what stays.
    pub fn restore(&mut self, block: &mut Block) {
        if self.spared.is_empty() {
            return;
        }
        let (mut known, mut from, mut to) = (u64::MAX, 0.0, 0.0);
        for frame in 0..block[0].len() {
            let at = self.out.saturating_sub(self.latency);
            self.out += 1;
            let (hop, within) = (at / self.hop_frames, at % self.hop_frames);
            if hop != known {
                (known, from, to) = (hop, self.spared.share(hop), self.spared.share(hop + 1));
            }
            let share = from + (to - from) * within as f32 / self.hop_frames as f32;
            for (dry, channel) in self.dry.iter_mut().zip(block.iter_mut()) {
                let dry = dry.pop_front().unwrap_or(0.0);
                // To the last bit where all of it stays.
                channel[frame] = match share {
                    1.0 => dry,
                    share => channel[frame] + share * (dry - channel[frame]),
                };
            }
        }
    }
}
