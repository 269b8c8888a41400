//! What finds and clears away what was left lying.

use async_trait::async_trait;
use jiff::SignedDuration;

use super::StoreError;
use crate::lease::LeaseTerms;

#[async_trait]
pub trait Sweep: Send + Sync {
    /// Finds running jobs whose lease ran out: queued again or failed. Also removes the drafts of
    /// uploads that never finished. Returns how many jobs it moved.
    async fn sweep(&self, terms: LeaseTerms) -> Result<usize, StoreError>;

    /// Removes events that are older than `lifetime`, and none that is younger. Returns how many.
    async fn forget_events(&self, lifetime: SignedDuration) -> Result<usize, StoreError>;
}
