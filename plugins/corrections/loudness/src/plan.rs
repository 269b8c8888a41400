//! Which gain the second pass applies, and why it is not the one that was wished for.

use crate::curve::{Curve, Part};

/// More than this is not limiting any more but squashing: the mean, in dB, over what counts towards
/// the loudness.
const SQUASHED_DB_MAX: f64 = 9.0;

/// Near enough, and worth a word.
const EXACT_LU: f64 = 0.005;
pub const OFF_LU: f64 = 0.1;

/// What limiting takes from the loudness is made up for by no more gain than this.
const MAKEUP_DB_MAX: f64 = 40.0;

/// What is below -70 LUFS is silence, unless more gain is wished for than this: then it may be as much
/// quieter.
pub const USUAL_GAIN_DB: f64 = 40.0;

/// What was asked for.
pub struct Wish {
    pub target_lufs: f64,
    pub ceiling_dbtp: f64,
    pub max_gain_db: f64,
}

pub struct Plan {
    pub gain_db: f64,
    pub input_lufs: Option<f64>,
    /// What the result will have; `None` for silence.
    pub reached_lufs: Option<f64>,
    /// What holds it back, should that not be the target.
    pub why_not: WhyNot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNot {
    Silent,
    MaxGain,
    TooPeaky,
    /// Music is not limited, and the talk has the loudness by itself.
    Music,
    /// Nothing of these: a gating block that counts, or does not, by a hair, and the rest with it.
    Gate,
}

impl WhyNot {
    /// Stable: reports and their readers name it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::MaxGain => "max-gain",
            Self::TooPeaky => "too-peaky",
            Self::Music => "music",
            Self::Gate => "gate",
        }
    }
}

impl Plan {
    pub fn new(wish: &Wish, curve: &Curve) -> Self {
        let input_lufs = {
            let faintest_db = (wish.max_gain_db - USUAL_GAIN_DB).max(0.0);
            let lufs = curve.outcome(Part::Whole, faintest_db, false).lufs;
            lufs.map(|lufs| lufs - faintest_db)
        };
        // Silence has no loudness, and nothing is to be gained from lifting its noise.
        let Some(lufs) = input_lufs else {
            return Self {
                gain_db: 0.0,
                input_lufs,
                reached_lufs: None,
                why_not: WhyNot::Silent,
            };
        };
        let outcome_of =
            |part: Part, gain_db: f64| curve.outcome(part, gain_db, curve.is_limiting(gain_db));
        let outcome = |gain_db: f64| outcome_of(Part::Whole, gain_db);
        let target_lufs = wish.target_lufs.min(lufs + wish.max_gain_db);
        let mut why_not = WhyNot::Gate;
        if target_lufs < wish.target_lufs {
            why_not = WhyNot::MaxGain;
        }
        let mut gain_db = target_lufs - lufs;
        // Without limiting, too: what was below the absolute gate may count once it is louder.
        if curve.is_limiting(gain_db) || why_not != WhyNot::MaxGain {
            let reached = |gain_db: f64| outcome(gain_db).lufs.unwrap_or(f64::NEG_INFINITY);
            gain_db = reaching(target_lufs, gain_db, gain_db + MAKEUP_DB_MAX, reached);
        }
        if curve.has_music() && gain_db > target_lufs - lufs {
            // What music lacks is not made up for by a talk that is louder than it should be.
            let plain_db = target_lufs - lufs;
            let talk = |gain_db: f64| {
                let lufs = outcome_of(Part::Talk, gain_db).lufs;
                lufs.unwrap_or(f64::INFINITY)
            };
            let highest_db = reaching(target_lufs, plain_db, gain_db, talk);
            if highest_db < gain_db {
                gain_db = highest_db;
                why_not = WhyNot::Music;
            }
        }
        if outcome(gain_db).squashed_db > SQUASHED_DB_MAX {
            why_not = WhyNot::TooPeaky;
            let squashed = |gain_db: f64| outcome(gain_db).squashed_db;
            let least_db = gain_db - 60.0;
            gain_db = reaching(SQUASHED_DB_MAX, least_db, gain_db, squashed);
        }
        Self {
            gain_db,
            input_lufs,
            reached_lufs: outcome(gain_db).lufs,
            why_not,
        }
    }
}

/// Where from `low` to `high` a rising function is `target`; `high` if it is nowhere so much. By false
/// position, with bisection where that is slow.
fn reaching(target: f64, low: f64, high: f64, function: impl Fn(f64) -> f64) -> f64 {
    let off = |at: f64| function(at) - target;
    let (mut low, mut high) = (low, high);
    let (mut off_low, mut off_high) = (off(low), off(high));
    if off_low >= -EXACT_LU {
        return low;
    }
    if off_high <= 0.0 {
        return high;
    }
    for step in 0..30 {
        let by_slope = low - off_low * (high - low) / (off_high - off_low);
        let between = by_slope > low && by_slope < high;
        let at = if step % 3 == 2 || !between {
            0.5 * (low + high)
        } else {
            by_slope
        };
        let off_at = off(at);
        if off_at.abs() < EXACT_LU {
            return at;
        }
        if off_at < 0.0 {
            (low, off_low) = (at, off_at);
        } else {
            (high, off_high) = (at, off_at);
        }
    }
    low
}
