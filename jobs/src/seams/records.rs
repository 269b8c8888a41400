//! What a recording's owner may do.

use async_trait::async_trait;

use super::{BlobKey, StoreError};
use crate::{
    correction::Correction,
    entry::Entry,
    id::{JobId, OwnerId, RecordingId},
    idempotency::{Added, Answered, IdempotencyKey, Once},
    job::{AlreadyEnded, Job},
    recording::Recording,
};

/// Recordings and their jobs, as their owner sees them. What is not the owner's is not there.
#[async_trait]
pub trait Records: Send + Sync {
    /// In one transaction: the recording, its job (queued), its `job.queued` event and the outbox
    /// row of its message. When this returns, the recording is accepted and never lost; an error is
    /// a no, of which nothing stays for as long as the store can be written to. The
    /// recording's bytes were put before, under `BlobKey::Recording`. Where it is to be done `once` and
    /// was answered before, the bytes stay the caller's to remove.
    async fn accept(
        &self,
        recording: &Recording,
        job: &Job,
        once: Option<&Once>,
    ) -> Result<Added, StoreError>;

    /// Another job for a recording the owner has; `None` if there is no such recording.
    async fn add_job(&self, job: &Job, once: Option<&Once>) -> Result<Option<Added>, StoreError>;

    /// What the owner's request of that key was answered, while that is remembered and the job is there.
    async fn answered(
        &self,
        owner: OwnerId,
        key: &IdempotencyKey,
    ) -> Result<Option<Answered>, StoreError>;

    async fn recording(&self, owner: OwnerId, id: RecordingId)
    -> Result<Option<Entry>, StoreError>;

    /// The job with what its last attempt left.
    async fn job(&self, owner: OwnerId, id: JobId) -> Result<Option<JobRecord>, StoreError>;

    /// A queued job ends at once; a running one is told by its worker's next heartbeat. Writes the
    /// event and, if it ended, the completion's outbox row. `None`: no such job.
    async fn cancel(
        &self,
        owner: OwnerId,
        id: JobId,
    ) -> Result<Option<Result<Job, AlreadyEnded>>, StoreError>;

    /// Removes the recording's row, its jobs and their events, for good; running attempts lose their leases.
    /// Writes `recording.deleted`. The caller deletes the blobs named. `None`: no such recording; one in the trash is
    /// there for this.
    async fn delete_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<Vec<BlobKey>>, StoreError>;
}

#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    pub job: Job,
    pub correction: Option<Correction>,
}
