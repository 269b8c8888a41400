//! A client's TCP connection as hyper sees it, with three habits hyper has not.
//!
//! *Stall*: a client that takes no bytes for so long is cut off; otherwise a reader that stops
//! reading holds its connection for ever.
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
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};

/// Long enough for a client on a slow line to read a short answer and to stop sending.
const LINGER: Duration = Duration::from_secs(2);

/// Set when a body was dropped before its end.
#[derive(Debug, Clone, Default)]
pub struct Unread(Arc<AtomicBool>);

/// Put on an answer that ends only with its client.
#[derive(Debug, Clone, Copy)]
pub struct Endless;

/// Set while an endless answer is on its way.
#[derive(Debug, Clone, Default)]
pub struct HangUp(Arc<AtomicBool>);

impl HangUp {
    pub fn watch(&self) {
        self.0.store(true, Ordering::Relaxed);
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
    stall: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    unread: Unread,
    hang_up: HangUp,
    said_done: bool,
    linger: Option<Pin<Box<Sleep>>>,
}

impl<T> Wire<T> {
    pub fn new(inner: T, stall: Duration, unread: Unread, hang_up: HangUp) -> Self {
        Self {
            inner,
            stall,
            stalled: None,
            unread,
            hang_up,
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
        let stall = self.stall;
        let timer = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + stall)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client takes no bytes",
        )))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: AsyncRead + AsyncWrite + Ended + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.watched(polled, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
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
}

impl<B: Body> Watched<B> {
    pub fn new(inner: B, unread: Unread) -> Self {
        Self {
            ended: inner.is_end_stream(),
            inner,
            unread,
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
