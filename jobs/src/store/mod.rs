//! Rows: recordings, jobs, events, the outbox. The record is the truth; every change names the state
//! it expects.
//!
//! Several small traits, one per who asks; a backend implements them all and is then a [`Store`].

mod changes;
mod memory;
mod sqlite;

pub use memory::MemoryStore;
pub use sqlite::{SqliteBlobs, SqliteEvents, SqliteOptions, SqliteQueue, SqliteStore, open_sqlite};

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use retake_plugin_manifest::Manifest;
use serde::{Deserialize, Serialize};

use crate::{
    blobs::BlobKey,
    id::{EventId, JobId, OwnerId, RecordingId},
    job::{AlreadyEnded, Attempt, ClaimRefused, Job, LeaseLost, LeaseTerms, Outcome},
    queue::Topic,
    recording::Recording,
    report::{Peaks, Report},
};

pub trait Store: Records + Leases + Outbox + EventLog + Owners + Catalogue {}
impl<T: Records + Leases + Outbox + EventLog + Owners + Catalogue> Store for T {}
pub type SharedStore = Arc<dyn Store>;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Locked or unreachable for now: try again.
    #[error("the store is busy: {0}")]
    Busy(String),
    /// No room: reads still work.
    #[error("the store is full: {0}")]
    Full(String),
    /// Broken: someone should look.
    #[error("the store failed: {0}")]
    Broken(String),
}

/// Recordings and their jobs, as their owner sees them. What is not the owner's is not there.
#[async_trait]
pub trait Records: Send + Sync {
    /// In one transaction: the recording, its job (queued), its `job.queued` event and the outbox
    /// row of its message. When this returns, the recording is accepted and never lost. The
    /// recording's bytes were put before, under `BlobKey::Recording`.
    async fn accept(&self, recording: &Recording, job: &Job) -> Result<EventId, StoreError>;

    /// Another job for a recording the owner has; `None` if there is no such recording.
    async fn add_job(&self, job: &Job) -> Result<Option<EventId>, StoreError>;

    async fn recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<RecordingWithJobs>, StoreError>;

    /// Newest first, those before `before`, at most `limit`.
    async fn recordings(
        &self,
        owner: OwnerId,
        before: Option<RecordingId>,
        limit: usize,
    ) -> Result<Vec<RecordingWithJobs>, StoreError>;

    /// The job with what its last attempt left.
    async fn job(&self, owner: OwnerId, id: JobId) -> Result<Option<JobRecord>, StoreError>;

    /// A queued job ends at once; a running one is told by its worker's next heartbeat. Writes the
    /// event and, if it ended, the completion's outbox row. `None`: no such job.
    async fn cancel(
        &self,
        owner: OwnerId,
        id: JobId,
    ) -> Result<Option<Result<Job, AlreadyEnded>>, StoreError>;

    /// Removes the recording's row, its jobs and events; running attempts lose their leases. The
    /// caller deletes the blobs named. `None`: no such recording.
    async fn delete_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<Vec<BlobKey>>, StoreError>;
}

/// A recording as its owner lists it: newest job first.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingWithJobs {
    pub recording: Recording,
    pub jobs: Vec<Job>,
    /// Known once a job has measured it.
    pub peaks: Option<Peaks>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    pub job: Job,
    pub correction: Option<Correction>,
}

/// The corrected audio of a completed job. Its bytes are under `BlobKey::Correction`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    pub attempt: u32,
    pub content_type: String,
    pub size_bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
    pub report: Report,
    pub peaks: Peaks,
    /// Of the recording the job began with.
    pub input_peaks: Peaks,
}

/// What a worker may do to a job. Every call but `claim` names the attempt; one whose lease was lost
/// changes nothing and hears [`LeaseLost`].
#[async_trait]
pub trait Leases: Send + Sync {
    /// The right to run the job, if it waits or its lease has run out. Writes the `job.running` event.
    async fn claim(&self, id: JobId, worker: &str, terms: LeaseTerms) -> Result<Claim, StoreError>;

    /// Heartbeat: renews the lease and stores progress. `event` asks for a `job.progress` event too.
    async fn extend(
        &self,
        attempt: Attempt,
        terms: LeaseTerms,
        progress: &Progress,
        event: bool,
    ) -> Result<Result<Heartbeat, LeaseLost>, StoreError>;

    /// The one transition that publishes: state, correction (for `Completed`), event and the
    /// completion's outbox row in one transaction.
    async fn settle(
        &self,
        attempt: Attempt,
        outcome: Outcome,
        correction: Option<Correction>,
    ) -> Result<Result<Job, LeaseLost>, StoreError>;

