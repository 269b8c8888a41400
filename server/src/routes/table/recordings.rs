//! Sessions, and what is handed in.

use retake_chain::problem::ProblemKind as No;
use serde_json::json;

use super::{Routes, id, points};
use crate::{
    api::{
        Accepted, Page, RecordingView, TokenMade,
        operation::{Tag, delete, get, post, query},
        requests::{NewRecording, NewSession},
        words,
    },
    routes::{recordings, sessions, upload},
};

pub fn fill(routes: &mut Routes) {
    routes.on(
        post(
            "/api/v1/sessions",
            "createSession",
            Tag::Sessions,
            "Open a session: a new anonymous owner",
        )
        .about(
            "Without a body, or with `cookie: false`, the answer holds the token. With \
             `cookie: true` it comes as an HttpOnly cookie instead, and 200 says that the cookie \
             sent along is still good.",
        )
        .json::<NewSession>(false, json!({"cookie": false}))
        .answers::<TokenMade>(201, "The new session.")
        .answers::<TokenMade>(200, "The cookie's session is still good.")
        .refuses(&[No::ForeignOrigin, No::TooManyRequests]),
        sessions::create,
    );
    routes.on_slow(
        post(
            "/api/v1/recordings",
            "createRecording",
            Tag::Recordings,
            "Hand in a recording and order its correction",
        )
        .about(
            "Fields in any order. Without `preset` and `chain` it is preset `auto`; both must not \
             be given. 202 is answered after the recording is safely stored.",
        )
        .owner()
        .form::<NewRecording>(&["chain"])
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
    routes.on(
        get(
            "/api/v1/recordings/{id}/peaks",
            "getRecordingPeaks",
            Tag::Recordings,
            "The original's waveform, known once a job has measured it",
        )
        .owner()
        .takes(id())
        .takes(points())
        .answers::<words::Peaks>(200, "At most as many points as asked for.")
        .refuses(&[No::NotFound, No::NotReady, No::InvalidField]),
        recordings::peaks,
    );
}
