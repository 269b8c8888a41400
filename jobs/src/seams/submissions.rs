//! How a plugin comes into the catalogue.

use async_trait::async_trait;

use super::StoreError;
use crate::{
    id::SubmissionId,
    job::{LeaseLost, LeaseTerms},
    submission::{CheckAttempt, Submission, Verdict},
};

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
