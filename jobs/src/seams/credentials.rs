//! Who asks.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::{
    credential::{ApiKey, Session},
    id::{ApiKeyId, OwnerId, SessionId},
};

/// Sessions and API keys. Secrets come here as their SHA-256 only.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// A session of a new owner's.
    async fn add_session(&self, token_sha256: [u8; 32]) -> Result<Session, StoreError>;

    /// Another session of the owner who made the code, which is then used up; `None` if there is no
    /// such code, or its time is over.
    async fn add_session_by_code(
        &self,
        token_sha256: [u8; 32],
        code_sha256: [u8; 32],
    ) -> Result<Option<Session>, StoreError>;

    /// An owner has one code: the last one.
    async fn add_code(
        &self,
        owner: OwnerId,
        code_sha256: [u8; 32],
        expires_at: Timestamp,
    ) -> Result<(), StoreError>;

    async fn session(&self, token_sha256: [u8; 32]) -> Result<Option<Session>, StoreError>;

    /// Oldest first.
    async fn sessions(&self, owner: OwnerId) -> Result<Vec<Session>, StoreError>;

    /// False: the owner has no such session.
    async fn remove_session(&self, owner: OwnerId, id: SessionId) -> Result<bool, StoreError>;

    async fn note_session_used(&self, id: SessionId, at: Timestamp) -> Result<(), StoreError>;

    /// False: there are `keys_max` that are not revoked. Those that are go, longest revoked first, where
    /// more than that are remembered.
    async fn add_api_key(
        &self,
        key: &ApiKey,
        secret_sha256: [u8; 32],
        keys_max: u64,
    ) -> Result<bool, StoreError>;

    /// Revoked and expired ones too.
    async fn api_key(&self, secret_sha256: [u8; 32]) -> Result<Option<ApiKey>, StoreError>;

    async fn api_key_by_id(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError>;

    /// Newest first, those before `before`, at most `limit`; revoked and expired ones too.
    async fn api_keys(
        &self,
        before: Option<ApiKeyId>,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StoreError>;

    /// Once and for all. Its recordings stay its owner's. `None`: no such key.
    async fn revoke_api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError>;

    async fn note_api_key_used(&self, id: ApiKeyId, at: Timestamp) -> Result<(), StoreError>;
}
