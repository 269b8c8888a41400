//! Recordings.

use jiff::Timestamp;
use retake_jobs::{id::RecordingId, seams::RecordingWithJobs};
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
    /// As the client called it, cut to 255 characters.
    file_name: Option<&'a str>,
    /// What the first bytes say, never what the client said.
    content_type: &'a str,
    size_bytes: u64,
    #[schemars(with = "words::Sha256")]
    sha256: &'a str,
    #[schemars(with = "words::Time")]
    created_at: Timestamp,
    /// The newest first.
    jobs: Vec<JobView<'a>>,
    links: RecordingLinks,
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
    pub fn new(base: &str, row: &'a RecordingWithJobs) -> Self {
        let recording = &row.recording;
        let itself = recording_address(base, recording.id);
        Self {
            id: recording.id,
            user_email: recording.user_email.as_str(),
            file_name: recording.file_name.as_deref(),
            content_type: &recording.content_type,
            size_bytes: recording.size_bytes,
            sha256: &recording.sha256,
            created_at: recording.created_at,
            jobs: row.jobs.iter().map(|job| JobView::new(base, job)).collect(),
            links: RecordingLinks {
                audio: format!("{itself}/audio"),
                jobs: format!("{itself}/jobs"),
                itself,
            },
        }
    }
}
