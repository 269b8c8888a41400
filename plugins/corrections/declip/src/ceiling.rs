//! The first pass: is there a level at which the waveform's swings end flat?
//!
//! A swing is what lies between two changes of sign. The top of a natural one is round: of the
//! frames within a tenth of its peak, a third lie within a hundredth (a parabola: the root of
//! 0.01 / 0.1). Of a clipped one nearly all do. One flat swing says nothing; many that end at the same level,
//! with hardly any beyond, are a ceiling.

/// A swing's top is flat if so much of its last tenth lies in its last hundredth.
const FLAT_PART: f64 = 0.6;
const TOP: f32 = 0.99;
const LAST_TENTH: f32 = 0.9;
/// Frames in a top that can be judged.
const TOP_FRAMES_MIN: usize = 3;
/// Flat swings that make a ceiling, and the part they must be of all swings that high.
const SWINGS_MIN: u32 = 4;
const PART_MIN: f64 = 0.6;
/// Where nearly all swings that high end within 0.1 dB, a smaller part is enough: the others are
/// clipped too, but their tops are too short to judge.
const PILED_PART: f64 = 0.8;
const PILED_PART_MIN: f64 = 0.12;
/// A ceiling cut exactly is this thin; a lossy codec or a resampler leaves it rough.
const EXACT: f32 = 0.9995;
/// Part of the tops that must be that thin.
const EXACT_PART: f64 = 0.8;

/// A side whose highest peak is that close to the other side's ceiling has the same one, however few of
/// its peaks reach it.
const SAME: f32 = 0.002;

/// Peaks are counted in bins of 0.05 dB from -60 to +30 dBFS; quieter ones are not clipped but faint.
const BIN_DB: f32 = 0.05;
const FLOOR_DB: f32 = -60.0;
const BINS: usize = 1800;
/// Bins on each side that still are the same ceiling: 0.3 dB.
const SPREAD: usize = 6;

/// The levels above and below zero from which on a frame is clipped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ceilings {
    pub above: Option<f32>,
    /// Positive, too.
    pub below: Option<f32>,
}

pub struct Analysis {
    swing: Vec<f32>,
    swing_frames_max: usize,
    above: Peaks,
    below: Peaks,
}

impl Analysis {
    pub fn new(sample_rate: u32) -> Self {
        Self {
            swing: Vec::new(),
            // Half a period of 10 Hz. What takes longer is an offset, judged in pieces.
            swing_frames_max: sample_rate as usize / 20,
            above: Peaks::new(),
            below: Peaks::new(),
        }
    }

    pub fn add(&mut self, input: &[f32]) {
        for &sample in input {
            let turned = self
                .swing
                .last()
                .is_some_and(|last| (*last < 0.0) != (sample < 0.0));
            if turned || self.swing.len() >= self.swing_frames_max {
                self.end_swing();
            }
            self.swing.push(sample);
        }
    }

    pub fn finish(&mut self) -> Option<Ceilings> {
        self.end_swing();
        let (above, below) = (self.above.ceiling(), self.below.ceiling());
        let ceilings = Ceilings {
            above: above.or(below.filter(|level| self.above.ends_at(*level))),
            below: below.or(above.filter(|level| self.below.ends_at(*level))),
        };
        (above.is_some() || below.is_some()).then_some(ceilings)
    }

    fn end_swing(&mut self) {
        let side = match self.swing.first() {
            Some(first) if *first < 0.0 => &mut self.below,
            _ => &mut self.above,
        };
        side.add(&self.swing);
        self.swing.clear();
    }
}

/// The peaks of all swings to one side.
struct Peaks {
    bins: Vec<Bin>,
    highest: f32,
}

#[derive(Clone, Copy, Default)]
struct Bin {
    swings: u32,
    flat: u32,
    /// The lowest flat peak.
    lowest: f32,
    top_frames: u64,
    exact_frames: u64,
}

impl Peaks {
    fn new() -> Self {
        Self {
            bins: vec![Bin::default(); BINS],
            highest: 0.0,
        }
    }

    fn add(&mut self, swing: &[f32]) {
        let peak = swing.iter().fold(0f32, |peak, s| peak.max(s.abs()));
        self.highest = self.highest.max(peak);
        let place = (20.0 * peak.log10() - FLOOR_DB) / BIN_DB;
        if place < 0.0 || !place.is_finite() {
            return;
        }
        let above = |part: f32| swing.iter().filter(|s| s.abs() >= part * peak).count();
        let top = above(TOP);
        let bin = &mut self.bins[(place as usize).min(BINS - 1)];
        bin.swings += 1;
        // A swing that is nothing but top has no flanks: it is a constant, not a peak.
        let round = swing.len() == top;
        if top < TOP_FRAMES_MIN || round || (top as f64) < FLAT_PART * above(LAST_TENTH) as f64 {
            return;
        }
        bin.lowest = if bin.flat == 0 {
            peak
        } else {
            bin.lowest.min(peak)
        };
        bin.flat += 1;
        bin.top_frames += top as u64;
        bin.exact_frames += above(EXACT) as u64;
    }

    fn ends_at(&self, level: f32) -> bool {
        (self.highest / level - 1.0).abs() <= SAME
    }

    /// The highest level at which flat swings gather and beyond which there is hardly anything.
    fn ceiling(&self) -> Option<f32> {
        let mut beyond = 0;
        for (at, bin) in self.bins.iter().enumerate().rev() {
            beyond += bin.swings;
            if bin.flat == 0 {
                continue;
            }
            let first = at.saturating_sub(2 * SPREAD);
            let near = &self.bins[first..=at];
            let flat: u32 = near.iter().map(|bin| bin.flat).sum();
            let swings = beyond - bin.swings + near.iter().map(|bin| bin.swings).sum::<u32>();
            let pile = near
                .windows(2)
                .map(|two| two[0].swings + two[1].swings)
                .max();
            let piled = f64::from(pile.unwrap_or(0)) >= PILED_PART * f64::from(swings);
            let part_min = if piled { PILED_PART_MIN } else { PART_MIN };
            if flat >= SWINGS_MIN && f64::from(flat) >= part_min * f64::from(swings) {
                return Some(threshold(near));
            }
        }
        None
    }
}

/// From which level on a frame belongs to the flat tops of these bins.
fn threshold(bins: &[Bin]) -> f32 {
    let flat = || bins.iter().filter(|bin| bin.flat > 0);
    let sum = |frames: fn(&Bin) -> u64| flat().map(frames).sum::<u64>() as f64;
    let lowest = flat().map(|bin| bin.lowest).fold(f32::INFINITY, f32::min);
    let exact = sum(|bin| bin.exact_frames) >= EXACT_PART * sum(|bin| bin.top_frames);
    lowest * if exact { EXACT } else { TOP }
}
