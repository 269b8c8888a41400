//! Work that is done once, however many could do it: whatever a worker claims, keeps while it works
//! and settles. One row is one worker's at a time; fencing is by attempt number, so that what an
//! overtaken attempt asks for is refused.

use std::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp};
use retake_chain::problem::{Problem, ProblemKind};
use serde::{Deserialize, Serialize};

use crate::id::OwnerId;

/// A worker's right to a row until a stated time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub worker: String,
    pub until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    pub lease_ms: u64,
    /// After this many attempts that ended by a fault of its own it fails. Of those that ended without
    /// a word it bears ten times as many: see [`Excused`].
    pub attempts_max: u32,
    /// One that workers give back for troubles of their own fails after this.
    pub give_up_ms: u64,
}

/// So many attempts that ended without a word weigh as much as one that failed: what makes workers
/// vanish is hardly ever what they were working on.
const LOST_FOR_ONE: u32 = 10;

/// Whose fault it is that an attempt did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The recording's or the chain's; of a check, the plugin's.
    Job,
    /// The worker's: it was stopped, its disk is full, it has no memory.
    Worker,
    /// Nobody's that is known: a worker vanished, its child was killed, the store was out of reach. It
    /// is never the row's; but should it happen to one again and again, that ends some day.
    Nobody,
}

/// Of a row's attempts, those that did not end by its own fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Excused {
    /// Through a worker's fault: those cost nothing.
    pub spared: u32,
    /// Without a word, or from outside: those cost little.
    pub lost: u32,
}

impl Excused {
    /// Of so many attempts those that count.
    pub fn tried(self, attempts: u32) -> u32 {
        let cost_nothing = self.spared.saturating_add(self.lost);
        attempts.saturating_sub(cost_nothing) + self.lost / LOST_FOR_ONE
    }

    /// How long the row is left alone after an attempt that ended without a word, should it be what
    /// makes workers end.
    pub fn rest(self) -> SignedDuration {
        const LONGEST_S: i64 = 60;
        match self.lost {
            0 | 1 => SignedDuration::ZERO,
            lost => SignedDuration::from_secs(LONGEST_S.min(1 << (lost - 2).min(16))),
        }
    }

    /// Takes down how the last of so many attempts ended, and says whether it was one too many. What is
    /// the worker's own fault takes none away, but after long enough there is nobody left to try; what
    /// is nobody's takes a small part of one.
    pub(crate) fn one_too_many(
        &mut self,
        attempts: u32,
        blame: Blame,
        age: SignedDuration,
        terms: LeaseTerms,
    ) -> bool {
        match blame {
            Blame::Job => {}
            Blame::Worker => {
                self.spared += 1;
                return age >= terms.give_up();
            }
            Blame::Nobody => self.lost += 1,
        }
        self.tried(attempts) >= terms.attempts_max
    }
}

/// What is said of `what` when the last of its attempts ended without a word.
pub(crate) fn too_many_lost(what: &str, attempts: u32, lost: u32, terms: LeaseTerms) -> Problem {
    let detail = format!(
        "{what} was begun {attempts} times, and {lost} attempts ended without a word; of those at \
         most {} are allowed",
        terms.attempts_max.saturating_mul(LOST_FOR_ONE)
    );
    Problem::new(ProblemKind::TooManyAttempts, detail)
}

/// The attempt no longer holds the row: its lease expired and another attempt began, or it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lease was lost")]
pub struct LeaseLost;

/// A row that workers lease.
pub trait Leased {
    type Id: fmt::Debug + fmt::Display + Copy + Eq + Send + Sync + 'static;
    /// How an attempt ended it, with everything that the attempt leaves.
    type Outcome: Send + 'static;

    fn id(&self) -> Self::Id;

    /// Which attempt holds it or held it last, 0 before the first, and until when. Only what is being
    /// worked on has a lease.
    fn held(&mut self) -> (&mut u32, &mut Option<Lease>);

