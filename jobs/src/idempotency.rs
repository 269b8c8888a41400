//! Requests that may come twice: a browser sends a POST again whose connection broke, and so do
//! clients. Whoever names such a request by a key (`Idempotency-Key`,
//! draft-ietf-httpapi-idempotency-key-header-07) has it done once. The key is written with what it
//! makes, in one transaction, so that nothing falls between the two.

use std::fmt;

use crate::{id::EventId, job::Job};

/// Names one request among its owner's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    pub const LENGTH_MAX: usize = 255;

    /// A structured field's string (RFC 9651), `"8e03978e"`, or the same without quotes, as most clients
    /// send it.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let quoted = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
        let key = quoted.unwrap_or(text);
        let allowed = |byte: u8| (b' '..=b'~').contains(&byte) && !br#""\"#.contains(&byte);
        let fits = (1..=Self::LENGTH_MAX).contains(&key.len()) && key.bytes().all(allowed);
        fits.then(|| Self(key.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A request that is to be done once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    pub key: IdempotencyKey,
    /// SHA-256 of all that the request says: another one under the same key is a mistake.
    pub fingerprint: [u8; 32],
}

/// What was answered when the request first came: the job as it was then, and its event.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    pub fingerprint: [u8; 32],
    pub job: Job,
    pub event: EventId,
}

/// What a write that is to be done once came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Added {
    Now(EventId),
    /// A request with this key was answered before, and nothing was written.
    Before(Box<Answered>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_with_or_without_quotes() {
        let parsed = |text: &str| IdempotencyKey::parse(text).map(|key| key.to_string());
        assert_eq!(parsed("\"8e03 978e\""), Some("8e03 978e".to_owned()));
        assert_eq!(parsed(" 8e03978e "), parsed("\"8e03978e\""));
        assert_eq!(parsed(&"k".repeat(255)).map(|key| key.len()), Some(255));
        for bad in [
            "",
            " ",
            "\"\"",
            "\"",
            "a\"b",
            "a\\b",
            "ä",
            "a\u{7f}",
            &"k".repeat(256),
        ] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }
}
