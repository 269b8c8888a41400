//! What finds and clears away what was left lying.

use async_trait::async_trait;
use jiff::SignedDuration;

use super::{BlobKey, StoreError};
use crate::lease::LeaseTerms;

#[async_trait]
pub trait Sweep: Send + Sync {
    /// Finds running jobs whose lease ran out: queued again or failed. Also removes the drafts of
    /// uploads that never finished. Returns how many jobs it moved.
    async fn sweep(&self, terms: LeaseTerms) -> Result<usize, StoreError>;

    /// Removes derivatives, whichever was not asked for longest first, until those that are left take no more
    /// than `bytes_max` ([`Derivative::weight_bytes`](crate::derivative::Derivative::weight_bytes)), and
    /// those whose failure is over; none that is being read. The caller deletes the bytes.
    async fn forget_derivatives(&self, bytes_max: u64) -> Result<Vec<BlobKey>, StoreError>;

    /// Removes recordings that were deleted and can no longer be restored. The caller deletes the bytes.
    async fn empty_trash(&self) -> Result<Vec<BlobKey>, StoreError>;

    /// Removes events that are older than `lifetime`, and none that is younger. Returns how many.
    async fn forget_events(&self, lifetime: SignedDuration) -> Result<usize, StoreError>;

    /// Forgets the keys of requests that were answered longer ago than `lifetime`. Returns how many.
    async fn forget_answered(&self, lifetime: SignedDuration) -> Result<usize, StoreError>;
}