    /// The next attempt. Whether there may be one, the row's own states say.
    fn begin(&mut self, worker: &str, now: Timestamp, terms: LeaseTerms) -> Attempt<Self>
    where
        Self: Sized,
    {
        let id = self.id();
        let (attempt, lease) = self.held();
        *attempt += 1;
        *lease = Some(Lease {
            worker: worker.to_owned(),
            until: terms.until(now),
        });
        Attempt {
            id,
            attempt: *attempt,
        }
    }

    /// The lease, if `attempt` is the one that has it.
    fn lease_of(&mut self, attempt: Attempt<Self>) -> Result<&mut Lease, LeaseLost>
    where
        Self: Sized,
    {
        if self.id() != attempt.id {
            return Err(LeaseLost);
        }
        let (held, lease) = self.held();
        match lease {
            Some(lease) if *held == attempt.attempt => Ok(lease),
            _ => Err(LeaseLost),
        }
    }

    /// A heartbeat. A lease that ran out is renewed too, as long as nobody else has claimed.
    fn renew(
        &mut self,
        attempt: Attempt<Self>,
        now: Timestamp,
        terms: LeaseTerms,
    ) -> Result<(), LeaseLost>
    where
        Self: Sized,
    {
        self.lease_of(attempt)?.until = terms.until(now);
        Ok(())
    }
}

/// One try at it, held by the worker that claimed it. Everything it writes bears `attempt`.
pub struct Attempt<T: Leased> {
    pub id: T::Id,
    pub attempt: u32,
}

// Derived, these would ask the same of the row.
impl<T: Leased> Clone for Attempt<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Leased> Copy for Attempt<T> {}

impl<T: Leased> PartialEq for Attempt<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.id, self.attempt) == (other.id, other.attempt)
    }
}

impl<T: Leased> fmt::Debug for Attempt<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {} at {}", self.attempt, self.id)
    }
}

impl LeaseTerms {
    fn give_up(self) -> SignedDuration {
        SignedDuration::try_from(Duration::from_millis(self.give_up_ms))
            .unwrap_or(SignedDuration::MAX)
    }

    pub(crate) fn until(self, now: Timestamp) -> Timestamp {
        now.checked_add(Duration::from_millis(self.lease_ms))
            .unwrap_or(Timestamp::MAX)
    }
}

/// A row that waits until a worker has seen to it, and has no state between.
pub trait Errand: Leased + Send + Sized + 'static {
    /// To begin a sentence: "the plugin's check".
    const WHAT: &'static str;

    /// Not ended yet.
    fn waits(&self) -> bool;

    fn excused(&mut self) -> &mut Excused;

    fn created_at(&self) -> Timestamp;

    /// It ends without a result.
    fn fail(&mut self, problem: Problem, now: Timestamp);

    /// In whose event log its end stands.
    fn watched_by(&self) -> Option<OwnerId> {
        None
    }

    /// The right to see to it, if nobody does. One whose lease has run out is left alone for a while,
    /// longer each time; with no attempts left it fails here.
    fn claim(&mut self, worker: &str, now: Timestamp, terms: LeaseTerms) -> Option<Attempt<Self>> {
        if !self.waits() {
            return None;
        }
        let (attempts, lease) = self.held();
        if let Some(until) = lease.as_ref().map(|lease| lease.until) {
            let attempts = *attempts;
            let excused = *self.excused();
            let lost = excused.lost + 1;
            let after = Excused { lost, ..excused };
            if now.duration_since(until) < after.rest() || until > now {
                return None;
            }
            let problem = too_many_lost(Self::WHAT, attempts, lost, terms);
            self.give_up_attempt(now, terms, Blame::Nobody, problem);
            if !self.waits() {
                return None;
            }
        }
        Some(self.begin(worker, now, terms))
    }

    /// Gives it back undone, to be claimed at once. With no attempts left it fails with `reason`.
    fn release(
        &mut self,
        attempt: Attempt<Self>,
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
        let age = now.duration_since(self.created_at());
        let (attempts, lease) = self.held();
        let attempts = *attempts;
        *lease = None;
        if self.excused().one_too_many(attempts, blame, age, terms) {
            self.fail(reason, now);
        }
    }
}
