//! The broker's address: parsed once, and never shown with its password.

use std::{fmt, str::FromStr};

use lapin::uri::AMQPUri;

/// Seconds of silence after which the connection counts as dead: the default of 60 would leave the
/// messages of a worker that hangs unseen for three minutes.
const HEARTBEAT_SECONDS: u16 = 10;

#[derive(Clone, PartialEq, Eq)]
pub struct RabbitAddress(pub(super) AMQPUri);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{shown}\" is not a broker's address: {reason}; \
     it must look like amqp://user:password@host:5672/%2f, or amqps://…"
)]
pub struct BadAddress {
    shown: String,
    reason: String,
}

impl FromStr for RabbitAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = |reason: &str| BadAddress {
            shown: without_secrets(text),
            reason: reason.to_owned(),
        };
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        if !matches!(scheme, Some("amqp" | "amqps")) {
            return Err(bad("it must begin with amqp:// or amqps://"));
        }
        // The parser's own words may quote the whole address.
        let mut uri: AMQPUri = text
            .parse()
            .map_err(|_| bad("it does not parse as a URL"))?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        Ok(Self(uri))
    }
}

impl fmt::Display for RabbitAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = &self.0;
        write!(
            f,
            "{}://{}:{}/{}",
            uri.scheme, uri.authority.host, uri.authority.port, uri.vhost
        )
    }
}

impl fmt::Debug for RabbitAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RabbitAddress({self})")
    }
}

/// Neither user, password nor query.
fn without_secrets(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host: String = host
        .split('?')
        .next()
        .unwrap_or("")
        .chars()
        .take(80)
        .collect();
    if scheme.is_empty() {
        host
    } else {
        format!("{scheme}://{host}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_address_never_shows_its_password() {
        let address: RabbitAddress = "amqp://ann:s3cret@mq.example.org/%2f".parse().unwrap();
        assert_eq!(address.to_string(), "amqp://mq.example.org:5672//");
        assert!(!format!("{address:?}").contains("s3cret"));
        for bad in [
            "http://ann:s3cret@mq.example.org",
            "amqp://ann:s3cret@mq.example.org:port",
            "ann:s3cret@mq.example.org",
            "amqp://ann:s3cret@mq.example.org/%2f?heartbeat=s3cret",
            "",
        ] {
            let error = bad.parse::<RabbitAddress>().unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn the_heartbeat_is_short_unless_the_address_says_otherwise() {
        let heartbeat = |text: &str| text.parse::<RabbitAddress>().unwrap().0.query.heartbeat;
        assert_eq!(heartbeat("amqp://localhost"), Some(10));
        assert_eq!(heartbeat("amqp://localhost/%2f?heartbeat=3"), Some(3));
    }
}
