//! Who is waited for at the stop. A connection on which nothing moves, because its client neither
//! sends the rest of its upload nor takes the rest of its answer, would otherwise hold the stop for
//! the whole drain time. What we are at work on ourselves, and what moves, may end.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use http_body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::connections::wire::Ended;

/// Nothing has moved for so long: idle, at the stop. A hiccup of a slow line is shorter.
const IDLE: Duration = Duration::from_secs(1);

/// One connection's state, shared by its socket, its requests and their bodies.
#[derive(Debug, Clone)]
pub struct Idle(Arc<State>);

#[derive(Debug)]
struct State {
    begun: Instant,
    /// Milliseconds after `begun`.
    moved_at: AtomicU64,
    /// Requests without an answer yet, …
    unanswered: AtomicUsize,
    /// … and bodies among them whose next bytes the client owes.
    owed: AtomicUsize,
}

impl Idle {
    pub fn new() -> Self {
        Self(Arc::new(State {
            begun: Instant::now(),
            moved_at: AtomicU64::new(0),
            unanswered: AtomicUsize::new(0),
            owed: AtomicUsize::new(0),
        }))
    }

    /// Returns once the stop was asked for and nothing moves here by the client's own doing.
    pub async fn at(&self, stop: &CancellationToken) {
        stop.cancelled().await;
        loop {
            let still = self.moved_at() + IDLE;
            let now = Instant::now();
            let ours = self.0.unanswered.load(Relaxed) > self.0.owed.load(Relaxed);
            if now >= still && !ours {
                return;
            }
            // What we are at work on is looked at again soon; it rarely takes long.
            let next = if ours { now + IDLE / 10 } else { still };
            tokio::time::sleep_until(next).await;
        }
    }

    fn moved_at(&self) -> Instant {
        self.0.begun + Duration::from_millis(self.0.moved_at.load(Relaxed))
    }

    fn moved(&self) {
        let millis = u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.moved_at.store(millis, Relaxed);
    }

    /// For as long as it is kept, a request has no answer yet.
    pub fn unanswered(&self) -> Unanswered {
        self.0.unanswered.fetch_add(1, Relaxed);
        Unanswered(self.clone())
    }
}

pub struct Unanswered(Idle);

impl Drop for Unanswered {
    fn drop(&mut self) {
        self.0.0.unanswered.fetch_sub(1, Relaxed);
    }
}

/// A socket that notes when bytes move.
pub struct Moving<T> {
    inner: T,
    idle: Idle,
}

impl<T> Moving<T> {
    pub fn new(inner: T, idle: Idle) -> Self {
        Self { inner, idle }
    }

    pub fn into_inner(self) -> T {
        self.inner
    }

    fn note<R>(&self, polled: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if matches!(polled, Poll::Ready(Ok(_))) {
            self.idle.moved();
        }
        polled
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Moving<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        self.note(polled)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Moving<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.note(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.note(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl<T: Ended> Ended for Moving<T> {
    fn poll_ended(&self, context: &mut Context<'_>) -> Poll<()> {
        self.inner.poll_ended(context)
    }
}

/// A request's body that notes when its reader waits for the client.
pub struct Owed<B> {
    inner: B,
    idle: Idle,
    waiting: bool,
}

impl<B> Owed<B> {
    pub fn new(inner: B, idle: Idle) -> Self {
        Self {
            inner,
            idle,
            waiting: false,
        }
    }

    fn note(&mut self, waiting: bool) {
        match (self.waiting, waiting) {
            (false, true) => {
                self.idle.0.owed.fetch_add(1, Relaxed);
            }
            (true, false) => {
                self.idle.0.owed.fetch_sub(1, Relaxed);
            }
            _ => {}
        }
        self.waiting = waiting;
    }
}

impl<B: Body + Unpin> Body for Owed<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        self.note(polled.is_pending());
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> Drop for Owed<B> {
    fn drop(&mut self) {
        self.note(false);
    }
}
