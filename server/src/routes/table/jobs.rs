//! Jobs, what is made of them, and the news of them.

use retake_chain::problem::ProblemKind as No;
use serde_json::json;

use super::{Routes, columns_per_second, id, made, peaks_side, rendition, side, tile, uuid};
use crate::{
    api::{
        Accepted, DerivativeView, JobView, News, Page, ReportView,
        operation::{Operation, Tag, get, header, path, post, query},
        requests::NewJob,
    },
    live::telling,
    routes::{derivatives, events, jobs},
};

pub fn fill(routes: &mut Routes) {
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
        .refuses(&[
            No::NotFound,
            No::InvalidChain,
            No::UnknownPreset,
            No::AddressRefused,
            No::EgressForbidden,
        ]),
        jobs::create,
    );
    routes.on(
        listed(get(
            "/api/v1/recordings/{id}/jobs",
            "listRecordingJobs",
            Tag::Jobs,
            "A recording's jobs, newest first",
        ))
        .takes(id())
        .refuses(&[No::NotFound]),
        jobs::list_of_recording,
    );
    routes.on(
        listed(get(
            "/api/v1/jobs",
            "listJobs",
            Tag::Jobs,
            "My jobs, newest first",
        ))
        .takes(query("recording_id", "Of that recording only.", uuid())),
        jobs::list,
    );
    routes.on(
        get("/api/v1/jobs/{id}", "getJob", Tag::Jobs, "A job")
            .owner()
            .takes(id())
            .takes(
                header(
                    "Prefer",
                    "`wait=N` (RFC 7240): how many seconds to wait for its end, 27 at most; none without it.",
                    json!({"type": "string"}),
                )
                .example("wait=20"),
            )
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
            .takes(rendition()),
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
                "/api/v1/jobs/{id}/compare.m4a",
                "getCompareTracks",
                Tag::Derivatives,
                "The same as two tracks",
            )
            .about(
                "M4A (AAC-LC), for players that cannot decode such channels and can change tracks: first \
                 the original, then the correction, which plays unless another is chosen.",
            )
            .takes(id()),
            &["audio/mp4"],
        ),
        derivatives::compare_tracks,
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
                "The lowest and highest sample of each stretch; ask for parts with `Range`. At several \
                 resolutions it is there as soon as the job is completed, else made when it is asked \
                 for, and kept until the room is needed for another.",
            )
            .takes(id())
            .takes(peaks_side()),
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
                 with its neighbours (512 in one pass), and kept until the room is needed for another.",
            )
            .takes(id())
            .takes(side())
            .takes(columns_per_second())
            .takes(tile()),
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
             job.cancelled, and derivative.ready and derivative.failed about what is made of a \
             job, each with an `id` and `data` as in News. Begins after `Last-Event-ID`, \
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

/// A list of jobs.
fn listed(operation: Operation) -> Operation {
    operation
        .owner()
        .takes(
            query(
                "status",
                "One or several, with commas between them.",
                json!({"type": "string"}),
            )
            .example("queued,running"),
        )
        .takes(query(
            "preset",
            "Whose chain came from that preset.",
            json!({"type": "string", "minLength": 1, "maxLength": 255}),
        ))
        .page::<Page<JobView>>()
}
