//! How many bytes of answers may lie in memory at once, waiting for their clients, over everybody.
//!
//! An answer's bytes take room before they are read from the store, or once they are made, and give
//! it back when the last of them has gone to the network: whoever asks for much and reads nothing
//! fills a room of known size, not the memory. Then others wait for that room, so while it is scarce
//! a client that takes nothing is given a fraction of the usual time.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// While more than half of the room is taken, patience is this many times shorter.
const HASTE: u32 = 12;

/// A piece of an answer, while more than a quarter of the room is taken.
const SCARCE_BYTES: usize = 8 * 1024;

/// How often a waiting writer looks whether its time has become shorter.
const LOOKS: u32 = 24;

#[derive(Debug)]
pub struct Budget {
    room: Arc<Semaphore>,
    bytes_max: usize,
    stall: Duration,
}

/// Room for some bytes, given back when the last holder is gone.
#[derive(Debug, Clone)]
pub struct Room {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Budget {
    /// `stall`: how long a client may take nothing while there is room enough.
    pub fn new(bytes_max: u64, stall: Duration) -> Self {
        let bytes_max = usize::try_from(bytes_max)
            .unwrap_or(usize::MAX)
            .min(Semaphore::MAX_PERMITS);
        Self {
            room: Arc::new(Semaphore::new(bytes_max)),
            bytes_max,
            stall,
        }
    }

    /// Waits, in turn, until there is room. What is larger than all of it takes all of it.
    pub async fn take(&self, bytes: usize) -> Room {
        let bytes = u32::try_from(bytes.min(self.bytes_max)).unwrap_or(u32::MAX);
        let permit = self.room.clone().acquire_many_owned(bytes).await;
        Room {
            _permit: Arc::new(permit.expect("never closed")),
        }
    }

    /// How much to read at once where `most` is wanted: little while room is scarce, so that clients
    /// who read do not wait behind those who do not.
    pub fn piece(&self, most: usize) -> usize {
        if self.taken() > self.bytes_max / 4 {
            most.min(SCARCE_BYTES)
        } else {
            most
        }
    }

    pub fn taken(&self) -> usize {
        self.bytes_max - self.room.available_permits()
    }

    /// How long a client may take nothing, as of now.
    pub fn stall(&self) -> Duration {
        if self.taken() > self.bytes_max / 2 {
            self.stall / HASTE
        } else {
            self.stall
        }
    }

    /// When to look again at a client that has taken nothing since then; `None` if its time is over.
    pub fn look_again(&self, since: Instant) -> Option<Instant> {
        let (now, stall) = (Instant::now(), self.stall());
        let until = since + stall;
        (now < until).then(|| until.min(now + (self.stall / LOOKS).max(Duration::from_millis(1))))
    }
}

impl Room {
    /// The same bytes, which hold the room until the last part of them is gone.
    pub fn hold(&self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Held {
            bytes,
            _room: self.clone(),
        })
    }
}

struct Held {
    bytes: Bytes,
    _room: Room,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// An answer's body, whose bytes hold the room that was taken for the answer, if any was. The guard
/// lasts as long as the body.
pub struct Counted<B, G> {
    inner: B,
    room: Option<Room>,
    _guard: G,
}

impl<B, G> Counted<B, G> {
    pub fn of(mut response: Response<B>, guard: G) -> Response<Self> {
        let room = response.extensions_mut().remove::<Room>();
        response.map(|inner| Self {
            inner,
            room,
            _guard: guard,
        })
    }
}

impl<B: Body<Data = Bytes> + Unpin, G: Unpin> Body for Counted<B, G> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        match &self.room {
            None => polled,
            Some(room) => polled.map_ok(|frame| frame.map_data(|bytes| room.hold(bytes))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn room_comes_back_when_the_last_part_of_the_bytes_is_gone() {
        let budget = Budget::new(100, Duration::from_secs(60));
        let room = budget.take(60).await;
        let mut bytes = room.hold(Bytes::from(vec![0; 60]));
        drop(room);
        let part = bytes.split_to(10);
        drop(bytes);
        assert_eq!(budget.taken(), 60);
        assert!(budget.take(60).now_or_never().is_none());
        drop(part);
        assert_eq!(budget.taken(), 0);
        assert!(budget.take(u32::MAX as usize + 1).now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_has_less_time_while_room_is_scarce() {
        let budget = Budget::new(100, Duration::from_secs(60));
        let since = Instant::now();
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(budget.look_again(since).is_some());
        let room = budget.take(51).await;
        assert_eq!(budget.look_again(since), None);
        drop(room);
        assert!(budget.look_again(since).is_some());
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(budget.look_again(since), None);
    }
}
