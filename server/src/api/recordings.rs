//! Recordings.

use jiff::Timestamp;
use retake_jobs::{
    entry::{Entry, JobCounts},
    id::RecordingId,
    job::Job,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{addresses::recording_address, jobs::JobView, words};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Recording")]
pub struct RecordingView<'a> {
    #[schemars(with = "words::Id")]
    id: RecordingId,
    #[schemars(extend("format" = "email"))]
    user_email: &'a str,
    /// What its owner calls it; null for what the file is called.
    name: Option<&'a str>,
    /// As the client called it, cut to 255 characters.
    file_name: Option<&'a str>,
    tags: &'a [String],
    notes: Option<&'a str>,
    /// What the first bytes say, never what the client said.
    content_type: &'a str,
    size_bytes: u64,
    /// Known once a job of it is completed.
    duration_ms: Option<u64>,
    #[schemars(with = "words::Sha256")]
    sha256: &'a str,
    #[schemars(with = "words::Time")]
    created_at: Timestamp,
    job_counts: JobCountsView,
    newest_job: Option<JobView<'a>>,
    /// The newest 50, newest first; only where the recording itself was asked for. All of them are at
    /// `links.jobs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<JobView<'static>>")]
    jobs: Option<Vec<JobView<'a>>>,
    links: RecordingLinks,
}

/// How many jobs it has.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "JobCounts")]
struct JobCountsView {
    total: u64,
    queued: u64,
    running: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
}

impl From<JobCounts> for JobCountsView {
    fn from(counts: JobCounts) -> Self {
        Self {
            total: counts.total(),
            queued: counts.queued,
            running: counts.running,
            completed: counts.completed,
            failed: counts.failed,
            cancelled: counts.cancelled,
        }
    }
}

/// Addresses of what there is now.
#[derive(Serialize, JsonSchema)]
struct RecordingLinks {
    #[serde(rename = "self")]
    #[schemars(with = "words::Address")]
    itself: String,
    #[schemars(with = "words::Address")]
    audio: String,
    #[schemars(with = "words::Address")]
    jobs: String,
}

impl<'a> RecordingView<'a> {
    pub fn new(base: &str, entry: &'a Entry) -> Self {
        let recording = &entry.recording;
        let itself = recording_address(base, recording.id);
        Self {
            id: recording.id,
            user_email: recording.user_email.as_str(),
            name: entry.metadata.name.as_deref(),
            file_name: recording.file_name.as_deref(),
            tags: &entry.metadata.tags,
            notes: entry.metadata.notes.as_deref(),
            content_type: &recording.content_type,
            size_bytes: recording.size_bytes,
            duration_ms: entry.duration_ms,
            sha256: &recording.sha256,
            created_at: recording.created_at,
            job_counts: entry.jobs.into(),
            newest_job: entry.newest_job.as_ref().map(|job| JobView::new(base, job)),
            jobs: None,
            links: RecordingLinks {
                audio: format!("{itself}/audio"),
                jobs: format!("{itself}/jobs"),
                itself,
            },
        }
    }

    pub fn with_jobs(base: &str, entry: &'a Entry, jobs: &'a [Job]) -> Self {
        Self {
            jobs: Some(jobs.iter().map(|job| JobView::new(base, job)).collect()),
            ..Self::new(base, entry)
        }
    }
}

/// A recording in the trash.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeletedRecording")]
pub struct DeletedView {
    #[schemars(with = "words::Id")]
    id: RecordingId,
    /// Until then it can be restored; after that it is gone with all that was made of it.
    #[schemars(with = "words::Time")]
    restorable_until: Timestamp,
    links: DeletedLinks,
}

/// Where to take it back.
#[derive(Serialize, JsonSchema)]
struct DeletedLinks {
    /// For POST.
    #[schemars(with = "words::Address")]
    restore: String,
}

impl DeletedView {
    pub fn new(base: &str, id: RecordingId, restorable_until: Timestamp) -> Self {
        let restore = format!("{}/restore", recording_address(base, id));
        Self {
            id,
            restorable_until,
            links: DeletedLinks { restore },
        }
    }
}

/// Of recording.changed, recording.deleted and recording.restored: which.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RecordingNews")]
pub struct RecordingNewsView {
    #[schemars(with = "words::Id")]
    id: RecordingId,
    /// Of one that was deleted: until when it can be restored; null where it is gone for good.
    #[schemars(with = "Option<words::Time>")]
    restorable_until: Option<Timestamp>,
    links: RecordingNewsLinks,
}

#[derive(Serialize, JsonSchema)]
struct RecordingNewsLinks {
    #[serde(rename = "self")]
    #[schemars(with = "words::Address")]
    itself: String,
}

impl RecordingNewsView {
    pub fn new(base: &str, news: &retake_jobs::event::RecordingNews) -> Self {
        Self {
            id: news.id,
            restorable_until: news.restorable_until,
            links: RecordingNewsLinks {
                itself: recording_address(base, news.id),
            },
        }
    }
}
