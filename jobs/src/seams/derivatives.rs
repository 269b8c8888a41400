//! What is made of completed jobs on demand, as whoever asks sees it, and what making it needs.

use async_trait::async_trait;

use super::StoreError;
use crate::{
    correction::Correction,
    derivative::Derivative,
    id::{DerivativeId, JobId, OwnerId},
    job::Job,
    recording::Recording,
};

#[async_trait]
pub trait Derivatives: Send + Sync {
    /// The derivative of that job and kind: the one that is there, or else this new one, which then waits
    /// to be made. It counts as asked for now.
    async fn derive(&self, new: &Derivative, waiting_max: usize) -> Result<Derive, StoreError>;

    /// Somebody reads its bytes: it is kept for [`READING`](crate::derivative::READING). False where it is gone.
    async fn reading(&self, id: DerivativeId) -> Result<bool, StoreError>;

    /// All of one job that are there, the oldest first. Empty where the job is not the owner's.
    async fn derivatives(&self, owner: OwnerId, job: JobId) -> Result<Vec<Derivative>, StoreError>;
}

#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // there is one at a time, and it is taken apart at once
pub enum Derive {
    Is(Derivative),
    /// `waiting_max` others of the owner's wait to be made.
    TooMany,
    /// The owner has no such job, or it is not completed.
    Gone,
}

/// What derivatives are made of.
#[async_trait]
pub trait Sources: Send + Sync {
    /// `None`: the job was deleted.
    async fn source(&self, job: JobId) -> Result<Option<Source>, StoreError>;
}

#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub recording: Recording,
    pub job: Job,
    pub correction: Correction,
}
