//! Requests for events, known by their first line, before anybody else reads them.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Uri, Version,
    header::{self, HeaderMap},
};
use http_body_util::Empty;

use crate::live::telling::ADDRESS;

pub type Request = http::Request<Empty<Bytes>>;

const METHOD: &str = "GET ";
const HEAD_END: &[u8] = b"\r\n\r\n";

/// How requests for events begin: under our own address, and below `public_url`'s path as well.
#[derive(Debug, Clone)]
pub struct Beginnings(Arc<[String]>);

impl Beginnings {
    /// With the path below which we are reached, empty at the root.
    pub fn new(base: &str) -> Self {
        let mut beginnings = vec![format!("{METHOD}{ADDRESS}")];
        if !base.is_empty() {
            beginnings.push(format!("{METHOD}{base}{ADDRESS}"));
        }
        Self(beginnings.into())
    }

    /// Whether a request for events begins here and is whole; `None` while it may still become one.
    ///
    /// Looks at both ends only, so that it may be asked after each byte.
    pub fn asked(&self, bytes: &[u8]) -> Option<bool> {
        let open = |beginning: &String| {
            let length = bytes.len().min(beginning.len());
            bytes[..length] == beginning.as_bytes()[..length]
                && matches!(bytes.get(beginning.len()), None | Some(b' ' | b'?'))
        };
        if !self.0.iter().any(open) {
            return Some(false);
        }
        bytes.ends_with(HEAD_END).then_some(true)
    }

    /// The request, if it is one that can be answered here: HTTP/1.1, without a body, nothing behind
    /// it.
    pub fn parse(&self, bytes: &[u8], headers_max: usize) -> Option<Request> {
        let mut lines = vec![httparse::EMPTY_HEADER; headers_max];
        let mut parsed = httparse::Request::new(&mut lines);
        match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
            _ => return None,
        }
        let uri: Uri = parsed.path?.parse().ok()?;
        let plain = parsed.version == Some(1) && parsed.method == Some("GET");
        if !plain || !self.lead_to(uri.path()) {
            return None;
        }
        let mut headers = HeaderMap::with_capacity(parsed.headers.len());
        for line in parsed.headers.iter() {
            let name = HeaderName::from_bytes(line.name.as_bytes()).ok()?;
            headers.append(name, HeaderValue::from_bytes(line.value).ok()?);
        }
        let more = [
            header::CONTENT_LENGTH,
            header::TRANSFER_ENCODING,
            header::UPGRADE,
            header::EXPECT,
        ];
        if more.iter().any(|name| headers.contains_key(name)) {
            return None;
        }
        let mut request = Request::new(Empty::new());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = headers;
        Some(request)
    }

    fn lead_to(&self, path: &str) -> bool {
        let mut paths = self.0.iter().map(|beginning| &beginning[METHOD.len()..]);
        paths.any(|known| known == path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_request_for_events_is_known_by_its_ends_however_little_of_it_is_there() {
        let whole = format!("GET {ADDRESS}?after=3 HTTP/1.1\r\nhost: x\r\n\r\n");
        let root = Beginnings::new("");
        for length in 0..whole.len() {
            let asked = root.asked(&whole.as_bytes()[..length]);
            assert_eq!(asked, None, "{length} bytes");
        }
        assert_eq!(root.asked(whole.as_bytes()), Some(true));
        for other in [
            "POST /api/v1/events HTTP/1.1\r\n\r\n",
            "HEAD /api/v1/events HTTP/1.1\r\n\r\n",
            "GET /api/v1/eventsx HTTP/1.1\r\n\r\n",
            "GET /api/v1/events/ HTTP/1.1\r\n\r\n",
            "GET /api/v1/jobs",
            "X",
            "PRI * HTTP/2.0\r\n\r\n",
        ] {
            assert_eq!(root.asked(other.as_bytes()), Some(false), "{other}");
        }
    }

    #[test]
    fn below_a_path_a_request_is_known_with_and_without_it() {
        let below = Beginnings::new("/a/take");
        for path in ["/api/v1/events", "/a/take/api/v1/events"] {
            let whole = format!("GET {path}?after=3 HTTP/1.1\r\nhost: x\r\n\r\n");
            for length in 0..whole.len() {
                let asked = below.asked(&whole.as_bytes()[..length]);
                assert_eq!(asked, None, "{path}: {length} bytes");
            }
            assert_eq!(below.asked(whole.as_bytes()), Some(true), "{path}");
            assert!(below.parse(whole.as_bytes(), 4).is_some(), "{path}");
        }
        for other in [
            "/a/api/v1/events",
            "/a/takeapi/v1/events",
            "/a/take/api/v1/jobs",
        ] {
            let whole = format!("GET {other} HTTP/1.1\r\nhost: x\r\n\r\n");
            assert_eq!(below.asked(whole.as_bytes()), Some(false), "{other}");
            assert!(below.parse(whole.as_bytes(), 4).is_none(), "{other}");
        }
    }

    #[test]
    fn what_is_not_plainly_such_a_request_is_left_to_hyper() {
        let root = Beginnings::new("");
        let parses = |text: &str| root.parse(text.as_bytes(), 4).is_some();
        assert!(parses("GET /api/v1/events HTTP/1.1\r\nhost: x\r\n\r\n"));
        assert!(parses("GET /api/v1/events?after=3 HTTP/1.1\r\n\r\n"));
        for other in [
            "GET /api/v1/events HTTP/1.0\r\nhost: x\r\n\r\n",
            "GET /api/v1/events HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
            "GET /api/v1/events HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET /api/v1/events HTTP/1.1\r\nexpect: 100-continue\r\n\r\n",
            "GET /api/v1/events HTTP/1.1\r\nupgrade: h2c\r\n\r\n",
            "GET /api/v1/events HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "GET /api/v1/events HTTP/1.1\r\na: 1\r\nb: 1\r\nc: 1\r\nd: 1\r\ne: 1\r\n\r\n",
            "GET /api/v1/events HTTP/1.1\r\nno header\r\n\r\n",
            "GET /api/v1/events?a b HTTP/1.1\r\n\r\n",
        ] {
            assert!(!parses(other), "{other}");
        }
    }
}
