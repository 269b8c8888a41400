//! The ride: a gain for each hop, from what the first pass heard of the whole recording.
//!
//! Where there is speech, the gain brings the level around it to the target. A pause takes the
//! lower gain of its two sides, but for a moment at its ends. Then the change is limited: a step
//! becomes a slope that is centred on it. In the end all gains are moved together, so that what the
//! compressor takes does not make the whole quieter.

use std::collections::VecDeque;

use retake_plugin_sdk::prelude::{db_to_factor, factor_to_db};
use retake_signal::hops::integrated_lufs;

use crate::CEILING_DBFS;
use crate::activity::{Activity, median};
use crate::compressor::{Curve, RELEASE_S};

/// The gain of speech reaches so many hops into a pause, so that a slope lies in the pause.
const INTO_PAUSE_HOPS: usize = 2;
/// Most that the whole is moved against what it was, towards a fixed target.
const SHIFT_DB_MAX: f64 = 30.0;
/// Most that a voice gets back of what the compressor takes.
const EVENED_DB_MAX: f64 = 3.0;
/// So often at most is that movement corrected.
const GOES_MAX: usize = 16;
/// Weights of the last smoothing, a Hann window: it takes the corners off.
const SMOOTH: [f64; 5] = [1.0, 3.0, 4.0, 3.0, 1.0];

/// What was asked for.
pub struct Wish {
    /// `None`: the recording's own.
    pub target_lufs: Option<f64>,
    pub range_db: f64,
    pub slew_db_per_hop: f64,
    pub ratio: f64,
}

pub struct Ride {
    pub speech: Vec<bool>,
    /// Gain at the middle of each hop.
    pub gains_db: Vec<f64>,
    /// Loudness of the speech after the ride, for the compressor. `None`: there is no speech.
    pub speech_lufs: Option<f64>,
    /// What no sample shall exceed.
    pub ceiling_dbfs: f64,
}

impl Ride {
    /// From K-weighted powers and sample peaks in hops of 100 ms, and whether a voice was heard in each, or music.
    pub fn new(
        wish: &Wish,
        powers: &[f32],
        peaks: &[f32],
        voiced: &[bool],
        music: &[bool],
    ) -> Self {
        let activity = Activity::new(powers, voiced, music);
        let levels = activity.levels(powers);
        let highest = peaks.iter().copied().fold(0.0, f32::max);
        let ceiling_dbfs = factor_to_db(f64::from(highest)).max(CEILING_DBFS);
        let heard = levels.iter().copied().filter(|level| level.is_finite());
        let Some(own) = median(heard.collect()) else {
            return Self::still(activity.speech, ceiling_dbfs);
        };
        let ride = |wanted: &dyn Fn(usize) -> f64, range_db: f64| {
            let gain =
                |hop| (levels[hop] > f64::MIN).then(|| wanted(hop).clamp(-range_db, range_db));
            smoothed(&slewed(
                &hold((0..levels.len()).map(gain).collect()),
                wish.slew_db_per_hop,
            ))
        };
        let mut gains_db = ride(&|hop| own - levels[hop], wish.range_db);

        // Without any ride the recording keeps its loudness; what is asked for is that of speech.
        let without = integrated_lufs(&ridden(powers, peaks, &gains_db, None)).unwrap_or(own);
        let goal = wish.target_lufs.unwrap_or(without);
        let shift = (goal - without).clamp(-SHIFT_DB_MAX, SHIFT_DB_MAX);
        gains_db.iter_mut().for_each(|gain| *gain += shift);

        // Of a voice with sharp peaks the compressor takes more: it gets back what others keep.
        let curve = Curve::new(goal, wish.ratio, ceiling_dbfs);
        let level = |curve| activity.levels(&ridden(powers, peaks, &gains_db, curve));
        let (before, after) = (level(None), level(Some(&curve)));
        let evened = ride(&|hop| before[hop] - after[hop], EVENED_DB_MAX);
        gains_db
            .iter_mut()
            .zip(evened)
            .for_each(|(gain, evened)| *gain += evened);
        let mut gains_db = slewed(&gains_db, wish.slew_db_per_hop);
        shift_to(goal, powers, peaks, &mut gains_db, &curve);
        Self {
            gains_db,
            speech: activity.speech,
            speech_lufs: Some(goal),
            ceiling_dbfs,
        }
    }

    /// No speech: nothing is done.
    fn still(speech: Vec<bool>, ceiling_dbfs: f64) -> Self {
        Self {
            gains_db: vec![0.0; speech.len()],
            speech,
            speech_lufs: None,
            ceiling_dbfs,
        }
    }

    /// The gains as factors.
    pub fn factors(&self) -> Vec<f32> {
        self.gains_db
            .iter()
            .map(|&gain| db_to_factor(gain))
            .collect()
    }

