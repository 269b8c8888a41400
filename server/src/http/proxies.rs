//! Who asks, where proxies stand between: `Forwarded` (RFC 7239) and `X-Forwarded-*`, believed only
//! from proxies that the configuration names. Anybody can send these headers.
//!
//! Each proxy puts what it saw behind what it was sent. So they are read from the end, one step for
//! each proxy that is named, and what the first stranger sent is not read at all.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName, header};
use retake_outgoing::Network;

use crate::http::{
    parameters::{self, Parameters},
    target::is_host,
};

#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<Network>);

/// What is believed of a request's way to us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    /// The nearest of the line that no named proxy vouches for.
    pub client: Option<SocketAddr>,
    /// The host that the client asked for.
    pub host: Option<String>,
    /// Whether it came by https, where a proxy says.
    pub https: Option<bool>,
}

/// What one proxy says of whom it heard.
#[derive(Debug, Default)]
struct Hop {
    /// `None` where it does not want to say, or says what is no address.
    client: Option<SocketAddr>,
    host: Option<String>,
    https: Option<bool>,
}

impl Proxies {
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    fn named(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.holds(address))
    }

    /// `host` is what the connection's own request names.
    pub fn way(&self, peer: Option<SocketAddr>, host: Option<String>, headers: &HeaderMap) -> Way {
        let mut way = Way {
            client: peer,
            host,
            https: None,
        };
        if !peer.is_some_and(|peer| self.named(peer.ip())) {
            return way;
        }
        let hops = if headers.contains_key(header::FORWARDED) {
            forwarded(headers)
        } else {
            x_forwarded(headers)
        };
        for hop in hops.into_iter().rev() {
            way.host = hop.host.or(way.host);
            way.https = hop.https.or(way.https);
            match hop.client {
                Some(client) => way.client = Some(client),
                // Whoever stood before is not known, so nothing before is read.
                None => break,
            }
            if !way.client.is_some_and(|client| self.named(client.ip())) {
                break;
            }
        }
        way
    }
}

/// RFC 7239 4. A list that cannot be read says nothing, however much of it could be.
fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let mut hops = Vec::new();
    for line in headers.get_all(header::FORWARDED) {
        let Some(elements) = parameters::split(line.as_bytes(), b',') else {
            return Vec::new();
        };
        for element in elements {
            let mut hop = Hop::default();
            for (name, value) in Parameters::new(element) {
                let Ok(value) = str::from_utf8(&value) else {
                    return Vec::new();
                };
                match name.to_ascii_lowercase().as_str() {
                    "for" => hop.client = node(value),
                    "host" => hop.host = host(value),
                    "proto" => hop.https = proto(value),
                    _ => {}
                }
            }
            hops.push(hop);
        }
    }
    hops
}

/// The habit before the RFC: three lists. A proxy that fills them all fills them alike; one that
/// gives a single host or scheme beside a list of addresses means the client's.
fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let list = |name: &'static str| -> Vec<&str> {
        let lines = headers.get_all(HeaderName::from_static(name)).iter();
        lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .collect()
    };
    let (clients, hosts, protos) = (
        list("x-forwarded-for"),
        list("x-forwarded-host"),
        list("x-forwarded-proto"),
    );
    let count = clients.len().max(1);
    let at = |values: &[&str], place: usize| {
        let value = if values.len() == count {
            values.get(place)
        } else if place + 1 == count {
            values.last()
        } else {
            None
        };
        value.map(|text| (*text).to_owned())
    };
    (0..count)
        .map(|place| Hop {
            client: clients.get(place).and_then(|text| node(text)),
            host: at(&hosts, place).and_then(|text| host(&text)),
            https: at(&protos, place).and_then(|text| proto(&text)),
        })
        .collect()
}

/// RFC 7239 6: an address with or without a port. `unknown` and `_hidden` are none.
fn node(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(SocketAddr::new(address, 0));
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address);
    }
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let address: Ipv6Addr = inner.parse().ok()?;
    Some(SocketAddr::new(address.into(), 0))
}

fn host(text: &str) -> Option<String> {
    is_host(text).then(|| text.to_ascii_lowercase())
}

