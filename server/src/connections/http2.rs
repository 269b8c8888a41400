//! HTTP/2 connections, on `h2` itself: hyper gives no way to cut one stream whose client takes nothing.
//!
//! A stream is given bytes only as far as its client has opened its window, and its time to take
//! them is limited as a connection's is: then that stream is reset, and the others go on. Streams
//! over everybody have a number; one too many is refused in a way that tells clients to try again.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::SystemTime,
};

use bytes::{Buf, Bytes};
use h2::{
    Ping, PingPong, Reason, RecvStream, SendStream,
    server::{Builder, SendResponse},
};
use http::{HeaderValue, Request, Response, header};
use http_body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, ms},
    connections::{
        connection::{Door, note_panic},
        idle::{Idle, Owed},
    },
    http::budget::{Budget, Counted},
};

/// RFC 9113 6.5.2 recommends not to allow fewer.
const STREAMS_PER_CONNECTION: u32 = 100;

/// How far a client may send ahead of us: one upload, and all of a connection's.
const STREAM_WINDOW_BYTES: u32 = 128 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 512 * 1024;

/// At most so much of a stream waits for the connection, beside what its window keeps back.
const PIECE_BYTES: usize = 16 * 1024;

pub async fn serve<T>(
    io: T,
    peer: SocketAddr,
    door: Arc<Door>,
    idle_at_stop: Idle,
    stop: CancellationToken,
) where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let idle = ms(door.config.header_ms);
    let handshake = builder(&door.config).handshake::<_, Piece>(io);
    let mut connection = match tokio::time::timeout(idle, handshake).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return tracing::debug!(%peer, "no HTTP/2 connection: {error}"),
        Err(_) => return tracing::debug!(%peer, "connection closed: no HTTP/2 handshake came"),
    };
    let alive = keep_alive(connection.ping_pong(), &door.config);
    let still = idle_at_stop.at(&stop);
    tokio::pin!(alive, still);
    let mut streams = JoinSet::new();
    let mut idle_until = Instant::now() + idle;
    let mut leaving = false;
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    begin(&mut streams, request, respond, peer, &door, &idle_at_stop);
                }
                Some(Err(error)) => return tracing::debug!(%peer, "connection ended: {error}"),
                None => return,
            },
            Some(ended) = streams.join_next(), if !streams.is_empty() => {
                note_panic(ended);
                idle_until = Instant::now() + idle;
            }
            () = stop.cancelled(), if !leaving => {
                leaving = true;
                connection.graceful_shutdown();
                idle_until = Instant::now() + idle;
            }
            () = tokio::time::sleep_until(idle_until), if streams.is_empty() => {
                if leaving {
                    return tracing::debug!(%peer, "connection closed: it did not end by itself");
                }
                leaving = true;
                connection.graceful_shutdown();
                idle_until = Instant::now() + idle;
            }
            () = &mut still => {
                return tracing::debug!(%peer, "connection cut at the stop: nothing moved on it");
            }
            () = &mut alive => return tracing::debug!(%peer, "connection closed: no pong came"),
        }
    }
}

fn builder(config: &Config) -> Builder {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .max_header_list_size(u32::try_from(config.header_bytes_max).unwrap_or(u32::MAX))
        .initial_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buffer_size(PIECE_BYTES);
    builder
}

/// Returns when the other end no longer answers.
async fn keep_alive(pings: Option<PingPong>, config: &Config) {
    let Some(mut pings) = pings else { return };
    loop {
        tokio::time::sleep(ms(config.keep_alive_ms)).await;
        let pong = tokio::time::timeout(ms(config.header_ms), pings.ping(Ping::opaque())).await;
        if !matches!(pong, Ok(Ok(_))) {
            return;
        }
    }
}

fn begin(
    streams: &mut JoinSet<()>,
    request: Request<RecvStream>,
    mut respond: SendResponse<Piece>,
    peer: SocketAddr,
    door: &Arc<Door>,
    idle: &Idle,
) {
    // Behind a proxy that is believed, whom it names.
    let way = door
        .front
        .app
        .proxies
        .way(Some(peer), None, request.headers());
    let Some(place) = door.streams.take(way.client.unwrap_or(peer)) else {
        tracing::debug!(%peer, "a stream was refused: too many are open, or too many of this client's");
        respond.send_reset(Reason::REFUSED_STREAM);
        return;
    };
    let (door, idle) = (door.clone(), idle.clone());
    streams.spawn(async move {
        answer(request, respond, peer, &door, &idle).await;
        drop(place);
    });
}

async fn answer(
    request: Request<RecvStream>,
    mut respond: SendResponse<Piece>,
    peer: SocketAddr,
    door: &Door,
    idle: &Idle,
) {
    let unanswered = idle.unanswered();
    let request = request.map(|body| Owed::new(Received(body), idle.clone()));
    let response = tokio::select! {
        response = door.front.answer(request, Some(peer)) => response,
        _ = std::future::poll_fn(|context| respond.poll_reset(context)) => return,
    };
    drop(unanswered);
    let (parts, body) = Counted::of(response, ()).into_parts();
    let mut head = Response::from_parts(parts, ());
    complete(&mut head, body.size_hint().exact());
    let ends = body.is_end_stream();
    let mut send = match respond.send_response(head, ends) {
        Ok(send) => send,
        Err(error) => return tracing::debug!(%peer, "an answer could not be sent: {error}"),
    };
    if ends {
        return;
    }
    match pump(&mut send, body, &door.front.app.budget).await {
        Ok(()) | Err(Cut::Gone) => {}
        Err(Cut::Stalled) => {
            tracing::debug!(%peer, "a stream was cut: its client takes no bytes");
            door.front.app.metrics.stream_cut();
            send.send_reset(Reason::CANCEL);
        }
        Err(Cut::Broken) => send.send_reset(Reason::INTERNAL_ERROR),
    }
}

