//! Keeps a session alive: connect, run it until it breaks, pause, and again.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::StreamExt;
use lapin::{Connection, ConnectionProperties, ErrorKind, Event};
use tokio_util::sync::CancellationToken;

use super::address::RabbitAddress;
use crate::relay::backoff;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Numbers the sessions of this process, so that a delivery knows its own.
static SESSIONS: AtomicU64 = AtomicU64::new(1);

/// What is done with a connection.
#[async_trait]
pub(super) trait Run: Send + 'static {
    /// Runs a session until it breaks. Calls `ready` once everything is declared.
    async fn run(
        &mut self,
        connection: &Connection,
        number: u64,
        ready: &mut (dyn FnMut() + Send),
    ) -> Result<(), lapin::Error>;

    /// The session is over.
    fn ended(&mut self);
}

pub(super) async fn keep(
    address: RabbitAddress,
    name: String,
    stop: CancellationToken,
    mut run: impl Run,
) {
    let mut failures = 0;
    while !stop.is_cancelled() {
        let mut ready = || {
            tracing::info!(broker = %address, failures, "connected to the broker");
            failures = 0;
        };
        let error = one_session(&address, &name, &stop, &mut run, &mut ready).await;
        run.ended();
        let Err(error) = error else { return };
        if failures == 0 {
            tracing::warn!(broker = %address, %error, "no connection to the broker until this is over");
        }
        failures += 1;
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(backoff(failures)) => {}
        }
    }
}

/// `Ok` when it was told to stop.
async fn one_session(
    address: &RabbitAddress,
    name: &str,
    stop: &CancellationToken,
    run: &mut impl Run,
    ready: &mut (dyn FnMut() + Send),
) -> Result<(), lapin::Error> {
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let connecting = Connection::connect_uri(address.0.clone(), properties);
    let connection = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting) => {
            connected.unwrap_or_else(|_| Err(timed_out("the connection")))?
        }
    };
    let number = SESSIONS.fetch_add(1, Ordering::Relaxed);
    let result = tokio::select! {
        () = stop.cancelled() => Ok(()),
        error = failure(&connection) => Err(error),
        ran = run.run(&connection, number, ready) => match ran {
            Ok(()) => Err(timed_out("the session")),
            Err(error) => Err(error),
        }
    };
    // Whatever is still in hand comes again. A broker that does not answer is left alone.
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, connection.close(200, "goodbye".into())).await;
    result
}

async fn failure(connection: &Connection) -> lapin::Error {
    let mut events = Box::pin(connection.events_listener());
    while let Some(event) = events.next().await {
        if let Event::Error(error) = event {
            return error;
        }
    }
    timed_out("the connection")
}

pub(super) fn timed_out(what: &str) -> lapin::Error {
    let error = std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        format!("{what} came to no end"),
    );
    ErrorKind::IOError(error.into()).into()
}
