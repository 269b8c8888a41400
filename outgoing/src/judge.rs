//! What an address says of itself, before anybody is asked where it leads.
//!
//! Judged is what a client makes of it, never the text: `http://0x7f.1`, `http://2130706433` and
//! `http://①②⑦.0.0.1` are all 127.0.0.1.

use std::net::{IpAddr, SocketAddr};

use reqwest::Url;
use retake_secrets::SecretUrl;

use crate::{config::Allow, network::special};

pub const LENGTH_MAX: usize = 2048;

/// Below it everybody's services listen that a request from us must not reach: mail, shells, printers.
const FREE_PORTS_FROM: u16 = 1024;
const WEB_PORTS: [u16; 2] = [80, 443];

/// Why an address is not spoken to. Names only its host, since whatever stands behind that may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it has {0} bytes; it must have at most {LENGTH_MAX}")]
    Length(usize),
    #[error("it is no address: {0}")]
    NoAddress(String),
    #[error("its scheme is \"{0}\"; it must be https or http")]
    Scheme(String),
    #[error("it holds a user or a password; it must hold neither")]
    Credentials,
    #[error("its port is {0}; it must be 80, 443, or at least {FREE_PORTS_FROM}")]
    Port(u16),
    #[error(
        "{host} is a name of this machine or of its own network; it must be one of the whole world's, or allowed by outgoing.allow"
    )]
    Name { host: String },
    #[error(
        "{host} leads to an address that is {what}; it must be one of the whole world's, or allowed by outgoing.allow"
    )]
    // Which one, is nobody's business: names of our own network tell much.
    Address { host: String, what: &'static str },
    #[error("it leads from https to http; it must stay with https")]
    Downgrade,
}

/// The host of an address, as it is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// In lower case, without the dot that may end it.
    Name(String),
    Address(IpAddr),
}

impl Host {
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(&format!("http://{text}/")).ok()?;
        let is_all = url.path() == "/" && url.port().is_none() && url.username().is_empty();
        (is_all && !text.contains(['/', '\\', '@', '?', '#', '*'])).then_some(())?;
        Self::of(&url)
    }

    fn of(url: &Url) -> Option<Self> {
        let text = url.host_str()?;
        // Brackets stand around an IPv6 address, and around nothing else.
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        Some(match bare.unwrap_or(text).parse() {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Name(plain(text)),
        })
    }
}

/// A name as it is compared.
pub fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// The address, if it may be spoken to as far as it tells itself. Where a name leads is judged when it is
/// connected to.
pub fn judge(text: &str, allow: &Allow) -> Result<Url, Refused> {
    if text.len() > LENGTH_MAX {
        return Err(Refused::Length(text.len()));
    }
    let url = Url::parse(text).map_err(|error| Refused::NoAddress(error.to_string()))?;
    judge_parsed(&url, allow)?;
    Ok(url)
}

