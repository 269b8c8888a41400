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
    lease::{Errand, Excused, Lease, Leased},
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

impl Errand for Submission {
    const WHAT: &'static str = "the plugin's check";

    fn waits(&self) -> bool {
        self.status == SubmissionStatus::Checking
    }

    fn excused(&mut self) -> &mut Excused {
        &mut self.excused
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }

    fn fail(&mut self, problem: Problem, now: Timestamp) {
        self.refuse(problem, now);
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
