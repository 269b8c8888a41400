//! How an external service is spoken to. docs/external-service.md describes the conversation.

use std::time::Duration;

use retake_secrets::Secret;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// `POST {url}/v1/correct`.
    Rest,
    /// `GET {url}/v1/stream`, upgraded.
    Websocket,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub transport: Transport,
    /// Sent as `Authorization: Bearer …`; empty for none.
    pub token: Secret,
    /// Certificates (PEM) that are trusted beside the system's; whoever wires the program reads them.
    #[serde(skip)]
    pub ca_pem: String,
    /// Tries for one recording, the first included.
    pub attempts_max: u32,
    /// The first pause between tries is a random part of this; it doubles from try to try.
    pub backoff_ms: u64,
    pub backoff_ms_max: u64,
    /// The longest `Retry-After` that is waited for; after a longer one the step fails for now.
    pub retry_after_ms_max: u64,
    pub connect_ms: u64,
    /// Longest silence while audio is being sent or received.
    pub idle_ms: u64,
    /// From the last byte sent to the first byte of the answer: the service's time to think.
    pub answer_ms: u64,
    /// One try as a whole.
    pub total_ms: u64,
    /// Most bytes of audio taken back. An answer is also never longer than what was sent, but for
    /// its header.
    pub answer_bytes_max: u64,
    /// After so many failed tries in a row, whoever's, the service is left alone for a while.
    pub breaker_failures: u32,
    pub breaker_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            transport: Transport::Rest,
            token: Secret::default(),
            ca_pem: String::new(),
            attempts_max: 4,
            backoff_ms: 250,
            backoff_ms_max: 10_000,
            retry_after_ms_max: 60_000,
            connect_ms: 5_000,
            idle_ms: 30_000,
            answer_ms: 300_000,
            total_ms: 1_800_000,
            // Four hours of 192 kHz stereo.
            answer_bytes_max: 24 << 30,
            breaker_failures: 8,
            breaker_ms: 15_000,
        }
    }
}

impl Config {
    /// What is wrong with the values, each as a sentence that begins with the key.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let numbers = [
            ("attempts_max", u64::from(self.attempts_max)),
            ("connect_ms", self.connect_ms),
            ("idle_ms", self.idle_ms),
            ("answer_ms", self.answer_ms),
            ("total_ms", self.total_ms),
            ("answer_bytes_max", self.answer_bytes_max),
            ("breaker_failures", u64::from(self.breaker_failures)),
        ];
        for (key, value) in numbers {
            if value == 0 {
                problems.push(format!("{key} is 0; it must be at least 1"));
            }
        }
        if self.backoff_ms_max < self.backoff_ms {
            problems.push(format!(
                "backoff_ms_max is {}; it must be at least backoff_ms, {}",
                self.backoff_ms_max, self.backoff_ms
            ));
        }
        if !self
            .token
            .expose()
            .bytes()
            .all(|byte| byte.is_ascii_graphic())
        {
            problems.push("token holds a character that no header takes".to_owned());
        }
        problems
    }

    pub(super) fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms)
    }

    pub(super) fn answer(&self) -> Duration {
        Duration::from_millis(self.answer_ms)
    }
}
