//! The accept loop: connections to requests, with every limit that `warp::serve` does not set.
//!
//! Needs a bound listener; leaves nothing running when it returns. Stops when told: takes no new
//! connections, lets open requests end (event streams say goodbye by themselves), cuts those on which
//! nothing moves, and all that is left when the drain time is over.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, ms},
    front::Front,
    idle::{Idle, Moving, Owed},
    wire::{Endless, HangUp, Unread, Watched, Wire},
};

/// After an accept failed (no file descriptors left, mostly) nothing gets better by asking at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// One HTTP/2 connection carries so many requests at once.
const H2_STREAMS_MAX: u32 = 128;

pub async fn listen(listener: TcpListener, front: Front, config: &Config, stop: CancellationToken) {
    let builder = Arc::new(builder(config));
    let places = Arc::new(Semaphore::new(config.connections_max));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();

    loop {
        // A place first: whom we cannot serve waits in the kernel's queue.
        let accepted = async {
            let place = places.clone().acquire_owned().await.expect("never closed");
            (place, listener.accept().await)
        };
        let (place, (stream, peer)) = tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = connections.join_next(), if !connections.is_empty() => {
                note_panic(ended);
                continue;
            }
            (place, accepted) = accepted => match accepted {
                Ok(connection) => (place, connection),
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let connection = Connection {
            stream,
            peer,
            header: ms(config.header_ms),
            stall: ms(config.write_stall_ms),
            stop: stop.clone(),
        };
        let (front, builder, watcher) = (front.clone(), builder.clone(), graceful.watcher());
        connections.spawn(async move {
            connection.serve(front, &builder, watcher).await;
            drop(place);
        });
    }

    drop(listener);
    let open = connections.len();
    tracing::info!(
        connections = open,
        "no longer listening; waiting for open requests"
    );
    if tokio::time::timeout(ms(config.drain_ms), graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            drain_ms = config.drain_ms,
            "some requests did not end in time and are cut"
        );
    }
    connections.shutdown().await;
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    header: Duration,
    stall: Duration,
    stop: CancellationToken,
}

impl Connection {
    async fn serve(
        self,
        front: Front,
        builder: &Builder<TokioExecutor>,
        watcher: hyper_util::server::graceful::Watcher,
    ) {
        // Small answers and events must not wait for the next segment.
        if let Err(error) = self.stream.set_nodelay(true) {
            tracing::debug!("no TCP_NODELAY: {error}");
        }
        let peer = self.peer;
        let unread = Unread::default();
        let hang_up = HangUp::default();
        let idle = Idle::new();
        let socket = Moving::new(self.stream, idle.clone());
        let wire = Wire::new(socket, self.stall, unread.clone(), hang_up.clone());
        let first_request = Arc::new(Notify::new());
        let began = first_request.clone();
        let (requests, stop) = (idle.clone(), self.stop);
        let service = service_fn(move |request: Request<Incoming>| {
            began.notify_one();
            let unanswered = requests.unanswered();
            let request =
                request.map(|body| Watched::new(Owed::new(body, requests.clone()), unread.clone()));
            let (front, hang_up) = (front.clone(), hang_up.clone());
            async move {
                let response = front.answer(request, Some(peer)).await;
                drop(unanswered);
                if response.extensions().get::<Endless>().is_some() {
                    hang_up.watch();
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let connection = builder
            .serve_connection(TokioIo::new(wire), service)
            .into_owned();
        let served = watcher.watch(connection);
        let served = async {
            tokio::select! {
                served = served => served,
                () = idle.at(&stop) => {
                    tracing::debug!(%peer, "connection cut at the stop: nothing moved on it");
                    Ok(())
                }
            }
        };
        tokio::pin!(served);
        // hyper's own header timeout begins once it knows whether it reads HTTP/1 or HTTP/2, and a
        // client that sends nothing, or only a "P", never lets it know.
        let served = tokio::select! {
            served = &mut served => served,
            late = tokio::time::timeout(self.header, first_request.notified()) => match late {
                Ok(()) => served.await,
                Err(_) => {
                    tracing::debug!(%peer, "connection closed: no request came");
                    return;
                }
            },
        };
        if let Err(error) = served {
            tracing::debug!(%peer, "connection ended: {error}");
        }
    }
}

fn builder(config: &Config) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(ms(config.header_ms))
        // Whoever has said all it wants may close its side, and is answered all the same.
        .half_close(true)
        .max_headers(config.headers_max)
        .max_buf_size(config.header_bytes_max);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(ms(config.keep_alive_ms))
        .keep_alive_timeout(ms(config.header_ms))
        .max_concurrent_streams(H2_STREAMS_MAX)
        .max_header_list_size(u32::try_from(config.header_bytes_max).unwrap_or(u32::MAX));
    builder
}

fn note_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a connection's task panicked: {error}");
    }
}
