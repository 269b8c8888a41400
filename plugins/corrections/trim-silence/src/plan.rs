//! What is a pause, and what of it goes.

use crate::levels::{Levels, SILENCE_DB};

/// Most cuts that the host takes from one step.
const CUTS_MAX: usize = 10_000;

/// The threshold found lies so far above the noise floor, in parts of the way to the sound, …
const ABOVE_FLOOR: f32 = 0.35;
/// … but at least and at most so many dB.
const ABOVE_FLOOR_DB: (f32, f32) = (6.0, 12.0);
/// A recording whose sound stands out by less than this has no pauses that could be told.
const STANDS_OUT_DB: f32 = 12.0;

/// Muted, with or without dither: no part of the noise floor.
const MUTED_DB: f32 = -84.0;
/// What is left beside muted stretches has a noise floor of its own if its quietest hops, from the first
/// to the fifth percentile, are within this, and so many hops in a row are hardly above it.
const STEADY_DB: f32 = 5.0;
const STEADY_HOPS: usize = 50;

/// Half of the cross-fade, in hops.
const FADE_HOPS: usize = 1;

pub struct Wish {
    pub threshold: Threshold,
    pub shortest_s: f64,
    pub remains_s: f64,
    pub keep_ends: bool,
}

pub enum Threshold {
    Auto,
    /// dBFS.
    Fixed(f64),
}

/// Frames `from..to` are left out; around the joint runs a cross-fade of twice `fade` frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub from: u64,
    pub to: u64,
    pub fade: u64,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Everything before the first sound, but for what remains.
    Start,
    Pause,
    /// The same after the last.
    End,
}

pub struct Plan {
    /// In order.
    pub cuts: Vec<Cut>,
    /// `None` where sound and pause cannot be told apart.
    pub threshold_dbfs: Option<f64>,
    /// Pauses that were left alone because there are too many.
    pub left_over: usize,
}

impl Plan {
    pub fn new(wish: &Wish, levels: &Levels, total_frames: u64) -> Self {
        let threshold_db = match wish.threshold {
            Threshold::Fixed(dbfs) => Some(dbfs as f32),
            Threshold::Auto => between_floor_and_sound(&levels.db),
        };
        let mut cuts = threshold_db.map_or_else(Vec::new, |threshold_db| {
            pauses(&levels.db, threshold_db)
                .filter_map(|pause| cut(wish, levels, pause, total_frames))
                .collect()
        });
        let left_over = cuts.len().saturating_sub(CUTS_MAX);
        cuts.truncate(CUTS_MAX);
        Self {
            cuts,
            threshold_dbfs: threshold_db.map(f64::from),
            left_over,
        }
    }
}

/// Noise floor and sound are taken to be the 10th and the 95th percentile of what is not digital
/// silence: a tenth of the time, at the least, nobody speaks. Where a tenth or more is muted, that is
/// no longer sure of the rest: then its quietest twentieth is the floor if it is as steady as noise, and
/// else the muted stretches are the pauses that there are.
fn between_floor_and_sound(db: &[f32]) -> Option<f32> {
    let rest = Sorted::louder_than(MUTED_DB, db);
    let is_muted = (db.len() - rest.0.len()) * 10 > db.len();
    if !is_muted {
        let heard = Sorted::louder_than(SILENCE_DB, db);
        return threshold(heard.percentile(10)?, heard.percentile(95)?);
    }
    let floor_db = rest.percentile(5)?;
    let sound_db = rest.percentile(95)?;
    let quiet = |&db: &f32| db > MUTED_DB && db < floor_db + ABOVE_FLOOR_DB.0;
    let rests = db.chunk_by(|a, b| quiet(a) && quiet(b));
    let steady = floor_db - rest.percentile(1)? <= STEADY_DB
        && rests.map(<[f32]>::len).max() >= Some(STEADY_HOPS);
    let between = threshold(floor_db, sound_db).filter(|_| steady);
    between.or_else(|| threshold(SILENCE_DB, sound_db))
}

fn threshold(floor_db: f32, sound_db: f32) -> Option<f32> {
    let distance_db = sound_db - floor_db;
    let (least, most) = ABOVE_FLOOR_DB;
    (distance_db >= STANDS_OUT_DB)
        .then(|| floor_db + (ABOVE_FLOOR * distance_db).clamp(least, most))
}

struct Sorted(Vec<f32>);

impl Sorted {
    fn louder_than(least_db: f32, db: &[f32]) -> Self {
        let mut louder: Vec<f32> = db.iter().copied().filter(|&db| db > least_db).collect();
        louder.sort_unstable_by(f32::total_cmp);
        Self(louder)
    }

    fn percentile(&self, percent: usize) -> Option<f32> {
        let last = self.0.len().checked_sub(1)?;
        Some(self.0[last * percent / 100])
    }
}

/// Runs of hops below the threshold.
fn pauses(db: &[f32], threshold_db: f32) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let from = at + db[at..].iter().position(|&db| db < threshold_db)?;
        let until = db[from..].iter().position(|&db| db >= threshold_db);
        at = until.map_or(db.len(), |until| from + until);
        Some(from..at)
    })
}

/// What is taken out of a pause, if it is long enough.
fn cut(
    wish: &Wish,
    levels: &Levels,
    pause: std::ops::Range<usize>,
    total_frames: u64,
) -> Option<Cut> {
    let (hops, db) = (levels.db.len(), &levels.db);
    let hop_frames = levels.hop_frames as u64;
    let whole = pause == (0..hops);
    let kind = match (pause.start == 0, pause.end == hops) {
        (true, _) => Kind::Start,
        (_, true) => Kind::End,
        _ => Kind::Pause,
    };
    if whole || (wish.keep_ends && kind != Kind::Pause) {
        return None;
    }
    let in_hops = |seconds: f64| (seconds * 100.0).round() as usize;
    let remains = in_hops(wish.remains_s);
    // Both fades lie within what goes: else they would overlap.
    let shortest = in_hops(wish.shortest_s).max(remains + 4 * FADE_HOPS);
    if pause.len() <= shortest {
        return None;
    }
    // So much of what remains comes before the joint.
    let before = match kind {
        Kind::Start => 0,
        Kind::End => remains,
        Kind::Pause => quietest_split(db, &pause, remains),
    };
    let from = (pause.start + before) as u64 * hop_frames;
    let to = (pause.end - (remains - before)) as u64 * hop_frames;
    Some(Cut {
        from,
        to: if kind == Kind::End { total_frames } else { to },
        fade: FADE_HOPS as u64 * hop_frames,
        kind,
    })
}

/// How many hops of those that remain come before the joint: where both sides of it are quiet, in
/// the middle half.
fn quietest_split(db: &[f32], pause: &std::ops::Range<usize>, remains: usize) -> usize {
    let around = |hop: usize| {
        let hops = &db[hop.saturating_sub(FADE_HOPS)..(hop + FADE_HOPS).min(db.len())];
        let power: f32 = hops.iter().map(|db| 10f32.powf(db / 10.0)).sum();
        power
    };
    let candidates = (remains / 4).max(FADE_HOPS)..=remains - (remains / 4).max(FADE_HOPS);
    candidates
        .min_by(|&a, &b| {
            let joint = |before: usize| {
                around(pause.start + before) + around(pause.end - (remains - before))
            };
            joint(a).total_cmp(&joint(b))
        })
        .unwrap_or(remains / 2)
}
