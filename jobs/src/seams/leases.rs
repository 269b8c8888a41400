//! What the worker that holds something may do: the same for whatever is leased, and for each kind
//! how it is claimed.

use std::time::Duration;

use async_trait::async_trait;
use retake_chain::problem::Problem;

use super::StoreError;
use crate::{
    id::{JobId, OwnerId},
    job::{ClaimRefused, Job},
    lease::{Attempt, Blame, Errand, LeaseLost, LeaseTerms, Leased},
    recording::Recording,
};

/// The row is the truth: every call names the attempt, and one whose lease was lost changes nothing
/// and hears [`LeaseLost`].
#[async_trait]
pub trait Leases<T: Leased>: Send + Sync {
    /// Heartbeat: renews the lease and stores progress, where there is a place for it. `event` asks
    /// for a progress event too, where there are events.
    async fn extend(
        &self,
        attempt: Attempt<T>,
        terms: LeaseTerms,
        progress: &Progress,
        event: bool,
    ) -> Result<Result<Heartbeat, LeaseLost>, StoreError>;

    /// The one transition that publishes, in one transaction. Of a job: state, correction, event and
    /// the completion's outbox row, and the byproducts as derivatives that are ready. Of a submission: its end and the catalogue's row; a version that
    /// is there already with other bytes is refused here, whatever the verdict. A published plugin's
    /// bytes were put before, under `BlobKey::Plugin`; the caller deletes those under
    /// `BlobKey::Submission`. Of a derivative: its end, the event and its byproducts; its bytes were put before, under
    /// `BlobKey::Derivative`.
    async fn settle(
        &self,
        attempt: Attempt<T>,
        outcome: T::Outcome,
    ) -> Result<Result<T, LeaseLost>, StoreError>;
}

#[async_trait]
pub trait JobLeases: Leases<Job> {
    /// The right to run the job, if it waits or its lease has run out. Writes the `job.running` event.
    async fn claim(&self, id: JobId, worker: &str, terms: LeaseTerms) -> Result<Claim, StoreError>;

    /// The same for the job whose turn it is; the hint came in a message, if there was one, and says only
    /// that some job waits. The turn is that of the owner who has the fewest jobs running, of several the one whose
    /// job began longest ago, and of that owner's jobs the one that waits longest; owners with
    /// `running_max` jobs running are passed over. Where it is nobody's turn, the hint is refused as
    /// [`ClaimRefused::NotNow`] if it waits, and claimed as by `claim` otherwise; without one nothing is there to
    /// claim ([`Claim::Gone`]).
    async fn claim_next(
        &self,
        hint: Option<JobId>,
        worker: &str,
        terms: LeaseTerms,
        running_max: u32,
    ) -> Result<Claim, StoreError>;

    /// Gives the job back unfinished (shutdown, passing trouble): queued again, its message in the
    /// outbox to be sent when `pause` is over. With no attempts left the job fails with `reason`;
    /// what is the worker's own fault takes none away.
    async fn release(
        &self,
        attempt: Attempt<Job>,
        terms: LeaseTerms,
        pause: Duration,
        blame: Blame,
        reason: Problem,
    ) -> Result<Result<Job, LeaseLost>, StoreError>;
}

/// How errands are claimed: those of one kind.
#[async_trait]
pub trait Errands<T: Errand>: Leases<T> {
    /// Returns once one may wait. Whoever claims one then has the next of those who ask here told; a word may
    /// be lost, so ask with a patience.
    async fn errand_waits(&self);

    /// The right to see to one that nobody sees to, the oldest first. `None`: there is none.
    async fn claim_errand(
        &self,
        worker: &str,
        terms: LeaseTerms,
    ) -> Result<Option<(Attempt<T>, T)>, StoreError>;

    /// Gives it back undone: anybody may claim it at once. With no attempts left it fails with
    /// `reason`; what is the worker's own fault takes none away.
    async fn release_errand(
        &self,
        attempt: Attempt<T>,
        terms: LeaseTerms,
        blame: Blame,
        reason: Problem,
    ) -> Result<Result<T, LeaseLost>, StoreError>;
}

#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // there is one at a time, and it is taken apart at once
pub enum Claim {
    Won {
        attempt: Attempt<Job>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heartbeat {
    pub cancel_requested: bool,
    /// Whose event log has grown by it.
    pub news_of: Option<OwnerId>,
}
