//! When to ask again, and how long to wait before: exponential backoff with full jitter, and what
//! the service itself asks for.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use rand::Rng;
use reqwest::StatusCode;

use super::Config;

/// Whether another try may get another answer.
pub(super) fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        )
}

/// The pause after try number `attempt`, counted from 1. Never shorter than what was asked for.
pub(super) fn pause(
    config: &Config,
    attempt: u32,
    retry_after: Option<Duration>,
    rng: &mut impl Rng,
) -> Duration {
    let doubled = config.backoff_ms.saturating_mul(1 << (attempt - 1).min(20));
    let jittered = rng.random_range(0..=doubled.min(config.backoff_ms_max));
    // Those who were told the same time do not all come at that time.
    retry_after.unwrap_or_default() + Duration::from_millis(jittered)
}

/// RFC 9110, 10.2.3: seconds, or a date.
pub(super) fn parse_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        for (value, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("Mon, 23 Nov 2026 12:00:30 GMT", Some(30)),
            ("Mon, 23 Nov 2026 11:00:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            let parsed = parse_retry_after(value, now);
            assert_eq!(parsed, seconds.map(Duration::from_secs), "{value:?}");
        }
    }

    #[test]
    fn pauses_grow_up_to_their_limit_and_keep_to_what_was_asked() {
        let config = Config {
            backoff_ms: 100,
            backoff_ms_max: 1_000,
            ..Config::default()
        };
        let mut rng = rand::rng();
        for (attempt, longest_ms) in [(1, 100), (2, 200), (4, 800), (5, 1_000), (60, 1_000)] {
            let longest = (0..500)
                .map(|_| pause(&config, attempt, None, &mut rng))
                .max()
                .unwrap();
            assert!(longest <= Duration::from_millis(longest_ms));
            assert!(
                longest > Duration::from_millis(longest_ms / 2),
                "{longest:?}"
            );
        }
        let asked = Duration::from_secs(3);
        assert!(pause(&config, 1, Some(asked), &mut rng) >= asked);
    }

    #[test]
    fn only_passing_trouble_is_tried_again() {
        for status in [500, 502, 503, 504, 507, 429, 408, 425] {
            assert!(
                is_passing(StatusCode::from_u16(status).unwrap()),
                "{status}"
            );
        }
        for status in [301, 400, 401, 403, 404, 413, 415, 422, 200] {
            assert!(
                !is_passing(StatusCode::from_u16(status).unwrap()),
                "{status}"
            );
        }
    }
}
