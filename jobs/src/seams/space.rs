//! How much there is, for whoever watches.

use async_trait::async_trait;

use super::StoreError;

#[async_trait]
pub trait Space: Send + Sync {
    /// How many jobs wait, each counted once, whatever is in the queue.
    async fn jobs_waiting(&self) -> Result<u64, StoreError>;

    /// What the store takes of the disk.
    async fn space(&self) -> Result<SpaceUsed, StoreError>;
}

/// Zero where a backend has nothing of the kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpaceUsed {
    pub file_bytes: u64,
    /// Within the file, on their way back to the file system.
    pub free_bytes: u64,
    pub log_bytes: u64,
    /// Kept so that a full disk can be cleared.
    pub reserve_bytes: u64,
}
