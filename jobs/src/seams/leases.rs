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

    /// The same for the job whose turn it is; the hint came in a message and says only that some job
    /// waits. The turn is that of the owner who has the fewest jobs running, of several the one whose
    /// job began longest ago, and of that owner's jobs the one that waits longest; owners with
    /// `running_max` jobs running are passed over. Where it is nobody's turn, the hint is refused as
    /// [`ClaimRefused::NotNow`] if it waits, and claimed as by `claim` otherwise.
    async fn claim_next(
        &self,
        hint: JobId,
        worker: &str,
        terms: LeaseTerms,
        running_max: u32,
    ) -> Result<Claim, StoreError>;

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
