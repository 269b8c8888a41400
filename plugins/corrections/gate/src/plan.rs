//! Where the gate is open, where somebody breathes, and the gain that follows.

use std::ops::Range;

use retake_signal::hops::{ABSOLUTE_LUFS, lufs};

use crate::listener::HOPS_PER_SECOND;

/// The noise of the pauses is the level under which this part of the recording lies...
const NOISE_PART: f64 = 0.1;
/// ...and the threshold is this much above it...
const ABOVE_NOISE_DB: f64 = 8.0;
/// ...but within these of the speech: lower would keep noise out that is none, higher would cut
/// words.
const BELOW_SPEECH_DB: Range<f64> = 15.0..45.0;
/// What is this much quieter than the mean does not count as speech (ITU-R BS.1770-4).
const SPEECH_GATE_LU: f64 = 10.0;
/// The gate opens at the threshold and closes this much under it.
const HYSTERESIS_DB: f64 = 4.0;
/// What opens it for less than this is a click.
const OPEN_HOPS_MIN: usize = 3;
/// It is open so long before the threshold is reached: words begin softly.
const BEFORE_HOPS: usize = 6;
/// How long it takes to open and to close.
const OPENING_HOPS: f64 = 3.0;
const CLOSING_HOPS: f64 = 20.0;

/// A breath is this much quieter than speech, at least...
const BREATH_BELOW_SPEECH_DB: f64 = 10.0;
/// ...this much louder than the noise...
const BREATH_ABOVE_NOISE_DB: f64 = 5.0;
/// ...and this long, but for gaps.
const BREATH_HOPS: Range<usize> = 12..120;
const BREATH_GAP_HOPS: usize = 2;
/// A breath turns down and back within this.
const BREATH_EDGE_HOPS: f64 = 4.0;

/// What was asked for.
pub struct Wish {
    /// `None`: from the recording.
    pub threshold_lufs: Option<f64>,
    pub range_db: f64,
    pub hold_hops: usize,
    pub breaths_db: f64,
}

/// Loudness of what the recording is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels {
    pub noise_lufs: f64,
    pub speech_lufs: f64,
    pub threshold_lufs: f64,
}

pub struct Plan {
    /// `None`: all is silence.
    pub levels: Option<Levels>,
    pub breaths: Vec<Range<usize>>,
    /// Gain at the middle of each hop, 0 or less.
    pub gains_db: Vec<f64>,
}

impl Plan {
    /// From the K-weighted power of each hop of 10 ms, and whether it could be breath.
    pub fn new(wish: &Wish, powers: &[f32], breathy: &[bool]) -> Self {
        let loudness = smoothed(powers);
        let Some(levels) = Levels::of(&loudness, wish.threshold_lufs) else {
            return Self {
                levels: None,
                breaths: Vec::new(),
                gains_db: vec![0.0; powers.len()],
            };
        };
        let open = open(&loudness, levels.threshold_lufs);
        // Where nothing opens it, there is nothing that pauses could be beside.
        let closed_db = if open.is_empty() { 0.0 } else { -wish.range_db };
        let mut gains_db = vec![closed_db; powers.len()];
        for open in open {
            let open = open.start.saturating_sub(BEFORE_HOPS)..open.end + wish.hold_hops;
            gains_db[open.start..open.end.min(powers.len())].fill(0.0);
        }
        sloped(
            &mut gains_db,
            wish.range_db / OPENING_HOPS,
            wish.range_db / CLOSING_HOPS,
        );

        let breaths = breaths(&loudness, breathy, &levels);
        let mut softened = vec![0.0; powers.len()];
        for breath in &breaths {
            softened[breath.clone()].fill(-wish.breaths_db);
        }
        // Its edges lie inside the breath: what is beside it is a word.
        let edge = wish.breaths_db / BREATH_EDGE_HOPS;
        sloped(&mut softened, edge, edge);
        for (gain, softened) in gains_db.iter_mut().zip(softened) {
            *gain = gain.min(softened);
        }
        Self {
            levels: Some(levels),
            breaths,
            gains_db,
        }
    }

    /// The part of the recording that is turned down.
    pub fn share(&self) -> f64 {
        let down = self.gains_db.iter().filter(|&&gain| gain < -0.5).count();
        down as f64 / self.gains_db.len().max(1) as f64
    }
}