fn proto(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "https" => Some(true),
        "http" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn proxies(networks: &[&str]) -> Proxies {
        Proxies::new(networks.iter().map(|text| text.parse().unwrap()).collect())
    }

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        headers
    }

    /// Client, host and scheme as one line, as seen behind a proxy at 10.0.0.1 where 10.0.0.0/8 and
    /// 2001:db8::/32 are named.
    fn seen(lines: &[(&'static str, &str)]) -> String {
        let way = proxies(&["10.0.0.0/8", "2001:db8::/32"]).way(
            Some("10.0.0.1:4000".parse().unwrap()),
            Some("inner.example".to_owned()),
            &headers(lines),
        );
        let scheme = match way.https {
            Some(true) => "https",
            Some(false) => "http",
            None => "?",
        };
        format!(
            "{} {} {scheme}",
            way.client.unwrap().ip(),
            way.host.unwrap()
        )
    }

    #[test]
    fn rfc_7239_4_forwarded_is_read_from_the_end_up_to_the_first_stranger() {
        for (line, expected) in [
            ("for=192.0.2.60", "192.0.2.60 inner.example ?"),
            (
                "For=\"[2001:dead::1]:4711\"",
                "2001:dead::1 inner.example ?",
            ),
            (
                "for=192.0.2.60;proto=https;host=Retake.example",
                "192.0.2.60 retake.example https",
            ),
            (
                "FOR = 192.0.2.60 ; PROTO=HTTPS",
                "192.0.2.60 inner.example https",
            ),
            // What the stranger claims of himself stands before what the proxy saw.
            (
                "for=203.0.113.9;host=evil.example, for=192.0.2.60;host=retake.example",
                "192.0.2.60 retake.example ?",
            ),
            (
                "for=192.0.2.60;host=retake.example;proto=https, for=10.0.0.2;proto=http",
                "192.0.2.60 retake.example https",
            ),
            ("for=unknown;proto=https", "10.0.0.1 inner.example https"),
            ("for=198.51.100.1, for=_hidden", "10.0.0.1 inner.example ?"),
            ("for=192.0.2.60;host=\"a b\"", "192.0.2.60 inner.example ?"),
            (
                "for=192.0.2.60;host=\"never closed",
                "10.0.0.1 inner.example ?",
            ),
            ("", "10.0.0.1 inner.example ?"),
        ] {
            assert_eq!(seen(&[("forwarded", line)]), expected, "{line}");
        }
        let two = [
            ("forwarded", "for=203.0.113.9, for=192.0.2.60"),
            ("forwarded", "for=10.0.0.2"),
        ];
        assert_eq!(seen(&two), "192.0.2.60 inner.example ?");
    }

    #[test]
    fn rfc_7239_7_4_x_forwarded_means_the_same_and_counts_only_without_forwarded() {
        let (client, host, proto) = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto");
        for (lines, expected) in [
            (&[(client, "192.0.2.60")][..], "192.0.2.60 inner.example ?"),
            (
                &[(client, "203.0.113.9, 192.0.2.60"), (client, "10.0.0.2")],
                "192.0.2.60 inner.example ?",
            ),
            (
                &[
                    (client, "192.0.2.60, 10.0.0.2"),
                    (host, "retake.example"),
                    (proto, "https"),
                ],
                "192.0.2.60 retake.example https",
            ),
            (
                &[
                    (client, "192.0.2.60, 10.0.0.2"),
                    (host, "retake.example, inner"),
                    (proto, "https, http"),
                ],
                "192.0.2.60 retake.example https",
            ),
            (&[(host, "retake.example")], "10.0.0.1 retake.example ?"),
            (&[(client, "192.0.2.60:555")], "192.0.2.60 inner.example ?"),
            (&[(client, "junk")], "10.0.0.1 inner.example ?"),
            (
                &[("forwarded", "for=192.0.2.61"), (client, "192.0.2.60")],
                "192.0.2.61 inner.example ?",
            ),
        ] {
            assert_eq!(seen(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn rfc_7239_8_1_a_stranger_is_not_believed() {
        let lines = headers(&[
            ("forwarded", "for=192.0.2.60;host=evil.example;proto=https"),
            ("x-forwarded-for", "192.0.2.60"),
        ]);
        let peer = Some("203.0.113.9:1".parse().unwrap());
        for networks in [&[][..], &["10.0.0.0/8"]] {
            let way = proxies(networks).way(peer, None, &lines);
            let expected = Way {
                client: peer,
                ..Way::default()
            };
            assert_eq!(way, expected);
        }
    }
}
