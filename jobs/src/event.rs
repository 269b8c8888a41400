//! What happens to a job and to what is made of it, as whoever watches hears of it.

use serde::{Deserialize, Serialize};

use crate::{
    derivative::{Derivative, DerivativeStatus},
    id::EventId,
    job::Job,
};

/// News about a job. The job is as it was then.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: EventId,
    pub kind: EventKind,
    pub job: Job,
    /// Where it is news of one.
    pub derivative: Option<Derivative>,
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
            EventKind::DerivativeReady => "derivative.ready",
            EventKind::DerivativeFailed => "derivative.failed",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        use EventKind::*;
        let job = [Queued, Running, Progress, Completed, Failed, Cancelled];
        let all = job.into_iter().chain([DerivativeReady, DerivativeFailed]);
        all.into_iter().find(|kind| kind.name() == name)
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
