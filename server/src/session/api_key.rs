//! The secret of an API key: a prefix, 256 random bits and the first characters of a SHA-256 of both, so
//! that one that was cut or mistyped is told from one that we do not know.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::session::token::{random_secret, secret};

pub const PREFIX: &str = "rtk_";
const CHECK_CHARS: usize = 6;

/// `Debug` does not show it.
pub struct ApiKeySecret(String);

impl ApiKeySecret {
    pub fn new() -> Self {
        let text = format!("{PREFIX}{}", random_secret());
        Self(format!("{text}{}", check(&text)))
    }

    /// `None` where it is not whole.
    pub fn parse(text: &str) -> Option<Self> {
        let (body, given) = text.split_at_checked(text.len().checked_sub(CHECK_CHARS)?)?;
        let whole = secret(body, PREFIX).is_some_and(|body| check(body) == given);
        whole.then(|| Self(text.to_owned()))
    }

    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

fn check(text: &str) -> String {
    let mut check = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text));
    check.truncate(CHECK_CHARS);
    check
}

impl std::fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKeySecret(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_that_was_cut_or_mistyped_is_told() {
        let key = ApiKeySecret::new();
        let text = key.reveal();
        assert_eq!(text.len(), PREFIX.len() + 43 + CHECK_CHARS);
        assert_eq!(ApiKeySecret::parse(text).unwrap().sha256(), key.sha256());
        assert!(!format!("{key:?}").contains(text));
        for end in 0..text.len() {
            assert!(ApiKeySecret::parse(&text[..end]).is_none());
        }
        for place in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[place] = if bytes[place] == b'x' { b'y' } else { b'x' };
            let typo = String::from_utf8(bytes).unwrap();
            assert!(ApiKeySecret::parse(&typo).is_none(), "{place}");
        }
        assert!(ApiKeySecret::parse("ä".repeat(30).as_str()).is_none());
    }
}
