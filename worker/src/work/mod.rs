//! The loop: claim a message, claim a job, run it, settle it.
//!
//! A message says that some job waits; whose turn it is, the store says, so that nobody with many
//! jobs keeps the others waiting. A message is only a hint, the job's row is the truth: every decision here is a compare-and-set on
//! that row, so a lost or doubled message, a worker that dies or one that was thought dead change
//! nothing but time. No lock, transaction or connection is held while audio is processed.

mod attempt;
mod checks;
mod derivatives;
mod errands;
mod fetch;
mod leased;
mod look;
mod plugins;
mod scratch;
mod settle;

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use retake_child::ChildProgram;
use retake_jobs::{
    clock::Clock,
    derivative::Derivative,
    health::Health,
    job::ClaimRefused,
    lease::LeaseTerms,
    message::JobMessage,
    seams::{Claim, Delivery, QueueError, SharedBlobs, SharedQueue, Tag, Topic, WorkerStore},
    submission::Submission,
};
use retake_plugin_host::{Cache, HostError};
use retake_runner::external::External;
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use errands::Waiting;
use leased::{Source, Taken, out_of_reach};
use scratch::Scratch;

/// After this a job whose turn it was not is looked at again.
const NOT_NOW: Duration = Duration::from_secs(1);
/// Plugins that one worker compiles at once.
const INSTALLS_MAX: usize = 2;

/// What a worker works with.
#[derive(Clone)]
pub struct Parts {
    /// One that tells what was written.
    pub store: Arc<dyn WorkerStore>,
    pub blobs: SharedBlobs,
    pub queue: SharedQueue,
    /// The store's.
    pub clock: Arc<dyn Clock>,
    pub externals: Vec<External>,
    /// Where installed plugins are.
    pub plugin_cache: PathBuf,
    pub child: ChildProgram,
    /// Compiles a plugin: started with the cache's folder and the file behind its arguments.
    pub installer: ChildProgram,
    /// Checks a plugin that somebody wants to publish.
    pub checker: ChildProgram,
    /// Where the worker says how it is.
    pub health: Health,
}

/// Why a worker cannot begin. Once it runs, nothing ends it but `shutdown`.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error("scratch folder {path}: {source}")]
    Scratch {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(transparent)]
    Plugins(#[from] HostError),
}

/// One worker: what its slots share.
struct Worker {
    parts: Parts,
    config: Config,
    cache: Cache,
    scratch: Arc<Scratch>,
    /// Held while a plugin is brought in: compiling takes memory.
    installing: Semaphore,
    /// Who holds a lease, for people who look at the table.
    name: String,
    shutdown: CancellationToken,
}

/// A worker that has everything it needs, and takes no jobs yet.
pub struct Opened {
    parts: Parts,
    config: Config,
    cache: Cache,
    scratch: Scratch,
}

/// Makes sure of everything that a worker needs on the disk: whoever says that it is ready may rely
/// on it.
pub fn open(parts: Parts, config: Config) -> Result<Opened, WorkerError> {
    let cache = Cache::open(&parts.plugin_cache)?;
    let scratch = Scratch::open(&config.scratch_dir)?;
    Ok(Opened {
        parts,
        config,
        cache,
        scratch,
    })
}

impl Opened {
    /// Runs jobs until `shutdown`; then takes no more, gives those under way `grace_ms` to finish, and
    /// hands back what did not.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self {
            parts,
            config,
            cache,
            scratch,
        } = self;
        let name = format!(
            "worker-{}-{:08x}",
            std::process::id(),
            rand::random::<u32>()
        );
        let slots = config.slots();
        tracing::info!(worker.name = name, slots, scratch = %scratch.path().display(), "the worker begins");
        let worker = Arc::new(Worker {
            parts,
            config,
            cache,
            scratch: Arc::new(scratch),
            installing: Semaphore::new(INSTALLS_MAX),
            name,
            shutdown,
        });
        let mut running = JoinSet::new();
        for _ in 0..slots {
            running.spawn(Arc::clone(&worker).work_off(Slot));
        }
        let checking = Arc::clone(&worker).work_off(Waiting::<Submission>::new());
        let checking = tokio::spawn(checking);
        let mut deriving = JoinSet::new();
        for _ in 0..worker.config.derivative_slots {
            deriving.spawn(Arc::clone(&worker).work_off(Waiting::<Derivative>::new()));
        }
        let looking = Arc::clone(&worker);
        let looking = tokio::spawn(async move { looking.look_until_well().await });
        while let Some(ended) = running.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a slot panicked; its job runs again when its lease is over");
                if !worker.shutdown.is_cancelled() {
                    running.spawn(Arc::clone(&worker).work_off(Slot));
                }
            }
        }
        if let Err(error) = checking.await {
            tracing::error!(%error, "the checking of plugins panicked");
        }
        while let Some(ended) = deriving.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "the making of derivatives panicked");
            }
        }
        if let Err(error) = looking.await {
            tracing::error!(%error, "looking after the worker panicked");
        }
        tracing::info!(worker.name = worker.name, "the worker has ended");
    }
}

