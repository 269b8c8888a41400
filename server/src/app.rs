//! What every handler may use.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use retake_chain::{Vocabulary, problem::ProblemKind};
use retake_jobs::{plugin::vocabulary, seams::StoreError};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::{Config, ms},
    http::{
        budget::Budget,
        place::{Origin, Place},
        proxies::Proxies,
        respond::Refusal,
    },
    limits::{
        address_rate::AddressRate, admin_tries::AdminTries, quotas::Quotas, under_way::UnderWay,
        upload_places::UploadPlaces,
    },
    live::watchers::Watchers,
    metrics::Metrics,
    page::assets::WebAssets,
    partials::Partials,
    parts::Parts,
};

const PARTIALS_SWEPT_EVERY: Duration = Duration::from_secs(60);

pub struct App {
    pub parts: Parts,
    pub config: Config,
    pub metrics: Metrics,
    pub watchers: Arc<Watchers>,
    pub budget: Arc<Budget>,
    pub upload_places: Arc<UploadPlaces>,
    pub partials: Partials,
    pub session_rate: AddressRate,
    pub under_way: Arc<UnderWay>,
    pub admin_tries: AdminTries,
    pub quotas: Quotas,
    pub web: WebAssets,
    pub place: Place,
    pub proxies: Proxies,
    /// Of other sites whose pages may ask.
    pub cors_origins: Vec<Origin>,
    /// Told to stop: event streams say goodbye.
    pub stopping: CancellationToken,
    pub unbroken: TaskTracker,
    /// The OpenAPI document; there once the routes are.
    pub description: OnceLock<Bytes>,
    queue_depth: AtomicU64,
}

impl App {
    pub fn new(parts: Parts, config: Config, web: WebAssets, stopping: CancellationToken) -> Self {
        Self {
            metrics: Metrics::default(),
            watchers: Arc::new(Watchers::new(
                config.streams_max,
                config.streams_per_owner_max,
            )),
            budget: Arc::new(Budget::new(
                config.answer_bytes_max,
                ms(config.write_stall_ms),
            )),
            upload_places: Arc::new(UploadPlaces::new(&config)),
            under_way: Arc::default(),
            partials: Partials::new(parts.partials.clone()),
            session_rate: AddressRate::new(config.sessions_per_minute_max),
            admin_tries: AdminTries::new(&config),
            quotas: Quotas::new(&config),
            web,
            // `Config::problems` has refused what cannot be read.
            place: Place::parse(&config.public_url).unwrap_or_default(),
            proxies: Proxies::new(config.proxies()),
            cors_origins: config
                .cors_origins
                .iter()
                .filter_map(|text| Origin::parse(text))
                .collect(),
            stopping,
            unbroken: TaskTracker::new(),
            description: OnceLock::new(),
            queue_depth: AtomicU64::new(0),
            parts,
            config,
        }
    }

    /// Runs to its end even if the client goes away: whoever stores bytes and then a row, or
    /// deletes a row and then bytes, must not be stopped between the two.
    pub async fn unbroken<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        match self.unbroken.spawn(work).await {
            Ok(output) => output,
            // Aborting is nobody's right here, so it panicked: as if it had happened in place.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// What a chain may refer to, as of now: plugins are published while we run.
    pub async fn vocabulary(&self) -> Result<Vocabulary, StoreError> {
        let versions = self.parts.store.plugins().await?;
        let externals = self.config.externals.iter().map(|it| it.name.clone());
        let (externals, steps_max) = (externals.collect(), self.config.chain_steps_max);
        Ok(vocabulary(&versions, None, externals, steps_max))
    }

    /// Refuses work while too much of it waits. The count is at most a poll old.
    pub fn check_queue_depth(&self) -> Result<(), Refusal> {
        let (waiting, limit) = (self.queue_depth(), self.config.queue_depth_max);
        if waiting < limit {
            return Ok(());
        }
        Err(Refusal::new(
            ProblemKind::Unavailable,
            format!("{waiting} jobs are waiting, and at most {limit} may; try again later"),
        ))
    }

    pub fn queue_depth(&self) -> u64 {
        self.queue_depth.load(Ordering::Relaxed)
    }

    /// Removes uploads that nobody went on with.
    pub async fn sweep_partials(&self) {
        loop {
            match self.partials.sweep(self.parts.clock.now()).await {
                Ok(0) => {}
                Ok(swept) => tracing::info!(
                    uploads = swept,
                    "uploads that nobody went on with were removed"
                ),
                Err(error) => tracing::warn!("old uploads cannot be removed: {error}"),
            }
            tokio::select! {
                () = tokio::time::sleep(PARTIALS_SWEPT_EVERY) => {}
                () = self.stopping.cancelled() => return std::future::pending().await,
            }
        }
    }

    /// Keeps it known how many jobs wait, so that no upload has to count them. Jobs, not messages: the
    /// queue may hold several for one, or have lost some.
    pub async fn watch_queue_depth(&self) {
        loop {
            match self.parts.store.jobs_waiting().await {
                Ok(waiting) => self.queue_depth.store(waiting, Ordering::Relaxed),
                Err(error) => tracing::debug!("it is not known how many jobs wait: {error}"),
            }
            tokio::select! {
                () = tokio::time::sleep(ms(self.config.depth_poll_ms)) => {}
                () = self.stopping.cancelled() => return,
            }
        }
    }
}
