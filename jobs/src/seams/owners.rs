//! Whose what is.

use async_trait::async_trait;

use super::StoreError;
use crate::id::OwnerId;

/// Sessions. Only a token's SHA-256 is stored.
#[async_trait]
pub trait Owners: Send + Sync {
    async fn add_session(&self, token_sha256: [u8; 32]) -> Result<OwnerId, StoreError>;
    async fn owner_of(&self, token_sha256: [u8; 32]) -> Result<Option<OwnerId>, StoreError>;
}
