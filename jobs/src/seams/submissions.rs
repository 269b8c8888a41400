//! How a plugin comes into the catalogue.

use async_trait::async_trait;

use super::StoreError;
use crate::{id::SubmissionId, submission::Submission};

/// Plugins on their way into the catalogue, as whoever publishes them sees them.
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
}
