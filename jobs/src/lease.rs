//! Work that is done once, however many could do it: whatever a worker claims, keeps while it works
//! and settles. One row is one worker's at a time; fencing is by attempt number, so that what an
//! overtaken attempt asks for is refused.

use std::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A worker's right to a row until a stated time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub worker: String,
    pub until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    pub lease_ms: u64,
    /// After this many attempts that ended by a fault of its own, or without a word, it fails. Of
    /// those that ended without a word a job bears [`LOST_FOR_ONE`] times as many.
    pub attempts_max: u32,
    /// One that workers give back for troubles of their own fails after this.
    pub give_up_ms: u64,
}

/// So many of a job's attempts that ended without a word weigh as much as one that failed: what
/// makes workers vanish is hardly ever the job.
pub const LOST_FOR_ONE: u32 = 10;

/// The attempt no longer holds the row: its lease expired and another attempt began, or it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lease was lost")]
pub struct LeaseLost;

/// A row that workers lease.
pub trait Leased {
    type Id: fmt::Debug + fmt::Display + Copy + Eq + Send + Sync;
    /// How an attempt ended it, with everything that the attempt leaves.
    type Outcome: Send;

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
    pub(crate) fn give_up(self) -> SignedDuration {
        SignedDuration::try_from(Duration::from_millis(self.give_up_ms))
            .unwrap_or(SignedDuration::MAX)
    }

    pub(crate) fn until(self, now: Timestamp) -> Timestamp {
        now.checked_add(Duration::from_millis(self.lease_ms))
            .unwrap_or(Timestamp::MAX)
    }
}
