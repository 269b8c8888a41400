//! Sessions and API keys as clients see them. A secret is in the answer that made it, and in no other.

use jiff::Timestamp;
use retake_jobs::{
    credential::{ApiKey, Scope, Session},
    id::{ApiKeyId, SessionId},
};
use serde::Serialize;

#[derive(Serialize)]
pub struct SessionView {
    id: SessionId,
    created_at: Timestamp,
    /// To within five minutes.
    last_used_at: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
}

impl SessionView {
    pub fn new(session: &Session, asking: Option<SessionId>) -> Self {
        Self {
            id: session.id,
            created_at: session.created_at,
            last_used_at: session.used_at,
            current: asking == Some(session.id),
        }
    }
}

#[derive(Serialize)]
pub struct SessionsView {
    pub items: Vec<SessionView>,
}

#[derive(Serialize)]
pub struct SessionCodeView {
    pub code: String,
    pub expires_at: Timestamp,
}

#[derive(Serialize)]
pub struct ApiKeyView {
    id: ApiKeyId,
    name: String,
    scopes: Vec<Scope>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    /// To within five minutes.
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl ApiKeyView {
    pub fn new(key: &ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name.as_str().to_owned(),
            scopes: key.scopes.iter().copied().collect(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.used_at,
            revoked_at: key.revoked_at,
            key: None,
        }
    }

    /// Once: nobody can say it again.
    #[must_use]
    pub fn with_secret(mut self, secret: &str) -> Self {
        self.key = Some(secret.to_owned());
        self
    }
}

#[derive(Serialize)]
pub struct ApiKeysView {
    pub items: Vec<ApiKeyView>,
    pub next_page_token: Option<ApiKeyId>,
}

/// Whoever asks.
#[derive(Serialize)]
pub struct MeView {
    pub session: Option<SessionView>,
    pub api_key: Option<ApiKeyView>,
}
