//! How many webhooks, and how long each is tried.

use std::time::Duration;

use jiff::SignedDuration;
use retake_jobs::webhook::Keeping;
use serde::{Deserialize, Serialize};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub per_owner_max: usize,
    /// Deliveries that may wait for one webhook; with more it is disabled.
    pub waiting_max: u64,
    /// Deliveries that this server sends at once.
    pub at_once_max: usize,
    pub per_owner_at_once_max: usize,
    /// Before each attempt but the first; after the last the delivery has failed.
    pub pauses_ms: Vec<u64>,
    /// How often to look for deliveries although nobody has said that there are any.
    pub poll_ms: u64,
    /// What has ended is in the log of deliveries for so long.
    pub kept_ms: u64,
    /// A secret that was replaced is good for so long.
    pub overlap_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            per_owner_max: 20,
            waiting_max: 10_000,
            at_once_max: 32,
            per_owner_at_once_max: 4,
            // The specification's.
            pauses_ms: vec![
                5 * SECOND,
                5 * MINUTE,
                30 * MINUTE,
                2 * HOUR,
                5 * HOUR,
                10 * HOUR,
                14 * HOUR,
                20 * HOUR,
                24 * HOUR,
            ],
            poll_ms: 1_000,
            kept_ms: 7 * 24 * HOUR,
            overlap_ms: 24 * HOUR,
        }
    }
}

impl Config {
    /// What is wrong with the values, each as a sentence that begins with the key.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (key, value) in [
            ("per_owner_max", self.per_owner_max as u64),
            ("waiting_max", self.waiting_max),
            ("at_once_max", self.at_once_max as u64),
            ("per_owner_at_once_max", self.per_owner_at_once_max as u64),
            ("poll_ms", self.poll_ms),
            ("kept_ms", self.kept_ms),
        ] {
            if value == 0 {
                problems.push(format!("{key} is 0; it must be at least 1"));
            }
        }
        problems
    }

    pub fn keeping(&self) -> Keeping {
        Keeping {
            lifetime: signed(self.kept_ms),
            waiting_max: self.waiting_max,
        }
    }

    pub fn overlap(&self) -> SignedDuration {
        signed(self.overlap_ms)
    }

    pub fn pauses(&self) -> Vec<Duration> {
        let pauses = self.pauses_ms.iter().copied();
        pauses.map(Duration::from_millis).collect()
    }
}

fn signed(ms: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))
}
