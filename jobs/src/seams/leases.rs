//! What the worker that holds a job may do.

use std::time::Duration;

use async_trait::async_trait;
use retake_chain::problem::Problem;

use super::StoreError;
use crate::{
    correction::Correction,
    id::JobId,
    job::{Attempt, Blame, ClaimRefused, Job, LeaseLost, LeaseTerms, Outcome},
    recording::Recording,
};

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
    /// outbox to be sent when `pause` is over. With no attempts left the job fails with `reason`;
    /// what is the worker's own fault takes none away.
    async fn release(
        &self,
        attempt: Attempt,
        terms: LeaseTerms,
        pause: Duration,
        blame: Blame,
        reason: Problem,
    ) -> Result<Result<Job, LeaseLost>, StoreError>;
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
