//! Goes through the audio in hops, with enough on both sides to see and to rebuild.

use std::collections::VecDeque;

use retake_autoregression::Model;

use crate::detect::Detector;

/// Seconds per hop, and seconds of audio on each side beyond what the detector needs.
const HOP_S: f64 = 0.02;
const SIDE_S: f64 = 0.006;
/// Looks at a hop: a strong click hides weaker ones.
const LOOKS: usize = 3;

pub struct Repairer {
    detector: Detector,
    order: usize,
    hop: usize,
    side: usize,
    /// Audio not yet put out, after `side` frames that were.
    held: Vec<f32>,
    ready: VecDeque<f32>,
    left: u64,
    ended: bool,
    pub tally: Tally,
}

/// What was done.
#[derive(Default)]
pub struct Tally {
    pub frames: u64,
    pub clicks: u64,
    pub replaced: u64,
    pub longest: u64,
    pub per_second: Vec<u32>,
    frames_per_second: u64,
}

impl Repairer {
    pub fn new(sample_rate: u32, sensitivity: f64, max_click_ms: f64) -> Self {
        let rate = f64::from(sample_rate);
        let longest = (max_click_ms * rate / 1000.0).ceil() as usize + 2;
        let detector = Detector::new(rate, sensitivity, longest);
        let side = detector.reach() + (SIDE_S * rate) as usize;
        Self {
            order: (sample_rate as usize / 1200).clamp(14, 44),
            hop: (HOP_S * rate) as usize,
            side,
            // Before the recording there was silence.
            held: vec![0.0; side],
            detector,
            ready: VecDeque::new(),
            left: 0,
            ended: false,
            tally: Tally { frames_per_second: sample_rate.into(), ..Tally::default() },
        }
    }

    pub fn push(&mut self, input: &[f32]) {
        self.held.extend_from_slice(input);
        self.left += input.len() as u64;
        while self.held.len() >= self.side + self.hop + self.side {
            self.hop();
        }
    }

    /// No more input: after the recording there is silence.
    pub fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        while self.left > 0 {
            let enough = self.side + self.hop + self.side;
            self.held.resize(self.held.len().max(enough), 0.0);
            self.hop();
        }
    }

    pub fn take(&mut self, max_frames: usize) -> Vec<f32> {
        let frames = max_frames.min(self.ready.len());
        self.ready.drain(..frames).collect()
    }

    fn hop(&mut self) {
        let (side, hop) = (self.side, self.hop);
        let mut audio: Vec<f64> =
            self.held[..side + hop + side].iter().map(|s| f64::from(*s)).collect();
        for _ in 0..LOOKS {
            let Some(model) = Model::fit(&audio, self.order) else {
                break;
            };
            let clicks = self.detector.clicks(&model, &audio, side..side + hop);
            if clicks.is_empty() {
                break;
            }
            for (first, end) in clicks {
                self.repair(&model, &mut audio, first, end);
            }
        }
        let out = hop.min(self.left as usize);
        self.ready.extend(&self.held[side..side + out]);
        self.left -= out as u64;
        self.tally.frames += out as u64;
        self.held.drain(..hop);
    }

    fn repair(&mut self, model: &Model, audio: &mut [f64], first: usize, end: usize) {
        // What is out cannot be changed any more.
        let first = first.max(self.side);
        let missing: Vec<usize> = (first..end).collect();
        if missing.is_empty() || !model.interpolate(audio, &missing) {
            return;
        }
        for at in missing {
            self.held[at] = audio[at] as f32;
        }
        self.tally.add(first - self.side, end - first);
    }
}

impl Tally {
    fn add(&mut self, off: usize, frames: usize) {
        self.clicks += 1;
        self.replaced += frames as u64;
        self.longest = self.longest.max(frames as u64);
        let second = ((self.frames + off as u64) / self.frames_per_second) as usize;
        if self.per_second.len() <= second {
            self.per_second.resize(second + 1, 0);
        }
        self.per_second[second] += 1;
    }
}
