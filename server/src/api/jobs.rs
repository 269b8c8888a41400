//! Jobs, and what tells of them.

use http::StatusCode;
use jiff::Timestamp;
use retake_chain::{Chain, Pins, format::asked, problem::Problem};
use retake_findings::Finding;
use retake_jobs::{
    event::{Event, Subject},
    id::{EventId, JobId, RecordingId},
    job::{Job, Status},
    seams::JobRecord,
    trace::TraceContext,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    DerivativeView,
    addresses::{job_address, job_audio_address, recording_address},
    recordings::RecordingNewsView,
    words,
};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Job")]
pub struct JobView<'a> {
    #[schemars(with = "words::Id")]
    id: JobId,
    #[schemars(with = "words::Id")]
    recording_id: RecordingId,
    #[schemars(with = "words::Chain")]
    chain: &'a Chain,
    /// What the chain's steps run, by step, settled when the job was accepted; null for an external
    /// service. Empty for a job that an earlier release accepted.
    #[schemars(with = "Vec<Option<words::PluginRef>>")]
    plugins: &'a Pins,
    /// The preset that the chain came from, if any.
    preset: Option<&'a str>,
    /// What it was asked for in, `auto` for what is natural for the recording; once the job is completed,
    /// what that was.
    #[schemars(with = "words::Format")]
    format: &'static str,
    /// Which of the recording's audio tracks; null leaves it to the file.
    #[schemars(range(min = 1, max = 10_000))]
    track: Option<u32>,
    status: JobStatus,
    /// Never falls within an attempt.
    #[schemars(range(min = 0, max = 1))]
    progress: f32,
    /// The step being run, as the chain names it.
    step: Option<&'a str>,
    /// 0 before the first.
    attempt: u32,
    /// Asked to stop while running.
    cancel_requested: bool,
    /// Why it failed.
    #[schemars(with = "Option<words::Problem>")]
    error: Option<&'a Problem>,
    /// Findings of severity `warning`.
    #[schemars(with = "Vec<words::Finding>")]
    warnings: &'a [Finding],
    /// Of the request that made the job.
    request_id: Option<&'a str>,
    /// W3C Trace Context: the trace of the request that made the job, or one begun for it.
    #[schemars(with = "Option<String>")]
    traceparent: Option<TraceContext>,
    #[schemars(with = "words::Time")]
    created_at: Timestamp,
    #[schemars(with = "Option<words::Time>")]
    started_at: Option<Timestamp>,
    #[schemars(with = "Option<words::Time>")]
    ended_at: Option<Timestamp>,
    /// Once completed, and only where the job itself was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CorrectionView<'static>")]
    correction: Option<CorrectionView<'a>>,
    links: JobLinks,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Status")]
pub enum JobStatus {
    Queued,
    Running,
    Completed,
    Failed,
    Cancelled,
}

/// The corrected audio.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Correction")]
struct CorrectionView<'a> {
    #[schemars(with = "words::Address")]
    audio_url: String,
    size_bytes: u64,
    content_type: &'a str,
    #[schemars(with = "words::Sha256")]
    sha256: &'a str,
}

/// Addresses of what there is now.
#[derive(Serialize, JsonSchema)]
struct JobLinks {
    #[serde(rename = "self")]
    #[schemars(with = "words::Address")]
    itself: String,
    #[schemars(with = "words::Address")]
    recording: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "words::Address")]
    cancel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "words::Address")]
    audio: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "words::Address")]
    report: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "words::Address")]
    peaks: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "words::Address")]
    derivatives: Option<String>,
}

impl From<Status> for JobStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Queued => Self::Queued,
            Status::Running => Self::Running,
            Status::Completed => Self::Completed,
            Status::Failed => Self::Failed,
            Status::Cancelled => Self::Cancelled,
        }
    }
}

