//! A secret that a client holds: a prefix and 256 random bits.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};

const PREFIX: &str = "rt_";
const SHARE_PREFIX: &str = "rts_";
const SECRET_BYTES: usize = 32;

macro_rules! token {
    ($(#[$doc:meta])* $name:ident = $prefix:expr) => {
        $(#[$doc])*
        ///
        /// `Debug` does not show it.
        pub struct $name(String);

        impl $name {
            pub fn new() -> Self {
                Self(format!("{}{}", $prefix, random_secret()))
            }

            pub fn parse(text: &str) -> Option<Self> {
                secret(text, $prefix).map(|text| Self(text.to_owned()))
            }

            pub fn sha256(&self) -> [u8; 32] {
                Sha256::digest(&self.0).into()
            }

            pub fn reveal(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

token!(
    /// A session's.
    Token = PREFIX
);
token!(
    /// What a link to a correction holds.
    ShareToken = SHARE_PREFIX
);

pub fn random_secret() -> String {
    let mut secret = [0; SECRET_BYTES];
    OsRng
        .try_fill_bytes(&mut secret)
        .expect("the system has randomness");
    BASE64_URL_SAFE_NO_PAD.encode(secret)
}

/// The whole text, if it is a well-formed secret behind its prefix.
pub fn secret<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let secret = BASE64_URL_SAFE_NO_PAD
        .decode(text.strip_prefix(prefix)?)
        .ok()?;
    (secret.len() == SECRET_BYTES).then_some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tokens_differ_parse_back_and_nothing_else_parses() {
        let (a, b) = (Token::new(), Token::new());
        assert_ne!(a.reveal(), b.reveal());
        assert_eq!(Token::parse(a.reveal()).unwrap().sha256(), a.sha256());
        assert_eq!(a.reveal().len(), PREFIX.len() + 43);
        for bad in [
            "",
            "rt_",
            "rt_short",
            &a.reveal()[3..],
            &format!("{}A", a.reveal()),
        ] {
            assert!(Token::parse(bad).is_none(), "{bad}");
        }
        assert!(!format!("{a:?}").contains(a.reveal()));
    }
}
