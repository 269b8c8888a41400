//! A client's TCP connection as hyper sees it, with four habits hyper has not.
//!
//! *Opening*: the first bytes are looked at before anybody gets them, because they say which
//! protocol they are. So is the beginning of each later request, for as long as it may be one for
//! events: those need not hold the buffers of hyper, which then gets to see nothing of it and is
//! taken away.
//!
//! *Stall*: a client that takes no bytes for so long is cut off; otherwise a reader that stops
//! reading holds its connection for ever. How long, the answers' budget says.
//!
//! *Linger*: an answer given before the body was read (413 to a film, say) ends the connection. Were
//! it simply closed, the kernel would answer the bytes still arriving with RST, and the client might
//! lose the answer with it. So we say that we are done, and throw away what still comes, for a while.
//!
//! *Hang-up*: a client may close its side after its request and is answered all the same. An answer
//! without end has nobody to wait for then: it ends with the client's side.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
    time::{Instant, Sleep},
};

use crate::{connections::event_requests::Beginnings, http::budget::Budget};

/// Long enough for a client on a slow line to read a short answer and to stop sending.
const LINGER: Duration = Duration::from_secs(2);

/// Set when a body was dropped before its end.
#[derive(Debug, Clone, Default)]
pub struct Unread(Arc<AtomicBool>);

/// What hyper is doing with a connection, and the word that it is no longer needed for it.
#[derive(Debug, Default)]
pub struct Work {
    requests: AtomicUsize,
    busy: AtomicUsize,
    pub events_asked: Notify,
}

/// Held by a request's body and by its answer's.
#[derive(Debug)]
pub struct Busy(Arc<Work>);

impl Work {
    /// A request has come.
    pub fn begin(self: &Arc<Self>) -> Busy {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }
}