    /// Gives the job back unfinished (shutdown, passing trouble): queued again, its message in the
    /// outbox to be sent not before `not_before`. With no attempts left the job fails with `reason`.
    async fn release(
        &self,
        attempt: Attempt,
        terms: LeaseTerms,
        not_before: Timestamp,
        reason: crate::problem::Problem,
    ) -> Result<Result<Job, LeaseLost>, StoreError>;

    /// Finds jobs that went missing: running ones whose lease ran out (queued again or failed), and
    /// queued ones without a message in the outbox since `queued_before` (message written again).
    /// Also removes the drafts of uploads that never finished. Returns how many it moved.
    async fn sweep(&self, terms: LeaseTerms, queued_before: Timestamp)
    -> Result<usize, StoreError>;
}

#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // there is one at a time, and it is taken apart at once
pub enum Claim {
    Won {
        attempt: Attempt,
        job: Job,
        recording: Recording,
    },
    Refused(ClaimRefused),
    /// The job was deleted.
    Gone,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Progress {
    /// 0 to 1.
    pub fraction: f32,
    pub step: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    pub cancel_requested: bool,
}

/// Messages written with the rows they belong to, waiting to be sent. Sending twice is harmless.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Unsent messages that are due and were written before `written_before`, oldest first.
    async fn unsent(
        &self,
        written_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError>;

    async fn sent(&self, ids: &[i64]) -> Result<(), StoreError>;
}

#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    pub id: i64,
    pub topic: Topic,
    pub owner: OwnerId,
    pub body: Vec<u8>,
}

/// The event log: what SSE replays from.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// The owner's events after `after`, oldest first.
    async fn events(
        &self,
        owner: OwnerId,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError>;

    /// The newest event of anybody's: where a stream without `Last-Event-ID` begins.
    async fn newest_event(&self) -> Result<EventId, StoreError>;

    /// The job as it stands, whoever's it is: a completion names no owner, and its hearer must know
    /// whom to tell. Never to answer a client.
    async fn job_now(&self, id: JobId) -> Result<Option<Job>, StoreError>;
}

/// News about a job. The job is as it was then.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: EventId,
    pub kind: EventKind,
    pub job: Job,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    #[serde(rename = "job.queued")]
    Queued,
    #[serde(rename = "job.running")]
    Running,
    #[serde(rename = "job.progress")]
    Progress,
    #[serde(rename = "job.completed")]
    Completed,
    #[serde(rename = "job.failed")]
    Failed,
    #[serde(rename = "job.cancelled")]
    Cancelled,
}

impl EventKind {
    pub fn name(self) -> &'static str {
        match self {
            EventKind::Queued => "job.queued",
            EventKind::Running => "job.running",
            EventKind::Progress => "job.progress",
            EventKind::Completed => "job.completed",
            EventKind::Failed => "job.failed",
            EventKind::Cancelled => "job.cancelled",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        use EventKind::*;
        [Queued, Running, Progress, Completed, Failed, Cancelled]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Sessions. Only a token's SHA-256 is stored.
#[async_trait]
pub trait Owners: Send + Sync {
    async fn add_session(&self, token_sha256: [u8; 32]) -> Result<OwnerId, StoreError>;
    async fn owner_of(&self, token_sha256: [u8; 32]) -> Result<Option<OwnerId>, StoreError>;
}

/// Which plugins there are. Written by whoever installed them, read by the server to check chains.
#[async_trait]
pub trait Catalogue: Send + Sync {
    async fn put_plugin(&self, plugin: &InstalledPlugin) -> Result<(), StoreError>;
    /// The newest version of each id, by id.
    async fn plugins(&self) -> Result<Vec<InstalledPlugin>, StoreError>;
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstalledPlugin {
    pub manifest: Manifest,
    /// SHA-256 of the component, lower-case hex.
    pub digest: String,
}

/// Of each id the highest version, by id. Versions are semantic; what is not sorts below all that are.
pub(crate) fn newest_by_id(plugins: Vec<InstalledPlugin>) -> Vec<InstalledPlugin> {
    let version = |plugin: &InstalledPlugin| semver::Version::parse(&plugin.manifest.version).ok();
    let mut newest = std::collections::BTreeMap::<String, InstalledPlugin>::new();
    for plugin in plugins {
        let higher = |other: &InstalledPlugin| version(other) > version(&plugin);
        if !newest.get(&plugin.manifest.id).is_some_and(higher) {
            newest.insert(plugin.manifest.id.clone(), plugin);
        }
    }
    newest.into_values().collect()
}
