//! One connection, from its first byte to its end: which protocol it is, and who speaks it.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use retake_chain::problem::ProblemKind;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, ms},
    connections::{
        direct,
        event_requests::{self, Beginnings},
        http2,
        idle::{Idle, Moving, Owed},
        wire::{Unread, Watched, Wire},
    },
    front::Front,
    http::{budget::Counted, request_id::RequestId, respond::Refusal, streamed::Endless},
    limits::stream_places::StreamPlaces,
};

/// How every HTTP/2 connection begins, and no HTTP/1 request (RFC 9113 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// For a client to take the word that there is no place.
const FAREWELL: Duration = Duration::from_secs(2);

/// What all connections have in common.
pub struct Door {
    pub front: Front,
    pub config: Config,
    /// Streams of HTTP/2 connections.
    pub streams: Arc<StreamPlaces>,
    events: Beginnings,
    http1: http1::Builder,
}

/// What a connection turned out to be.
enum Opening {
    Http1,
    Http2,
    Events(Box<event_requests::Request>),
}

impl Door {
    pub fn new(front: Front) -> Self {
        let config = front.app.config.clone();
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            .header_read_timeout(ms(config.header_ms))
            // Whoever has said all it wants may close its side, and is answered all the same.
            .half_close(true)
            .max_headers(config.headers_max)
            .max_buf_size(config.header_bytes_max);
        Self {
            streams: Arc::new(StreamPlaces::new(&config)),
            events: Beginnings::new(front.app.place.base()),
            front,
            config,
            http1,
        }
    }

    /// Serves a connection to its end. Told to stop, it lets open requests end.
    ///
    /// What an event stream does not need is let go before it begins.
    pub async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        stop: CancellationToken,
    ) {
        if let Some(watching) = Box::pin(self.speak(stream, peer, stop)).await {
            Box::pin(watching.tell()).await;
        }
    }

    /// Tells a client that there is no place for it.
    pub async fn refuse(&self, stream: TcpStream) {
        let detail = "all connections are taken; try again";
        let refusal = Refusal::new(ProblemKind::Unavailable, detail);
        let response = refusal.into_response(&RequestId::new());
        direct::say(stream, response, FAREWELL).await;
    }

    async fn speak(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        stop: CancellationToken,
    ) -> Option<direct::Watching> {
        // Small answers and events must not wait for the next segment.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("no TCP_NODELAY: {error}");
        }
        let unread = Unread::default();
        let budget = self.front.app.budget.clone();
        let (events, head_bytes_max) = (self.events.clone(), self.config.header_bytes_max);
        let idle = Idle::new();
        let stream = Moving::new(stream, idle.clone());
        let mut wire = Wire::new(stream, budget, unread.clone(), events, head_bytes_max);
        loop {
            let opening = self.opening(&mut wire);
            let opening = tokio::select! {
                opening = tokio::time::timeout(ms(self.config.header_ms), opening) => opening,
                () = stop.cancelled() => return None,
            };
            match opening {
                Ok(Some(Opening::Http1)) => {
                    wire = Box::pin(self.http1(wire, &unread, &idle, peer, &stop)).await?;
                }
                Ok(Some(Opening::Http2)) => {
                    Box::pin(http2::serve(wire, peer, self, idle, stop)).await;
                    return None;
                }
                Ok(Some(Opening::Events(request))) => {
                    let stream = wire.into_inner().into_inner();
                    return direct::answer(stream, *request, peer, &self.front).await;
                }
                Ok(None) => return None,
                Err(_) => {
                    tracing::debug!(%peer, "connection closed: no request came");
                    return None;
                }
            }
        }
    }

    /// Reads until it is clear what comes; `None` if the client is gone before.
    async fn opening(&self, wire: &mut Wire<Moving<TcpStream>>) -> Option<Opening> {
        loop {
            let ahead = wire.ahead();
            if ahead.starts_with(PREFACE) {
                return Some(Opening::Http2);
            }
            let open = PREFACE.starts_with(ahead);
            match self.events.asked(ahead) {
                Some(true) => {
                    return Some(match self.events.parse(ahead, self.config.headers_max) {
                        Some(request) => Opening::Events(Box::new(request)),
                        None => Opening::Http1,
                    });
                }
                Some(false) if !open => return Some(Opening::Http1),
                _ if ahead.len() >= self.config.header_bytes_max => return Some(Opening::Http1),
                _ => {}
            }
            if wire.read_ahead().await.ok()? == 0 {
                // Half a request: hyper says what is wrong with it.
                return (!wire.ahead().is_empty() && !open).then_some(Opening::Http1);
            }
        }
    }

    /// Gives the connection back where its next request is one for events.
    async fn http1(
        &self,
        wire: Wire<Moving<TcpStream>>,
        unread: &Unread,
        idle: &Idle,
        peer: SocketAddr,
        stop: &CancellationToken,
    ) -> Option<Wire<Moving<TcpStream>>> {
        let (work, hang_up) = (wire.work(), wire.hang_up());
        let (front, began, unread) = (self.front.clone(), work.clone(), unread.clone());
        let requests = idle.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let busy = began.begin();
            let unanswered = requests.unanswered();
            let request = request.map(|body| {
                let body = Owed::new(body, requests.clone());
                Watched::new(body, unread.clone(), busy.clone())
            });
            let (front, hang_up) = (front.clone(), hang_up.clone());
            async move {
                hang_up.watch(false);
                let response = front.answer(request, Some(peer)).await;
                drop(unanswered);
                hang_up.watch(response.extensions().get::<Endless>().is_some());
                Ok::<_, Infallible>(Counted::of(response, busy))
            }
        });
        let mut served = self.http1.serve_connection(TokioIo::new(wire), service);
        let ended = tokio::select! {
            ended = &mut served => ended,
            () = work.events_asked.notified() => {
                let parts = served.into_parts();
                return Some(parts.io.into_inner().begin_again(&parts.read_buf));
            }
            () = stop.cancelled() => {
                std::pin::Pin::new(&mut served).graceful_shutdown();
                tokio::select! {
                    ended = &mut served => ended,
                    () = idle.at(stop) => {
                        tracing::debug!(%peer, "connection cut at the stop: nothing moved on it");
                        return None;
                    }
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, "connection ended: {error}");
        }
        None
    }
}

pub fn note_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a connection's task panicked: {error}");
    }
}
