//! Event streams on HTTP/1.1 without hyper, whose buffers would cost each silent client many times
//! what its stream does. A request is known by its first line, taken whole, and asked of the same
//! [`Front`] as every other; only its answer is written here. What is not plainly such a request is
//! hyper's.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Uri, Version,
    header::{self, HeaderMap},
};
use http_body_util::{BodyExt, Empty};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use warp::reply::Response;

use crate::{
    config::ms,
    front::Front,
    routes::events::{ADDRESS, Direct, Gone, Listener, Telling},
};

pub type Request = http::Request<Empty<Bytes>>;

const METHOD: &str = "GET ";
const HEAD_END: &[u8] = b"\r\n\r\n";

/// A client that says more than this after its request is not one that listens.
const CHATTER_BYTES_MAX: usize = 4096;

/// For a client to take a refusal and close.
const FAREWELL: Duration = Duration::from_secs(2);

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

/// Answers the request. What it returns is the stream, if it was not refused.
pub async fn answer(
    mut stream: TcpStream,
    mut request: Request,
    peer: SocketAddr,
    front: &Front,
) -> Option<Watching> {
    let direct = Direct::default();
    request.extensions_mut().insert(direct.clone());
    let response = front.answer(request, Some(peer)).await;
    let stall = ms(front.app.config.write_stall_ms);
    if let Some(telling) = direct.take() {
        let head = head(&response, "transfer-encoding: chunked");
        let said = tokio::time::timeout(stall, stream.write_all(&head)).await;
        return matches!(said, Ok(Ok(()))).then_some(Watching { stream, telling });
    }
    say(stream, response, stall).await;
    None
}

/// Writes a whole answer and ends the connection.
pub async fn say(mut stream: TcpStream, response: Response, stall: Duration) {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes());
    let body = body.unwrap_or_default();
    let response = Response::from_parts(parts, Bytes::new().into());
    let mut text = head(&response, &format!("content-length: {}", body.len()));
    text.extend_from_slice(&body);
    if let Ok(Ok(())) = tokio::time::timeout(stall, stream.write_all(&text)).await {
        let _ = stream.shutdown().await;
        let mut scrap = [0; 64];
        let rest = async { while stream.read(&mut scrap).await.is_ok_and(|read| read > 0) {} };
        let _ = tokio::time::timeout(FAREWELL, rest).await;
    }
}

/// An answer's status line and headers. The connection ends with the answer.
fn head(response: &Response, length: &str) -> Vec<u8> {
    let mut text = format!(
        "HTTP/1.1 {} {}\r\nconnection: close\r\n{length}\r\ndate: {}\r\n",
        response.status().as_str(),
        response.status().canonical_reason().unwrap_or_default(),
        httpdate::fmt_http_date(std::time::SystemTime::now()),
    )
    .into_bytes();
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONNECTION && name != header::DATE {
            text.extend_from_slice(name.as_str().as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
    }
    text.extend_from_slice(b"\r\n");
    text
}

/// A client who is told events, and all that is kept for it.
pub struct Watching {
    stream: TcpStream,
    telling: Telling,
}

impl Watching {
    /// Tells until the client is gone or we stop.
    pub async fn tell(self) {
        let mut stream = self.stream;
        let mut broken = false;
        let chunks = Chunks {
            stream: &mut stream,
            broken: &mut broken,
        };
        self.telling.run(chunks).await;
        if !broken {
            // The end of the chunks, for a client that is still there.
            let _ = stream.try_write(b"0\r\n\r\n");
            let _ = stream.shutdown().await;
        }
    }
}

/// Writes RFC 9112 7.1's chunks.
struct Chunks<'s> {
    stream: &'s mut TcpStream,
    /// A chunk was not written to its end, so nothing can follow it.
    broken: &'s mut bool,
}

impl Listener for Chunks<'_> {
    async fn hear(&mut self, chunk: Bytes) -> Result<(), Gone> {
        if std::mem::replace(self.broken, true) {
            return Err(Gone);
        }
        let mut text = format!("{:x}\r\n", chunk.len()).into_bytes();
        text.extend_from_slice(&chunk);
        text.extend_from_slice(b"\r\n");
        self.stream.write_all(&text).await.map_err(|_| Gone)?;
        *self.broken = false;
        Ok(())
    }

    async fn gone(&mut self) {
        let mut chatter = 0;
        while self.stream.readable().await.is_ok() && chatter < CHATTER_BYTES_MAX {
            let mut scrap = [0; 64];
            match self.stream.try_read(&mut scrap) {
                Ok(0) => return,
                Ok(read) => chatter += read,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
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
