//! Whose request this is: a session's token, as `Authorization: Bearer` or as the page's cookie, or an
//! API key; and the admin key of the installation, which belongs to nobody and opens nobody's recordings.
//!
//! All are 256 random bits; only their SHA-256 is stored, so the store's contents open nothing.
//! Looking a hash up tells an attacker's clock nothing about the secret, so no constant-time compare
//! is needed. None is ever logged.

use std::time::Instant;

use http::{HeaderValue, header};
use jiff::Timestamp;
use retake_chain::problem::ProblemKind;
use retake_jobs::{
    credential::{ApiKey, Scope, Session, USE_NOTED_EVERY},
    digest::hex,
    id::OwnerId,
    seams::StoreError,
    usage::day,
};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::{
    app::App,
    call::Call,
    http::respond::Refusal,
    limits::quotas::Told,
    session::{
        api_key::{self, ApiKeySecret},
        cookie::SessionCookie,
        origin,
        token::{Token, secret},
    },
};

const ADMIN_PREFIX: &str = "rtadm_";

pub enum Credential {
    Session(Session),
    ApiKey(ApiKey),
}

impl Credential {
    pub fn owner(&self) -> OwnerId {
        match self {
            Self::Session(session) => session.owner,
            Self::ApiKey(key) => key.owner,
        }
    }

    /// A session opens its owner's recordings.
    fn check(&self, scope: Scope) -> Result<(), Refusal> {
        match self {
            Self::Session(_) => Ok(()),
            Self::ApiKey(key) => check_scope(key, scope),
        }
    }
}

/// The owner who asks for recordings.
pub async fn owner(app: &App, call: &Call) -> Result<OwnerId, Refusal> {
    let credential = credential(app, call).await?;
    credential.check(Scope::Recordings)?;
    let owner = credential.owner();
    app.quotas.request(owner, &call.told, Instant::now())?;
    Ok(owner)
}

/// Before something of the owner's is taken in: so many bytes, as far as the request says, or none, to be
/// corrected.
pub async fn check_usage(
    app: &App,
    (owner, told): (OwnerId, &Told),
    bytes: Option<u64>,
) -> Result<(), Refusal> {
    if !app.quotas.looks_at_usage() {
        return Ok(());
    }
    let now = app.parts.clock.now();
    let used = app.parts.store.usage(owner, day(now)).await?;
    app.quotas.usage(used, bytes, told, now)
}

/// The same, where nobody need say who asks. Whoever does is believed or told.
pub async fn owner_if_any(app: &App, call: &Call) -> Result<Option<OwnerId>, Refusal> {
    if call.headers.contains_key(header::AUTHORIZATION) {
        return owner(app, call).await.map(Some);
    }
    // A browser sends along a cookie that has ended.
    Ok(owner(app, call).await.ok())
}

/// A bearer token that is there decides alone; the cookie is looked at without one, and then an unsafe
/// method must come from our own page.
pub async fn credential(app: &App, call: &Call) -> Result<Credential, Refusal> {
    if let Some(value) = call.headers.get(header::AUTHORIZATION) {
        let text = bearer_text(value).ok_or_else(unknown)?;
        if text.starts_with(api_key::PREFIX) {
            return Ok(Credential::ApiKey(find_api_key(app, text).await?));
        }
        let token = Token::parse(text).ok_or_else(unknown)?;
        return Ok(Credential::Session(find_session(app, &token).await?));
    }
    let cookie = SessionCookie::of(app, &call.way);
    let token = cookie.find(&call.headers).ok_or_else(|| {
        Refusal::new(
            ProblemKind::Unauthenticated,
            "send the token from POST /api/v1/sessions, or an API key, as \"Authorization: Bearer rt…\"",
        )
    })?;
    if !call.method.is_safe() {
        origin::check(&app.place, &call.way, &call.headers)?;
    }
    Ok(Credential::Session(find_session(app, &token).await?))
}

async fn find_session(app: &App, token: &Token) -> Result<Session, Refusal> {
    let session = session_of(app, token).await?.ok_or_else(unknown)?;
    let now = app.parts.clock.now();
    if is_due(Some(session.used_at), now) {
        noted(app.parts.store.note_session_used(session.id, now).await);
    }
    Ok(session)
}

