//! Where browsers find us, if the configuration says: a scheme, a host, and perhaps a path that a
//! proxy keeps for us, `https://example.org/retake`.
//!
//! A proxy may take that path off before it asks us, or leave it: both are understood. Whatever
//! leads back to us, links, `Location`, the page's files, begins with it.

use http::{Uri, uri::PathAndQuery};

use crate::http::target::is_host;

/// First parts of our own addresses: a path that began with one would mean two things.
const OURS: [&str; 13] = [
    "api",
    "docs",
    "healthz",
    "readyz",
    "metrics",
    "problems",
    "plugins",
    "presets",
    "recordings",
    "s",
    "settings",
    "_next",
    "index.html",
];

/// The default: wherever the request was sent to, from the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    origin: Option<Origin>,
    /// Empty, or with a slash before it and none behind.
    base: String,
}

/// RFC 6454 4, as far as http and https go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub https: bool,
    /// In lower case, without the scheme's own port.
    host: String,
}

impl Origin {
    pub fn new(https: bool, host: &str) -> Self {
        let own_port = if https { ":443" } else { ":80" };
        let host = host.to_ascii_lowercase();
        let host = host.strip_suffix(own_port).unwrap_or(&host);
        Self {
            https,
            host: host.to_owned(),
        }
    }

    /// Of an `Origin` header: `scheme://host`, with nothing behind it.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, host) = text.split_once("://")?;
        let https = match scheme {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        is_host(host).then(|| Self::new(https, host))
    }
}

impl Place {
    /// Empty for none. The error completes "public_url is … ;".
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let (host, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let origin = Origin::parse(&format!("{scheme}://{host}"))
            .ok_or("it must be http:// or https://, a host and perhaps a path")?;
        let base = path.trim_end_matches('/');
        let plain = |part: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            !part.is_empty() && part.bytes().all(allowed) && !matches!(part, "." | "..")
        };
        if !base.split('/').skip(1).all(plain) {
            return Err("its path may have letters, digits and -._~ between single slashes");
        }
        if base
            .split('/')
            .nth(1)
            .is_some_and(|first| OURS.contains(&first))
        {
            return Err("its path must not begin like one of our own addresses");
        }
        Ok(Self {
            origin: Some(origin),
            base: base.to_owned(),
        })
    }

    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// What stands before every path of ours, empty at the root.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Tells two installations on one host apart.
    pub fn identity(&self) -> Option<String> {
        let origin = self.origin.as_ref()?;
        Some(format!("{}{}", origin.host, self.base))
    }

    /// The address as our routes know it.
    pub fn inside(&self, uri: &Uri) -> Option<Uri> {
        if self.base.is_empty() {
            return None;
        }
        let inner = uri.path().strip_prefix(&self.base)?;
        if !inner.is_empty() && !inner.starts_with('/') {
            return None;
        }
        let slash = if inner.is_empty() { "/" } else { "" };
        let query = uri.query().map(|query| format!("?{query}"));
        let inner = format!("{slash}{inner}{}", query.unwrap_or_default());
        PathAndQuery::try_from(inner).ok().map(Uri::from)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_public_address_is_a_scheme_a_host_and_perhaps_a_path() {
        for (text, base) in [
            ("", Ok("")),
            ("https://retake.example", Ok("")),
            ("https://retake.example/", Ok("")),
            ("http://retake.example:8080/a/b.c/", Ok("/a/b.c")),
            ("https://[2001:db8::1]:8443/retake", Ok("/retake")),
            ("retake.example", Err(())),
            ("ftp://retake.example", Err(())),
            ("https://", Err(())),
            ("https://ann@retake.example", Err(())),
            ("https://retake.example?x", Err(())),
            ("https://retake.example/a?x", Err(())),
            ("https://retake.example/a//b", Err(())),
            ("https://retake.example/../x", Err(())),
            ("https://retake.example/\"", Err(())),
            ("https://retake.example/api/x", Err(())),
        ] {
            let place = Place::parse(text);
            let found = place.as_ref().map(Place::base).map_err(|_| ());
            assert_eq!(found, base, "{text}");
        }
    }

    #[test]
    fn rfc_6454_4_an_origin_is_compared_without_its_schemes_own_port() {
        let same = |a: &str, b: &str| Origin::parse(a).unwrap() == Origin::parse(b).unwrap();
        assert!(same("https://A.example", "https://a.example:443"));
        assert!(same("http://a.example:80", "http://a.example"));
        assert!(!same("http://a.example", "https://a.example"));
        assert!(!same("https://a.example:80", "https://a.example"));
        assert!(!same("https://a.example", "https://b.a.example"));
        for bad in [
            "null",
            "a.example",
            "https://a.example/",
            "https://",
            "data://a.example",
        ] {
            assert_eq!(Origin::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_addresses_below_the_path_lose_it() {
        let place = Place::parse("https://a.example/re/take").unwrap();
        for (path, inside) in [
            ("/re/take/api/v1/jobs?x=1", Some("/api/v1/jobs?x=1")),
            ("/re/take/", Some("/")),
            ("/re/take", Some("/")),
            ("/re/take?x", Some("/?x")),
            ("/re/take//api", Some("//api")),
            ("/re/taken", None),
            ("/re", None),
            ("/api/v1/jobs", None),
        ] {
            let found = place.inside(&path.parse().unwrap());
            assert_eq!(
                found.map(|uri| uri.to_string()).as_deref(),
                inside,
                "{path}"
            );
        }
        let root = Place::parse("https://a.example").unwrap();
        assert_eq!(root.inside(&"/x".parse().unwrap()), None);
    }
}
