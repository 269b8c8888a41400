//! What never fails here: who asks, links to corrections, saved chains.

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::{
    credential::{ApiKey, Session},
    id::{ApiKeyId, OwnerId, SessionId, ShareId},
    saved_preset::{PresetName, Saved, SavedPreset},
    seams::{Credentials, Presets, Shares, StoreError, Usages},
    share::{Share, Shared},
    usage::Usage,
};

use super::FaultyStore;

#[async_trait]
impl Shares for FaultyStore {
    async fn add_share(
        &self,
        share: &Share,
        token_sha256: [u8; 32],
        shares_max: u64,
    ) -> Result<Shared, StoreError> {
        self.inner.add_share(share, token_sha256, shares_max).await
    }

    async fn share(&self, token_sha256: [u8; 32]) -> Result<Option<Share>, StoreError> {
        self.inner.share(token_sha256).await
    }

    async fn shares(
        &self,
        owner: OwnerId,
        before: Option<ShareId>,
        limit: usize,
    ) -> Result<Vec<Share>, StoreError> {
        self.inner.shares(owner, before, limit).await
    }

    async fn remove_share(&self, owner: OwnerId, id: ShareId) -> Result<bool, StoreError> {
        self.inner.remove_share(owner, id).await
    }
}

#[async_trait]
impl Credentials for FaultyStore {
    async fn add_session(&self, token_sha256: [u8; 32]) -> Result<Session, StoreError> {
        self.inner.add_session(token_sha256).await
    }

    async fn add_session_by_code(
        &self,
        token_sha256: [u8; 32],
        code_sha256: [u8; 32],
    ) -> Result<Option<Session>, StoreError> {
        self.inner
            .add_session_by_code(token_sha256, code_sha256)
            .await
    }

    async fn add_code(
        &self,
        owner: OwnerId,
        code_sha256: [u8; 32],
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner.add_code(owner, code_sha256, expires_at).await
    }

    async fn session(&self, token_sha256: [u8; 32]) -> Result<Option<Session>, StoreError> {
        self.inner.session(token_sha256).await
    }

    async fn sessions(&self, owner: OwnerId) -> Result<Vec<Session>, StoreError> {
        self.inner.sessions(owner).await
    }

    async fn remove_session(&self, owner: OwnerId, id: SessionId) -> Result<bool, StoreError> {
        self.inner.remove_session(owner, id).await
    }

    async fn note_session_used(&self, id: SessionId, at: Timestamp) -> Result<(), StoreError> {
        self.inner.note_session_used(id, at).await
    }

    async fn add_api_key(
        &self,
        key: &ApiKey,
        secret_sha256: [u8; 32],
        keys_max: u64,
    ) -> Result<bool, StoreError> {
        self.inner.add_api_key(key, secret_sha256, keys_max).await
    }

    async fn api_key(&self, secret_sha256: [u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        self.inner.api_key(secret_sha256).await
    }

    async fn api_key_by_id(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.inner.api_key_by_id(id).await
    }

    async fn api_keys(
        &self,
        before: Option<ApiKeyId>,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StoreError> {
        self.inner.api_keys(before, limit).await
    }

    async fn revoke_api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.inner.revoke_api_key(id).await
    }

    async fn note_api_key_used(&self, id: ApiKeyId, at: Timestamp) -> Result<(), StoreError> {
        self.inner.note_api_key_used(id, at).await
    }
}

#[async_trait]
impl Presets for FaultyStore {
    async fn save_preset(
        &self,
        owner: OwnerId,
        preset: &SavedPreset,
        presets_max: u64,
    ) -> Result<Saved, StoreError> {
        self.inner.save_preset(owner, preset, presets_max).await
    }

    async fn presets(&self, owner: OwnerId) -> Result<Vec<SavedPreset>, StoreError> {
        self.inner.presets(owner).await
    }

    async fn preset(
        &self,
        owner: OwnerId,
        name: &PresetName,
        version: Option<u64>,
    ) -> Result<Option<SavedPreset>, StoreError> {
        self.inner.preset(owner, name, version).await
    }

    async fn remove_preset(
        &self,
        owner: OwnerId,
        name: &PresetName,
        newest: u64,
    ) -> Result<bool, StoreError> {
        self.inner.remove_preset(owner, name, newest).await
    }
}

#[async_trait]
impl Usages for FaultyStore {
    async fn usage(&self, owner: OwnerId, day: i64) -> Result<Usage, StoreError> {
        self.inner.usage(owner, day).await
    }
}
