//! Links to corrections.

use async_trait::async_trait;

use super::StoreError;
use crate::{
    id::{OwnerId, ShareId},
    share::{Share, Shared},
};

/// Shares go with the job that they open. Tokens come here as their SHA-256 only.
#[async_trait]
pub trait Shares: Send + Sync {
    /// At most `shares_max` of one owner's that have not expired; those that have are forgotten then.
    async fn add_share(
        &self,
        share: &Share,
        token_sha256: [u8; 32],
        shares_max: u64,
    ) -> Result<Shared, StoreError>;

    /// Also one that has expired, as long as it is remembered.
    async fn share(&self, token_sha256: [u8; 32]) -> Result<Option<Share>, StoreError>;

    /// Newest first, those before `before`, at most `limit`.
    async fn shares(
        &self,
        owner: OwnerId,
        before: Option<ShareId>,
        limit: usize,
    ) -> Result<Vec<Share>, StoreError>;

    /// False: the owner has no such share.
    async fn remove_share(&self, owner: OwnerId, id: ShareId) -> Result<bool, StoreError>;
}
