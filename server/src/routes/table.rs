//! The one route table: every address there is, what each does, and who does it.
//!
//! To add a route: write its handler, `async fn(Arc<App>, Call) -> Answer`, in a file of this folder;
//! write what it answers as a view in `api/`, with `Serialize` and `JsonSchema`, each field by name; and
//! add one entry to the file of `table/` where its like stand. The entry says everything that the OpenAPI
//! document says of it: `owner()` or `admin()` where it asks who asks, `takes` each parameter (one for
//! each `{…}` of the address), `json`, `form` or `bytes` its body, `answers` each status that is no
//! problem, `refuses` each problem. Then `make openapi` writes docs/openapi.json, of which the page's
//! types are made when it is built or tested.
//!
//! What is forgotten fails a test: a parameter that is not told of, an answer or a field that is not
//! (`tests/openapi.rs` looks at every answer that any test of the server gets), a document that is not the
//! one in docs/.

mod credentials;
mod jobs;
mod plugins;
mod presets;
mod recordings;
mod service;
mod shares;
mod uploads;
mod webhooks;

use retake_chain::problem::ProblemKind as No;
use serde_json::json;

use super::Routes;
use crate::api::{
    DerivativeView,
    operation::{Operation, Parameter, header, path},
};

/// One after another.
pub fn fill(routes: &mut Routes) {
    credentials::fill(routes);
    recordings::fill(routes);
    uploads::fill(routes);
    jobs::fill(routes);
    shares::fill(routes);
    presets::fill(routes);
    plugins::fill(routes);
    webhooks::fill(routes);
    service::fill(routes);
}

fn uuid() -> serde_json::Value {
    json!({"type": "string", "format": "uuid"})
}

fn id() -> Parameter {
    path(
        "id",
        "What is not yours answers 404, like what does not exist.",
        uuid(),
    )
}

fn plugin() -> Parameter {
    path(
        "plugin",
        "A plugin's id, or its short name, which means the plugin that had it first.",
        json!({"type": "string"}),
    )
    .example("denoise")
}

fn version() -> Parameter {
    path(
        "version",
        "A plugin's exact version.",
        json!({"type": "string"}),
    )
    .example("1.0.0")
}

/// Something that is made of a completed job of mine when it is asked for, as a file.
fn made(operation: Operation, mimes: &[&'static str]) -> Operation {
    on_demand(operation.owner(), mimes)
}

/// The same, whoever asks.
fn on_demand(operation: Operation, mimes: &[&'static str]) -> Operation {
    operation
        .takes(
            header(
                "Prefer",
                "`wait=N` (RFC 7240): how many seconds to wait for what is still to be made; 10 \
                 without it, 27 at most.",
                json!({"type": "string"}),
            )
            .example("wait=5"),
        )
        .file(mimes)
        .answers::<DerivativeView>(202, "It is being made: ask again.")
        .with_header("Retry-After", "Seconds.")
        .refuses(&[
            No::NotFound,
            No::NotReady,
            No::InvalidField,
            No::TooManyRequests,
            No::StorageFull,
        ])
        // Why it could not be made.
        .refuses(&[
            No::UnsupportedStream,
            No::DamagedAudio,
            No::TooMuchScratch,
            No::TooLong,
            No::StepFailed,
            No::StepCrashed,
            No::DeadlineExceeded,
            No::TooManyAttempts,
        ])
}

fn rendition() -> Parameter {
    path(
        "rendition",
        "A format, and behind a colon what is to be other than usual: `mp3`, \
                     `mp3:bitrate=64,mono`, `wav:bits=16,rate=44100`. Formats: `wav`, `flac`, \
                     `opus`, `mp3`, `m4a`. Options: `bitrate=` kbit/s of all channels (mp3 8 to \
                     320, m4a 16 to 512, opus 6 to 510), `vbr` (mp3), `bits=` 16, 24, 32f (wav; \
                     flac 16, 24), `mono`, `rate=` Hz.",
        json!({"type": "string", "maxLength": 100}),
    )
    .example("mp3:bitrate=64,mono")
}

fn peaks_side() -> Parameter {
    path(
        "side",
        "`original` or `corrected`; with `.dat` or `.json` behind it as BBC's \
                 audiowaveform writes peaks, version 2, else at several resolutions \
                 (docs/renditions.md).",
        json!({"enum": [
            "original", "corrected", "original.dat", "corrected.dat", "original.json",
            "corrected.json",
        ]}),
    )
}

fn side() -> Parameter {
    path(
        "side",
        "Which of the two that are compared.",
        json!({"enum": ["original", "corrected"]}),
    )
}

fn columns_per_second() -> Parameter {
    path(
        "columns_per_second",
        "How many columns make a second.",
        json!({"type": "integer", "minimum": 1, "maximum": 1000}),
    )
}

fn tile() -> Parameter {
    path(
        "tile",
        "The tile begins at column 1,024 times this.",
        json!({"type": "integer", "minimum": 0}),
    )
}
