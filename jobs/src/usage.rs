//! What an owner has had done in a day, which quotas go by.

use jiff::Timestamp;

pub const DAY_S: i64 = 24 * 3600;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Of recordings that were accepted, whether or not they are still there.
    pub bytes: u64,
    /// Length of the recordings that were corrected, as often as they were.
    pub audio_ms: u64,
}

/// Days since 1970, in UTC.
pub fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(DAY_S)
}

/// Until the next day.
pub fn day_ends_in_s(at: Timestamp) -> u64 {
    (DAY_S - at.as_second().rem_euclid(DAY_S)).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_end_at_midnight_in_utc() {
        for (second, number, left) in [
            (0, 0, 86_400),
            (86_399, 0, 1),
            (86_400, 1, 86_400),
            (-1, -1, 1),
        ] {
            let at = Timestamp::from_second(second).unwrap_or_default();
            assert_eq!((day(at), day_ends_in_s(at)), (number, left), "{second}");
        }
    }
}
