//! Which gain the second pass applies.

use retake_plugin_sdk::prelude::factor_to_db;

use crate::analysis::Analysis;

/// Most gain that is added for what the limiter will take away.
pub const EXTRA_DB_MAX: f64 = 6.0;

/// What was asked for.
pub struct Wish {
    pub target_lufs: f64,
    pub ceiling_dbtp: f64,
    pub max_gain_db: f64,
}

pub struct Plan {
    pub gain_db: f64,
    /// Whether any peak will reach the ceiling.
    pub limiting: bool,
    pub input_lufs: Option<f64>,
    pub input_dbtp: f64,
}

impl Plan {
    pub fn new(wish: &Wish, analysis: &Analysis) -> Self {
        let input_lufs = analysis.integrated_lufs();
        let input_dbtp = factor_to_db(f64::from(analysis.true_peak));
        // Silence has no loudness, and nothing is to be gained from lifting its noise.
        let gain_db = input_lufs.map_or(0.0, |lufs| {
            let missing_db = wish.target_lufs - lufs;
            let reached =
                |gain_db: f64| gain_db + analysis.peaks.loss_db(gain_db, wish.ceiling_dbtp);
            smallest(missing_db, missing_db + EXTRA_DB_MAX, |gain_db| {
                reached(gain_db) >= missing_db
            })
            .min(wish.max_gain_db)
        });
        // With a margin for the rounding of a few multiplications.
        let limiting = input_dbtp + gain_db > wish.ceiling_dbtp - 0.03;
        Self {
            gain_db,
            limiting,
            input_lufs,
            input_dbtp,
        }
    }
}

/// The smallest value from `low` to `high` that is enough, or `high`.
fn smallest(mut low: f64, mut high: f64, enough: impl Fn(f64) -> bool) -> f64 {
    if enough(low) {
        return low;
    }
    for _ in 0..20 {
        let middle = 0.5 * (low + high);
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}
