//! API keys: made, listed and revoked by whoever holds the admin key, or a key with the scope admin.

use std::{collections::BTreeSet, sync::Arc};

use http::StatusCode;
use jiff::SignedDuration;
use retake_chain::problem::ProblemKind;
use retake_jobs::{
    credential::{ApiKey, KeyName, Scope},
    id::{ApiKeyId, OwnerId},
};
use serde::Deserialize;
use warp::reply::Response;

use crate::{
    api::ApiKeyView,
    app::App,
    call::Call,
    http::respond::{self, Refusal, shorten},
    routes::{
        order::{Fault, refuse_all},
        paging,
    },
    session::{api_key::ApiKeySecret, auth},
};

const PAGE: usize = 100;
const EXPIRES_IN_S: std::ops::RangeInclusive<i64> = 60..=10 * 365 * 24 * 3600;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    name: String,
    #[serde(default)]
    scopes: Vec<String>,
    /// Never, where nothing is said.
    expires_in_s: Option<i64>,
    /// The new key then opens the recordings of that one: it takes its place, or stands beside it.
    same_owner_as: Option<String>,
}

pub async fn create(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    auth::check_admin(&app, &call, Scope::Admin).await?;
    let wanted: Wanted = call.json(app.config.json_bytes_max).await?;
    let mut faults = Vec::new();
    let mut wrong = |pointer: &str, detail: String| {
        faults.push(Fault::new(ProblemKind::InvalidField, pointer, detail));
    };
    let name = KeyName::parse(&wanted.name);
    if name.is_none() {
        let (given, most) = (shorten(&wanted.name), KeyName::CHARS_MAX);
        let detail = format!("name is \"{given}\"; it must be one line of 1 to {most} characters");
        wrong("/name", detail);
    }
    let scopes: BTreeSet<Scope> = wanted
        .scopes
        .iter()
        .filter_map(|s| Scope::parse(s))
        .collect();
    if scopes.is_empty() || scopes.len() != wanted.scopes.len() {
        let known = Scope::ALL.map(Scope::name).join(", ");
        let given = shorten(&wanted.scopes.join(", "));
        let detail =
            format!("scopes is [{given}]; it must hold at least one, each once, of: {known}");
        wrong("/scopes", detail);
    }
    if let Some(seconds) = wanted.expires_in_s.filter(|s| !EXPIRES_IN_S.contains(s)) {
        let (least, most) = (EXPIRES_IN_S.start(), EXPIRES_IN_S.end());
        let detail = format!("expires_in_s is {seconds}; it must be {least} to {most}");
        wrong("/expires_in_s", detail);
    }
    let owner = match &wanted.same_owner_as {
        None => Some(OwnerId::new()),
        Some(id) => owner_of(&app, id).await?,
    };
    if owner.is_none() {
        let given = shorten(wanted.same_owner_as.as_deref().unwrap_or_default());
        let detail = format!("same_owner_as is \"{given}\"; there is no key with that id");
        wrong("/same_owner_as", detail);
    }
    let (Some(name), Some(owner), true) = (name, owner, faults.is_empty()) else {
        return Err(refuse_all(faults));
    };
    let now = app.parts.clock.now();
    let key = ApiKey {
        id: ApiKeyId::new(now),
        name,
        scopes,
        owner,
        created_at: now,
        expires_at: wanted
            .expires_in_s
            .map(|s| now + SignedDuration::from_secs(s)),
        used_at: None,
        revoked_at: None,
    };
    let secret = ApiKeySecret::new();
    let most = app.config.api_keys_max;
    if !app
        .parts
        .store
        .add_api_key(&key, secret.sha256(), most)
        .await?
    {
        return Err(Refusal::new(
            ProblemKind::TooManyKeys,
            format!("there are {most} keys, which is the limit; revoke one that is not used"),
        ));
    }
    tracing::info!(key.id = %key.id, key.name = key.name.as_str(), "API key made");
    let view = ApiKeyView::new(&key).with_secret(secret.reveal());
    Ok(respond::json(StatusCode::CREATED, &view))
}

async fn owner_of(app: &App, id: &str) -> Result<Option<OwnerId>, Refusal> {
    let Ok(id) = id.parse() else { return Ok(None) };
    let key = app.parts.store.api_key_by_id(id).await?;
    Ok(key.map(|key| key.owner))
}

pub async fn list(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    auth::check_admin(&app, &call, Scope::Admin).await?;
    let before = paging::before(&call)?;
    let keys = app.parts.store.api_keys(before, PAGE + 1).await?;
    let page = paging::page(&keys, PAGE, |key| key.id, ApiKeyView::new);
    Ok(respond::json(StatusCode::OK, &page))
}

pub async fn get(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    auth::check_admin(&app, &call, Scope::Admin).await?;
    let key = app.parts.store.api_key_by_id(call.id()?).await?;
    let key = key.ok_or_else(Refusal::not_found)?;
    Ok(respond::json(StatusCode::OK, &ApiKeyView::new(&key)))
}

/// Revoking it again is no mistake.
pub async fn revoke(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    auth::check_admin(&app, &call, Scope::Admin).await?;
    let key = app.parts.store.revoke_api_key(call.id()?).await?;
    let key = key.ok_or_else(Refusal::not_found)?;
    tracing::info!(key.id = %key.id, key.name = key.name.as_str(), "API key revoked");
    Ok(respond::json(StatusCode::OK, &ApiKeyView::new(&key)))
}
