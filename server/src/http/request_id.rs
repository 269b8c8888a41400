//! Who asks, and the name of what is asked.

use std::{net::SocketAddr, sync::Arc};

use http::{HeaderMap, HeaderName};
use uuid::Uuid;

pub static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Finds one request in every log, from the browser to the correction.
#[derive(Debug, Clone)]
pub struct RequestId(Arc<str>);

/// Who asks: the other end of the connection, or whom a trusted proxy names.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

impl RequestId {
    pub const LENGTH_MAX: usize = 64;

    /// The client's own, if it is one word that can stand in a log; else a new one.
    pub fn of(headers: &HeaderMap) -> Self {
        let given = headers
            .get(&X_REQUEST_ID)
            .and_then(|v| v.to_str().ok())
            .filter(|text| {
                (1..=Self::LENGTH_MAX).contains(&text.len())
                    && text
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
            });
        match given {
            Some(text) => Self(text.into()),
            None => Self::new(),
        }
    }

    pub fn new() -> Self {
        Self(Uuid::new_v4().simple().to_string().into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_request_id_is_taken_if_it_is_one_short_word_and_made_otherwise() {
        let id_of = |text: &'static [u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(
                &X_REQUEST_ID,
                HeaderValue::from_bytes(text).expect("a header value"),
            );
            RequestId::of(&headers)
        };
        assert_eq!(id_of(b"page-1.a_B").as_str(), "page-1.a_B");
        for bad in [&b""[..], b"two words", b"\xff", b"a\"b", &[b'a'; 65]] {
            let made = id_of(Box::leak(bad.to_vec().into_boxed_slice()));
            assert_eq!(made.as_str().len(), 32, "{bad:?}");
        }
        assert_ne!(
            RequestId::of(&HeaderMap::new()).as_str(),
            RequestId::of(&HeaderMap::new()).as_str()
        );
    }
}
