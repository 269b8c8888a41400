//! Where somebody's voice sounds, for each hop: a breath is as loud as a quiet word, and rises and falls
//! like one, but has no pitch.

use retake_plugin_sdk::prelude::Block;
use retake_signal::section::{Coefficients, Section};
use retake_signal::steps::Steps;
use retake_signal::voicing::Voicing;

/// It is listened for this often within a hop.
const PARTS: usize = 10;
/// A voice is heard in so many of them at least: a rustle repeats itself once in a while.
const VOICED_PARTS: usize = 3;
/// What is lower would hide the pitch.
const LOW_HZ: f64 = 100.0;

pub struct Voice {
    low_cut: Section,
    voicing: Voicing,
    parts: Steps,
    hops: Steps,
    voiced: usize,
    /// Whether a voice was heard in each hop.
    pub heard: Vec<bool>,
}

impl Voice {
    pub fn new(rate_hz: u32, hop_frames: usize) -> Self {
        let rate = f64::from(rate_hz);
        Self {
            low_cut: Section::new(Coefficients::highpass(rate, LOW_HZ, 0.5f64.sqrt())),
            voicing: Voicing::new(rate_hz),
            parts: Steps::new(hop_frames / PARTS),
            hops: Steps::new(hop_frames),
            voiced: 0,
            heard: Vec::new(),
        }
    }

    pub fn add(&mut self, block: &Block) {
        let scale = 1.0 / block.len() as f32;
        let mut from = 0;
        while let Some(hop) = self.hops.piece(from, block[0].len()) {
            let mut start = hop.range.start;
            while let Some(part) = self.parts.piece(start, hop.range.end) {
                for frame in part.range.clone() {
                    let mix = block.iter().map(|channel| channel[frame]).sum::<f32>() * scale;
                    self.voicing.hear(self.low_cut.step(f64::from(mix)) as f32);
                }
                if part.ends {
                    self.low_cut.settle();
                    self.voiced += usize::from(self.voicing.is_voiced());
                }
                start = part.range.end;
            }
            if hop.ends {
                self.end_hop();
            }
            from = hop.range.end;
        }
    }

    pub fn finish(&mut self) {
        if self.hops.filled() > 0 {
            self.end_hop();
        }
    }

    fn end_hop(&mut self) {
        let voiced = std::mem::take(&mut self.voiced);
        self.heard.push(voiced >= VOICED_PARTS);
    }
}
