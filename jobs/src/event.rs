//! What happens to a job, as whoever watches it hears of it.

use serde::{Deserialize, Serialize};

use crate::{id::EventId, job::Job};

/// News about a job. The job is as it was then.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: EventId,
    pub kind: EventKind,
    pub job: Job,
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
}

impl EventKind {
    pub fn name(self) -> &'static str {
        match self {
            EventKind::Queued => "job.queued",
            EventKind::Running => "job.running",
            EventKind::Progress => "job.progress",
            EventKind::Completed => "job.completed",
            EventKind::Failed => "job.failed",
            EventKind::Cancelled => "job.cancelled",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        use EventKind::*;
        [Queued, Running, Progress, Completed, Failed, Cancelled]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}