pub fn judge_parsed(url: &Url, allow: &Allow) -> Result<(), Refused> {
    if !matches!(url.scheme(), "https" | "http") {
        return Err(Refused::Scheme(url.scheme().chars().take(40).collect()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::Credentials);
    }
    let host = Host::of(url).ok_or_else(|| Refused::NoAddress("it has no host".to_owned()))?;
    match host {
        Host::Address(address) if allow.address(address) => return Ok(()),
        Host::Name(name) if allow.host(&name) => return Ok(()),
        Host::Address(address) => {
            let host = url.host_str().unwrap_or_default();
            judge_address(host, address)?;
        }
        Host::Name(name) => {
            let own = ["localhost", "local", "internal", "home.arpa", "localdomain"];
            let is_own = |own: &str| {
                let before = name.strip_suffix(own);
                before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            };
            if own.into_iter().any(is_own) {
                return Err(Refused::Name { host: name });
            }
        }
    }
    match url.port_or_known_default() {
        Some(port) if port >= FREE_PORTS_FROM || WEB_PORTS.contains(&port) => Ok(()),
        port => Err(Refused::Port(port.unwrap_or_default())),
    }
}

pub fn judge_address(host: &str, address: IpAddr) -> Result<(), Refused> {
    let refused = |what| Refused::Address {
        host: host.to_owned(),
        what,
    };
    special(address).map_or(Ok(()), |what| Err(refused(what)))
}

/// Of what a name was resolved to, what may be connected to.
pub fn judge_all(
    name: &str,
    addresses: impl Iterator<Item = SocketAddr>,
    allow: &Allow,
) -> Result<Vec<SocketAddr>, Refused> {
    let (mut good, mut refused) = (Vec::new(), None);
    let name_is_allowed = allow.host(&plain(name));
    for address in addresses {
        if name_is_allowed || allow.address(address.ip()) {
            good.push(address);
            continue;
        }
        match judge_address(name, address.ip()) {
            Ok(()) => good.push(address),
            Err(why) => refused = Some(why),
        }
    }
    match refused {
        Some(why) if good.is_empty() => Err(why),
        _ => Ok(good),
    }
}

/// How an address is named where others read it.
pub fn shown(url: &Url) -> String {
    SecretUrl::from(url.as_str()).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Config;

    fn allow(names: &[&str]) -> Allow {
        Allow::new(&Config {
            allow: names.iter().map(|&name| name.to_owned()).collect(),
            ..Config::default()
        })
    }

    #[test]
    fn a_private_address_is_refused_in_every_notation() {
        for text in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://017700000001/",
            "http://①②⑦.0.0.1/",
            "http://１２７.０.０.１/",
            "http://127。0。0。1/",
            "http://%31%32%37.0.0.1/",
            "http://127.0.0.1./",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://[0:0:0:0:0:0:0:1]/",
            "https://169.254.169.254/latest/meta-data/",
            "https://0xA9FEA9FE/",
            "https://[fd00:ec2::254]/",
            "http:\\\\127.0.0.1\\",
            "http:127.0.0.1",
            "HTTP://0/",
            "http:/10.0.0.1/",
        ] {
            let refused = judge(text, &Allow::default());
            assert!(
                matches!(refused, Err(Refused::Address { .. })),
                "{text}: {refused:?}"
            );
        }
    }

    #[test]
    fn names_of_our_own_network_schemes_users_and_ports_are_refused() {
        let check = |text: &str, expected: &str| {
            let told = judge(text, &Allow::default()).unwrap_err().to_string();
            assert!(told.contains(expected), "{text}: {told}");
        };
        for own in [
            "localhost",
            "localhost.",
            "LOCALHOST",
            "a.localhost",
            "printer.local",
        ] {
            check(
                &format!("https://{own}/x"),
                "must be one of the whole world's",
            );
        }
        check(
            "https://metadata.google.internal/",
            "is a name of this machine",
        );
        check(
            "ftp://example.org/",
            "its scheme is \"ftp\"; it must be https or http",
        );
        check("file:///etc/passwd", "its scheme is \"file\"");
        check("gopher://example.org/", "its scheme is \"gopher\"");
        check("https://u@example.org/", "holds a user or a password");
        check("https://:p@example.org/", "holds a user or a password");
        check(
            "https://example.org:25/",
            "its port is 25; it must be 80, 443, or at least 1024",
        );
        check("https://example.org:0/", "its port is 0");
        check("not an address", "it is no address");
        check("", "it is no address");
        check("https://", "it is no address");
        let long = format!("https://example.org/{}", "x".repeat(LENGTH_MAX));
        check(&long, "it has 2068 bytes; it must have at most 2048");
        // Only looks like one of our own.
        for good in [
            "https://notlocalhost/",
            "https://localhost.example.org:8443/hook?x=1",
        ] {
            assert!(judge(good, &Allow::default()).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_is_allowed_by_name_is_allowed_and_nothing_beside_it() {
        let check = |names: &[&str], text: &str, good: bool| {
            assert_eq!(judge(text, &allow(names)).is_ok(), good, "{names:?} {text}");
        };
        check(&["localhost"], "http://localhost:25/", true);
        check(&["localhost"], "http://LOCALHOST./", true);
        check(&["localhost"], "http://127.0.0.1/", false);
        check(&["localhost"], "http://a.localhost/", false);
        check(&["127.0.0.0/8"], "http://0x7f.1:9/", true);
        check(&["127.0.0.0/8"], "http://10.0.0.1/", false);
        check(&["127.0.0.0/8"], "http://u:p@127.0.0.1/", false);
    }

    #[test]
    fn no_refusal_says_what_stands_behind_the_host() {
        for text in [
            "https://u:s3cret@example.org/",
            "https://example.org:25/s3cret?s3cret#s3cret",
            "http://127.0.0.1/s3cret",
            "s3cret://x",
            "http://localhost/s3cret",
            "https://exa mple.org/s3cret",
        ] {
            let told = judge(text, &Allow::default()).unwrap_err().to_string();
            assert!(
                !told.contains("s3cret") || text.starts_with("s3cret"),
                "{told}"
            );
        }
        let url = Url::parse("https://example.org/s3cret?key=s3cret").unwrap();
        assert_eq!(shown(&url), "https://example.org/***");
    }
}
