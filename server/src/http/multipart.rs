//! A form's envelope, `multipart/form-data` (RFC 7578, RFC 2046 5.1): where its parts begin and end.
//!
//! Keeps no more than it has to look at: the head of a part up to its limit, and of a part's data the
//! few bytes that might be the beginning of a boundary. Each byte is looked at a bounded number of
//! times. What a head says is left to `parameters`.

use bytes::{Bytes, BytesMut};
use memchr::memmem::{self, Finder};

use crate::http::body::{BodyError, RequestBody};

const HEAD_END: &[u8] = b"\r\n\r\n";

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The whole form.
    pub bytes_max: u64,
    /// A part's head, and also whatever stands before the first part.
    pub head_bytes_max: usize,
    pub parts_max: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum FormError {
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("the form has more than {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64 },
    #[error("the form breaks off before its end")]
    BreaksOff,
    #[error("the form has more than {limit} parts, which is the limit")]
    TooManyParts { limit: usize },
    #[error("the head of a part has more than {limit_bytes} bytes, which is the limit")]
    LongHead { limit_bytes: usize },
    #[error("the first boundary is not among the first {limit_bytes} bytes")]
    LongPreamble { limit_bytes: usize },
    #[error("a boundary is followed by something else than a line break or \"--\"")]
    NoLine,
    #[error("the head of a part has a line that is no header")]
    NoHeader,
    /// It lies elsewhere.
    #[error("the recording could not be fetched: {0}")]
    Fetch(String),
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Preamble,
    /// Behind a boundary.
    Head,
    Data,
    End,
}

/// What comes piece by piece: the data of a form's part, or a whole body.
pub trait Chunks: Send {
    /// The next piece; `None` at its end.
    fn chunk(&mut self) -> impl Future<Output = Result<Option<Bytes>, FormError>> + Send;
}

impl Chunks for Multipart {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FormError> {
        Self::chunk(self).await
    }
}

impl Chunks for RequestBody {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FormError> {
        Ok(self.next().await.transpose()?)
    }
}

pub struct Multipart {
    incoming: RequestBody,
    limits: Limits,
    /// A line break, two dashes, the boundary.
    boundary: Finder<'static>,
    buffer: BytesMut,
    at: At,
    received_bytes: u64,
    parts: usize,
}

/// A part's head; its data come from [`Multipart::chunk`].
#[derive(Debug)]
pub struct Part {
    /// The value of its `Content-Disposition`, empty if it has none.
    pub disposition: Vec<u8>,
}

impl Multipart {
    pub fn new(incoming: RequestBody, boundary: &str, limits: Limits) -> Self {
        Self {
            incoming,
            limits,
            boundary: Finder::new(format!("\r\n--{boundary}").as_bytes()).into_owned(),
            // The first boundary needs no line break before it.
            buffer: BytesMut::from(&b"\r\n"[..]),
            at: At::Preamble,
            received_bytes: 0,
            parts: 0,
        }
    }

    /// The next part; what was not read of the one before is passed over.
    pub async fn next_part(&mut self) -> Result<Option<Part>, FormError> {
        if self.at == At::Preamble {
            self.pass_preamble().await?;
        }
        while self.at == At::Data {
            self.chunk().await?;
        }
        if self.at == At::End {
            return Ok(None);
        }
        let head = self.head().await?;
        let Some(head) = head else {
            self.at = At::End;
            return Ok(None);
        };
        self.parts += 1;
        if self.parts > self.limits.parts_max {
            return Err(FormError::TooManyParts {
                limit: self.limits.parts_max,
            });
        }
        let disposition = disposition(&head)?;
        self.at = At::Data;
        Ok(Some(Part { disposition }))
    }

    /// More of the part's data; `None` at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, FormError> {
        if self.at != At::Data {
            return Ok(None);
        }
        let boundary_bytes = self.boundary.needle().len();
        loop {
            if let Some(end) = self.boundary.find(&self.buffer) {
                let data = self.buffer.split_to(end).freeze();
                let _boundary = self.buffer.split_to(boundary_bytes);
                self.at = At::Head;
                return Ok((!data.is_empty()).then_some(data));
            }
            // All but the last bytes, with which a boundary might begin.
            let sure = (self.buffer.len() + 1).saturating_sub(boundary_bytes);
            if sure > 0 {
                return Ok(Some(self.buffer.split_to(sure).freeze()));
            }
            self.read_on().await?;
        }
    }

    async fn pass_preamble(&mut self) -> Result<(), FormError> {
        let limit_bytes = self.limits.head_bytes_max;
        let boundary_bytes = self.boundary.needle().len();
        let mut passed = 0;
        loop {
            if let Some(end) = self.boundary.find(&self.buffer) {
                if passed + end > limit_bytes {
                    return Err(FormError::LongPreamble { limit_bytes });
                }
                let _preamble = self.buffer.split_to(end + boundary_bytes);
                self.at = At::Head;
                return Ok(());
            }
            let sure = (self.buffer.len() + 1).saturating_sub(boundary_bytes);
            let _preamble = self.buffer.split_to(sure);
            passed += sure;
            if passed > limit_bytes {
                return Err(FormError::LongPreamble { limit_bytes });
            }
            self.read_on().await?;
        }
    }

    /// From behind a boundary to the empty line; `None` behind the last boundary.
    async fn head(&mut self) -> Result<Option<Bytes>, FormError> {
        let limit_bytes = self.limits.head_bytes_max;
        // So much of it is known to hold no end.
        let mut looked_at = 0;
        loop {
            if self.buffer.starts_with(b"--") {
                return Ok(None);
            }
            if let Some(end) = memmem::find(&self.buffer[looked_at..], HEAD_END) {
                let end = looked_at + end + HEAD_END.len();
                if end > limit_bytes {
                    return Err(FormError::LongHead { limit_bytes });
                }
                return Ok(Some(self.buffer.split_to(end).freeze()));
            }
            if self.buffer.len() >= limit_bytes {
                return Err(FormError::LongHead { limit_bytes });
            }
            looked_at = (self.buffer.len() + 1).saturating_sub(HEAD_END.len());
            self.read_on().await?;
        }
    }

    async fn read_on(&mut self) -> Result<(), FormError> {
        let bytes = self.incoming.next().await.ok_or(FormError::BreaksOff)??;
        self.received_bytes += bytes.len() as u64;
        let limit_bytes = self.limits.bytes_max;
        if self.received_bytes > limit_bytes {
            return Err(FormError::TooLarge { limit_bytes });
        }
        self.buffer.extend_from_slice(&bytes);
        Ok(())
    }
}

