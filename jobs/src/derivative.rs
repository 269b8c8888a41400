//! What is made of a completed job when somebody asks for it, and can be made again: the correction in
//! another format, pictures of it, a stream to compare by. A pure state machine like [`crate::job`]: no
//! clock, no store.
//!
//! ```text
//! waiting ──claim──▶ waiting, leased ──settle──▶ ready | failed
//!     ▲                  │ release, or the lease expired and attempts are left
//!     └──────────────────┘
//! ```
//!
//! Of those that are ready, whichever was not asked for longest goes where the room for them is full; one
//! that failed is forgotten after a while. Asked for again, either is made anew.

mod kind;

use jiff::{SignedDuration, Timestamp};
use retake_chain::problem::Problem;
use retake_findings::Finding;
use serde::{Deserialize, Serialize};

use crate::{
    id::{DerivativeId, JobId, OwnerId},
    job::Job,
    lease::{Attempt, Errand, Excused, Lease, Leased},
    seams::BlobKey,
};

pub use kind::{Kind, NotAKind, PeaksForm, Side};

/// One that failed is made anew for whoever asks after this.
pub const FAILED_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// That it was asked for is written down no more often than this.
pub const USED_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Whoever reads it says so again before this is over; until then it is kept, however little room there is.
pub const READING: SignedDuration = SignedDuration::from_mins(2);
/// What the smallest takes of the room for all, so that their number is bounded, too.
pub const WEIGHT_BYTES_MIN: u64 = 16 << 10;

/// Its JSON is what an event keeps of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Derivative {
    pub id: DerivativeId,
    pub job_id: JobId,
    #[serde(skip, default = "OwnerId::new")]
    pub owner: OwnerId,
    pub kind: Kind,
    pub status: DerivativeStatus,
    /// Why there is none.
    pub error: Option<Problem>,
    /// Once ready. Its bytes are under [`Derivative::key`].
    pub file: Option<DerivedFile>,
    /// Which attempt is making it or made it last; 0 before the first. It is the fencing token.
    pub attempt: u32,
    #[serde(skip)]
    pub excused: Excused,
    #[serde(skip)]
    pub lease: Option<Lease>,
    pub request_id: Option<String>,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// When it was asked for last, to [`USED_EVERY`]; while somebody reads it, until when it is kept for that.
    pub used_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DerivativeStatus {
    Waiting,
    Ready,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DerivedFile {
    pub content_type: String,
    pub size_bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
    /// What was found in making it that a person should hear of.
    #[serde(default)]
    pub warnings: Vec<Finding>,
}

/// What was made besides, by an attempt at a job or at another derivative: ready with that, as if it had been
/// asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Byproduct {
    pub id: DerivativeId,
    pub kind: Kind,
    /// Its bytes were put before, under [`Byproduct::key`].
    pub file: DerivedFile,
}

/// What making it came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Derived {
    /// The bytes were put before, under `BlobKey::Derivative`.
    Ready {
        file: DerivedFile,
        /// Of the same job, where they are not there already.
        byproducts: Vec<Byproduct>,
    },
    Failed(Problem),
}

impl From<DerivedFile> for Derived {
    fn from(file: DerivedFile) -> Self {
        let byproducts = Vec::new();
        Self::Ready { file, byproducts }
    }
}

impl DerivativeStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Ready, Self::Failed]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

impl Derivative {
    /// Waiting to be made. `request_id` is the caller's to fill in.
    pub fn new(owner: OwnerId, job_id: JobId, kind: Kind, now: Timestamp) -> Self {
        Self {
            id: DerivativeId::new(now),
            job_id,
            owner,
            kind,
            status: DerivativeStatus::Waiting,
            error: None,
            file: None,
            attempt: 0,
            excused: Excused::default(),
            lease: None,
            request_id: None,
            created_at: now,
            ended_at: None,
            used_at: now,
        }
    }

    /// What came with the job, or with another derivative of it.
    pub fn besides(job: &Job, byproduct: Byproduct, now: Timestamp) -> Self {
        Self {
            id: byproduct.id,
            status: DerivativeStatus::Ready,
            file: Some(byproduct.file),
            attempt: Byproduct::ATTEMPT,
            request_id: job.request_id.clone(),
            ended_at: Some(now),
            ..Self::new(job.owner, job.id, byproduct.kind, now)
        }
    }

    /// Where the last attempt's bytes are.
    pub fn key(&self) -> BlobKey {
        BlobKey::Derivative {
            id: self.id,
            attempt: self.attempt,
        }
    }

    /// Where bytes of it may be: every attempt may have left some.
    pub fn keys(&self) -> impl Iterator<Item = BlobKey> + use<> {
        let id = self.id;
        (1..=self.attempt).map(move |attempt| BlobKey::Derivative { id, attempt })
    }

