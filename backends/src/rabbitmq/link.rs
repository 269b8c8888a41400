//! Keeps a session alive: connect, run it until it breaks, pause, and again.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::StreamExt;
use lapin::{
    Connection, ConnectionProperties, DefaultConnectionBuilder, ErrorKind, Event,
    tcp::OwnedTLSConfig,
};
use retake_jobs::backoff::Backoff;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{address::RabbitAddress, topology::is_refused};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For everything that a session declares.
const SETUP_TIMEOUT: Duration = Duration::from_secs(15);
/// A connection that lives so long is not part of the outage before it.
const STEADY_AFTER: Duration = Duration::from_secs(10);
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

/// What is trusted beside the system's certificates; empty for nothing.
pub(super) fn tls(ca_pem: &str) -> OwnedTLSConfig {
    OwnedTLSConfig {
        identity: None,
        cert_chain: (!ca_pem.is_empty()).then(|| ca_pem.to_owned()),
    }
}

pub(super) async fn keep(
    address: RabbitAddress,
    tls: OwnedTLSConfig,
    name: String,
    stop: CancellationToken,
    mut run: impl Run,
) {
    let mut outage = Outage::new();
    while !stop.is_cancelled() {
        let mut ready = || outage.ready(&address);
        let error = one_session(&address, &tls, &name, &stop, &mut run, &mut ready).await;
        run.ended();
        let Err(error) = error else { return };
        let pause = outage.failed(&address, &error);
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Says once that there is no connection and once that there is one. A session that breaks soon after
/// it began is part of the same outage.
struct Outage {
    backoff: Backoff,
    ready_at: Option<Instant>,
    told_down: bool,
    told_up: bool,
}

impl Outage {
    fn new() -> Self {
        Self {
            backoff: Backoff::outage(),
            ready_at: None,
            told_down: false,
            told_up: false,
        }
    }

    fn ready(&mut self, address: &RabbitAddress) {
        self.ready_at = Some(Instant::now());
        if !std::mem::replace(&mut self.told_up, true) {
            tracing::info!(broker = %address, failures = self.backoff.failures(), "connected to the broker");
        }
    }

    /// How long to pause.
    fn failed(&mut self, address: &RabbitAddress, error: &lapin::Error) -> Duration {
        if self
            .ready_at
            .take()
            .is_some_and(|ready| ready.elapsed() >= STEADY_AFTER)
        {
            *self = Self {
                told_up: true,
                ..Self::new()
            };
        }
        let pause = self.backoff.next();
        if std::mem::replace(&mut self.told_down, true) {
            tracing::debug!(broker = %address, %error, failures = self.backoff.failures(), "still no connection");
        } else {
            self.told_up = false;
            tracing::warn!(broker = %address, %error, "no connection to the broker until this is over");
        }
        pause
    }
}

/// `Ok` when it was told to stop.
async fn one_session(
    address: &RabbitAddress,
    tls: &OwnedTLSConfig,
    name: &str,
    stop: &CancellationToken,
    run: &mut impl Run,
    ready: &mut (dyn FnMut() + Send),
) -> Result<(), lapin::Error> {
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let builder = DefaultConnectionBuilder::new()?
        .with_uri(address.0.clone())
        .with_properties(properties)
        .with_tls_config(tls.clone());
    let connecting = builder.connect();
    let connection = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting) => {
            connected.unwrap_or_else(|_| Err(timed_out("the connection")))?
        }
    };
    let number = SESSIONS.fetch_add(1, Ordering::Relaxed);
    let result = tokio::select! {
        () = stop.cancelled() => Ok(()),
        error = failure(address, &connection) => Err(error),
        ran = run.run(&connection, number, ready) => match ran {
            Ok(()) => Err(timed_out("the session")),
            Err(error) => Err(error),
        }
    };
    // Whatever is still in hand comes again. A broker that does not answer is left alone.
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, connection.close(200, "goodbye".into())).await;
    result
}

async fn failure(address: &RabbitAddress, connection: &Connection) -> lapin::Error {
    let mut events = Box::pin(connection.events_listener());
    while let Some(event) = events.next().await {
        match event {
            // Whoever asked is told by its own error, and may be content with less.
            Event::Error(error) if is_refused(&error) => {}
            Event::Error(error) => return error,
            Event::ConnectionBlocked(reason) => {
                tracing::warn!(broker = %address, reason, "the broker takes no messages for now");
            }
            Event::ConnectionUnblocked => {
                tracing::info!(broker = %address, "the broker takes messages again");
            }
            _ => {}
        }
    }
    timed_out("the connection")
}

/// A broker that is starting may take the connection and then leave questions unanswered.
pub(super) async fn set_up<T>(
    setup: impl Future<Output = Result<T, lapin::Error>>,
) -> Result<T, lapin::Error> {
    let done = tokio::time::timeout(SETUP_TIMEOUT, setup).await;
    done.unwrap_or_else(|_| Err(timed_out("the declarations")))
}

pub(super) fn timed_out(what: &str) -> lapin::Error {
    let error = std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        format!("{what} came to no end"),
    );
    ErrorKind::IOError(error.into()).into()
}
