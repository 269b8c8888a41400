//! Addresses begin with the path under which we are reached, `base`: empty at the root.

use retake_jobs::id::{JobId, RecordingId, SubmissionId};

pub fn job_address(base: &str, id: JobId) -> String {
    format!("{base}/api/v1/jobs/{id}")
}

pub fn job_audio_address(base: &str, id: JobId) -> String {
    format!("{base}/api/v1/jobs/{id}/audio")
}

pub fn recording_address(base: &str, id: RecordingId) -> String {
    format!("{base}/api/v1/recordings/{id}")
}

pub fn submission_address(base: &str, id: SubmissionId) -> String {
    format!("{base}/api/v1/plugin-submissions/{id}")
}