    pub fn gain_min_db(&self) -> f64 {
        self.gains_db
            .iter()
            .copied()
            .reduce(f64::min)
            .unwrap_or(0.0)
    }

    pub fn gain_max_db(&self) -> f64 {
        self.gains_db
            .iter()
            .copied()
            .reduce(f64::max)
            .unwrap_or(0.0)
    }
}

/// Moves all gains together until what comes out of the compressor has a loudness. Under
/// compression a dB of gain gives less than one, so it takes several goes.
fn shift_to(goal: f64, powers: &[f32], peaks: &[f32], gains_db: &mut [f64], curve: &Curve) {
    let mut shifted = 0.0f64;
    for _ in 0..GOES_MAX {
        let Some(lufs) = integrated_lufs(&ridden(powers, peaks, gains_db, Some(curve))) else {
            return;
        };
        let shift = (shifted + goal - lufs).clamp(-SHIFT_DB_MAX, SHIFT_DB_MAX) - shifted;
        if shift.abs() < 0.02 {
            return;
        }
        gains_db.iter_mut().for_each(|gain| *gain += shift);
        shifted += shift;
    }
}

/// Powers after the ride, and after the compressor.
fn ridden(powers: &[f32], peaks: &[f32], gains_db: &[f64], curve: Option<&Curve>) -> Vec<f32> {
    let release = (-0.1 / RELEASE_S).exp();
    let mut reduction = 0.0f64;
    let after = |((&power, &peak), &gain_db): ((&f32, &f32), &f64)| {
        let peak_db = factor_to_db(f64::from(peak)) + gain_db;
        let demand = curve.map_or(0.0, |curve| f64::from(curve.reduction_db(peak_db as f32)));
        reduction = demand.max(reduction * release);
        power * db_to_factor(gain_db - reduction).powi(2)
    };
    powers.iter().zip(peaks).zip(gains_db).map(after).collect()
}

/// Gives pauses a gain. There is at least one hop that has one.
fn hold(wanted: Vec<Option<f64>>) -> Vec<f64> {
    let mut gains = vec![0.0; wanted.len()];
    let mut before: Option<f64> = None;
    let mut at = 0;
    while at < wanted.len() {
        if let Some(gain) = wanted[at] {
            gains[at] = gain;
            before = Some(gain);
            at += 1;
            continue;
        }
        let end = (at..wanted.len())
            .find(|&hop| wanted[hop].is_some())
            .unwrap_or(wanted.len());
        let after = wanted.get(end).copied().flatten();
        let (left, right) = (
            before.or(after).unwrap_or(0.0),
            after.or(before).unwrap_or(0.0),
        );
        for (hop, gain) in gains[at..end].iter_mut().enumerate() {
            let to_end = end - at - 1 - hop;
            *gain = match (hop < INTO_PAUSE_HOPS, to_end < INTO_PAUSE_HOPS) {
                (true, true) if hop <= to_end => left,
                (true, true) => right,
                (true, false) => left,
                (false, true) => right,
                (false, false) => left.min(right),
            };
        }
        at = end;
    }
    gains
}

/// Limits the change from hop to hop. The highest curve below the gains and the lowest above them,
/// both no steeper than the limit, are each one-sided; halfway between them a step is centred.
fn slewed(gains: &[f64], per_hop: f64) -> Vec<f64> {
    let envelope = |sign: f64| {
        let mut curve: Vec<f64> = gains.iter().map(|gain| sign * gain).collect();
        for at in 1..curve.len() {
            curve[at] = curve[at].min(curve[at - 1] + per_hop);
        }
        for at in (1..curve.len()).rev() {
            curve[at - 1] = curve[at - 1].min(curve[at] + per_hop);
        }
        curve
    };
    let (below, above) = (envelope(1.0), envelope(-1.0));
    below
        .iter()
        .zip(above)
        .map(|(below, above)| 0.5 * (below - above))
        .collect()
}

fn smoothed(gains: &[f64]) -> Vec<f64> {
    let Some((&first, &last)) = gains.first().zip(gains.last()) else {
        return Vec::new();
    };
    let reach = SMOOTH.len() / 2;
    let mut padded: VecDeque<f64> = gains.iter().copied().collect();
    for _ in 0..reach {
        padded.push_front(first);
        padded.push_back(last);
    }
    let padded = padded.make_contiguous();
    let sum: f64 = SMOOTH.iter().sum();
    padded
        .windows(SMOOTH.len())
        .map(|near| {
            near.iter()
                .zip(SMOOTH)
                .map(|(gain, weight)| gain * weight)
                .sum::<f64>()
                / sum
        })
        .collect()
}
