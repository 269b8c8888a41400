//! Recordings that are there: list, look, listen, delete. How they come in is in `upload`.

use std::sync::Arc;

use http::StatusCode;
use retake_jobs::{
    id::RecordingId,
    recording::Recording,
    seams::{BlobKey, RecordingWithJobs},
};
use warp::reply::Response;

use crate::{
    api::RecordingView,
    app::App,
    call::Call,
    http::{
        conditions,
        respond::{self, Refusal},
    },
    routes::{
        download::{Download, Keep},
        paging,
    },
    session::auth,
};

const PAGE_LENGTH: usize = 50;

pub async fn list(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let before = paging::before(&call)?;
    // One more than the page tells whether there is another page.
    let rows = app
        .parts
        .store
        .recordings(owner, before, PAGE_LENGTH + 1)
        .await?;
    let page = paging::page(
        &rows,
        PAGE_LENGTH,
        |row| row.recording.id,
        |row| RecordingView::new(app.place.base(), row),
    );
    Ok(respond::json(StatusCode::OK, &page))
}

async fn find(app: &App, call: &Call) -> Result<RecordingWithJobs, Refusal> {
    let owner = auth::owner(app, call).await?;
    let id = call.id()?;
    app.parts
        .store
        .recording(owner, id)
        .await?
        .ok_or_else(Refusal::not_found)
}

pub async fn get(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let row = find(&app, &call).await?;
    Ok(respond::json(
        StatusCode::OK,
        &RecordingView::new(app.place.base(), &row),
    ))
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

pub async fn delete(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let id: RecordingId = call.id()?;
    if let Err(failed) = conditions::of_untagged(&call.headers) {
        find(&app, &call).await?;
        return Err(failed);
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
