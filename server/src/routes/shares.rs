//! Links to corrections: their owners make, list and revoke them.

use std::sync::Arc;

use http::{StatusCode, header};
use jiff::SignedDuration;
use retake_chain::problem::ProblemKind;
use retake_jobs::{
    id::ShareId,
    share::{Share, Shared},
};
use serde::Deserialize;
use warp::reply::Response;

use super::jobs::TheirJob;
use crate::{
    api::ShareView,
    app::App,
    call::Call,
    http::respond::{self, Refusal},
    routes::paging,
    session::{auth, token::ShareToken},
};

const PAGE: usize = 100;
const EXPIRES_IN_S: std::ops::RangeInclusive<i64> = 60..=366 * 24 * 3600;
const EXPIRES_IN_S_DEFAULT: i64 = 30 * 24 * 3600;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    may_download: bool,
    expires_in_s: Option<i64>,
}

pub async fn create(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let theirs = TheirJob::asked_for(&app, &call).await?;
    // What is not there, or not ready, is told first.
    let (job, _) = theirs.correction(&app).await?;
    let wanted: Wanted = call.json(app.config.json_bytes_max).await?;
    let expires_in_s = wanted.expires_in_s.unwrap_or(EXPIRES_IN_S_DEFAULT);
    if !EXPIRES_IN_S.contains(&expires_in_s) {
        let (least, most) = (EXPIRES_IN_S.start(), EXPIRES_IN_S.end());
        let detail = format!("expires_in_s is {expires_in_s}; it must be {least} to {most}");
        let kind = ProblemKind::InvalidField;
        return Err(Refusal::field(kind, "/expires_in_s", detail));
    }
    let now = app.parts.clock.now();
    let share = Share {
        id: ShareId::new(now),
        owner: theirs.owner,
        recording: job.recording_id,
        job: job.id,
        may_download: wanted.may_download,
        created_at: now,
        expires_at: now + SignedDuration::from_secs(expires_in_s),
    };
    let token = ShareToken::new();
    let most = app.config.shares_per_owner_max;
    let made = app
        .parts
        .store
        .add_share(&share, token.sha256(), most)
        .await?;
    match made {
        Shared::Made => {}
        Shared::Gone => return Err(Refusal::not_found()),
        Shared::TooMany => {
            let detail = format!("there are {most} links of yours, which is the limit; revoke one");
            return Err(Refusal::new(ProblemKind::TooManyKeys, detail));
        }
    }
    tracing::info!(share.id = %share.id, job.id = %job.id, "a correction is shared");
    let base = app.place.base();
    let view = ShareView::new(base, &share, now).with_token(base, token.reveal());
    let mut response = respond::json(StatusCode::CREATED, &view);
    let address = view.address().try_into().expect("a path of ASCII");
    response.headers_mut().insert(header::LOCATION, address);
    Ok(response)
}

pub async fn list(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let before = paging::before(&call)?;
    let shares = app.parts.store.shares(owner, before, PAGE + 1).await?;
    let (base, now) = (app.place.base(), app.parts.clock.now());
    let page = paging::page(
        &shares,
        PAGE,
        |share| share.id,
        |share| ShareView::new(base, share, now),
    );
    Ok(respond::json(StatusCode::OK, &page))
}

pub async fn revoke(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let id: ShareId = call.id()?;
    if !app.parts.store.remove_share(owner, id).await? {
        return Err(Refusal::not_found());
    }
    tracing::info!(share.id = %id, "a correction is shared no more");
    Ok(respond::empty(StatusCode::NO_CONTENT))
}
