//! What one owner may have: requests in a minute, bytes and corrected audio in a day. Where there is such a
//! quota, each answer says what is left of it (draft-ietf-httpapi-ratelimit-headers-10).

use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;
use retake_chain::problem::ProblemKind;
use retake_jobs::{
    id::OwnerId,
    usage::{DAY_S, Usage, day_ends_in_s},
};

use crate::{config::Config, http::respond::Refusal};

const MINUTE: Duration = Duration::from_secs(60);

/// More owners than this in a minute begin the minute anew.
const OWNERS_MAX: usize = 65_536;

/// 0 is none.
#[derive(Debug)]
pub struct Quotas {
    requests_per_minute: u64,
    bytes_per_day: u64,
    audio_s_per_day: u64,
    minute: Mutex<Minute>,
}

#[derive(Debug)]
struct Minute {
    began: Instant,
    requests: HashMap<OwnerId, u64>,
}

/// What is left of a quota.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Left {
    policy: &'static str,
    quota: u64,
    window_s: u64,
    left: u64,
    resets_in_s: u64,
}

/// What the answer to one request is to say of the asking owner's quotas.
#[derive(Debug, Clone, Default)]
pub struct Told(Arc<Mutex<Vec<Left>>>);

impl Quotas {
    pub fn new(config: &Config) -> Self {
        Self {
            requests_per_minute: config.quota_requests_per_minute,
            bytes_per_day: config.quota_bytes_per_day,
            audio_s_per_day: config.quota_audio_s_per_day,
            minute: Mutex::new(Minute::begin(Instant::now())),
        }
    }

    /// Counts the request, once however often it is asked whose it is.
    pub fn request(&self, owner: OwnerId, told: &Told, now: Instant) -> Result<(), Refusal> {
        let quota = self.requests_per_minute;
        if quota == 0 || told.knows(REQUESTS) {
            return Ok(());
        }
        let (before, resets_in_s) = {
            let mut minute = self.minute.lock().expect("no panic while held");
            let over = now.duration_since(minute.began) >= MINUTE;
            if over || minute.requests.len() >= OWNERS_MAX {
                *minute = Minute::begin(now);
            }
            let left = MINUTE.saturating_sub(now.duration_since(minute.began));
            let count = minute.requests.entry(owner).or_default();
            let before = *count;
            *count = before.saturating_add(1).min(quota);
            (before, left.as_millis().div_ceil(1000) as u64)
        };
        told.tell(Left {
            policy: REQUESTS,
            quota,
            window_s: MINUTE.as_secs(),
            left: quota.saturating_sub(before + 1),
            resets_in_s,
        });
        if before < quota {
            return Ok(());
        }
        let detail = format!("{quota} requests a minute are yours; ask again in {resets_in_s} s");
        Err(exceeded(detail, resets_in_s))
    }

    pub fn looks_at_usage(&self) -> bool {
        self.bytes_per_day > 0 || self.audio_s_per_day > 0
    }

    /// Before something more is taken in: so many bytes, as far as is known, or none, to be corrected.
    pub fn usage(
        &self,
        used: Usage,
        bytes: Option<u64>,
        told: &Told,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let resets_in_s = day_ends_in_s(now);
        let left = |policy, quota: u64, used: u64| Left {
            policy,
            quota,
            window_s: DAY_S.unsigned_abs(),
            left: quota.saturating_sub(used),
            resets_in_s,
        };
        let audio_s = used.audio_ms / 1000;
        let mut refused = None;
        if self.bytes_per_day > 0 {
            let quota = self.bytes_per_day;
            told.tell(left(BYTES, quota, used.bytes));
            if let Some(more) = bytes
                && used.bytes.saturating_add(more.max(1)) > quota
            {
                refused = Some(format!(
                    "{quota} bytes a day are yours, {} were handed in today, and this is {more} more",
                    used.bytes
                ));
            }
        }
        if self.audio_s_per_day > 0 {
            let quota = self.audio_s_per_day;
            told.tell(left(AUDIO, quota, audio_s));
            if audio_s >= quota {
                refused = Some(format!(
                    "{quota} seconds of audio a day are yours, and {audio_s} were corrected today"
                ));
            }
        }
        match refused {
            None => Ok(()),
            Some(detail) => Err(exceeded(
                format!("{detail}; it begins anew in {resets_in_s} s, at midnight in UTC"),
                resets_in_s,
            )),
        }
    }
}

const REQUESTS: &str = "requests";
const BYTES: &str = "bytes";
const AUDIO: &str = "audio-seconds";

fn exceeded(detail: String, retry_after_s: u64) -> Refusal {
    Refusal::new(ProblemKind::QuotaExceeded, detail)
        .with_header(header::RETRY_AFTER, &retry_after_s.to_string())
}

