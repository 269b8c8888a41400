//! What happens to recordings, their jobs and what is made of those, as whoever watches hears of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    derivative::{Derivative, DerivativeStatus},
    id::{EventId, JobId, OwnerId, RecordingId},
    job::Job,
};

/// What it is about is as it was then.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: EventId,
    pub owner: OwnerId,
    pub kind: EventKind,
    pub subject: Subject,
}

#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // nearly all are jobs
pub enum Subject {
    Job(Job),
    Derivative(Job, Derivative),
    Recording(RecordingNews),
}

/// A recording that its owner has changed, deleted or taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordingNews {
    pub id: RecordingId,
    /// Of one that is deleted, until when it can be taken back.
    pub restorable_until: Option<Timestamp>,
}

impl Event {
    pub fn job(&self) -> Option<&Job> {
        match &self.subject {
            Subject::Job(job) | Subject::Derivative(job, _) => Some(job),
            Subject::Recording(_) => None,
        }
    }

    pub fn is_of(&self, job: JobId) -> bool {
        self.job().is_some_and(|is| is.id == job)
    }

    pub fn derivative(&self) -> Option<&Derivative> {
        match &self.subject {
            Subject::Derivative(_, derivative) => Some(derivative),
            Subject::Job(_) | Subject::Recording(_) => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    #[serde(rename = "job.queued")]
    Queued,
    #[serde(rename = "job.running")]
    Running,
    #[serde(rename = "job.progress")]
    Progress,
    #[serde(rename = "job.completed")]
    Completed,
    #[serde(rename = "job.failed")]
    Failed,
    #[serde(rename = "job.cancelled")]
    Cancelled,
    #[serde(rename = "derivative.ready")]
    DerivativeReady,
    #[serde(rename = "derivative.failed")]
    DerivativeFailed,
    #[serde(rename = "recording.changed")]
    RecordingChanged,
    #[serde(rename = "recording.deleted")]
    RecordingDeleted,
    #[serde(rename = "recording.restored")]
    RecordingRestored,
}

impl EventKind {
    pub const ALL: [Self; 11] = [
        Self::Queued,
        Self::Running,
        Self::Progress,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::DerivativeReady,
        Self::DerivativeFailed,
        Self::RecordingChanged,
        Self::RecordingDeleted,
        Self::RecordingRestored,
    ];

    pub fn name(self) -> &'static str {
        match self {
            EventKind::Queued => "job.queued",
            EventKind::Running => "job.running",
            EventKind::Progress => "job.progress",
            EventKind::Completed => "job.completed",
            EventKind::Failed => "job.failed",
            EventKind::Cancelled => "job.cancelled",
            EventKind::DerivativeReady => "derivative.ready",
            EventKind::DerivativeFailed => "derivative.failed",
            EventKind::RecordingChanged => "recording.changed",
            EventKind::RecordingDeleted => "recording.deleted",
            EventKind::RecordingRestored => "recording.restored",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What a derivative's end is news of; `None` for one that waits.
    pub fn of_derivative(status: DerivativeStatus) -> Option<Self> {
        match status {
            DerivativeStatus::Waiting => None,
            DerivativeStatus::Ready => Some(Self::DerivativeReady),
            DerivativeStatus::Failed => Some(Self::DerivativeFailed),
        }
    }
}
