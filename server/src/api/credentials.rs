//! Sessions and API keys as clients see them. A secret is in the answer that made it, and in no other.

use jiff::Timestamp;
use retake_jobs::{
    credential::{ApiKey, Session},
    id::{ApiKeyId, SessionId},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::words;

/// One device, or one program.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Device")]
pub struct SessionView {
    #[schemars(with = "words::Id")]
    id: SessionId,
    #[schemars(with = "words::Time")]
    created_at: Timestamp,
    /// To within five minutes.
    #[schemars(with = "words::Time")]
    last_used_at: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
}

impl SessionView {
    pub fn new(session: &Session, asking: SessionId) -> Self {
        Self {
            id: session.id,
            created_at: session.created_at,
            last_used_at: session.used_at,
            current: session.id == asking,
        }
    }
}

/// Opens one more session of the same owner's.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SessionCode")]
pub struct SessionCodeView {
    #[schemars(extend("pattern" = "^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$"))]
    pub code: String,
    #[schemars(with = "words::Time")]
    pub expires_at: Timestamp,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ApiKey")]
pub struct ApiKeyView {
    #[schemars(with = "words::Id")]
    id: ApiKeyId,
    name: String,
    #[schemars(with = "Vec<words::Scope>")]
    scopes: Vec<&'static str>,
    #[schemars(with = "words::Time")]
    created_at: Timestamp,
    /// It opens nothing from then on. Null: never.
    #[schemars(with = "Option<words::Time>")]
    expires_at: Option<Timestamp>,
    /// To within five minutes.
    #[schemars(with = "Option<words::Time>")]
    last_used_at: Option<Timestamp>,
    #[schemars(with = "Option<words::Time>")]
    revoked_at: Option<Timestamp>,
    /// The secret, only in the answer that makes the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("pattern" = "^rtk_[A-Za-z0-9_-]{49}$"))]
    key: Option<String>,
}

impl ApiKeyView {
    pub fn new(key: &ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name.as_str().to_owned(),
            scopes: key.scopes.iter().map(|scope| scope.name()).collect(),
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

/// Whoever asks: one of the two.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Me")]
pub struct MeView {
    pub session: Option<SessionView>,
    pub api_key: Option<ApiKeyView>,
}
