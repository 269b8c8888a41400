//! Uploads that come in pieces.

use jiff::Timestamp;
use retake_jobs::id::{JobId, RecordingId};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    addresses::{job_address, recording_address},
    words,
};
use crate::partials::Partial;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Upload")]
pub struct UploadView {
    /// Also the recording's that it becomes.
    #[schemars(with = "words::Id")]
    id: RecordingId,
    /// Bytes that have come and are safe.
    offset: u64,
    /// Null while it is not known.
    length: Option<u64>,
    #[schemars(with = "words::Time")]
    expires_at: Timestamp,
    /// Once it is whole: the job that was made of it.
    #[schemars(with = "Option<words::Id>")]
    job_id: Option<JobId>,
    links: UploadLinks,
}

/// Addresses of what there is now.
#[derive(Serialize, JsonSchema)]
struct UploadLinks {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "words::Address")]
    recording: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "words::Address")]
    job: Option<String>,
}

impl UploadView {
    pub fn new(base: &str, partial: &Partial, offset: u64) -> Self {
        let recording = || recording_address(base, partial.id);
        Self {
            id: partial.id,
            offset,
            length: partial.length,
            expires_at: partial.expires_at,
            job_id: partial.job,
            links: UploadLinks {
                recording: partial.job.map(|_| recording()),
                job: partial.job.map(|id| job_address(base, id)),
            },
        }
    }
}
