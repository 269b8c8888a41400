//! What nobody did because its worker, its message or its sender was lost.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::job::LeaseTerms;

#[async_trait]
pub trait Sweep: Send + Sync {
    /// Finds jobs that went missing: running ones whose lease ran out (queued again or failed), and
    /// queued ones without a message in the outbox since `queued_before` (message written again).
    /// Also removes the drafts of uploads that never finished. Returns how many it moved.
    async fn sweep(&self, terms: LeaseTerms, queued_before: Timestamp)
    -> Result<usize, StoreError>;
}
