//! A request's body with its deadlines: silence, the whole, and for uploads a least rate.
//!
//! Whoever reads a body reads it through [`RequestBody`]; there is no other way to wait for a client.

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::time::Instant;

use retake_chain::problem::ProblemKind;

use crate::http::respond::Refusal;

type Incoming = Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send + Sync>>;

pub struct RequestBody {
    incoming: Incoming,
    idle: Duration,
    deadline: Instant,
    pace: Option<Pace>,
}

/// How long a client may still be waited for. Waiting uses it up and bytes give it back, never more
/// than there was at first: a fast beginning buys no slow end.
#[derive(Debug)]
struct Pace {
    left: Duration,
    left_max: Duration,
    bytes_per_s_min: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("no byte of the body came for {} ms", .0.as_millis())]
    Stalled(Duration),
    #[error("the body did not end in time")]
    TooSlow,
    #[error("the body comes slower than {bytes_per_s_min} bytes a second")]
    Dripping { bytes_per_s_min: u64 },
    #[error("the body broke off: {0}")]
    BrokeOff(#[source] warp::Error),
    /// One that was kept before.
    #[error("the upload cannot be read: {0}")]
    Kept(String),
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
            pace: None,
        }
    }

    /// Another deadline for the whole: uploads may take longer than other bodies.
    #[must_use]
    pub fn within(mut self, whole: Duration) -> Self {
        self.deadline = Instant::now() + whole;
        self
    }

    /// Must come at least so fast, on average over as long as it may be silent.
    #[must_use]
    pub fn at_least(mut self, bytes_per_s_min: u64) -> Self {
        self.pace = Some(Pace {
            left: self.idle,
            left_max: self.idle,
            bytes_per_s_min: bytes_per_s_min.max(1),
        });
        self
    }

    /// The next piece. Only the time that is spent in here counts as the client's.
    pub async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        let began = Instant::now();
        let slow_at = self.pace.as_ref().map(|pace| began + pace.left);
        let silent_at = began + self.idle;
        let until = slow_at
            .unwrap_or(silent_at)
            .min(silent_at)
            .min(self.deadline);
        let incoming = tokio::time::timeout_at(until, self.incoming.next()).await;
        match incoming {
            Ok(Some(Ok(bytes))) => {
                if let Some(pace) = &mut self.pace {
                    pace.count(began.elapsed(), bytes.len());
                }
                Some(Ok(bytes))
            }
            Ok(Some(Err(error))) => Some(Err(BodyError::BrokeOff(error))),
            Ok(None) => None,
            Err(_) if until == self.deadline => Some(Err(BodyError::TooSlow)),
            Err(_) if until == silent_at => Some(Err(BodyError::Stalled(self.idle))),
            Err(_) => Some(Err(BodyError::Dripping {
                bytes_per_s_min: self.pace.as_ref().map_or(0, |pace| pace.bytes_per_s_min),
            })),
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
        chunks.fuse()
    }
}

impl Pace {
    fn count(&mut self, waited: Duration, bytes: usize) {
        let earned = bytes as f64 / self.bytes_per_s_min as f64;
        let left = self.left.saturating_sub(waited).as_secs_f64() + earned;
        self.left = Duration::from_secs_f64(left.min(self.left_max.as_secs_f64()));
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        let kind = match error {
            BodyError::Stalled(_) | BodyError::TooSlow | BodyError::Dripping { .. } => {
                ProblemKind::RequestTimeout
            }
            BodyError::BrokeOff(_) => ProblemKind::InvalidRequest,
            BodyError::TooLarge { .. } => ProblemKind::TooLarge,
            BodyError::Kept(_) => return Refusal::internal(error.to_string()),
        };
        Refusal::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
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

    /// Bytes that come in pieces of a size, with a pause before each.
    fn dripping(
        size: usize,
        pause: Duration,
    ) -> impl Stream<Item = Result<Bytes, warp::Error>> + Send + Sync {
        stream::unfold((), move |()| async move {
            tokio::time::sleep(pause).await;
            Some((Ok(Bytes::from(vec![0; size])), ()))
        })
    }

    fn upload(
        incoming: impl Stream<Item = Result<Bytes, warp::Error>> + Send + Sync + 'static,
    ) -> RequestBody {
        let (idle, long) = (Duration::from_secs(30), Duration::from_secs(3600));
        RequestBody::new(incoming, idle, long).at_least(1000)
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_must_come_at_its_least_rate_whatever_it_began_with() {
        let second = Duration::from_secs(1);
        // Half as fast: twice the patience. The last one comes in pieces, nearly silent between.
        for (size, pause) in [(500, second), (5, second / 100), (12_500, second * 25)] {
            let fast = stream::iter([Ok(Bytes::from(vec![0; 10_000_000]))]);
            let began = Instant::now();
            let ended = upload(fast.chain(dripping(size, pause)))
                .read_all(u64::MAX)
                .await;
            let Err(BodyError::Dripping { bytes_per_s_min }) = ended else {
                panic!("{size} bytes each {pause:?}: {ended:?}");
            };
            assert_eq!(bytes_per_s_min, 1000);
            let elapsed = began.elapsed().as_secs();
            assert!(
                (30..=65).contains(&elapsed),
                "{size}: cut after {elapsed} s"
            );
        }
        let mut enough = upload(dripping(1000, second));
        for _ in 0..1000 {
            enough.next().await.unwrap().unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_that_we_take_is_not_the_clients() {
        let mut upload = upload(dripping(1000, Duration::from_secs(1)));
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_secs(60)).await;
            upload.next().await.unwrap().unwrap();
        }
    }
}
