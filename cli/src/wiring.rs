//! Turns addresses into the four seams, the same for every role.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use jiff::SignedDuration;
use retake_backends::{
    rabbitmq::{RabbitAddress, RabbitOptions, RabbitQueue},
    sqlite::{DirectQueue, SqliteBlobs, SqliteEvents, SqliteOptions, SqliteQueue, SqliteStore},
};
use retake_child::ChildProgram;
use retake_jobs::{
    announcing::Announcing,
    clock::Clock,
    health::Health,
    lease::LeaseTerms,
    relay::{Relay, RelayHandle},
    seams::{QueueLimits, SharedBlobs, SharedEvents, SharedQueue, SharedStore, Store},
};
use retake_outgoing::Outgoing;
use retake_runner::external::External;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    admin_key,
    config::{Config, QueueChoice, Service},
    install, private,
};

pub struct Wiring {
    pub store: SharedStore,
    pub blobs: SharedBlobs,
    queue: SharedQueue,
    events: SharedEvents,
    /// Of the store, for everybody.
    clock: Arc<dyn Clock>,
    partials: PathBuf,
    database: SqliteStore,
    relay: RelayHandle,
    relay_running: JoinHandle<()>,
    relay_stop: CancellationToken,
}

/// Opens the store, reaches for the broker, and starts the relay.
pub fn open(config: &Config) -> Result<Wiring> {
    let database = config.database();
    private::folder(&config.data)?;
    match database.parent() {
        // Elsewhere than in the data folder: a place of the operator's own, made if it is missing.
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => {
            private::folder(folder)?;
        }
        _ => {}
    }
    private::files(&database, &admin_key::path(&config.data))?;
    let options = SqliteOptions {
        reserve_bytes: config.reserve_bytes,
        ..SqliteOptions::default()
    };
    let opened = SqliteStore::open_shared(&database, options)
        .with_context(|| database.display().to_string())?;
    let store: SharedStore = Arc::new(opened.clone());
    let blobs: SharedBlobs = Arc::new(SqliteBlobs::new(&opened));
    let queue = queue(config, &opened)?;
    let events: SharedEvents = Arc::new(SqliteEvents::new(&opened));
    let clock = opened.clock();
    tracing::info!(
        store = %database.display(),
        queue = %config.queue_url,
        external = %config.external_url,
        "wired"
    );

    let duration = |ms| SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    let relay = Relay::new(clock.clone())
        .keeping_events_for(duration(config.events_kept_ms))
        .keeping_answered_for(duration(config.idempotency_keys_kept_ms))
        .keeping_derivatives_within(config.derivatives_bytes_max, blobs.clone())
        .emptying_trash(blobs.clone());
    let handle = relay.handle();
    let terms = LeaseTerms {
        lease_ms: config.worker.lease_ms,
        attempts_max: config.worker.attempts_max,
        give_up_ms: config.worker.give_up_ms,
    };
    let relay_stop = CancellationToken::new();
    let running = relay.run(
        store.clone(),
        queue.clone(),
        events.clone(),
        terms,
        relay_stop.clone(),
    );
    Ok(Wiring {
        store,
        blobs,
        queue,
        events,
        clock,
        partials: config.data.join("uploads"),
        database: opened,
        relay: handle,
        relay_running: tokio::spawn(running),
        relay_stop,
    })
}

/// Whoever has the database open finds jobs there; what is carried beside it depends on the address.
fn queue(config: &Config, opened: &SqliteStore) -> Result<SharedQueue> {
    let running_max = config.worker.jobs_per_owner_max;
    if config.queue() != QueueChoice::RabbitMq {
        let embedded = SqliteQueue::new(opened, QueueLimits::default());
        return Ok(Arc::new(DirectQueue::embedded(
            opened,
            embedded,
            running_max,
        )));
    }
    let address: RabbitAddress = config.queue_url.expose().parse().context("queue_url")?;
    let options = RabbitOptions {
        prefetch: u16::try_from(config.worker.slots()).unwrap_or(u16::MAX),
        connection_name: format!("retake {}", std::process::id()),
        ca_pem: config.ca_pem().map_err(anyhow::Error::msg)?,
        ..RabbitOptions::default()
    };
    let broker = Arc::new(RabbitQueue::connect(address, options));
    Ok(Arc::new(DirectQueue::over(opened, broker, running_max)))
}

impl Wiring {
    pub fn server_parts(
        &self,
        config: &Config,
        worker: Option<Health>,
    ) -> Result<retake_server::Parts> {
        let ca_pem = config.ca_pem().map_err(anyhow::Error::msg)?;
        Ok(retake_server::Parts {
            store: self.announcing(),
            blobs: self.blobs.clone(),
            queue: self.queue.clone(),
            events: self.events.clone(),
            clock: self.clock.clone(),
            outgoing: Outgoing::new(&config.outgoing, &ca_pem)?,
            partials: self.partials.clone(),
            worker,
        })
    }

    pub fn worker_parts(&self, config: &Config, health: Health) -> Result<retake_worker::Parts> {
        Ok(retake_worker::Parts {
            store: self.announcing(),
            blobs: self.blobs.clone(),
            queue: self.queue.clone(),
            clock: self.clock.clone(),
            externals: externals(config)?,
            plugin_cache: install::cache_folder(&config.data),
            child: ChildProgram::this("child"),
            installer: ChildProgram::this("install-plugin"),
            checker: ChildProgram::this("check-plugin"),
            health,
        })
    }

    /// What server and worker write through.
    fn announcing(&self) -> Arc<Announcing<dyn Store>> {
        let relay = self.relay.clone();
        let kick = move || relay.kick();
        Arc::new(Announcing::new(
            self.store.clone(),
            self.events.clone(),
            kick,
        ))
    }

    /// Lets the relay send what the roles have left, waits for it, and closes the database.
    pub async fn close(self) {
        self.relay_stop.cancel();
        // It ends by itself within its own time; a panic in it was logged by the runtime.
        let _ = self.relay_running.await;
        // The last process leaves one file that can be copied as it is.
        self.database.close().await;
    }
}

/// The configured services' clients.
pub fn externals(config: &Config) -> Result<Vec<External>> {
    let ca_pem = config.ca_pem().map_err(anyhow::Error::msg)?;
    let client = |it: Service| {
        let settings = retake_runner::external::Config {
            ca_pem: ca_pem.clone(),
            ..it.settings
        };
        External::new(&it.name, it.url, settings).context("external services")
    };
    config.services().into_iter().map(client).collect()
}
