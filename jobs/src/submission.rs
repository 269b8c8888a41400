//! A plugin on its way into the catalogue, as a pure state machine like [`crate::job`]: no clock, no
//! store.
//!
//! ```text
//! checking ──claim──▶ checking, leased ──settle──▶ published | refused
//!     ▲                   │ release, or the lease expired and attempts are left
//!     └───────────────────┘
//! ```

pub mod publishing;

use jiff::Timestamp;
use retake_chain::{InstalledPlugin, problem::Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    id::SubmissionId,
    lease::{Attempt, Blame, Excused, Lease, LeaseLost, LeaseTerms, Leased, too_many_lost},
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
    /// How many of them ended through no fault of the plugin's.
    #[serde(skip)]
    pub excused: Excused,
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

impl Leased for Submission {
    type Id = SubmissionId;
    type Outcome = Verdict;

    fn id(&self) -> SubmissionId {
        self.id
    }

    fn held(&mut self) -> (&mut u32, &mut Option<Lease>) {
        (&mut self.attempt, &mut self.lease)
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
            excused: Excused::default(),
            lease: None,
            request_id: None,
            created_at: now,
            ended_at: None,
        }
    }

    /// The right to check it, if nobody does. One whose lease has run out is left alone for a while,
    /// longer each time; with no attempts left it is refused here.
    pub fn claim(
        &mut self,
        worker: &str,
        now: Timestamp,
        terms: LeaseTerms,
    ) -> Option<Attempt<Submission>> {
        if self.status != SubmissionStatus::Checking {
            return None;
        }
        if let Some(lease) = &self.lease {
            let lost = self.excused.lost + 1;
            let after = Excused {
                lost,
                ..self.excused
            };
            if now.duration_since(lease.until) < after.rest() || lease.until > now {
                return None;
            }
            let problem = too_many_lost("the plugin's check", self.attempt, lost, terms);
            self.give_up_attempt(now, terms, Blame::Nobody, problem);
            if self.status != SubmissionStatus::Checking {
                return None;
            }
        }
        Some(self.begin(worker, now, terms))
    }

    /// Gives it back unchecked, to be claimed at once. With no attempts left it is refused with
    /// `reason`.
    pub fn release(
        &mut self,
        attempt: Attempt<Submission>,
        now: Timestamp,
        terms: LeaseTerms,
        blame: Blame,
        reason: Problem,
    ) -> Result<(), LeaseLost> {
        self.lease_of(attempt)?;
        self.give_up_attempt(now, terms, blame, reason);
        Ok(())
    }

    fn give_up_attempt(
        &mut self,
        now: Timestamp,
        terms: LeaseTerms,
        blame: Blame,
        reason: Problem,
    ) {
        let age = now.duration_since(self.created_at);
        self.lease = None;
        if self.excused.one_too_many(self.attempt, blame, age, terms) {
            self.refuse(reason, now);
        }
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
}
