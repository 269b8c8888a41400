//! The External Audio Service, simulated: a real correction over REST and WebSocket, and faults on
//! demand. It knows only the wire, which docs/external-service.md describes; nothing here is shared
//! with Retake, so that a misunderstanding between the two shows.
//!
//! ```text
//! POST /v1/correct     WAV in, corrected WAV out: same encoding, rate, channels and length
//! GET  /v1/stream      the same over WebSocket, as f32 frames
//! GET  /v1/health      {"status": "ok"}
//! POST /v1/faults      {"faults": [...]}: the script of what the next requests get instead
//! GET  /v1/requests    what arrived so far, so that a test can count retries
//! ```
//!
//! Memory does not grow with the length of a recording: what arrived waits in an unlinked temporary
//! file until all of it has been measured.

mod correction;
mod faults;
mod http;
mod rest;
mod spool;
mod stream;
mod wav;

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What a request may ask of the service.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest body of `POST /v1/correct`, and most audio over one WebSocket.
    pub body_bytes_max: u64,
    pub channels_max: u16,
    pub sample_rate_min_hz: u32,
    pub sample_rate_max_hz: u32,
    /// A sender silent for so long is given up.
    pub idle_ms: u64,
    /// Where what arrived waits.
    pub spool_dir: PathBuf,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Four hours of 192 kHz stereo in f32, with room to spare.
            body_bytes_max: 24 << 30,
            channels_max: 8,
            sample_rate_min_hz: 8_000,
            sample_rate_max_hz: 192_000,
            idle_ms: 30_000,
            spool_dir: std::env::temp_dir(),
        }
    }
}

pub(crate) struct Service {
    limits: Limits,
    faults: faults::Faults,
    shutdown: CancellationToken,
    /// WebSockets outlive the HTTP connection they began on.
    streams: TaskTracker,
}

/// How long requests under way may go on after `shutdown`.
const DRAIN: Duration = Duration::from_secs(5);

/// A client that sends part of a request's head, or nothing, is given up after this.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// Serves until `shutdown`, then lets requests under way finish for up to five seconds.
pub async fn serve_with(
    listener: TcpListener,
    limits: Limits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(address = %address, "the mock external service listens");
    let connections = TaskTracker::new();
    let service = Arc::new(Service {
        limits,
        faults: faults::Faults::default(),
        shutdown: shutdown.clone(),
        streams: connections.clone(),
    });
    loop {
        let socket = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => socket,
                Err(error) => {
                    // Out of descriptors, say: passing, and looping at once would burn a core.
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let _ = socket.set_nodelay(true);
        connections.spawn(connection(Arc::clone(&service), socket));
    }
    connections.close();
    if tokio::time::timeout(DRAIN, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!(open = connections.len(), "gave up waiting for connections");
    }
    Ok(())
}

async fn connection(service: Arc<Service>, socket: tokio::net::TcpStream) {
    let shutdown = service.shutdown.clone();
    let handler = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { http::answer(service, request).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(socket), handler)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