impl Minute {
    fn begin(now: Instant) -> Self {
        Self {
            began: now,
            requests: HashMap::new(),
        }
    }
}

impl Told {
    fn knows(&self, policy: &str) -> bool {
        let told = self.0.lock().expect("no panic while held");
        told.iter().any(|left| left.policy == policy)
    }

    fn tell(&self, left: Left) {
        let mut told = self.0.lock().expect("no panic while held");
        told.retain(|had| had.policy != left.policy);
        told.push(left);
    }

    /// The fields `RateLimit-Policy` and `RateLimit`, where there is something to say.
    pub fn add_to(&self, headers: &mut HeaderMap) {
        let told = self.0.lock().expect("no panic while held");
        if told.is_empty() {
            return;
        }
        let (mut policies, mut limits) = (String::new(), String::new());
        for left in told.iter() {
            let comma = if policies.is_empty() { "" } else { ", " };
            let Left { policy, quota, .. } = left;
            let _ = write!(
                policies,
                "{comma}\"{policy}\";q={quota};w={}",
                left.window_s
            );
            let _ = write!(
                limits,
                "{comma}\"{policy}\";r={};t={}",
                left.left, left.resets_in_s
            );
        }
        for (name, text) in [("ratelimit-policy", policies), ("ratelimit", limits)] {
            let text = HeaderValue::from_str(&text).expect("names and digits");
            headers.insert(HeaderName::from_static(name), text);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn quotas(change: impl FnOnce(&mut Config)) -> Quotas {
        let mut config = Config::default();
        change(&mut config);
        Quotas::new(&config)
    }

    fn said(told: &Told) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        told.add_to(&mut headers);
        let text = |name: &str| Some(headers.get(name)?.to_str().unwrap().to_owned());
        Some((text("ratelimit-policy")?, text("ratelimit")?))
    }

    #[test]
    fn an_owner_has_so_many_requests_a_minute_and_no_other_owner_feels_it() {
        let quotas = quotas(|config| config.quota_requests_per_minute = 2);
        let (ann, eve, now) = (OwnerId::new(), OwnerId::new(), Instant::now());
        let ask = |owner, at| {
            let told = Told::default();
            let answer = quotas.request(owner, &told, at);
            // Asked again within the same request.
            assert!(quotas.request(owner, &told, at).is_ok());
            (answer.is_ok(), said(&told).unwrap().1)
        };
        assert!(ask(ann, now).0);
        assert_eq!(ask(ann, now), (true, "\"requests\";r=0;t=60".to_owned()));
        assert!(!ask(ann, now).0);
        assert!(ask(eve, now).0);
        let later = now + MINUTE + Duration::from_secs(1);
        assert_eq!(ask(ann, later), (true, "\"requests\";r=1;t=60".to_owned()));
    }

    #[test]
    fn a_day_s_bytes_and_seconds_are_told_and_kept() {
        let quotas = quotas(|config| {
            config.quota_bytes_per_day = 1000;
            config.quota_audio_s_per_day = 60;
        });
        let used = Usage {
            bytes: 900,
            audio_ms: 59_999,
        };
        let at = Timestamp::from_second(86_400 * 3 + 86_000).unwrap();
        for (used, bytes, taken) in [
            (used, Some(100), true),
            (used, Some(101), false),
            (used, None, true),
            (
                Usage {
                    bytes: 1000,
                    ..used
                },
                Some(0),
                false,
            ),
            (
                Usage {
                    bytes: 1000,
                    ..used
                },
                None,
                true,
            ),
            (
                Usage {
                    audio_ms: 60_000,
                    ..used
                },
                None,
                false,
            ),
        ] {
            let told = Told::default();
            let answer = quotas.usage(used, bytes, &told, at);
            assert_eq!(answer.is_ok(), taken, "{used:?} {bytes:?}");
            let (policies, _) = said(&told).unwrap();
            let expected = "\"bytes\";q=1000;w=86400, \"audio-seconds\";q=60;w=86400";
            assert_eq!(policies, expected);
        }
        let told = Told::default();
        quotas.usage(used, None, &told, at).unwrap();
        let limits = said(&told).unwrap().1;
        assert_eq!(limits, "\"bytes\";r=100;t=400, \"audio-seconds\";r=1;t=400");
    }

    #[test]
    fn where_there_is_no_quota_nothing_is_counted_or_said() {
        let quotas = quotas(|_| {});
        let told = Told::default();
        for _ in 0..10_000 {
            quotas
                .request(OwnerId::new(), &told, Instant::now())
                .unwrap();
        }
        assert!(!quotas.looks_at_usage());
        assert_eq!(said(&told), None);
        assert!(quotas.minute.lock().unwrap().requests.is_empty());
    }
}
