//! A plugin on its way into the catalogue, as a pure state machine like [`crate::job`]: no clock, no
//! store.
//!
//! ```text
//! checking ──claim──▶ checking, leased ──settle──▶ published | refused
//!     ▲                   │ the lease expired and attempts are left
//!     └───────────────────┘
//! ```

pub mod publishing;

use jiff::Timestamp;
use retake_chain::{
    InstalledPlugin,
    problem::{Problem, ProblemKind},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    id::SubmissionId,
    job::{Lease, LeaseLost, LeaseTerms},
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    pub id: SubmissionId,
    pub status: SubmissionStatus,
    /// SHA-256 of the file, lower-case hex.
    pub digest: String,
    pub size_bytes: u64,
    /// What the file says it is, once that is known.
    pub plugin: Option<PluginName>,
    /// Why it was refused.
    pub error: Option<Problem>,
    /// What the conformance kit found, as it wrote it.
    pub check: Option<Value>,
    /// Which attempt is checking or checked last; 0 before the first. It is the fencing token.
    #[serde(skip)]
    pub attempt: u32,
    #[serde(skip)]
    pub lease: Option<Lease>,
    pub request_id: Option<String>,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubmissionStatus {
    Checking,
    Published,
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginName {
    pub id: String,
    pub version: String,
}

/// One try at checking a submission, held by the worker that claimed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckAttempt {
    pub submission: SubmissionId,
    pub attempt: u32,
}

/// What checking a submission came to.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // there is one at a time, and it is taken apart at once
pub enum Verdict {
    Passed {
        plugin: InstalledPlugin,
        check: Value,
    },
    Refused {
        problem: Problem,
        plugin: Option<PluginName>,
        check: Option<Value>,
    },
}

impl SubmissionStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Published => "published",
            Self::Refused => "refused",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Checking, Self::Published, Self::Refused]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

impl Submission {
    /// Waiting to be checked. `request_id` is the caller's to fill in.
    pub fn new(id: SubmissionId, digest: String, size_bytes: u64, now: Timestamp) -> Self {
        Self {
            id,
            status: SubmissionStatus::Checking,
            digest,
            size_bytes,
            plugin: None,
            error: None,
            check: None,
            attempt: 0,
            lease: None,
            request_id: None,
            created_at: now,
            ended_at: None,
        }
    }

    /// The right to check it, if nobody does or the lease has run out. One that has no attempts left
    /// is refused here.
    pub fn claim(
        &mut self,
        worker: &str,
        now: Timestamp,
        terms: LeaseTerms,
    ) -> Option<CheckAttempt> {
        let leased = self.lease.as_ref().is_some_and(|lease| lease.until > now);
        if self.status != SubmissionStatus::Checking || leased {
            return None;
        }
        if self.attempt >= terms.attempts_max {
            let detail = format!(
                "checking the plugin was tried {} times, and the last attempt ended without a word; \
                 {} attempts are allowed",
                self.attempt, terms.attempts_max
            );
            self.refuse(Problem::new(ProblemKind::TooManyAttempts, detail), now);
            return None;
        }
        self.attempt += 1;
        self.lease = Some(Lease {
            worker: worker.to_owned(),
            until: terms.until(now),
        });
        Some(CheckAttempt {
            submission: self.id,
            attempt: self.attempt,
        })
    }

    /// A heartbeat. A lease that ran out is renewed too, as long as nobody else has claimed.
    pub fn extend(
        &mut self,
        attempt: CheckAttempt,
        now: Timestamp,
        terms: LeaseTerms,
    ) -> Result<(), LeaseLost> {
        self.lease_of(attempt)?.until = terms.until(now);
        Ok(())
    }

    /// Whether `attempt` may still settle it.
    pub fn is_held_by(&mut self, attempt: CheckAttempt) -> Result<(), LeaseLost> {
        self.lease_of(attempt).map(drop)
    }

    pub fn publish(&mut self, now: Timestamp) {
        self.end(SubmissionStatus::Published, now);
    }

    pub fn refuse(&mut self, problem: Problem, now: Timestamp) {
        self.end(SubmissionStatus::Refused, now);
        self.error = Some(problem);
    }

    fn end(&mut self, status: SubmissionStatus, now: Timestamp) {
        self.status = status;
        self.lease = None;
        self.ended_at = Some(now);
    }

    fn lease_of(&mut self, attempt: CheckAttempt) -> Result<&mut Lease, LeaseLost> {
        if self.id != attempt.submission || self.attempt != attempt.attempt {
            return Err(LeaseLost);
        }
        // Only one that is being checked has a lease.
        self.lease.as_mut().ok_or(LeaseLost)
    }
}
