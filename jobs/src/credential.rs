//! Who asks: a session, the page's or a program's, or an API key. Each belongs to an owner, whose
//! recordings it opens. Of its secret only the SHA-256 is kept.

use std::{collections::BTreeSet, fmt};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::id::{ApiKeyId, OwnerId, SessionId};

/// A use is written down this much later than the last at the earliest: not each costs a write.
pub const USE_NOTED_EVERY: SignedDuration = SignedDuration::from_mins(5);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub owner: OwnerId,
    pub created_at: Timestamp,
    /// To within [`USE_NOTED_EVERY`].
    pub used_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub id: ApiKeyId,
    /// As whoever made it calls it.
    pub name: KeyName,
    pub scopes: BTreeSet<Scope>,
    pub owner: OwnerId,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// To within [`USE_NOTED_EVERY`].
    pub used_at: Option<Timestamp>,
    /// It opens nothing any more, and stands here so that people see what there was.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    pub fn opens(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Recordings, jobs and events of the key's owner.
    #[serde(rename = "recordings")]
    Recordings,
    /// Publishing plugins and removing them.
    #[serde(rename = "plugins:publish")]
    PluginsPublish,
    /// Making, listing and revoking keys, and publishing plugins; nobody's recordings.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Recordings, Self::PluginsPublish, Self::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Self::Recordings => "recordings",
            Self::PluginsPublish => "plugins:publish",
            Self::Admin => "admin",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One line of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct KeyName(String);

impl KeyName {
    pub const CHARS_MAX: usize = 100;

    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = (1..=Self::CHARS_MAX).contains(&text.chars().count());
        (fits && !text.chars().any(char::is_control)).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_parse_back_from_their_names() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.name()), Some(scope));
            let json = serde_json::to_value(scope).ok();
            assert_eq!(json, Some(scope.name().into()));
        }
        assert_eq!(Scope::parse("everything"), None);
    }

    #[test]
    fn a_key_s_name_is_one_line() {
        assert!(
            KeyName::parse(" nightly build ").is_some_and(|name| name.as_str() == "nightly build")
        );
        assert!(KeyName::parse(&"ä".repeat(100)).is_some());
        for bad in ["", "  ", "a\nb", "a\u{1b}[0m", &"a".repeat(101)] {
            assert_eq!(KeyName::parse(bad), None, "{bad:?}");
        }
    }
}
