//! The two messages, as JSON. Readers ignore unknown fields; nothing is ever removed.

use jiff::Timestamp;
use retake_chain::problem::Problem;
use serde::{Deserialize, Serialize};

use crate::{
    email::Email,
    id::{JobId, RecordingId},
    job::Status,
};

/// Job queue: there is work. Only a hint; the job's row says whether it is still to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobMessage {
    /// The recording's id.
    pub id: RecordingId,
    pub user_email: Email,
    pub timestamp: Timestamp,
    pub job_id: JobId,
    /// Attempts made before this message was written.
    pub attempt: u32,
    /// The job's [`crate::trace`], for whoever looks at queues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// Completion queue: a job has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompletionMessage {
    /// The recording's id.
    pub id: RecordingId,
    pub user_email: Email,
    /// Completed, failed or cancelled.
    pub status: Status,
    pub timestamp: Timestamp,
    pub job_id: JobId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}
