//! What is handed in.

use retake_chain::problem::ProblemKind as No;
use serde_json::json;

use super::{Routes, id};
use crate::{
    api::{
        Accepted, DeletedView, Page, RecordingView,
        operation::{Parameter, Tag, delete, get, patch, post, query},
        requests::{LinkedRecording, NewRecording, RecordingEdit},
    },
    routes::{list_query::SORTS, recordings, upload},
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
             query; or JSON with the recording's `url`, which is fetched before the answer comes. Without `preset` and `chain` it is preset `auto`; both must not be given. 202 is answered after the recording is safely stored.",
        )
        .owner()
        .once()
        .form::<NewRecording>(&["chain"])
        .or_bytes(RAW)
        .or_json::<LinkedRecording>()
        .takes(raw_field("user_email", "Who sends it."))
        .takes(raw_field("preset", "A preset's name."))
        .takes(raw_field("chain", "The steps, as JSON."))
        .takes(raw_field("format", "What the correction is to be written as."))
        .takes(raw_field("track", "Which of the recording's audio tracks, from 1."))
        .takes(raw_field("egress", "`forbid`: nothing may be sent to an external service."))
        .takes(raw_field("callback_url", "Hears of the job's end."))
        .takes(raw_field("file_name", "What a person calls it."))
        .answers::<Accepted>(202, "Accepted and never lost.")
        .with_header("Location", "The job's address.")
        .refuses(&[
            No::InvalidRequest,
            No::RequestTimeout,
            No::TooLarge,
            No::FetchFailed,
            No::NotAudio,
            No::UnknownCodec,
            No::InvalidField,
            No::InvalidChain,
            No::AddressRefused,
            No::EgressForbidden,
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
            "My recordings",
        )
        .about("Each with its newest job and how many it has; all of them are at `links.jobs`.")
        .owner()
        .takes(
            query(
                "sort",
                "The order; `-created_at`, the newest first, without it. A recording whose duration is not \
                 known counts as the shortest.",
                json!({"enum": SORTS.map(|(name, _)| name)}),
            )
            .example("name"),
        )
        .takes(query(
            "status",
            "Of the newest job: one or several, with commas between them.",
            json!({"type": "string"}),
        )
        .example("queued,running"))
        .takes(query(
            "q",
            "What the name holds, whatever the case: `name` where there is one, else `file_name`.",
            json!({"type": "string", "minLength": 1, "maxLength": 255}),
        ))
        .takes(query(
            "tag",
            "A tag that it has; several times for several.",
            json!({"type": "string", "minLength": 1, "maxLength": 64}),
        ))
        .takes(query("created_from", "Created then or later.", time()))
        .takes(query("created_to", "Created before then.", time()))
        .page::<Page<RecordingView>>(),
        recordings::list,
    );
    routes.on(
        get(
            "/api/v1/recordings/{id}",
            "getRecording",
            Tag::Recordings,
            "A recording with its newest jobs",
        )
        .owner()
        .takes(id())
        .answers::<RecordingView>(200, "The recording, newest job first.")
        .tagged()
        .refuses(&[No::NotFound]),
        recordings::get,
    );
    routes.on(
        patch(
            "/api/v1/recordings/{id}",
            "editRecording",
            Tag::Recordings,
            "Name a recording, tag it, note something",
        )
        .about(
            "What is left out stays, null takes a text away (RFC 7396). Told by the event \
             recording.changed.",
        )
        .owner()
        .takes(id())
        .json::<RecordingEdit>(
            false,
            json!({"name": "Interview, second half", "tags": ["radio"], "notes": null}),
        )
        .answers::<RecordingView>(200, "The recording as it is now.")
        .with_header("ETag", "As that of the recording.")
        .versioned()
        .refuses(&[No::NotFound]),
        recordings::edit,
    );
    routes.on(
        delete(
            "/api/v1/recordings/{id}",
            "deleteRecording",
            Tag::Recordings,
            "Delete a recording with its jobs and corrections",
        )
        .about(
            "For a while it can be restored; meanwhile it is nowhere, its jobs wait, and one that runs is \
             stopped and waits. After that, or with `forever=true`, it is gone with its bytes. Told by the \
             event recording.deleted.",
        )
        .owner()
        .takes(id())
        .takes(query(
            "forever",
            "`true`: it cannot be restored. Also for one that was deleted before.",
            json!({"type": "boolean"}),
        ))
        .answers::<DeletedView>(200, "Deleted, and can be restored until then.")
        .answers_nothing(204, "Gone for good.")
        .versioned()
        .refuses(&[No::NotFound, No::InvalidField]),
        recordings::delete,
    );
    routes.on(
        post(
            "/api/v1/recordings/{id}/restore",
            "restoreRecording",
            Tag::Recordings,
            "Take a deleted recording back",
        )
        .about(
            "404 once it is gone for good. Jobs that waited or ran go on. Told by the event \
             recording.restored, after which clients ask for the recording anew.",
        )
        .owner()
        .takes(id())
        .answers::<RecordingView>(200, "The recording, as it was.")
        .with_header("ETag", "As that of the recording.")
        .refuses(&[No::NotFound]),
        recordings::restore,
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

fn time() -> serde_json::Value {
    json!({"type": "string", "format": "date-time"})
}
