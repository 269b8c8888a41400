//! An e-mail address as the HTML standard's `input type=email` takes it, so that page and server
//! agree: <https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address>.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{shown}\" is not an e-mail address; it must look like name@example.org, at most {} characters",
    Email::LENGTH_MAX
)]
pub struct EmailError {
    shown: String,
}

impl Email {
    /// RFC 5321 4.5.3.1.3, less the angle brackets.
    pub const LENGTH_MAX: usize = 254;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        if is_valid(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(EmailError {
                shown: text.chars().take(80).collect(),
            })
        }
    }
}

fn is_valid(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let local_ok = |b: u8| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b);
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= Email::LENGTH_MAX
        && !local.is_empty()
        && local.bytes().all(local_ok)
        && domain.split('.').all(label_ok)
}

impl TryFrom<String> for Email {
    type Error = EmailError;
    fn try_from(text: String) -> Result<Self, EmailError> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> String {
        email.0
    }
}

/// E-mails are personal: `Debug`, which ends in logs, does not show them.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_the_html_standard_takes_and_nothing_else() {
        for good in [
            "a@b",
            "ann.lee+x@example.org",
            "o'hara@sub.example.co.uk",
            " ann@example.org ",
        ] {
            assert!(good.parse::<Email>().is_ok(), "{good}");
        }
        let long = format!("{}@example.org", "a".repeat(250));
        for bad in [
            "", "ann", "@b", "a@", "a@-b", "a@b-", "a@b..c", "a b@c", "a@b c", "a@b@c", &long,
        ] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
    }

    #[test]
    fn debug_does_not_show_the_address() {
        let email: Email = "ann@example.org".parse().expect("valid");
        assert!(!format!("{email:?}").contains("ann"));
    }
}