/// What hyper adds to an answer of HTTP/1.
fn complete(head: &mut Response<()>, length: Option<u64>) {
    let headers = head.headers_mut();
    // RFC 9113 8.2.2: the connection is not the answer's to speak of.
    headers.remove(header::CONNECTION);
    if let Some(length) = length.filter(|length| *length > 0) {
        let length = HeaderValue::from(length);
        headers.entry(header::CONTENT_LENGTH).or_insert(length);
    }
    let now = httpdate::fmt_http_date(SystemTime::now());
    let now = HeaderValue::from_str(&now).expect("a date is visible ASCII");
    headers.entry(header::DATE).or_insert(now);
}

/// Why an answer's body was not sent to its end.
enum Cut {
    /// The client has reset the stream, or the connection is gone.
    Gone,
    Stalled,
    /// The body failed; its own error is in the log.
    Broken,
}

async fn pump<B>(send: &mut SendStream<Piece>, mut body: B, budget: &Budget) -> Result<(), Cut>
where
    B: Body<Data = Bytes> + Unpin,
{
    let waiting = Arc::new(Waiting::default());
    loop {
        // Our turn: the client owes nothing while an event stream is silent.
        let frame = tokio::select! {
            frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)) => frame,
            () = reset(send) => return Err(Cut::Gone),
        };
        let mut data = match frame {
            None => break,
            Some(Err(_)) => return Err(Cut::Broken),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => data,
                Err(_) => continue,
            },
        };
        let mut patience = Patience::new(budget);
        while !data.is_empty() {
            send.reserve_capacity(data.len().min(PIECE_BYTES));
            let room = tokio::select! {
                room = capacity(send) => room.ok_or(Cut::Gone)?,
                () = patience.over() => return Err(Cut::Stalled),
            };
            let bytes = data.split_to(room.min(data.len()));
            patience.took(bytes.len());
            let piece = waiting.piece(bytes);
            send.send_data(piece, false).map_err(|_| Cut::Gone)?;
        }
    }
    let end = waiting.piece(Bytes::new());
    send.send_data(end, true).map_err(|_| Cut::Gone)?;
    // A window that was open can be closed again, and what waits behind it is still ours.
    let patience = Patience::new(budget);
    tokio::select! {
        () = waiting.over() => Ok(()),
        () = reset(send) => Err(Cut::Gone),
        () = patience.over() => Err(Cut::Stalled),
    }
}

async fn reset(send: &mut SendStream<Piece>) {
    let _ = std::future::poll_fn(|context| send.poll_reset(context)).await;
}

/// Waits until the client's windows are open; `None` when the stream is gone.
async fn capacity(send: &mut SendStream<Piece>) -> Option<usize> {
    loop {
        match send.capacity() {
            0 => std::future::poll_fn(|context| send.poll_capacity(context))
                .await?
                .ok()?,
            room => return Some(room),
        };
    }
}

/// How long a client has taken nothing to speak of.
struct Patience<'b> {
    budget: &'b Budget,
    since: Instant,
    taken_bytes: usize,
}

impl<'b> Patience<'b> {
    fn new(budget: &'b Budget) -> Self {
        Self {
            budget,
            since: Instant::now(),
            taken_bytes: 0,
        }
    }

    /// A byte now and then does not count: whoever opens windows by drops holds as much as a
    /// client that opens none.
    fn took(&mut self, bytes: usize) {
        self.taken_bytes += bytes;
        if self.taken_bytes >= PIECE_BYTES {
            self.since = Instant::now();
            self.taken_bytes = 0;
        }
    }

    async fn over(&self) {
        while let Some(look) = self.budget.look_again(self.since) {
            tokio::time::sleep_until(look).await;
        }
    }
}

/// Bytes of a stream that are on their way: `h2` drops them once they are with the connection.
struct Piece {
    bytes: Bytes,
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Waiting {
    pieces: AtomicUsize,
    none: Notify,
}

impl Waiting {
    fn piece(self: &Arc<Self>, bytes: Bytes) -> Piece {
        self.pieces.fetch_add(1, Ordering::AcqRel);
        Piece {
            bytes,
            waiting: self.clone(),
        }
    }

    async fn over(&self) {
        loop {
            let none = self.none.notified();
            if self.pieces.load(Ordering::Acquire) == 0 {
                return;
            }
            none.await;
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if self.waiting.pieces.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.waiting.none.notify_waiters();
        }
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}

/// A request's body. Its window opens again as far as it is read, and no further.
struct Received(RecvStream);

impl Body for Received {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        Poll::Ready(match ready!(self.0.poll_data(context)) {
            None => None,
            Some(Err(error)) => Some(Err(error)),
            Some(Ok(bytes)) => {
                // Fails only for a stream that is gone, whose next read says so.
                let _ = self.0.flow_control().release_capacity(bytes.len());
                Some(Ok(Frame::data(bytes)))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
