//! The one route table: every address there is, what each does, and who does it.
//!
//! To add a route: write its handler, `async fn(Arc<App>, Call) -> Answer`, in a file of this folder;
//! write what it answers as a view in `api/`, with `Serialize` and `JsonSchema`, each field by name; and
//! add one entry here. The entry says everything that the OpenAPI document says of it: `owner()` or
//! `admin()` where it asks who asks, `takes` each parameter (one for each `{…}` of the address), `json`,
//! `form` or `bytes` its body, `answers` each status that is no problem, `refuses` each problem. Then
//! `make openapi` writes docs/openapi.json and what the page knows of it.
//!
//! What is forgotten fails a test: a parameter that is not told of, an answer or a field that is not
//! (`tests/openapi.rs` looks at every answer that any test of the server gets), a document that is not the
//! one in docs/.

mod credentials;
mod plugins;

use retake_chain::problem::ProblemKind as No;
use serde_json::json;

use super::{Routes, catalogue, derivatives, events, health, jobs, recordings, upload};
use crate::{
    api::{
        Accepted, Alive, DerivativeView, JobView, LimitsView, News, Page, Readiness, RecordingView,
        ReportView, Version,
        operation::{Operation, Parameter, Tag, delete, get, header, path, post, query},
        requests::{NewJob, NewRecording},
        words,
    },
    live::telling,
};

/// A recording that is the whole body.
const RAW: &[&str] = &["audio/*", "video/*", "application/octet-stream"];

/// One after another, as the document lists them.
pub fn fill(routes: &mut Routes) {
    credentials::fill(routes);
    recordings_and_their_audio(routes);
    jobs_and_what_is_made_of_them(routes);
    plugins::fill(routes);
    catalogue_and_operations(routes);
}

