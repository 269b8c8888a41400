//! What is handed in.

use retake_chain::problem::ProblemKind as No;
use serde_json::json;

use super::{Routes, id};
use crate::{
    api::{
        Accepted, Page, RecordingView,
        operation::{Parameter, Tag, delete, get, post, query},
        requests::NewRecording,
    },
    routes::{recordings, upload},
};

/// A recording that is the whole body.
const RAW: &[&str] = &["audio/*", "video/*", "application/octet-stream"];

pub fn fill(routes: &mut Routes) {
    routes.on_slow(
        post(
            "/api/v1/recordings",
            "createRecording",
            Tag::Recordings,
            "Hand in a recording and order its correction",
        )
        .about(
            "A form, its fields in any order; or the recording alone as the body, and the fields in the \
             query. Without `preset` and `chain` it is preset `auto`; both must not be given. 202 is answered after the recording is safely stored.",
        )
        .owner()
        .once()
        .form::<NewRecording>(&["chain"])
        .or_bytes(RAW)
        .takes(raw_field("user_email", "Who sends it."))
        .takes(raw_field("preset", "A preset's name."))
        .takes(raw_field("chain", "The steps, as JSON."))
        .takes(raw_field("format", "What the correction is to be written as."))
        .takes(raw_field("track", "Which of the recording's audio tracks, from 1."))
        .takes(raw_field("file_name", "What a person calls it."))
        .answers::<Accepted>(202, "Accepted and never lost.")
        .with_header("Location", "The job's address.")
        .refuses(&[
            No::InvalidRequest,
            No::RequestTimeout,
            No::TooLarge,
            No::NotAudio,
            No::UnknownCodec,
            No::InvalidField,
            No::InvalidChain,
            No::UnknownPreset,
            No::EmptyAudio,
            No::TooManyRequests,
            No::StorageFull,
        ]),
        upload::create,
    );
    routes.on(
        get(
            "/api/v1/recordings",
            "listRecordings",
            Tag::Recordings,
            "My recordings, newest first",
        )
        .owner()
        .takes(query(
            "page_token",
            "`next_page_token` of the page before.",
            json!({"type": "string"}),
        ))
        .answers::<Page<RecordingView>>(200, "At most 50.")
        .refuses(&[No::InvalidField]),
        recordings::list,
    );
    routes.on(
        get(
            "/api/v1/recordings/{id}",
            "getRecording",
            Tag::Recordings,
            "A recording with its jobs",
        )
        .owner()
        .takes(id())
        .answers::<RecordingView>(200, "The recording, newest job first.")
        .refuses(&[No::NotFound]),
        recordings::get,
    );
    routes.on(
        delete(
            "/api/v1/recordings/{id}",
            "deleteRecording",
            Tag::Recordings,
            "Delete a recording with its jobs, corrections and events",
        )
        .owner()
        .takes(id())
        .answers_nothing(204, "Gone.")
        .refuses(&[No::NotFound, No::PreconditionFailed]),
        recordings::delete,
    );
    routes.on(
        get(
            "/api/v1/recordings/{id}/audio",
            "getRecordingAudio",
            Tag::Recordings,
            "The original audio",
        )
        .owner()
        .takes(id())
        .file(&["audio/*"])
        .refuses(&[No::NotFound]),
        recordings::audio,
    );
}

/// Where the body is the recording, the form's fields stand in the query.
fn raw_field(name: &'static str, about: &'static str) -> Parameter {
    query(name, about, json!({"type": "string"}))
}