/// Messages that some job waits.
struct Slot;

impl Source for Slot {
    type Hint = Delivery;
    type Error = QueueError;

    async fn hint(&self, worker: &Worker) -> Result<Delivery, QueueError> {
        loop {
            tokio::select! {
                biased;
                // Whoever is well takes the jobs meanwhile.
                () = worker.parts.health.unwell() => worker.parts.health.well().await,
                claimed = worker.parts.queue.claim(Topic::Jobs) => return claimed,
            }
        }
    }

    async fn take(&self, worker: &Worker, delivery: Delivery) -> Taken {
        let queue = &worker.parts.queue;
        let message: Option<JobMessage> = match &delivery.tag {
            Tag::Waiting => None,
            _ => match serde_json::from_slice(&delivery.body) {
                Ok(message) => Some(message),
                Err(error) => {
                    tracing::error!(%error, "a message on the job queue cannot be read");
                    let reason = format!("not a job message: {error}");
                    return passed(queue.bury(delivery, &reason).await, Taken::Done);
                }
            },
        };
        let hint = message.map(|message| message.job_id);
        let turns = worker.config.jobs_per_owner_max;
        let store = &worker.parts.store;
        let claiming = store.claim_next(hint, &worker.name, worker.terms(), turns);
        match claiming.await {
            Ok(Claim::Won {
                attempt,
                job,
                recording,
            }) => {
                worker.attempt(attempt, job, recording, delivery).await;
                Taken::Done
            }
            Ok(Claim::Gone | Claim::Refused(ClaimRefused::Ended)) => {
                passed(queue.ack(delivery).await, Taken::Done)
            }
            Ok(Claim::Refused(ClaimRefused::Leased { until })) => {
                let delay = worker.until(until);
                tracing::debug!(job.id = ?hint, ?delay, "the job is another's for now");
                passed(queue.retry(delivery, delay).await, Taken::Done)
            }
            // Whoever has all their jobs running may have many more messages waiting: they are not
            // all turned over at once.
            Ok(Claim::Refused(ClaimRefused::NotNow)) => passed(
                queue.retry(delivery, NOT_NOW).await,
                Taken::Nothing(NOT_NOW / 4),
            ),
            Err(error) => {
                let told = hint.map_or("whichever is next".to_owned(), |hint| hint.to_string());
                out_of_reach(told, &error);
                let delay = Duration::from_millis(worker.config.retry_ms);
                let _ = queue.retry(delivery, delay).await;
                Taken::OutOfReach
            }
        }
    }
}

impl Worker {
    fn terms(&self) -> LeaseTerms {
        LeaseTerms {
            lease_ms: self.config.lease_ms,
            attempts_max: self.config.attempts_max,
            give_up_ms: self.config.give_up_ms,
        }
    }

    /// How long until then.
    fn until(&self, then: Timestamp) -> Duration {
        let lease = Duration::from_millis(self.config.lease_ms);
        let now = self.parts.clock.now();
        let left = Duration::try_from(then.duration_since(now)).unwrap_or_default();
        // A little later, so that the lease is really over.
        left.min(lease) + Duration::from_millis(100)
    }
}

/// A stale delivery comes again to whoever is next, who will find what the row says.
fn passed(done: Result<(), QueueError>, taken: Taken) -> Taken {
    match done {
        Ok(()) | Err(QueueError::Stale) => taken,
        Err(error) => {
            tracing::warn!(%error, "a message could not be given back");
            Taken::OutOfReach
        }
    }
}
