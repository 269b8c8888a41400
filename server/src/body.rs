//! A request's body with its deadlines: silence, and the whole.
//!
//! Whoever reads a body reads it through [`RequestBody`]; there is no other way to wait for a client.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::time::Instant;

use retake_chain::problem::ProblemKind;

use crate::respond::Refusal;

type Incoming = Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send + Sync>>;

pub struct RequestBody {
    incoming: Incoming,
    idle: Duration,
    deadline: Instant,
}

#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("no byte of the body came for {} ms", .0.as_millis())]
    Stalled(Duration),
    #[error("the body did not end in time")]
    TooSlow,
    #[error("the body broke off: {0}")]
    BrokeOff(#[source] warp::Error),
    #[error("the body has more than {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64 },
}

impl RequestBody {
    pub fn new(
        incoming: impl Stream<Item = Result<Bytes, warp::Error>> + Send + Sync + 'static,
        idle: Duration,
        whole: Duration,
    ) -> Self {
        Self {
            incoming: Box::pin(incoming),
            idle,
            deadline: Instant::now() + whole,
        }
    }

    /// Another deadline for the whole: uploads may take longer than other bodies.
    #[must_use]
    pub fn within(mut self, whole: Duration) -> Self {
        self.deadline = Instant::now() + whole;
        self
    }

    async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        let silent_until = Instant::now() + self.idle;
        let until = silent_until.min(self.deadline);
        match tokio::time::timeout_at(until, self.incoming.next()).await {
            Ok(Some(Ok(bytes))) => Some(Ok(bytes)),
            Ok(Some(Err(error))) => Some(Err(BodyError::BrokeOff(error))),
            Ok(None) => None,
            Err(_) if until == self.deadline => Some(Err(BodyError::TooSlow)),
            Err(_) => Some(Err(BodyError::Stalled(self.idle))),
        }
    }

    /// The whole body in memory, if it is at most so long.
    pub async fn read_all(mut self, limit_bytes: u64) -> Result<Vec<u8>, BodyError> {
        let mut all = Vec::new();
        while let Some(bytes) = self.next().await {
            let bytes = bytes?;
            if (all.len() + bytes.len()) as u64 > limit_bytes {
                return Err(BodyError::TooLarge { limit_bytes });
            }
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }

    /// The body chunk by chunk, ended by its first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, BodyError>> + Send {
        let chunks = stream::unfold(Some(self), |body| async {
            let mut body = body?;
            match body.next().await? {
                Ok(bytes) => Some((Ok(bytes), Some(body))),
                Err(error) => Some((Err(error), None)),
            }
        });
        Paced {
            stream: Box::pin(chunks.fuse()),
            pause: false,
        }
    }
}

/// Gives one chunk per poll of the task, however many are ready.
///
/// multer reads its source until it is `Pending` and keeps what it read: a source that is always
/// ready would be read into memory whole, however slow the store is.
struct Paced<S> {
    stream: Pin<Box<S>>,
    pause: bool,
}

impl<S: Stream> Stream for Paced<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        if std::mem::take(&mut self.pause) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = self.stream.as_mut().poll_next(context);
        self.pause = matches!(polled, Poll::Ready(Some(_)));
        polled
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        let kind = match error {
            BodyError::Stalled(_) | BodyError::TooSlow => ProblemKind::RequestTimeout,
            BodyError::BrokeOff(_) => ProblemKind::InvalidRequest,
            BodyError::TooLarge { .. } => ProblemKind::TooLarge,
        };
        Refusal::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    fn body(
        incoming: impl Stream<Item = Result<Bytes, warp::Error>> + Send + Sync + 'static,
    ) -> RequestBody {
        RequestBody::new(incoming, Duration::from_secs(1), Duration::from_secs(10))
    }

    #[tokio::test]
    async fn silence_and_dripping_both_end_a_body() {
        let (short, long) = (Duration::from_millis(20), Duration::from_secs(3600));
        let silent = RequestBody::new(stream::pending(), short, long);
        let ended = silent.read_all(10).await;
        assert!(matches!(ended, Err(BodyError::Stalled(_))), "{ended:?}");
        let drip = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Some((Ok(Bytes::from_static(b"x")), ()))
        });
        let drip = RequestBody::new(drip, long, short);
        let ended = drip.read_all(u64::MAX).await;
        assert!(matches!(ended, Err(BodyError::TooSlow)), "{ended:?}");
    }

    #[tokio::test]
    async fn a_body_is_cut_at_its_limit_and_not_before() {
        let ten = || stream::iter((0..10).map(|_| Ok(Bytes::from_static(b"x"))));
        assert_eq!(body(ten()).read_all(10).await.unwrap().len(), 10);
        assert!(matches!(
            body(ten()).read_all(9).await,
            Err(BodyError::TooLarge { limit_bytes: 9 })
        ));
    }

    #[tokio::test]
    async fn a_source_that_is_always_ready_is_not_read_ahead() {
        let pulled = Arc::new(AtomicUsize::new(0));
        let counter = pulled.clone();
        let ready = stream::repeat_with(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok(Bytes::from_static(
                b"--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nabc",
            ))
        })
        .take(10_000);
        let mut form = multer::Multipart::new(body(ready).into_stream(), "x");
        let mut field = form.next_field().await.unwrap().unwrap();
        for _ in 0..3 {
            field.chunk().await.unwrap();
        }
        let pulled = pulled.load(Ordering::Relaxed);
        assert!(pulled < 20, "{pulled} chunks were read for three");
    }
}
