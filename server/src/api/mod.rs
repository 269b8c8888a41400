//! The JSON clients see. Rows become views here and nowhere else, so that a column added to a row
//! does not become part of the interface by accident.

mod derivatives;
mod plugins;

use http::StatusCode;
use retake_jobs::{
    correction::Correction,
    event::Event,
    id::{EventId, JobId, RecordingId},
    job::{Job, Status},
    recording::Recording,
    seams::{JobRecord, RecordingWithJobs},
};
use serde::Serialize;

pub use derivatives::DerivativeView;
pub use plugins::{PluginView, VersionView, accepted};

/// Addresses begin with the path under which we are reached, `base`: empty at the root.
fn job_address(base: &str, id: JobId) -> String {
    format!("{base}/api/v1/jobs/{id}")
}

fn job_audio_address(base: &str, id: JobId) -> String {
    format!("{base}/api/v1/jobs/{id}/audio")
}

fn recording_address(base: &str, id: RecordingId) -> String {
    format!("{base}/api/v1/recordings/{id}")
}

#[derive(Serialize)]
pub struct JobView<'a> {
    #[serde(flatten)]
    job: &'a Job,
    /// Once completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    correction: Option<CorrectionView<'a>>,
    links: JobLinks,
}

#[derive(Serialize)]
struct CorrectionView<'a> {
    audio_url: String,
    size_bytes: u64,
    content_type: &'a str,
    sha256: &'a str,
}

#[derive(Serialize)]
struct JobLinks {
    #[serde(rename = "self")]
    itself: String,
    recording: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peaks: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    derivatives: Option<String>,
}

impl<'a> JobView<'a> {
    pub fn new(base: &str, job: &'a Job) -> Self {
        let itself = job_address(base, job.id);
        let completed = job.status == Status::Completed;
        let under = |name: &str| format!("{itself}/{name}");
        Self {
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
            job,
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
#[derive(Serialize)]
pub struct Accepted<'a> {
    /// The recording's.
    id: RecordingId,
    job: JobView<'a>,
    /// Where an event stream must begin so that it tells of everything after this.
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
#[derive(Serialize)]
pub struct News<'a> {
    job: JobView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    derivative: Option<DerivativeView<'a>>,
}

impl<'a> News<'a> {
    pub fn new(base: &str, event: &'a Event) -> Self {
        let job = &event.job;
        let completed = job.status == Status::Completed;
        let derivative = event.derivative.as_ref();
        Self {
            job: JobView::new(base, job),
            audio_url: completed.then(|| job_audio_address(base, job.id)),
            derivative: derivative.map(|it| DerivativeView::new(base, it)),
        }
    }
}

#[derive(Serialize)]
pub struct RecordingView<'a> {
    #[serde(flatten)]
    recording: &'a Recording,
    jobs: Vec<JobView<'a>>,
    links: RecordingLinks,
}

#[derive(Serialize)]
struct RecordingLinks {
    #[serde(rename = "self")]
    itself: String,
    audio: String,
    jobs: String,
}

impl<'a> RecordingView<'a> {
    pub fn new(base: &str, row: &'a RecordingWithJobs) -> Self {
        let itself = recording_address(base, row.recording.id);
        Self {
            recording: &row.recording,
            jobs: row.jobs.iter().map(|job| JobView::new(base, job)).collect(),
            links: RecordingLinks {
                audio: format!("{itself}/audio"),
                jobs: format!("{itself}/jobs"),
                itself,
            },
        }
    }
}

#[derive(Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_page_token: Option<String>,
}

#[derive(Serialize)]
pub struct ReportView<'a> {
    job_id: JobId,
    #[serde(flatten)]
    report: &'a retake_chain::report::Report,
}

impl<'a> ReportView<'a> {
    pub fn new(job_id: JobId, correction: &'a Correction) -> Self {
        Self {
            job_id,
            report: &correction.report,
        }
    }
}
