//! What the worker that checks a plugin may do.

use async_trait::async_trait;

use super::StoreError;
use crate::{
    job::{LeaseLost, LeaseTerms},
    submission::{CheckAttempt, Submission, Verdict},
};

/// What a worker may do to a submission. As with jobs, the row is the truth: whoever checks one holds
/// a lease, and only the attempt that holds it may settle.
#[async_trait]
pub trait CheckLeases: Send + Sync {
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
