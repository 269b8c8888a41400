//! Audio to a client, as fast as it reads and no faster: one chunk of the blob is asked for when the
//! one before was taken, and nothing is held in between. A stalled client costs one chunk, and all of them
//! together no more than `answer_bytes_max`.

use std::{ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use retake_chain::problem::ProblemKind;
use retake_jobs::{
    derivative::READING,
    id::DerivativeId,
    seams::{BlobError, BlobKey, ServerStore, SharedBlobs, StoreError},
};
use tokio::time::Instant;

use crate::{
    app::App,
    call::Call,
    http::{
        budget::Budget,
        conditions::{self, Verdict, judge},
        range::{Portion, portion},
        respond::{Answer, Refusal, empty},
        streamed::streamed,
    },
};

/// Blobs are stored in pieces of about this size.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// Several times in [`READING`], and a client that takes nothing is cut off in between.
const HOLD_AGAIN: Duration = Duration::from_secs(READING.as_secs().unsigned_abs() / 4);

pub struct Download {
    pub key: BlobKey,
    pub size_bytes: u64,
    pub content_type: String,
    /// The ETag, without its quotes: SHA-256 in lower-case hex, or something else that changes with
    /// the bytes.
    pub tag: String,
    pub file_name: String,
    pub keep: Keep,
    /// Where it may be forgotten as soon as there is no room: not while it is read.
    pub hold: Option<Hold>,
}

/// Keeps what was made of a job while a client reads it.
#[derive(Clone)]
pub struct Hold {
    store: Arc<dyn ServerStore>,
    id: DerivativeId,
    again: Instant,
}

impl Hold {
    /// `None`: it is gone already.
    pub async fn begin(
        store: &Arc<dyn ServerStore>,
        id: DerivativeId,
    ) -> Result<Option<Self>, StoreError> {
        let held = store.reading(id).await?;
        Ok(held.then(|| Self {
            store: store.clone(),
            id,
            again: Instant::now() + HOLD_AGAIN,
        }))
    }

    async fn renew(&mut self) {
        if Instant::now() < self.again {
            return;
        }
        self.again = Instant::now() + HOLD_AGAIN;
        if let Err(error) = self.store.reading(self.id).await {
            tracing::warn!("what a client reads may be forgotten meanwhile: {error}");
        }
    }
}

/// What the owner's browser may do with its copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Keep it, and ask each time whether it still may.
    Asking,
    /// Keep it without asking: whatever comes from this address is always the same (RFC 8246).
    ForGood,
}

impl Download {
    pub fn answer(self, app: &App, call: &Call) -> Answer {
        let etag = format!("\"{}\"", self.tag);
        let size = self.size_bytes;
        match judge(&call.method, &call.headers, &etag) {
            Verdict::Go => {}
            Verdict::Failed => return Err(conditions::failed(&etag)),
            Verdict::NotModified => {
                let mut response = empty(StatusCode::NOT_MODIFIED);
                add_validators(response.headers_mut(), &etag, self.keep);
                return Ok(response);
            }
        }
        let (status, first, end) = match portion(&call.method, &call.headers, &etag, size) {
            Portion::Whole => (StatusCode::OK, 0, size),
            Portion::Part { first, end } => (StatusCode::PARTIAL_CONTENT, first, end),
            Portion::Unsatisfiable => {
                let detail =
                    format!("what is here has {size} bytes; no byte of the range is among them");
                return Err(Refusal::new(ProblemKind::RangeNotSatisfiable, detail)
                    .with_header(header::CONTENT_RANGE, &format!("bytes */{size}")));
            }
        };

        let blobs = app.parts.blobs.clone();
        let mut response = streamed(chunks(
            blobs,
            app.budget.clone(),
            self.key,
            self.hold,
            first..end,
        ));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        add_validators(headers, &etag, self.keep);
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(header::CONTENT_LENGTH, (end - first).into());
        if status == StatusCode::PARTIAL_CONTENT {
            headers.insert(
                header::CONTENT_RANGE,
                visible(&format!("bytes {first}-{}/{size}", end - 1)),
            );
        }
        headers.insert(header::CONTENT_TYPE, visible(&self.content_type));
        headers.insert(
            header::CONTENT_DISPOSITION,
            visible(&disposition(&self.file_name)),
        );
        Ok(response)
    }
}

fn add_validators(headers: &mut HeaderMap, etag: &str, keep: Keep) {
    headers.insert(header::ETAG, visible(etag));
    let keep = match keep {
        Keep::Asking => "private, no-cache, no-transform",
        Keep::ForGood => "private, max-age=31536000, immutable, no-transform",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
}

fn visible(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("made of numbers, hex and escaped text")
}

/// RFC 6266, RFC 8187: a plain name for old clients, and the real one.
fn disposition(file_name: &str) -> String {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');
    let plain: String = file_name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || ".-_ ".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let escaped = utf8_percent_encode(file_name, ESCAPED);
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{escaped}")
}

fn chunks(
    blobs: SharedBlobs,
    budget: Arc<Budget>,
    key: BlobKey,
    hold: Option<Hold>,
    Range { start, end }: Range<u64>,
) -> impl Stream<Item = Result<Bytes, BlobError>> + Send {
    let next = move |(at, mut hold): (u64, Option<Hold>)| {
        let (blobs, budget) = (blobs.clone(), budget.clone());
        async move {
            if at >= end {
                return None;
            }
            if let Some(hold) = &mut hold {
                hold.renew().await;
            }
            let most = budget.piece(CHUNK_BYTES);
            let wanted = usize::try_from(end - at).map_or(most, |left| left.min(most));
            let room = budget.take(wanted).await;
            let read = match blobs.read(key, at, wanted).await {
                Ok(bytes) if bytes.is_empty() => Err(BlobError::NotFound),
                other => other.map(|bytes| room.hold(bytes)),
            };
            match read {
                Ok(bytes) => {
                    let at = at + bytes.len() as u64;
                    Some((Ok(bytes), (at, hold)))
                }
                // The length is promised already: cutting the connection is all that is left to say.
                Err(error) => {
                    tracing::warn!("a download was cut short at byte {at}: {error}");
                    Some((Err(error), (end, None)))
                }
            }
        }
    };
    stream::unfold((start, hold), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_break_out_of_its_header() {
        for (name, expected) in [
            (
                "take 1.webm",
                "attachment; filename=\"take 1.webm\"; filename*=UTF-8''take%201.webm",
            ),
            (
                "a\"b\r\n;.wav",
                "attachment; filename=\"a_b___.wav\"; filename*=UTF-8''a%22b%0D%0A%3B.wav",
            ),
            (
                "grüße.ogg",
                "attachment; filename=\"gr__e.ogg\"; filename*=UTF-8''gr%C3%BC%C3%9Fe.ogg",
            ),
        ] {
            assert_eq!(disposition(name), expected);
        }
    }
}
