//! Uploads that go on after a cut.

use http::Method;
use retake_chain::problem::ProblemKind as No;
use serde_json::json;

use super::{Routes, id};
use crate::{
    api::{
        UploadView,
        operation::{Operation, Tag, delete, get, header, patch, post},
    },
    routes::uploads,
};

const AT: &str = "/api/v1/uploads";
const ONE: &str = "/api/v1/uploads/{id}";

/// What the recording itself may be refused for, once it is whole.
const REFUSED: &[No] = &[
    No::TooLarge,
    No::NotAudio,
    No::UnknownCodec,
    No::InvalidField,
    No::InvalidChain,
    No::UnknownPreset,
    No::EmptyAudio,
    No::StorageFull,
    No::RequestUnderWay,
    No::RequestTimeout,
];

pub fn fill(routes: &mut Routes) {
    let about = "tus 1.0.0 (https://tus.io): creation, creation-with-upload, creation-defer-length, expiration, \
                 termination and checksum.";
    routes.on(
        Operation {
            method: Method::OPTIONS,
            ..get(
                AT,
                "describeUploads",
                Tag::Recordings,
                "What tus can do here",
            )
        }
        .about(about)
        .answers_nothing(204, "Told by the headers.")
        .with_header("Tus-Version", "1.0.0")
        .with_header("Tus-Extension", "Names, with commas between them.")
        .with_header("Tus-Max-Size", "Bytes.")
        .with_header("Tus-Checksum-Algorithm", "sha1,sha256"),
        uploads::options,
    );
    routes.on_slow(
        tus(post(AT, "createUpload", Tag::Recordings, "Begin an upload in pieces"))
            .about(
                "`Upload-Metadata` holds the form's fields (user_email, preset, chain, format, track) and \
                 `filename`. Where the body is not empty, it is the first piece.",
            )
            .takes(number("Upload-Length", "How many bytes it will have."))
            .takes(number("Upload-Defer-Length", "1: that is not known yet."))
            .takes(header(
                "Upload-Metadata",
                "`key base64,key base64`.",
                json!({"type": "string"}),
            ))
            .answers_nothing(201, "Begun.")
            .with_header("Location", "Where its pieces go.")
            .with_header("Upload-Offset", "Bytes that have come and are safe.")
            .with_header("Upload-Expires", "When what there is of it is removed.")
            .refuses(&[No::TooManyRequests, No::UploadLocked, No::ChecksumMismatch])
            .refuses(REFUSED),
        uploads::create,
    );
    routes.on_slow(
        tus(get(
            ONE,
            "getUpload",
            Tag::Recordings,
            "How far an upload has come",
        ))
        .about(
            "HEAD needs `Tus-Resumable`, GET does not. While a piece comes it is 423: ask again. `Upload-Length` says how many bytes there will be, or \
             `Upload-Defer-Length: 1` that this is not known.",
        )
        .takes(id())
        .answers::<UploadView>(200, "And by the headers.")
        .with_header("Upload-Offset", "Bytes that have come and are safe.")
        .with_header("Upload-Expires", "When what there is of it is removed.")
        .refuses(&[No::NotFound, No::UploadLocked])
        .refuses(REFUSED),
        uploads::look,
    );
    routes.on_slow(
        tus(patch(ONE, "appendUpload", Tag::Recordings, "The next piece of an upload"))
            .about(
                "Its body is `application/offset+octet-stream`. What came before a cut is kept. After the last \
                 piece the recording and its job are there, once, whatever is sent again.",
            )
            .takes(id())
            .takes(number("Upload-Offset", "Where the piece begins: how much has come."))
            .takes(number("Upload-Length", "Where it was not known before."))
            .takes(header(
                "Upload-Checksum",
                "`sha1 base64` or `sha256 base64` of the piece; 460 where it is another, and nothing of it is kept.",
                json!({"type": "string"}),
            ))
            .bytes("application/offset+octet-stream")
            .answers_nothing(204, "It is safe.")
            .with_header("Upload-Offset", "Bytes that have come and are safe.")
            .with_header("Upload-Expires", "When what there is of it is removed.")
            .refuses(&[
                No::NotFound,
                No::UploadLocked,
                No::OffsetMismatch,
                No::ChecksumMismatch,
            ])
            .refuses(REFUSED),
        uploads::append,
    );
    routes.on(
        tus(delete(
            ONE,
            "deleteUpload",
            Tag::Recordings,
            "Give an upload up",
        ))
        .about("What it became stays.")
        .takes(id())
        .answers_nothing(204, "It is gone.")
        .refuses(&[No::NotFound, No::UploadLocked]),
        uploads::terminate,
    );
}

fn tus(operation: Operation) -> Operation {
    operation
        .owner()
        .takes(header(
            "Tus-Resumable",
            "1.0.0; anything else is 412.",
            json!({"type": "string"}),
        ))
        .refuses(&[No::InvalidRequest, No::PreconditionFailed])
}

fn number(name: &'static str, about: &'static str) -> crate::api::operation::Parameter {
    header(name, about, json!({"type": "integer", "minimum": 0}))
}
