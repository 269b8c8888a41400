//! Values that cannot be printed: tokens, and addresses that may hold one.
//!
//! `Debug`, `Display` and `Serialize` give stars, so that no log line, error or `retake config` shows
//! what is inside; whoever needs it says [`Secret::expose`], which can be grepped. A [`Scrub`] takes
//! the same values out of texts of others: a service that quotes the key it was sent.

mod scrub;
mod url;

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

pub use scrub::Scrub;

/// What stands where a secret is.
pub const STARS: &str = "***";

/// A token, key or password.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

/// An address. Shown with its scheme, host and port alone: user, password, path and query may each
/// be what opens the door.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretUrl(String);

impl Secret {
    fn shown(&self) -> &'static str {
        if self.0.is_empty() { "" } else { STARS }
    }
}

impl SecretUrl {
    fn shown(&self) -> String {
        url::shown(&self.0)
    }

    pub fn starts_with(&self, prefix: &str) -> bool {
        self.0.starts_with(prefix)
    }
}

/// What both have in common.
macro_rules! unprintable {
    ($type:ident) => {
        impl $type {
            /// The value itself, for whoever has to send it.
            pub fn expose(&self) -> &str {
                &self.0
            }

            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }

            /// Whether this is what was shown instead of a value, and not a value.
            pub fn is_starred(&self) -> bool {
                self.0.contains(STARS)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($type), self.shown())
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.shown().as_ref())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.shown().as_ref())
            }
        }

        impl From<String> for $type {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl<T: AsRef<str> + ?Sized> From<&T> for $type {
            fn from(text: &T) -> Self {
                Self(text.as_ref().to_owned())
            }
        }

        impl FromStr for $type {
            type Err = Infallible;

            fn from_str(text: &str) -> Result<Self, Infallible> {
                Ok(text.into())
            }
        }
    };
}

unprintable!(Secret);
unprintable!(SecretUrl);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_is_shown_by_no_means_but_one() {
        let secret = Secret::from("hunter2");
        assert_eq!(secret.expose(), "hunter2");
        for shown in [
            format!("{secret}"),
            format!("{secret:?}"),
            format!("{secret:#?}"),
            format!("{secret:>20}"),
            format!("{:?}", Some(&secret)),
        ] {
            assert!(
                !shown.contains("hunter2") && shown.contains(STARS),
                "{shown}"
            );
        }
        assert_eq!(Secret::default().to_string(), "", "none is seen to be none");
    }
}
