//! Sessions and API keys.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::{
    credential::{ApiKey, Session},
    id::{ApiKeyId, OwnerId, SessionId},
    seams::{Credentials, StoreError},
};

use super::MemoryStore;

type Sha256 = [u8; 32];

#[derive(Default)]
pub(super) struct Known {
    sessions: BTreeMap<Sha256, Session>,
    codes: BTreeMap<OwnerId, (Sha256, Timestamp)>,
    keys: BTreeMap<ApiKeyId, (ApiKey, Sha256)>,
}

impl Known {
    fn add_session(&mut self, token: Sha256, owner: OwnerId, now: Timestamp) -> Session {
        let session = Session {
            id: SessionId::new(now),
            owner,
            created_at: now,
            used_at: now,
        };
        self.sessions.insert(token, session.clone());
        session
    }

    /// Whose code it is; it is then used up.
    fn use_code(&mut self, code: Sha256, now: Timestamp) -> Option<OwnerId> {
        let mut codes = self.codes.iter();
        let owner = *codes
            .find(|(_, (known, until))| *known == code && now < *until)?
            .0;
        self.codes.remove(&owner);
        Some(owner)
    }

    fn remember_revoked(&mut self, at_most: u64) {
        let mut revoked: Vec<_> = self.keys.values().map(|(key, _)| key).collect();
        revoked.retain(|key| key.revoked_at.is_some());
        revoked.sort_by_key(|key| key.revoked_at);
        let too_many = (revoked.len() as u64).saturating_sub(at_most);
        let too_many = usize::try_from(too_many).unwrap_or(usize::MAX);
        let gone: Vec<ApiKeyId> = revoked.iter().take(too_many).map(|key| key.id).collect();
        self.keys.retain(|id, _| !gone.contains(id));
    }
}

#[async_trait]
impl Credentials for MemoryStore {
    async fn add_session(&self, token_sha256: Sha256) -> Result<Session, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        Ok(tables
            .credentials
            .add_session(token_sha256, OwnerId::new(), now))
    }

    async fn add_session_by_code(
        &self,
        token_sha256: Sha256,
        code_sha256: Sha256,
    ) -> Result<Option<Session>, StoreError> {
        let now = self.clock.now();
        let known = &mut self.tables().credentials;
        let owner = known.use_code(code_sha256, now);
        Ok(owner.map(|owner| known.add_session(token_sha256, owner, now)))
    }

    async fn add_code(
        &self,
        owner: OwnerId,
        code_sha256: Sha256,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let codes = &mut self.tables().credentials.codes;
        codes.insert(owner, (code_sha256, expires_at));
        Ok(())
    }

    async fn session(&self, token_sha256: Sha256) -> Result<Option<Session>, StoreError> {
        Ok(self
            .tables()
            .credentials
            .sessions
            .get(&token_sha256)
            .cloned())
    }

    async fn sessions(&self, owner: OwnerId) -> Result<Vec<Session>, StoreError> {
        let tables = self.tables();
        let all = tables.credentials.sessions.values();
        let mut mine: Vec<Session> = all
            .filter(|session| session.owner == owner)
            .cloned()
            .collect();
        mine.sort_by_key(|session| (session.created_at, session.id));
        Ok(mine)
    }

    async fn remove_session(&self, owner: OwnerId, id: SessionId) -> Result<bool, StoreError> {
        let sessions = &mut self.tables().credentials.sessions;
        let had = sessions.len();
        sessions.retain(|_, session| session.owner != owner || session.id != id);
        Ok(sessions.len() < had)
    }

    async fn note_session_used(&self, id: SessionId, at: Timestamp) -> Result<(), StoreError> {
        let sessions = &mut self.tables().credentials.sessions;
        if let Some(session) = sessions.values_mut().find(|session| session.id == id) {
            session.used_at = at;
        }
        Ok(())
    }

    async fn add_api_key(
        &self,
        key: &ApiKey,
        secret_sha256: Sha256,
        keys_max: u64,
    ) -> Result<bool, StoreError> {
        let known = &mut self.tables().credentials;
        let open = known
            .keys
            .values()
            .filter(|(key, _)| key.revoked_at.is_none());
        if open.count() as u64 >= keys_max {
            return Ok(false);
        }
        known.remember_revoked(keys_max.saturating_sub(1));
        known.keys.insert(key.id, (key.clone(), secret_sha256));
        Ok(true)
    }

    async fn api_key(&self, secret_sha256: Sha256) -> Result<Option<ApiKey>, StoreError> {
        let tables = self.tables();
        let mut keys = tables.credentials.keys.values();
        let found = keys.find(|(_, secret)| *secret == secret_sha256);
        Ok(found.map(|(key, _)| key.clone()))
    }

    async fn api_key_by_id(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let tables = self.tables();
        Ok(tables.credentials.keys.get(&id).map(|(key, _)| key.clone()))
    }

    async fn api_keys(
        &self,
        before: Option<ApiKeyId>,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StoreError> {
        let tables = self.tables();
        let keys = tables.credentials.keys.values().rev().map(|(key, _)| key);
        let earlier = keys.filter(|key| before.is_none_or(|before| key.id < before));
        Ok(earlier.take(limit).cloned().collect())
    }

    async fn revoke_api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let row = tables.credentials.keys.get_mut(&id);
        Ok(row.map(|(key, _)| {
            key.revoked_at.get_or_insert(now);
            key.clone()
        }))
    }

    async fn note_api_key_used(&self, id: ApiKeyId, at: Timestamp) -> Result<(), StoreError> {
        if let Some((key, _)) = self.tables().credentials.keys.get_mut(&id) {
            key.used_at = Some(at);
        }
        Ok(())
    }
}
