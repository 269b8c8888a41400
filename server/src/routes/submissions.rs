//! `POST /api/v1/plugins`: a plugin on its way into the catalogue. It is stored here and no more: a
//! worker looks into it, in a child process, and decides.

use std::{io, sync::Arc};

use futures_util::StreamExt;
use http::{HeaderMap, StatusCode, header};
use retake_chain::problem::ProblemKind;
use retake_jobs::{
    credential::Scope,
    id::SubmissionId,
    seams::{BlobError, BlobKey},
    submission::Submission,
};
use warp::reply::Response;

use crate::{
    api,
    app::App,
    call::Call,
    config::ms,
    http::{
        body::{BodyError, RequestBody},
        respond::{self, Refusal, shorten},
    },
    session::auth,
};

const WASM: &str = "application/wasm";

pub async fn create(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    auth::check_admin(&app, &call, Scope::PluginsPublish).await?;
    check_headers(&app, &call.headers)?;
    let place = app.upload_places.take(None, call.peer)?;
    let request_id = call.request_id.as_str().to_owned();
    let body = call
        .body
        .within(ms(app.config.upload_ms_max))
        .at_least(app.config.upload_bytes_per_s_min);
    let upload = Upload {
        app: app.clone(),
        id: SubmissionId::new(app.parts.clock.now()),
        request_id,
    };
    app.unbroken(async move {
        let answer = upload.run(body).await;
        drop(place);
        answer
    })
    .await
}

pub async fn get(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    auth::check_admin(&app, &call, Scope::PluginsPublish).await?;
    let id: SubmissionId = call.id()?;
    let submission = app.parts.store.submission(id).await?;
    let submission = submission.ok_or_else(Refusal::not_found)?;
    Ok(respond::json(
        StatusCode::OK,
        &api::SubmissionView::new(&submission),
    ))
}

/// Says no before the body is read, where its head already tells.
fn check_headers(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_wasm = text(header::CONTENT_TYPE).is_some_and(|text| {
        let essence = text.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case(WASM)
    });
    if !is_wasm {
        let given = text(header::CONTENT_TYPE).map_or("missing".to_owned(), |text| {
            format!("\"{}\"", shorten(text))
        });
        let detail =
            format!("content-type is {given}; send the plugin's file as the body, as {WASM}");
        return Err(Refusal::new(ProblemKind::InvalidRequest, detail));
    }
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING) {
        let detail = format!("content-encoding is {encoding:?}; send the file as it is");
        return Err(Refusal::new(ProblemKind::InvalidRequest, detail));
    }
    let length = text(header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    match length {
        Some(length) if length > app.config.plugin_bytes_max => Err(too_large(app)),
        _ => Ok(()),
    }
}

fn too_large(app: &App) -> Refusal {
    let limit = app.config.plugin_bytes_max;
    let detail = format!("the plugin has more than {limit} bytes, which is the limit");
    Refusal::new(ProblemKind::TooLarge, detail)
}

struct Upload {
    app: Arc<App>,
    id: SubmissionId,
    request_id: String,
}

impl Upload {
    async fn run(&self, body: RequestBody) -> Result<Response, Refusal> {
        let answer = self.store(body).await;
        if answer.is_err() {
            self.clean_up().await;
        }
        answer
    }

    async fn store(&self, body: RequestBody) -> Result<Response, Refusal> {
        let Upload { app, id, .. } = self;
        let body = body
            .into_stream()
            .map(|piece| piece.map_err(io::Error::other));
        let limit = app.config.plugin_bytes_max;
        let key = BlobKey::Submission(*id);
        let stored = match app.parts.blobs.put(key, Box::pin(body), limit).await {
            Ok(stored) => stored,
            Err(BlobError::TooLarge { .. }) => return Err(too_large(app)),
            Err(BlobError::Body(error)) => {
                return Err(match error.downcast::<BodyError>() {
                    Ok(error) => error.into(),
                    Err(error) => Refusal::internal(format!("a body's error came as {error}")),
                });
            }
            Err(error) => return Err(error.into()),
        };
        if stored.size_bytes == 0 {
            let detail = "the body is empty; it must be the plugin's file";
            return Err(Refusal::new(ProblemKind::InvalidRequest, detail));
        }
        let now = app.parts.clock.now();
        let mut submission = Submission::new(*id, stored.sha256, stored.size_bytes, now);
        submission.request_id = Some(self.request_id.clone());
        let most = app.config.plugin_submissions_max;
        if !app.parts.store.add_submission(&submission, most).await? {
            let detail = format!("{most} plugins wait to be checked, and no more may; try again");
            return Err(Refusal::new(ProblemKind::TooManyRequests, detail));
        }
        app.metrics.submitted();
        tracing::info!(
            submission.id = %id,
            plugin.digest = submission.digest,
            request.id = self.request_id,
            size_bytes = submission.size_bytes,
            "plugin submitted"
        );
        Ok(api::accepted(app.place.base(), &submission))
    }

    /// Takes the bytes away, unless the row was committed after all and only the answer failed.
    async fn clean_up(&self) {
        let Upload { app, id, .. } = self;
        if !matches!(app.parts.store.submission(*id).await, Ok(None)) {
            tracing::warn!(submission.id = %id, "a refused plugin's bytes are left to the sweep");
        } else if let Err(error) = app.parts.blobs.delete(BlobKey::Submission(*id)).await {
            tracing::error!(submission.id = %id, "a refused plugin's bytes remain: {error}");
        }
    }
}
