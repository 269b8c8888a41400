//! Chains that an owner gave a name. Each saving is a version of its own; those that are built in are none
//! of these.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// So many versions of one preset are remembered, the newest ones.
pub const VERSIONS_MAX: u64 = 100;

#[derive(Debug, Clone, PartialEq)]
pub struct SavedPreset {
    pub name: PresetName,
    /// From 1.
    pub version: u64,
    pub summary: Summary,
    /// As it was written and checked; it is checked again when it is used.
    pub chain: Value,
    pub saved_at: Timestamp,
}

/// What became of a preset that was to be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    Done,
    /// Somebody else saved or removed it meanwhile.
    Changed,
    /// The owner has as many as there may be.
    TooMany,
}

/// What stands in an address and in an order: small letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct PresetName(String);

impl PresetName {
    pub const CHARS_MAX: usize = 50;

    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=Self::CHARS_MAX).contains(&text.len());
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let edges = !text.starts_with('-') && !text.ends_with('-');
        (fits && edges && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One line, perhaps empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Summary(String);

impl Summary {
    pub const CHARS_MAX: usize = 200;

    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = text.chars().count() <= Self::CHARS_MAX && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_s_name_can_stand_in_an_address() {
        for good in ["a", "my-talks", "48khz", &"a".repeat(50)] {
            assert!(PresetName::parse(good).is_some_and(|name| name.as_str() == good));
        }
        for bad in ["", "-a", "a-", "My", "a b", "a/b", "ä", &"a".repeat(51)] {
            assert_eq!(PresetName::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_summary_is_one_line_or_none() {
        assert_eq!(Summary::parse(" for talks "), Summary::parse("for talks"));
        assert!(Summary::parse("").is_some() && Summary::parse(&"ä".repeat(200)).is_some());
        for bad in ["a\nb", "\u{1b}[0m", &"a".repeat(201)] {
            assert_eq!(Summary::parse(bad), None);
        }
    }
}
