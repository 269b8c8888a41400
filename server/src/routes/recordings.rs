//! Recordings that are there: list, look, name, listen, delete and take back. How they come in is in `upload`.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use jiff::SignedDuration;
use retake_chain::problem::ProblemKind;
use retake_jobs::{
    entry::{Entry, JobQuery},
    id::{OwnerId, RecordingId},
    recording::Recording,
    seams::BlobKey,
};
use warp::reply::Response;

use crate::{
    api::{DeletedView, RecordingView},
    app::App,
    call::Call,
    config::ms,
    http::{
        conditions,
        respond::{self, Refusal},
    },
    routes::{
        download::{Download, Keep},
        list_query,
        metadata::Wanted,
        paging,
    },
    session::auth,
};

/// Jobs shown with a recording; all of them are in a list of their own.
const JOBS_SHOWN: usize = 50;

pub async fn list(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let query = list_query::recordings(&app, &call)?;
    let found = app.parts.store.recordings(owner, &query).await?;
    let page = paging::found(&found.items, found.next.as_ref(), |entry| {
        RecordingView::new(app.place.base(), entry)
    });
    Ok(respond::json(StatusCode::OK, &page))
}

async fn find(app: &App, call: &Call) -> Result<Entry, Refusal> {
    let owner = auth::owner(app, call).await?;
    let id = call.id()?;
    app.parts
        .store
        .recording(owner, id)
        .await?
        .ok_or_else(Refusal::not_found)
}

pub async fn get(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let entry = find(&app, &call).await?;
    whole(&app, Some(&call.headers), owner, &entry).await
}

/// The recording with its newest jobs; where it was only asked for, unless the client has it.
async fn whole(
    app: &App,
    asked: Option<&HeaderMap>,
    owner: OwnerId,
    entry: &Entry,
) -> Result<Response, Refusal> {
    let query = JobQuery {
        limit: JOBS_SHOWN,
        recording: Some(entry.recording.id),
        ..JobQuery::default()
    };
    let jobs = app.parts.store.jobs(owner, &query).await?.items;
    let view = RecordingView::with_jobs(app.place.base(), entry, &jobs);
    respond::tagged(asked, &view, &version_tag(entry.version))
}

/// What an ETag of a recording begins with: a change of its jobs does not stand in the way of one of its name.
fn version_tag(version: u64) -> String {
    format!("v{version}")
}

pub async fn edit(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let before = find(&app, &call).await?;
    let expected = conditions::of_version(&call.headers, &version_tag(before.version))?;
    let expected = expected.then_some(before.version);
    let wanted: Wanted = call.json(app.config.json_bytes_max).await?;
    let edit = wanted.check(&app.config)?;
    let id = before.recording.id;
    let edited = app.parts.store.edit_recording(owner, id, &edit, expected);
    match edited.await?.ok_or_else(Refusal::not_found)? {
        Ok(entry) => whole(&app, None, owner, &entry).await,
        Err(changed) => Err(Refusal::new(
            ProblemKind::PreconditionFailed,
            changed.to_string(),
        )),
    }
}

pub async fn audio(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let recording = find(&app, &call).await?.recording;
    download(&app, &call, recording)
}

pub fn download(app: &App, call: &Call, recording: Recording) -> Result<Response, Refusal> {
    let download = Download {
        key: BlobKey::Recording(recording.id),
        size_bytes: recording.size_bytes,
        file_name: original_name(&recording),
        content_type: recording.content_type,
        tag: recording.sha256,
        keep: Keep::Asking,
        hold: None,
    };
    download.answer(app, call)
}

fn original_name(recording: &Recording) -> String {
    recording.file_name.clone().unwrap_or_else(|| {
        let extension = match recording.content_type.as_str() {
            "audio/webm" => "webm",
            "audio/x-matroska" => "mka",
            "audio/ogg" => "ogg",
            "audio/mp4" => "m4a",
            "video/quicktime" => "mov",
            "audio/wav" => "wav",
            "audio/flac" => "flac",
            "audio/mpeg" => "mp3",
            "audio/aac" => "aac",
            "audio/aiff" => "aiff",
            "audio/x-caf" => "caf",
            _ => "bin",
        };
        format!("recording.{extension}")
    })
}

/// Into the trash, from where it can be taken back for a while; or for good.
pub async fn delete(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let id: RecordingId = call.id()?;
    let forever = forever(&call)? || app.config.restore_ms == 0;
    if let Some(entry) = app.parts.store.recording(owner, id).await? {
        conditions::of_version(&call.headers, &version_tag(entry.version))?;
    }
    if !forever {
        let grace = SignedDuration::try_from(ms(app.config.restore_ms));
        let grace = grace.unwrap_or(SignedDuration::MAX);
        let trashed = app.parts.store.trash_recording(owner, id, grace);
        let until = trashed.await?.ok_or_else(Refusal::not_found)?;
        tracing::info!(recording.id = %id, "recording deleted, and can be restored");
        let view = DeletedView::new(app.place.base(), id, until);
        return Ok(respond::json(StatusCode::OK, &view));
    }
    let work = {
        let app = app.clone();
        async move {
            let Some(keys) = app.parts.store.delete_recording(owner, id).await? else {
                return Err(Refusal::not_found());
            };
            for key in keys {
                // The row is gone, so nobody can reach the bytes any more.
                if let Err(error) = app.parts.blobs.delete(key).await {
                    tracing::error!("the bytes of a deleted recording remain, {key}: {error}");
                }
            }
            tracing::info!(recording.id = %id, "recording deleted");
            Ok(respond::empty(StatusCode::NO_CONTENT))
        }
    };
    app.unbroken(work).await
}

fn forever(call: &Call) -> Result<bool, Refusal> {
    call.only_query(&["forever"])?;
    match call.query("forever").as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => {
            let detail = format!(
                "forever is \"{}\"; it must be true or false",
                respond::shorten(other)
            );
            Err(Refusal::field(
                ProblemKind::InvalidField,
                "/forever",
                detail,
            ))
        }
    }
}

pub async fn restore(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let id: RecordingId = call.id()?;
    let restored = app.parts.store.restore_recording(owner, id).await?;
    let entry = restored.ok_or_else(Refusal::not_found)?;
    tracing::info!(recording.id = %id, "recording restored");
    whole(&app, None, owner, &entry).await
}
