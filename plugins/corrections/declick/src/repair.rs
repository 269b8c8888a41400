//! Finds the clicks of a stretch and rebuilds the audio under them.

use retake_autoregression::{Hann, Model, Stretches};

use crate::detect::Detector;

/// Seconds per hop, and seconds of audio on each side beyond what the detector needs.
const HOP_S: f64 = 0.02;
const SIDE_S: f64 = 0.006;
/// Looks at a stretch: a strong click hides weaker ones.
const LOOKS: usize = 3;
/// A predictor reaches back 1.7 ms: beyond the formants' ringing, short of the pitch.
const FRAMES_PER_S_AND_ORDER: usize = 600;

pub struct Repairer {
    stretches: Stretches,
    finder: Finder,
    pub tally: Tally,
}

struct Finder {
    detector: Detector,
    window: Hann,
    order: usize,
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
        let longest = (max_click_ms * rate / 1000.0).ceil() as usize;
        let detector = Detector::new(rate, sensitivity, longest);
        let side = detector.reach() + (SIDE_S * rate) as usize;
        let hop = (HOP_S * rate) as usize;
        Self {
            stretches: Stretches::new(hop, side),
            finder: Finder {
                window: Hann::new(side + hop + side),
                order: (sample_rate as usize / FRAMES_PER_S_AND_ORDER).clamp(14, 80),
                detector,
            },
            tally: Tally {
                frames_per_second: sample_rate.into(),
                ..Tally::default()
            },
        }
    }

    pub fn push(&mut self, input: &[f32]) {
        let hop = self.stretches.hop();
        let (finder, tally) = (&self.finder, &mut self.tally);
        self.stretches.push(input, &mut |stretch| {
            finder.repair(stretch, hop.clone(), tally)
        });
    }

    pub fn end(&mut self) {
        let hop = self.stretches.hop();
        let (finder, tally) = (&self.finder, &mut self.tally);
        self.stretches
            .end(&mut |stretch| finder.repair(stretch, hop.clone(), tally));
    }

    pub fn take(&mut self, max_frames: usize) -> Vec<f32> {
        self.stretches.take(max_frames)
    }
}

impl Finder {
    fn repair(&self, stretch: &mut [f32], hop: std::ops::Range<usize>, tally: &mut Tally) {
        let mut audio: Vec<f64> = stretch.iter().map(|s| f64::from(*s)).collect();
        for (first, end) in self.rebuild(&mut audio, hop.start) {
            // A click at the hop's end is finished in the next one, where more is seen of it.
            let end = end.min(hop.end);
            if first >= end {
                break;
            }
            for at in first..end {
                stretch[at] = audio[at] as f32;
            }
            tally.add(first - hop.start, end - first);
        }
        tally.frames += hop.len() as u64;
    }

    /// The clicks from `first` on, first frame and end of each. A model of audio with clicks in it
    /// is a bad one, so it is made anew from what was rebuilt, and all is rebuilt with that.
    fn rebuild(&self, audio: &mut [f64], first: usize) -> Vec<(usize, usize)> {
        let within = first..audio.len() - self.order;
        let mut is_click = vec![false; audio.len()];
        let mut known = 0;
        for _ in 0..LOOKS {
            let Some(model) = Model::fit(audio, &self.window, self.order) else {
                break;
            };
            if known == 0 && !self.detector.may_find(&model, audio, within.clone()) {
                break;
            }
            for (begin, end) in self.detector.clicks(&model, audio, within.clone()) {
                // What is before is out and cannot be changed any more.
                is_click[begin.max(first)..end].fill(true);
            }
            let missing: Vec<usize> = (0..audio.len()).filter(|at| is_click[*at]).collect();
            if missing.is_empty() || !model.interpolate(audio, &missing) {
                return Vec::new();
            }
            if missing.len() == known {
                break;
            }
            known = missing.len();
        }
        runs(&is_click)
    }
}

/// First frame and end of each stretch that is marked.
fn runs(marked: &[bool]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut at = 0;
    for stretch in marked.chunk_by(|a, b| a == b) {
        if stretch[0] {
            runs.push((at, at + stretch.len()));
        }
        at += stretch.len();
    }
    runs
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
