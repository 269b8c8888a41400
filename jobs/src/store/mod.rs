//! Rows: recordings, jobs, events, the outbox. The record is the truth; every change names the state
//! it expects.
//!
//! Several small traits, one per who asks; a backend implements them all and is then a [`Store`].

mod changes;
mod memory;
mod publishing;
mod sqlite;

pub use memory::MemoryStore;
pub use sqlite::{SqliteBlobs, SqliteEvents, SqliteOptions, SqliteQueue, SqliteStore, open_sqlite};

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use retake_chain::{
    InstalledPlugin,
    problem::Problem,
    report::{Peaks, Report},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    blobs::BlobKey,
    id::{EventId, JobId, OwnerId, RecordingId, SubmissionId},
    job::{AlreadyEnded, Attempt, ClaimRefused, Job, LeaseLost, LeaseTerms, Outcome},
    queue::Topic,
    recording::Recording,
    submission::{CheckAttempt, PluginName, Submission},
};

pub trait Store: Records + Leases + Outbox + EventLog + Owners + Catalogue + Submissions {}
impl<T: Records + Leases + Outbox + EventLog + Owners + Catalogue + Submissions> Store for T {}
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
        reason: Problem,
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

/// Which plugins there are. Read by the server to check chains and by workers to run them.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// A plugin that comes with the program, written at each start. It takes the place of whatever
    /// had its id and version. Its bytes were put before, under `BlobKey::Plugin`.
    async fn put_plugin(&self, plugin: &InstalledPlugin, size_bytes: u64)
    -> Result<(), StoreError>;

    /// Every version there is and was, by id, the newest first.
    async fn plugins(&self) -> Result<Vec<PluginVersion>, StoreError>;

    /// What the conformance kit found when that version was published. `None`: no such version, or
    /// it was not checked because it came with the program.
    async fn check_report(&self, id: &str, version: &str) -> Result<Option<Value>, StoreError>;

    /// Takes a published version out: new jobs cannot name it. Its row stays, so that what old jobs
    /// say they ran can be read; its bytes go with a later sweep.
    async fn remove_plugin(&self, id: &str, version: &str) -> Result<Removal, StoreError>;
}

/// One version of a plugin, as the catalogue holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginVersion {
    pub plugin: InstalledPlugin,
    pub size_bytes: u64,
    pub origin: Origin,
    pub published_at: Timestamp,
    pub removed_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It comes with the program, or lies in its folder of plugins.
    BuiltIn,
    Published,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    Removed,
    /// The program would bring it back at its next start.
    BuiltIn,
    /// There is no such version, or it was removed before.
    Gone,
}

/// The versions that a new job may run, in the order in which they came.
pub fn in_use(versions: Vec<PluginVersion>) -> Vec<InstalledPlugin> {
    versions
        .into_iter()
        .filter(|version| version.removed_at.is_none())
        .map(|version| version.plugin)
        .collect()
}

/// Plugins on their way into the catalogue. As with jobs, the row is the truth: whoever checks one
/// holds a lease, and only the attempt that holds it may settle.
#[async_trait]
pub trait Submissions: Send + Sync {
    /// When this returns true the submission is accepted and never lost. False, and nothing is kept,
    /// where `waiting_max` others wait to be checked. Its bytes were put before, under
    /// `BlobKey::Submission`.
    async fn add_submission(
        &self,
        submission: &Submission,
        waiting_max: usize,
    ) -> Result<bool, StoreError>;

    async fn submission(&self, id: SubmissionId) -> Result<Option<Submission>, StoreError>;

    /// The right to check the oldest submission that nobody is checking. `None`: there is none.
    async fn claim_submission(
        &self,
        worker: &str,
        terms: LeaseTerms,
    ) -> Result<Option<(CheckAttempt, Submission)>, StoreError>;

    /// Heartbeat: renews the lease.
    async fn extend_submission(
        &self,
        attempt: CheckAttempt,
        terms: LeaseTerms,
    ) -> Result<Result<(), LeaseLost>, StoreError>;

    /// The one transition that publishes: the catalogue's row and the submission's end in one
    /// transaction. A version that is there already with other bytes is refused here, whatever the
    /// verdict. A published plugin's bytes were put before, under `BlobKey::Plugin`; the caller
    /// deletes those under `BlobKey::Submission`.
    async fn settle_submission(
        &self,
        attempt: CheckAttempt,
        verdict: Verdict,
    ) -> Result<Result<Submission, LeaseLost>, StoreError>;
}

/// What checking a submission came to.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // there is one at a time, and it is taken apart at once
pub enum Verdict {
    Passed {
        plugin: InstalledPlugin,
        check: Value,
    },
    Refused {
        problem: Problem,
        plugin: Option<PluginName>,
        check: Option<Value>,
    },
}
