//! The second pass: tells the frames that were cut off from the ones around them.

use retake_autoregression::{Hann, Model, Stretches};

use crate::ceiling::Ceilings;

/// Seconds per hop, and of audio on each side: together what a voice keeps its sound for.
const HOP_S: f64 = 0.016;
const SIDE_S: f64 = 0.024;
/// Rounds of restoring and fitting the model to what was restored.
const ROUNDS: usize = 3;

pub struct Restorer {
    stretches: Stretches,
    repair: Repair,
    pub ceilings: Ceilings,
    pub tally: Tally,
}

struct Repair {
    window: Hann,
    order: usize,
    ceilings: Ceilings,
    most_factor: f64,
}

/// What was done.
#[derive(Default)]
pub struct Tally {
    pub frames: u64,
    pub restored: u64,
    pub peaks: u64,
    pub highest: f32,
    pub frames_per_point: u64,
    restored_per_point: Vec<u32>,
}

impl Restorer {
    pub fn new(sample_rate: u32, ceilings: Ceilings, most_factor: f64) -> Self {
        let frames = |seconds: f64| (seconds * f64::from(sample_rate)) as usize;
        Self {
            stretches: Stretches::new(frames(HOP_S), frames(SIDE_S)),
            repair: Repair {
                window: Hann::new(frames(HOP_S) + 2 * frames(SIDE_S)),
                order: (sample_rate as usize / 1000).clamp(16, 48),
                ceilings,
                most_factor,
            },
            ceilings,
            tally: Tally {
                frames_per_point: sample_rate.into(),
                ..Tally::default()
            },
        }
    }

    pub fn push(&mut self, input: &[f32]) {
        let (hop, repair, tally) = (self.stretches.hop(), &self.repair, &mut self.tally);
        self.stretches.push(input, &mut |stretch| {
            repair.restore(stretch, hop.clone(), tally)
        });
    }

    pub fn end(&mut self) {
        let (hop, repair, tally) = (self.stretches.hop(), &self.repair, &mut self.tally);
        self.stretches
            .end(&mut |stretch| repair.restore(stretch, hop.clone(), tally));
    }

    pub fn take(&mut self, max_frames: usize) -> Vec<f32> {
        self.stretches.take(max_frames)
    }
}

impl Repair {
    /// The bound a frame has at least reached, if it is clipped.
    fn floor(&self, sample: f32) -> Option<f64> {
        let (side, sign) = if sample < 0.0 {
            (self.ceilings.below, -1.0)
        } else {
            (self.ceilings.above, 1.0)
        };
        side.filter(|ceiling| sample.abs() >= *ceiling)
            .map(|ceiling| {
                // Where a frame stands above its ceiling already, it was at least that.
                sign * f64::from(ceiling.max(sample.abs()))
            })
    }

    fn restore(&self, stretch: &mut [f32], hop: std::ops::Range<usize>, tally: &mut Tally) {
        tally.frames += hop.len() as u64;
        if hop.clone().all(|at| self.floor(stretch[at]).is_none()) {
            return;
        }
        // What is before the hop is restored already: it is known.
        let (missing, floors): (Vec<usize>, Vec<f64>) = (hop.start..stretch.len())
            .filter_map(|at| self.floor(stretch[at]).map(|floor| (at, floor)))
            .unzip();
        let mut audio: Vec<f64> = stretch.iter().map(|s| f64::from(*s)).collect();
        for _ in 0..ROUNDS {
            let restored = Model::fit(&audio, &self.window, self.order)
                .is_some_and(|model| model.interpolate_beyond(&mut audio, &missing, &floors));
            if !restored {
                return;
            }
            for (at, floor) in missing.iter().zip(&floors) {
                let most = self.most_factor * floor.abs();
                audio[*at] = audio[*at].clamp(-most, most);
            }
        }
        let mut last = None;
        for at in missing.into_iter().take_while(|at| *at < hop.end) {
            stretch[at] = audio[at] as f32;
            tally.add(stretch[at], last.is_none_or(|last| last + 1 != at));
            last = Some(at);
        }
    }
}

impl Tally {
    fn add(&mut self, sample: f32, begins: bool) {
        self.restored += 1;
        self.peaks += u64::from(begins);
        self.highest = self.highest.max(sample.abs());
        let point = (self.frames.saturating_sub(1) / self.frames_per_point) as usize;
        if self.restored_per_point.len() <= point {
            self.restored_per_point.resize(point + 1, 0);
        }
        self.restored_per_point[point] += 1;
    }

    /// Percent of the frames, per point.
    pub fn points(&self) -> Vec<f32> {
        let percent = 100.0 / self.frames_per_point as f32;
        self.restored_per_point
            .iter()
            .map(|frames| *frames as f32 * percent)
            .collect()
    }
}
