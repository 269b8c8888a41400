//! A job and its states, as a pure state machine: no clock, no store. Backends load a job, call one
//! of these transitions inside a transaction, and store what comes out.
//!
//! ```text
//! queued ──claim──▶ running ──settle──▶ completed | failed | cancelled
//!   ▲                 │ release, or the lease expired and attempts are left
//!   └─────────────────┘            queued ──cancel──▶ cancelled
//! ```

pub mod changes;
mod transitions;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use retake_chain::{Chain, Pins, format::Format, problem::Problem};
use retake_findings::Finding;
use retake_secrets::SecretUrl;
use serde::{Deserialize, Serialize};

use crate::{
    correction::Correction,
    derivative::Byproduct,
    id::{JobId, OwnerId, RecordingId},
    lease::{Excused, Lease},
    trace::TraceContext,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub id: JobId,
    pub recording_id: RecordingId,
    #[serde(skip, default = "OwnerId::new")]
    pub owner: OwnerId,
    pub chain: Chain,
    /// What its steps run, settled when the job was accepted. Empty for a job that an earlier
    /// release accepted.
    #[serde(default, rename = "plugins")]
    pub pins: Pins,
    /// The preset the chain came from, if any.
    pub preset: Option<String>,
    /// What the correction was asked for in, `None` for what is natural for the recording. Once the job is
    /// completed, what it came to be in then.
    #[serde(with = "retake_chain::format::asked")]
    pub format: Option<Format>,
    /// Which of the recording's audio tracks is corrected, from 1. `None` leaves it to the file.
    #[serde(default)]
    pub track: Option<u32>,
    pub status: Status,
    /// 0 to 1; never falls within an attempt.
    pub progress: f32,
    /// The step being run, as the chain names it.
    pub step: Option<String>,
    /// Which attempt is running or ran last; 0 before the first. It is the fencing token.
    pub attempt: u32,
    /// How many of them ended through no fault of the job's.
    #[serde(skip)]
    pub excused: Excused,
    #[serde(skip)]
    pub lease: Option<Lease>,
    /// Asked to stop while running; the worker hears it from its next heartbeat.
    pub cancel_requested: bool,
    pub error: Option<Problem>,
    /// What was found that a person should hear of.
    pub warnings: Vec<Finding>,
    /// Travels with the job from the request that made it to its correction.
    pub request_id: Option<String>,
    /// So does this; `None` for a job that an earlier release accepted.
    #[serde(default)]
    pub traceparent: Option<TraceContext>,
    /// Hears of the job's end.
    #[serde(skip)]
    pub callback_url: Option<SecretUrl>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Queued,
    Running,
    Completed,
    Failed,
    Cancelled,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Completed {
        /// Its bytes were put before, under `BlobKey::Correction`.
        correction: Box<Correction>,
        byproducts: Vec<Byproduct>,
        warnings: Vec<Finding>,
    },
    Failed {
        problem: Problem,
        warnings: Vec<Finding>,
    },
    Cancelled,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimRefused {
    #[error("the job has ended")]
    Ended,
    /// Another attempt's lease runs until then; ask again after it.
    #[error("the job is leased until {until}")]
    Leased { until: Timestamp },
    /// It waits, and it is not yet its turn: ask again in a while.
    #[error("it is not the job's turn")]
    NotNow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the job has already ended")]
pub struct AlreadyEnded;

/// What `expire` made of a running job whose lease has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expired {
    /// Back in the queue.
    Queued,
    /// No attempts left; failed, or cancelled if that was asked.
    Ended,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Running => "running",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        }
    }

    pub fn is_ended(self) -> bool {
        matches!(self, Status::Completed | Status::Failed | Status::Cancelled)
    }
}
