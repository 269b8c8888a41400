//! Whose request this is: a session's token, as `Authorization: Bearer` or as the page's cookie; and
//! the admin key, which is no session and opens nothing but what publishes plugins.
//!
//! Both are 256 random bits; only their SHA-256 is stored, so the store's contents open nothing.
//! Looking a hash up tells an attacker's clock nothing about the token, so no constant-time compare
//! is needed. Neither is ever logged.

use http::{HeaderMap, HeaderValue, header};
use retake_chain::problem::ProblemKind;
use retake_jobs::{digest::hex, id::OwnerId};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::{
    app::App,
    call::Call,
    http::respond::Refusal,
    session::{
        cookie::SessionCookie,
        origin,
        token::{Token, secret},
    },
};

const ADMIN_PREFIX: &str = "rtadm_";

/// Refuses whoever does not send an admin key of this installation. Never taken from a cookie: no
/// other site's page can make a browser send it. Wrong ones are counted, slowed and logged.
pub async fn check_admin(app: &App, call: &Call) -> Result<(), Refusal> {
    let bearer = call
        .headers
        .get(header::AUTHORIZATION)
        .and_then(bearer_text);
    // A session's token is no guess.
    let Some(key) = bearer.filter(|text| text.starts_with(ADMIN_PREFIX)) else {
        return Err(Refusal::new(
            ProblemKind::AdminKeyNeeded,
            "send the admin key as \"Authorization: Bearer rtadm_…\"",
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

/// The owner who asks. A bearer token that is there decides alone; the cookie is looked at without
/// one, and then an unsafe method must come from our own page.
pub async fn owner(app: &App, call: &Call) -> Result<OwnerId, Refusal> {
    let token = match bearer(&call.headers)? {
        Some(token) => token,
        None => {
            let cookie = SessionCookie::of(app, &call.way);
            let token = cookie.find(&call.headers).ok_or_else(|| {
                Refusal::new(
                    ProblemKind::Unauthenticated,
                    "send the token from POST /api/v1/sessions as \"Authorization: Bearer rt_…\"",
                )
            })?;
            if !call.method.is_safe() {
                origin::check(&app.place, &call.way, &call.headers)?;
            }
            token
        }
    };
    owner_of(app, &token).await?.ok_or_else(unknown)
}

pub async fn owner_of(app: &App, token: &Token) -> Result<Option<OwnerId>, Refusal> {
    let session = app.parts.store.session(token.sha256()).await?;
    Ok(session.map(|session| session.owner))
}

fn unknown() -> Refusal {
    Refusal::new(
        ProblemKind::Unauthenticated,
        "the session's token is not one of ours",
    )
}

fn bearer(headers: &HeaderMap) -> Result<Option<Token>, Refusal> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let token = bearer_text(value).and_then(Token::parse);
    token.map(Some).ok_or_else(unknown)
}

fn bearer_text(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}