impl<'a> JobView<'a> {
    pub fn new(base: &str, job: &'a Job) -> Self {
        let itself = job_address(base, job.id);
        let completed = job.status == Status::Completed;
        let under = |name: &str| format!("{itself}/{name}");
        Self {
            id: job.id,
            recording_id: job.recording_id,
            chain: &job.chain,
            plugins: &job.pins,
            preset: job.preset.as_deref(),
            format: asked::name(job.format),
            track: job.track,
            status: job.status.into(),
            progress: job.progress,
            step: job.step.as_deref(),
            attempt: job.attempt,
            cancel_requested: job.cancel_requested,
            error: job.error.as_ref(),
            warnings: &job.warnings,
            request_id: job.request_id.as_deref(),
            traceparent: job.traceparent,
            created_at: job.created_at,
            started_at: job.started_at,
            ended_at: job.ended_at,
            correction: None,
            links: JobLinks {
                recording: recording_address(base, job.recording_id),
                cancel: (!job.status.is_ended()).then(|| under("cancel")),
                audio: completed.then(|| under("audio")),
                report: completed.then(|| under("report")),
                peaks: completed.then(|| under("peaks/corrected")),
                derivatives: completed.then(|| under("derivatives")),
                itself,
            },
        }
    }

    pub fn of_record(base: &str, record: &'a JobRecord) -> Self {
        let correction = record.correction.as_ref().map(|correction| CorrectionView {
            audio_url: job_audio_address(base, record.job.id),
            size_bytes: correction.size_bytes,
            content_type: &correction.content_type,
            sha256: &correction.sha256,
        });
        Self {
            correction,
            ..Self::new(base, &record.job)
        }
    }
}

/// "talk.webm" corrected by preset speech is "talk-speech", whatever it is made into.
pub fn download_stem(original: Option<&str>, job: &Job) -> String {
    let stem = original.map_or("recording", |name| {
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    });
    let chain = job.preset.as_deref().unwrap_or("corrected");
    format!("{stem}-{chain}")
}

/// What an accepted job answers.
#[derive(Serialize, JsonSchema)]
pub struct Accepted<'a> {
    /// The recording's.
    #[schemars(with = "words::Id")]
    id: RecordingId,
    job: JobView<'a>,
    /// An event stream that begins after it misses nothing.
    #[schemars(with = "i64")]
    event_id: EventId,
}

impl<'a> Accepted<'a> {
    pub fn new(base: &str, job: &'a Job, event_id: EventId) -> Self {
        Self {
            id: job.recording_id,
            job: JobView::new(base, job),
            event_id,
        }
    }

    pub fn into_response(self) -> warp::reply::Response {
        let mut response = crate::http::respond::json(StatusCode::ACCEPTED, &self);
        let address = self.job.links.itself.as_str();
        let address = address.try_into().expect("a path of ASCII");
        response
            .headers_mut()
            .insert(http::header::LOCATION, address);
        response
    }
}

/// `data` of an event.
#[derive(Serialize, JsonSchema)]
pub struct News<'a> {
    /// Of job.* and derivative.*.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "JobView<'static>")]
    job: Option<JobView<'a>>,
    /// Of job.completed: the corrected audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "words::Address")]
    audio_url: Option<String>,
    /// Of derivative.ready and derivative.failed: which.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DerivativeView<'static>")]
    derivative: Option<DerivativeView<'a>>,
    /// Of recording.changed, recording.deleted and recording.restored: which.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RecordingNewsView")]
    recording: Option<RecordingNewsView>,
}

impl<'a> News<'a> {
    pub fn new(base: &str, event: &'a Event) -> Self {
        let job = event.job();
        let completed = job.filter(|job| job.status == Status::Completed);
        let recording = match &event.subject {
            Subject::Recording(news) => Some(RecordingNewsView::new(base, news)),
            Subject::Job(_) | Subject::Derivative(..) => None,
        };
        Self {
            job: job.map(|job| JobView::new(base, job)),
            audio_url: completed.map(|job| job_audio_address(base, job.id)),
            derivative: event.derivative().map(|it| DerivativeView::new(base, it)),
            recording,
        }
    }
}