pub async fn session_of(app: &App, token: &Token) -> Result<Option<Session>, Refusal> {
    Ok(app.parts.store.session(token.sha256()).await?)
}

async fn find_api_key(app: &App, text: &str) -> Result<ApiKey, Refusal> {
    let no = |detail: String| Refusal::new(ProblemKind::Unauthenticated, detail);
    let secret = ApiKeySecret::parse(text)
        .ok_or_else(|| no("that is no whole API key: it was cut or mistyped".to_owned()))?;
    let key = app.parts.store.api_key(secret.sha256()).await?;
    let key = key.ok_or_else(|| no("the API key is not one of ours".to_owned()))?;
    let now = app.parts.clock.now();
    if !key.opens(now) {
        let (what, at) = match (key.revoked_at, key.expires_at) {
            (Some(at), _) => ("was revoked", at),
            (None, at) => ("expired", at.unwrap_or(now)),
        };
        return Err(no(format!("the API key {} {what} at {at:.0}", key.id)));
    }
    if is_due(key.used_at, now) {
        noted(app.parts.store.note_api_key_used(key.id, now).await);
    }
    Ok(key)
}

fn is_due(used_at: Option<Timestamp>, now: Timestamp) -> bool {
    used_at.is_none_or(|at| now.duration_since(at) >= USE_NOTED_EVERY)
}

/// Nobody is turned away because a use could not be written down.
fn noted(note: Result<(), StoreError>) {
    if let Err(error) = note {
        tracing::warn!("the use of a credential was not noted: {error}");
    }
}

fn check_scope(key: &ApiKey, needed: Scope) -> Result<(), Refusal> {
    let implied = needed == Scope::PluginsPublish && key.scopes.contains(&Scope::Admin);
    if implied || key.scopes.contains(&needed) {
        return Ok(());
    }
    let has: Vec<&str> = key.scopes.iter().map(|scope| scope.name()).collect();
    Err(Refusal::new(
        ProblemKind::InsufficientScope,
        format!(
            "the API key has the scope {}; this address needs {needed}",
            has.join(", ")
        ),
    ))
}

/// Refuses whoever sends neither an API key of that scope nor an admin key of this installation. Never
/// taken from a cookie: no other site's page can make a browser send it. Wrong admin keys are
/// counted, slowed and logged.
pub async fn check_admin(app: &App, call: &Call, scope: Scope) -> Result<(), Refusal> {
    let bearer = call
        .headers
        .get(header::AUTHORIZATION)
        .and_then(bearer_text);
    if let Some(text) = bearer.filter(|text| text.starts_with(api_key::PREFIX)) {
        let key = find_api_key(app, text).await?;
        return check_scope(&key, scope);
    }
    // A session's token is no guess.
    let Some(key) = bearer.filter(|text| text.starts_with(ADMIN_PREFIX)) else {
        return Err(Refusal::new(
            ProblemKind::AdminKeyNeeded,
            format!(
                "send the admin key, or an API key with the scope {scope}, as \"Authorization: Bearer rt…\""
            ),
        ));
    };
    app.admin_tries.admit(call.peer).await?;
    let digest = secret(key, ADMIN_PREFIX).map(|key| hex(&Sha256::digest(key)));
    // All of them, each to its end: how long it takes says nothing about how near a key came.
    let known = digest.is_some_and(|digest| {
        let known = app.config.admin_key_sha256.iter();
        let same = known.map(|known| known.as_bytes().ct_eq(digest.as_bytes()));
        bool::from(same.fold(Choice::from(0), |any, same| any | same))
    });
    if known {
        return Ok(());
    }
    app.metrics.admin_key_refused();
    app.admin_tries.wrong(call.peer, &call.request_id).await;
    Err(Refusal::new(
        ProblemKind::AdminKeyNeeded,
        "that is not an admin key of this installation",
    ))
}

fn unknown() -> Refusal {
    Refusal::new(
        ProblemKind::Unauthenticated,
        "the session's token is not one of ours",
    )
}

fn bearer_text(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}