    pub fn settle(&mut self, derived: Derived, now: Timestamp) {
        match derived {
            Derived::Ready { file, .. } => {
                self.end(DerivativeStatus::Ready, now);
                self.file = Some(file);
            }
            Derived::Failed(problem) => self.fail(problem, now),
        }
    }

    /// Whoever asks now has it made anew.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let ended = self.ended_at.unwrap_or(Timestamp::MAX);
        self.status == DerivativeStatus::Failed && now.duration_since(ended) >= FAILED_LIFETIME
    }

    /// It was asked for.
    pub fn used(&mut self, now: Timestamp) {
        self.used_at = self.used_at.max(now);
    }

    /// It is being read.
    pub fn read(&mut self, now: Timestamp) {
        self.used(now.saturating_add(READING).unwrap_or(Timestamp::MAX));
    }

    /// Whether it may go where there is no room.
    pub fn may_go(&self, now: Timestamp) -> bool {
        self.status == DerivativeStatus::Ready && self.used_at <= now
    }

    /// What it takes of the room for all.
    pub fn weight_bytes(&self) -> u64 {
        self.file
            .as_ref()
            .map_or(0, |file| file.size_bytes.max(WEIGHT_BYTES_MIN))
    }

    fn end(&mut self, status: DerivativeStatus, now: Timestamp) {
        self.status = status;
        self.lease = None;
        self.ended_at = Some(now);
    }
}

impl Byproduct {
    /// As if one attempt had been made at it.
    const ATTEMPT: u32 = 1;

    pub fn key(&self) -> BlobKey {
        Self::key_of(self.id)
    }

    pub fn key_of(id: DerivativeId) -> BlobKey {
        let attempt = Self::ATTEMPT;
        BlobKey::Derivative { id, attempt }
    }
}

impl Leased for Derivative {
    type Id = DerivativeId;
    type Outcome = Derived;

    fn id(&self) -> DerivativeId {
        self.id
    }

    fn held(&mut self) -> (&mut u32, &mut Option<Lease>) {
        (&mut self.attempt, &mut self.lease)
    }
}

impl Errand for Derivative {
    const WHAT: &'static str = "what is to be made of the correction";

    fn waits(&self) -> bool {
        self.status == DerivativeStatus::Waiting
    }

    fn excused(&mut self) -> &mut Excused {
        &mut self.excused
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }

    fn fail(&mut self, problem: Problem, now: Timestamp) {
        self.end(DerivativeStatus::Failed, now);
        self.error = Some(problem);
    }

    fn watched_by(&self) -> Option<OwnerId> {
        Some(self.owner)
    }
}

impl Attempt<Derivative> {
    /// Where this attempt puts the bytes.
    pub fn key(&self) -> BlobKey {
        BlobKey::Derivative {
            id: self.id,
            attempt: self.attempt,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use retake_chain::problem::ProblemKind;

    use super::*;
    use crate::lease::{Blame, LeaseLost, LeaseTerms};

    const TERMS: LeaseTerms = LeaseTerms {
        lease_ms: 10_000,
        attempts_max: 2,
        give_up_ms: 60_000,
    };

    fn at(second: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_secs(second)
    }

    fn new() -> Derivative {
        let job = JobId::new(at(0));
        Derivative::new(OwnerId::new(), job, Kind::Compare, at(0))
    }

    fn problem() -> Problem {
        Problem::new(ProblemKind::Unavailable, "a test")
    }

    #[test]
    fn it_is_made_by_one_and_ends_once() {
        let mut it = new();
        let attempt = it.claim("w1", at(1), TERMS).unwrap();
        assert_eq!(it.claim("w2", at(2), TERMS), None);
        assert_eq!(attempt.key(), it.key());
        let file = DerivedFile {
            content_type: "audio/mpeg".to_owned(),
            size_bytes: 7,
            sha256: "00".repeat(32),
            warnings: Vec::new(),
        };
        it.settle(file.into(), at(3));
        assert_eq!(it.status, DerivativeStatus::Ready);
        assert_eq!(it.weight_bytes(), WEIGHT_BYTES_MIN);
        assert_eq!(it.claim("w2", at(60), TERMS), None);
        assert!(!it.is_over(at(1_000_000)));
        assert_eq!(
            it.release(attempt, at(4), TERMS, Blame::Worker, problem()),
            Err(LeaseLost)
        );
    }

    #[test]
    fn faults_of_its_own_end_it_and_it_is_over_after_a_while() {
        let mut it = new();
        for second in [1, 2] {
            let attempt = it.claim("w", at(second), TERMS).unwrap();
            it.release(attempt, at(second), TERMS, Blame::Job, problem())
                .unwrap();
        }
        assert_eq!(it.status, DerivativeStatus::Failed);
        assert_eq!(it.error.as_ref().unwrap().detail, "a test");
        assert!(!it.is_over(at(2 + 599)));
        assert!(it.is_over(at(2 + 600)));
    }
}