/// Looks through a head, which begins behind its boundary and ends with the empty line.
fn disposition(head: &[u8]) -> Result<Vec<u8>, FormError> {
    let lines = &head[..head.len() - HEAD_END.len()];
    let mut lines = lines.split(|byte| *byte == b'\n');
    // Spaces and tabs are "transport padding", and no part of the boundary.
    let padding = lines.next().unwrap_or_default().trim_ascii();
    if !padding.is_empty() {
        return Err(FormError::NoLine);
    }
    let mut found = None;
    for line in lines {
        let colon = memchr::memchr(b':', line).ok_or(FormError::NoHeader)?;
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-disposition") && found.is_none() {
            found = Some(value.to_vec());
        }
    }
    Ok(found.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use futures_util::{Stream, StreamExt, stream};

    use super::*;

    const LIMITS: Limits = Limits {
        bytes_max: u64::MAX,
        head_bytes_max: 200,
        parts_max: 5,
    };

    fn body(pieces: impl Stream<Item = Bytes> + Send + Sync + 'static) -> RequestBody {
        let long = Duration::from_secs(60);
        RequestBody::new(pieces.map(Ok), long, long)
    }

    fn in_pieces(text: &str, size: usize) -> RequestBody {
        let pieces: Vec<Bytes> = text
            .as_bytes()
            .chunks(size)
            .map(Bytes::copy_from_slice)
            .collect();
        body(stream::iter(pieces))
    }

    /// All parts as "disposition=data", joined by "|".
    async fn read(incoming: RequestBody) -> Result<String, FormError> {
        let mut form = Multipart::new(incoming, "xy", LIMITS);
        let mut parts = Vec::new();
        while let Some(part) = form.next_part().await? {
            let mut data = Vec::new();
            while let Some(chunk) = form.chunk().await? {
                data.extend_from_slice(&chunk);
            }
            let head = String::from_utf8(part.disposition).unwrap();
            parts.push(format!("{head}={}", String::from_utf8(data).unwrap()));
        }
        Ok(parts.join("|"))
    }

    #[tokio::test]
    async fn parts_are_the_same_however_the_bytes_are_cut() {
        for (form, expected) in [
            ("--xy\r\nContent-Disposition: a\r\n\r\n1\r\n--xy--", "a=1"),
            ("--xy--\r\n", ""),
            ("--xy\r\n\r\n\r\n--xy--", "="),
            (
                "lead\r\n--xy \t\r\nx-y: 1\r\ncontent-disposition:  b; c\r\n\r\n1\r\n2\r\n--x\r\n--xy\r\n\
                 CONTENT-disposition:d\r\nx: content-disposition: e\r\n\r\n\r\n\r\n\r\n--xy--\r\nend",
                "b; c=1\r\n2\r\n--x|d=\r\n\r\n",
            ),
            ("--xy\r\na:\r\n\r\n--xy\r\n--xy--", "=--xy"),
        ] {
            for size in [1, 2, 3, 7, 1000] {
                let read = read(in_pieces(form, size)).await.unwrap();
                assert_eq!(read, expected, "{form:?} in pieces of {size}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_form_is_refused_with_its_reason() {
        for (form, expected) in [
            ("", "breaks off"),
            ("nothing of the kind", "breaks off"),
            ("--xy", "breaks off"),
            ("--xy\r\na: b\r\n", "breaks off"),
            ("--xy\r\na: b\r\n\r\ndata", "breaks off"),
            ("--xy\r\na: b\r\n\r\ndata\r\n--xy", "breaks off"),
            ("--xyz\r\na: b\r\n\r\n\r\n--xy--", "line break"),
            ("--xy\r\nabc\r\n\r\n\r\n--xy--", "no header"),
        ] {
            for size in [1, 5, 1000] {
                let error = read(in_pieces(form, size)).await.unwrap_err().to_string();
                assert!(error.contains(expected), "{form:?}: {error}");
            }
        }
    }

    #[tokio::test]
    async fn what_has_no_end_is_refused_after_its_limit_and_not_read_on() {
        let endless = [
            ("--xy\r\ncontent-disposition: ", "a", "head of a part"),
            ("--xy\r\n", "a: b\r\n", "head of a part"),
            ("--xy", " ", "head of a part"),
            ("", "a", "first boundary"),
            ("", "\r\n", "first boundary"),
            ("", "\r\n--x", "first boundary"),
            ("", "--xy\r\na: b\r\n\r\nc\r\n", "parts"),
        ];
        for (start, again, expected) in endless {
            let pulled = Arc::new(AtomicUsize::new(0));
            let counter = pulled.clone();
            let rest = stream::repeat_with(move || {
                counter.fetch_add(1, Ordering::Relaxed);
                Bytes::from_static(again.as_bytes())
            });
            let start = stream::iter([Bytes::from_static(start.as_bytes())]);
            let error = read(body(start.chain(rest))).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{again:?}: {error}");
            let pulled = pulled.load(Ordering::Relaxed) * again.len();
            let most = LIMITS.head_bytes_max + again.len() + "\r\n--xy".len();
            assert!(pulled <= most, "{again:?}: {pulled} bytes were read");
        }
    }

    #[tokio::test]
    async fn data_are_passed_on_as_they_come_and_only_a_boundarys_beginning_is_kept() {
        let data = stream::repeat_with(|| Bytes::from(vec![b'\r'; 1000])).take(1000);
        let start = stream::iter([Bytes::from_static(b"--xy\r\na: b\r\n\r\n")]);
        let mut form = Multipart::new(body(start.chain(data)), "xy", LIMITS);
        form.next_part().await.unwrap().unwrap();
        let mut passed = 0;
        let ended = loop {
            match form.chunk().await {
                Ok(chunk) => passed += chunk.unwrap().len(),
                Err(error) => break error,
            }
            assert!(form.buffer.len() < "\r\n--xy".len());
            assert!(form.buffer.capacity() < 10_000);
        };
        assert!(matches!(ended, FormError::BreaksOff), "{ended}");
        assert!(passed > 999_900, "{passed}");
    }

    #[tokio::test]
    async fn the_whole_form_has_a_limit() {
        let text = "--xy\r\na: b\r\n\r\ndata\r\n--xy--";
        for (bytes_max, fits) in [(text.len(), true), (text.len() - 1, false)] {
            let limits = Limits {
                bytes_max: bytes_max as u64,
                ..LIMITS
            };
            let mut form = Multipart::new(in_pieces(text, 3), "xy", limits);
            form.next_part().await.unwrap();
            assert_eq!(form.next_part().await.is_ok(), fits, "{bytes_max}");
        }
    }
}