impl Levels {
    fn of(loudness: &[f64], threshold_lufs: Option<f64>) -> Option<Self> {
        let power = |lufs: f64| 10f64.powf(lufs / 10.0);
        let mean = |from: f64| {
            let loud = || loudness.iter().filter(|&&l| l > from);
            let sum = loud().map(|&l| power(l)).sum::<f64>();
            (sum > 0.0).then(|| 10.0 * (sum / loud().count() as f64).log10())
        };
        let speech_lufs = mean(mean(ABSOLUTE_LUFS)? - SPEECH_GATE_LU)?;
        // Digital silence is no noise, but where there is much of it the noise is below hearing.
        let mut sorted = loudness.to_vec();
        let part = ((sorted.len() - 1) as f64 * NOISE_PART) as usize;
        let noise_lufs = *sorted.select_nth_unstable_by(part, f64::total_cmp).1;
        let noise_lufs = noise_lufs.max(ABSOLUTE_LUFS - 30.0);
        let threshold_lufs = threshold_lufs.unwrap_or_else(|| {
            (noise_lufs + ABOVE_NOISE_DB).clamp(
                speech_lufs - BELOW_SPEECH_DB.end,
                speech_lufs - BELOW_SPEECH_DB.start,
            )
        });
        Some(Self {
            noise_lufs,
            speech_lufs,
            threshold_lufs,
        })
    }
}

/// Loudness over the 30 ms around each hop's middle.
fn smoothed(powers: &[f32]) -> Vec<f64> {
    (0..powers.len())
        .map(|at| {
            let near = &powers[at.saturating_sub(1)..powers.len().min(at + 2)];
            lufs(near.iter().map(|&p| f64::from(p)).sum::<f64>() / near.len() as f64)
        })
        .collect()
}

/// Stretches that open the gate, without the hold.
fn open(loudness: &[f64], threshold_lufs: f64) -> Vec<Range<usize>> {
    let mut stretches = Vec::new();
    let mut since: Option<usize> = None;
    for (hop, &now) in loudness.iter().enumerate() {
        match since {
            None if now >= threshold_lufs => since = Some(hop),
            Some(start) if now < threshold_lufs - HYSTERESIS_DB => {
                stretches.push(start..hop);
                since = None;
            }
            _ => {}
        }
    }
    stretches.extend(since.map(|start| start..loudness.len()));
    // The loudness is over three hops: a click is as long.
    stretches.retain(|stretch| stretch.len() > OPEN_HOPS_MIN);
    stretches
}

/// Lets a gain rise no faster than `up` per hop and fall no faster than `down`, by raising what is
/// around: where it is highest it stays.
fn sloped(gains_db: &mut [f64], up: f64, down: f64) {
    for at in 1..gains_db.len() {
        gains_db[at] = gains_db[at].max(gains_db[at - 1] - down);
    }
    for at in (1..gains_db.len()).rev() {
        gains_db[at - 1] = gains_db[at - 1].max(gains_db[at] - up);
    }
}

/// Runs of what could be breath, as loud and as long as breaths are.
fn breaths(loudness: &[f64], breathy: &[bool], levels: &Levels) -> Vec<Range<usize>> {
    let quiet = levels
        .noise_lufs
        .max(levels.speech_lufs - BELOW_SPEECH_DB.end);
    let range = quiet + BREATH_ABOVE_NOISE_DB..levels.speech_lufs - BREATH_BELOW_SPEECH_DB;
    let mut runs: Vec<Range<usize>> = Vec::new();
    let could_be = loudness
        .iter()
        .zip(breathy)
        .map(|(l, &breathy)| breathy && range.contains(l));
    for (hop, _) in could_be.enumerate().filter(|(_, could_be)| *could_be) {
        match runs.last_mut() {
            Some(run) if hop <= run.end + BREATH_GAP_HOPS => run.end = hop + 1,
            _ => runs.push(hop..hop + 1),
        }
    }
    runs.retain(|run| BREATH_HOPS.contains(&run.len()));
    runs
}

// The numbers of hops above are for this many to the second.
const _: () = assert!(HOPS_PER_SECOND == 100);