fn recordings_and_their_audio(routes: &mut Routes) {
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
        .once()
        .form::<NewRecording>(&["chain"])
        .or_bytes(RAW)
        .takes(raw_field("user_email", "Who sends it."))
        .takes(raw_field("preset", "A preset's name."))
        .takes(raw_field("chain", "The steps, as JSON."))
        .takes(raw_field(
            "format",
            "What the correction is to be written as.",
        ))
        .takes(raw_field(
            "track",
            "Which of the recording's audio tracks, from 1.",
        ))
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

fn jobs_and_what_is_made_of_them(routes: &mut Routes) {
    routes.on(
        post(
            "/api/v1/recordings/{id}/jobs",
            "createJob",
            Tag::Jobs,
            "Order another correction of a recording",
        )
        .owner()
        .once()
        .takes(id())
        .json::<NewJob>(false, json!({"preset": "speech", "format": "flac"}))
        .answers::<Accepted>(202, "Accepted.")
        .with_header("Location", "The job's address.")
        .refuses(&[No::NotFound, No::InvalidChain, No::UnknownPreset]),
        jobs::create,
    );
    routes.on(
        get("/api/v1/jobs/{id}", "getJob", Tag::Jobs, "A job")
            .owner()
            .takes(id())
            .answers::<JobView>(200, "The job as it is now.")
            .refuses(&[No::NotFound]),
        jobs::get,
    );
    routes.on(
        post(
            "/api/v1/jobs/{id}/cancel",
            "cancelJob",
            Tag::Jobs,
            "Cancel a job",
        )
        .about("A queued job ends at once; a running one stops soon, and its event says when.")
        .owner()
        .takes(id())
        .answers::<JobView>(202, "The job after the request.")
        .refuses(&[No::NotFound, No::AlreadyEnded]),
        jobs::cancel,
    );
    routes.on(
        get(
            "/api/v1/jobs/{id}/audio",
            "getJobAudio",
            Tag::Jobs,
            "The corrected audio",
        )
        .owner()
        .takes(id())
        .file(&["audio/*"])
        .refuses(&[No::NotFound, No::NotReady]),
        jobs::audio,
    );
    routes.on(
        get(
            "/api/v1/jobs/{id}/report",
            "getJobReport",
            Tag::Jobs,
            "What was measured and done",
        )
        .owner()
        .takes(id())
        .answers::<ReportView>(200, "The report.")
        .refuses(&[No::NotFound, No::NotReady]),
        jobs::report,
    );
    routes.on(
        get(
            "/api/v1/jobs/{id}/peaks",
            "getJobPeaks",
            Tag::Jobs,
            "The correction's waveform",
        )
        .owner()
        .takes(id())
        .takes(points())
        .answers::<words::Peaks>(200, "At most as many points as asked for.")
        .refuses(&[No::NotFound, No::NotReady, No::InvalidField]),
        jobs::peaks,
    );
    routes.on(
        get(
            "/api/v1/jobs/{id}/steps/{index}/delta",
            "getStepDelta",
            Tag::Jobs,
            "What a step took away",
        )
        .about(
            "The step's input less its output, aligned with the recording and as long, in the \
             job's format. 404 where the step kept none: ask with `\"delta\": true` in the chain.",
        )
        .owner()
        .takes(id())
        .takes(path(
            "index",
            "The step's place in the report's steps, from 0.",
            json!({"type": "integer", "minimum": 0}),
        ))
        .file(&["audio/*"])
        .refuses(&[No::NotFound, No::NotReady]),
        jobs::delta,
    );
    routes.on(
        get(
            "/api/v1/jobs/{id}/derivatives",
            "listDerivatives",
            Tag::Derivatives,
            "What was made of the job, and what waits to be made",
        )
        .about("The oldest first.")
        .owner()
        .takes(id())
        .answers::<Page<DerivativeView>>(200, "All of them.")
        .refuses(&[No::NotFound, No::NotReady]),
        derivatives::list,
    );
    routes.on(
        made(
            get(
                "/api/v1/jobs/{id}/renditions/{rendition}",
                "getRendition",
                Tag::Derivatives,
                "The correction in another format",
            )
            .about(
                "Made when it is first asked for, and kept until the room is needed for another. \
                 Nothing is corrected again.",
            )
            .takes(id())
            .takes(
                path(
                    "rendition",
                    "A format, and behind a colon what is to be other than usual: `mp3`, \
                     `mp3:bitrate=64,mono`, `wav:bits=16,rate=44100`. Formats: `wav`, `flac`, \
                     `opus`, `mp3`, `m4a`. Options: `bitrate=` kbit/s of all channels (mp3 8 to \
                     320, m4a 16 to 512, opus 6 to 510), `vbr` (mp3), `bits=` 16, 24, 32f (wav; \
                     flac 16, 24), `mono`, `rate=` Hz.",
                    json!({"type": "string", "maxLength": 100}),
                )
                .example("mp3:bitrate=64,mono"),
            ),
            &["audio/*"],
        ),
        derivatives::rendition,
    );
    routes.on(
        made(
            get(
                "/api/v1/jobs/{id}/compare",
                "getCompareStream",
                Tag::Derivatives,
                "One stream to compare by",
            )
            .about(
                "WebM with one Opus track whose uncoupled channels are the original and the \
                 correction, aligned to the sample: two channels where both are mono, else four. \
                 Made when it is first asked for, and kept until the room is needed for another.",
            )
            .takes(id()),
            &["video/webm", "audio/webm"],
        ),
        derivatives::compare,
    );
    routes.on(
        made(
            get(
                "/api/v1/jobs/{id}/peaks/{side}",
                "getPeaksPyramid",
                Tag::Derivatives,
                "The waveform at several resolutions",
            )
            .about(
                "The lowest and highest sample of each stretch; ask for parts with `Range`. Made \
                 when it is first asked for, and kept until the room is needed for another.",
            )
            .takes(id())
            .takes(path(
                "side",
                "`original` or `corrected`; with `.dat` or `.json` behind it as BBC's \
                 audiowaveform writes peaks, version 2, else at several resolutions \
                 (docs/renditions.md).",
                json!({"enum": [
                    "original", "corrected", "original.dat", "corrected.dat", "original.json",
                    "corrected.json",
                ]}),
            )),
            &["application/octet-stream", "application/json"],
        ),
        derivatives::peaks,
    );
    routes.on(
        made(
            get(
                "/api/v1/jobs/{id}/spectrograms/{side}/{columns_per_second}/{tile}",
                "getSpectrogramTile",
                Tag::Derivatives,
                "A piece of the spectrogram",
            )
            .about(
                "PNG, 8-bit grey, 1,024 columns by 128 mel bands. Made when it is first asked for, \
                 and kept until the room is needed for another.",
            )
            .takes(id())
            .takes(path(
                "side",
                "Which of the two that are compared.",
                json!({"enum": ["original", "corrected"]}),
            ))
            .takes(path(
                "columns_per_second",
                "How many columns make a second.",
                json!({"type": "integer", "minimum": 1, "maximum": 1000}),
            ))
            .takes(path(
                "tile",
                "The tile begins at column 1,024 times this.",
                json!({"type": "integer", "minimum": 0}),
            )),
            &["image/png"],
        ),
        derivatives::spectrogram,
    );
    routes.on(
        get(
            telling::ADDRESS,
            "streamEvents",
            Tag::Events,
            "News about my jobs, as server-sent events",
        )
        .about(
            "Events job.queued, job.running, job.progress, job.completed, job.failed and \
             job.cancelled, each with an `id` and `data` as in News. Begins after `Last-Event-ID`, \
             else after `after`, else at the newest; the first line names the place. A comment every \
             15 s keeps the line alive. `event: bye` says that the server stops: connect again. \
             `event: reload`, right behind the first line, says that the place asked for is older \
             than what is kept, or lies beyond the log: ask for everything anew; the stream goes on \
             from the newest event.",
        )
        .owner()
        .takes(header(
            "Last-Event-ID",
            "The `id` of the last event that was heard. What is no number is ignored.",
            json!({"type": "integer", "minimum": 0}),
        ))
        .takes(query(
            "after",
            "`event_id` of an accepted job, say.",
            json!({"type": "integer", "minimum": 0}),
        ))
        .stream::<News>("text/event-stream", "The stream.")
        .refuses(&[No::TooManyRequests]),
        events::stream,
    );
}

fn catalogue_and_operations(routes: &mut Routes) {
    routes.on(
        get(
            "/api/v1/presets",
            "listPresets",
            Tag::Catalogue,
            "The chains that have a name",
        )
        .answers::<Page<words::Preset>>(200, "The presets."),
        catalogue::presets,
    );
    routes.on(
        get(
            "/api/v1/openapi.json",
            "getOpenApi",
            Tag::Catalogue,
            "This description",
        )
        .answers_object("OpenAPI 3.1."),
        catalogue::openapi,
    );
    routes.on(
        get(
            "/api/v1/limits",
            "getLimits",
            Tag::Catalogue,
            "How much this server takes",
        )
        .answers::<LimitsView>(200, "Its settings, as far as they concern clients."),
        catalogue::limits,
    );
    routes.on(
        get(
            "/api/v1/version",
            "getVersion",
            Tag::Catalogue,
            "Which version of the program and of this interface answers",
        )
        .answers::<Version>(200, "The version."),
        catalogue::version,
    );
    routes.on(
        get(
            "/problems/{kind}",
            "getProblem",
            Tag::Catalogue,
            "What a problem's type means",
        )
        .takes(
            path("kind", "The end of its `type`.", json!({"type": "string"})).example("not-audio"),
        )
        .answers_text("text/markdown", "Its section of docs/problems.md.")
        .refuses(&[No::NotFound]),
        catalogue::problem,
    );
    routes.on(
        get(
            "/healthz",
            "getHealth",
            Tag::Operations,
            "Whether the process is alive",
        )
        .answers::<Alive>(200, "It is."),
        health::alive,
    );
    routes.on(
        get(
            "/readyz",
            "getReadiness",
            Tag::Operations,
            "Whether store and queue are within reach",
        )
        .answers::<Readiness>(200, "They are.")
        .answers::<Readiness>(503, "Something is missing, or the server stops."),
        health::ready,
    );
    routes.on(
        get(
            "/metrics",
            "getMetrics",
            Tag::Operations,
            "Counters, in the Prometheus text format",
        )
        .answers_text("text/plain", "Totals only."),
        health::metrics,
    );
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

fn points() -> Parameter {
    let (most, usual) = (jobs::POINTS_MAX, jobs::POINTS_DEFAULT);
    let schema = json!({"type": "integer", "minimum": 1, "maximum": most, "default": usual});
    query("points", "How many a drawing has room for.", schema)
}

/// Something that is made of a completed job when it is asked for, as a file.
fn made(operation: Operation, mimes: &[&'static str]) -> Operation {
    operation
        .owner()
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

/// Where the body is the recording, the form's fields stand in the query.
fn raw_field(name: &'static str, about: &'static str) -> Parameter {
    query(name, about, json!({"type": "string"}))
}
