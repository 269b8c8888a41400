//! A client's TCP connection as hyper sees it, with two habits hyper has not.
//!
//! *Stall*: a client that takes no bytes for so long is cut off; otherwise a reader that stops
//! reading holds its connection for ever.
//!
//! *Linger*: an answer given before the body was read (413 to a film, say) ends the connection. Were
//! it simply closed, the kernel would answer the bytes still arriving with RST, and the client might
//! lose the answer with it. So we say that we are done, and throw away what still comes, for a while.

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
    time::{Instant, Sleep},
};

/// Long enough for a client on a slow line to read a short answer and to stop sending.
const LINGER: Duration = Duration::from_secs(2);

/// Set when a body was dropped before its end.
#[derive(Debug, Clone, Default)]
pub struct Unread(Arc<AtomicBool>);

pub struct Wire<T> {
    inner: T,
    stall: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    unread: Unread,
    said_done: bool,
    linger: Option<Pin<Box<Sleep>>>,
}

impl<T> Wire<T> {
    pub fn new(inner: T, stall: Duration, unread: Unread) -> Self {
        Self {
            inner,
            stall,
            stalled: None,
            unread,
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

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<T> {
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

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
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