impl Clone for Busy {
    fn clone(&self) -> Self {
        self.0.busy.fetch_add(1, Ordering::Relaxed);
        Self(self.0.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Set while an endless answer is on its way, and no longer: the next request on the same connection
/// is answered also when its client has closed its side.
#[derive(Debug, Clone, Default)]
pub struct HangUp(Arc<AtomicBool>);

impl HangUp {
    pub fn watch(&self, endless: bool) {
        self.0.store(endless, Ordering::Relaxed);
    }
}

/// Whether the client has closed its side, without taking what it sent before.
pub trait Ended {
    fn poll_ended(&self, context: &mut Context<'_>) -> Poll<()>;
}

impl Ended for TcpStream {
    fn poll_ended(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut one = [0];
        let mut one = ReadBuf::new(&mut one);
        match self.poll_peek(context, &mut one) {
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(()),
            // A next request is there already: only a failing write tells then.
            Poll::Ready(Ok(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

pub struct Wire<T> {
    inner: T,
    /// Read already, and not yet given to anybody.
    ahead: BytesMut,
    events: Beginnings,
    /// As much as a request's head may have.
    head_bytes_max: usize,
    work: Arc<Work>,
    /// How many requests there had been when the beginning of the next one was let through.
    passed: Option<usize>,
    /// Nothing written waits on its way here.
    flushed: bool,
    budget: Arc<Budget>,
    stalled: Option<Stalled>,
    unread: Unread,
    hang_up: HangUp,
    said_done: bool,
    linger: Option<Pin<Box<Sleep>>>,
}

/// A client that has taken nothing since then, and when it is looked at again.
struct Stalled {
    since: Instant,
    look: Pin<Box<Sleep>>,
}

impl<T> Wire<T> {
    pub fn new(
        inner: T,
        budget: Arc<Budget>,
        unread: Unread,
        events: Beginnings,
        head_bytes_max: usize,
    ) -> Self {
        Self {
            inner,
            ahead: BytesMut::new(),
            events,
            head_bytes_max,
            work: Arc::default(),
            passed: Some(0),
            flushed: true,
            budget,
            stalled: None,
            unread,
            hang_up: HangUp::default(),
            said_done: false,
            linger: None,
        }
    }

    /// Passes a finished write on; a pending one is given until the stall time is up.
    fn watched<R>(
        &mut self,
        polled: Poll<io::Result<R>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<R>> {
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        let Self {
            stalled, budget, ..
        } = self;
        let stalled = stalled.get_or_insert_with(|| Stalled {
            since: Instant::now(),
            look: Box::pin(tokio::time::sleep(Duration::ZERO)),
        });
        loop {
            ready!(stalled.look.as_mut().poll(context));
            let Some(look) = budget.look_again(stalled.since) else {
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the client takes no bytes",
                )));
            };
            stalled.look.as_mut().reset(look);
        }
    }
}

impl<T> Wire<T> {
    pub fn work(&self) -> Arc<Work> {
        self.work.clone()
    }

    pub fn hang_up(&self) -> HangUp {
        self.hang_up.clone()
    }

    /// What was read and not yet given to anybody.
    pub fn ahead(&self) -> &[u8] {
        &self.ahead
    }

    pub fn into_inner(self) -> T {
        self.inner
    }

    /// As at the beginning, with what hyper had read and not understood before what comes next.
    #[must_use]
    pub fn begin_again(mut self, read: &[u8]) -> Self {
        let after = std::mem::take(&mut self.ahead);
        self.ahead.extend_from_slice(read);
        self.ahead.extend_from_slice(&after);
        self.work = Arc::default();
        self.passed = Some(0);
        self
    }

    /// Whether what comes next is the beginning of a request, and nothing else is under way.
    fn between_requests(&self) -> bool {
        self.flushed
            && self.work.busy.load(Ordering::Relaxed) == 0
            && self.passed != Some(self.work.requests.load(Ordering::Relaxed))
            && !self.unread.0.load(Ordering::Relaxed)
    }
}

impl<T: AsyncRead + Unpin> Wire<T> {
    /// Reads more of what comes ahead; 0 when the client has nothing more to say.
    pub async fn read_ahead(&mut self) -> io::Result<usize> {
        self.inner.read_buf(&mut self.ahead).await
    }

    /// Reads until it is clear that the next request may go through.
    fn poll_next_request(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.events.asked(&self.ahead) {
                Some(true) => {
                    self.work.events_asked.notify_one();
                    return Poll::Pending;
                }
                None if self.ahead.len() < self.head_bytes_max => {}
                _ => break,
            }
            let mut scrap = [0; 1024];
            let mut buffer = ReadBuf::new(&mut scrap);
            ready!(Pin::new(&mut self.inner).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.ahead.extend_from_slice(buffer.filled());
        }
        self.passed = Some(self.work.requests.load(Ordering::Relaxed));
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.between_requests() {
            ready!(self.poll_next_request(context))?;
        }
        if !self.ahead.is_empty() {
            let length = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead.split_to(length));
            if self.ahead.is_empty() {
                self.ahead = BytesMut::new();
            }
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: AsyncRead + AsyncWrite + Ended + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.flushed = false;
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.watched(polled, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.flushed = false;
        let polled = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.watched(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    /// hyper comes by here whenever the connection is looked at.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.hang_up.0.load(Ordering::Relaxed) && self.inner.poll_ended(context).is_ready() {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::ConnectionReset,
                "the client hung up",
            )));
        }
        let polled = Pin::new(&mut self.inner).poll_flush(context);
        self.flushed |= polled.is_ready();
        self.watched(polled, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.said_done {
            ready!(Pin::new(&mut self.inner).poll_shutdown(context))?;
            self.said_done = true;
        }
        if !self.unread.0.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        let mut scrap = [0; 8192];
        loop {
            let until = self
                .linger
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
            if until.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut scrap);
            match ready!(Pin::new(&mut self.inner).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                // The client is done too, or gone.
                Ok(()) | Err(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// A request's body that tells the wire when it was dropped unread.
pub struct Watched<B: Body> {
    inner: B,
    ended: bool,
    unread: Unread,
    _busy: Busy,
}

impl<B: Body> Watched<B> {
    pub fn new(inner: B, unread: Unread, busy: Busy) -> Self {
        Self {
            ended: inner.is_end_stream(),
            inner,
            unread,
            _busy: busy,
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        self.ended |= matches!(polled, Poll::Ready(None)) || self.inner.is_end_stream();
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: Body> Drop for Watched<B> {
    fn drop(&mut self) {
        if !self.ended {
            self.unread.0.store(true, Ordering::Relaxed);
        }
    }
}
