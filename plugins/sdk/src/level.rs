//! Decibels, as ratios of amplitude: 20 log10.
//!
//! ```
//! use retake_plugin_sdk::prelude::*;
//!
//! assert!((db_to_factor(-6.0) - 0.501).abs() < 1e-3);
//! assert!((factor_to_db(0.5) + 6.02).abs() < 1e-2);
//! ```

/// The factor that changes a level by `db` decibels: 6.02 dB is about 2. Minus infinity is 0.
pub fn db_to_factor(db: f64) -> f32 {
    10f64.powf(db / 20.0) as f32
}

/// The level in decibels of an amplitude, against full scale: 1.0 is 0 dB, 0.0 minus infinity.
pub fn factor_to_db(factor: f64) -> f64 {
    20.0 * factor.abs().log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_conversions_undo_each_other() {
        for db in [-60.0, -6.0, 0.0, 0.5, 24.0] {
            assert!(
                (factor_to_db(f64::from(db_to_factor(db))) - db).abs() < 1e-5,
                "{db}"
            );
        }
        assert_eq!(db_to_factor(f64::NEG_INFINITY), 0.0);
        assert_eq!(factor_to_db(0.0), f64::NEG_INFINITY);
    }
}
