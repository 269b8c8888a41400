//! The transitions. Each either changes the job and says so, or leaves it exactly as it was and says
//! why. Fencing is by attempt number: what an attempt that was overtaken asks for is refused.

use jiff::{SignedDuration, Timestamp};
use retake_chain::{Chain, Pins, format::Format, problem::Problem};

use super::{AlreadyEnded, ClaimRefused, Expired, Job, Outcome, Status};
use crate::{
    id::{JobId, OwnerId, RecordingId},
    lease::{Attempt, Blame, Excused, Lease, LeaseLost, LeaseTerms, Leased, too_many_lost},
};

impl Leased for Job {
    type Id = JobId;
    type Outcome = Outcome;

    fn id(&self) -> JobId {
        self.id
    }

    fn held(&mut self) -> (&mut u32, &mut Option<Lease>) {
        (&mut self.attempt, &mut self.lease)
    }
}

impl Job {
    /// A new job, waiting. `pins`, `preset`, `track`, `request_id` and `traceparent` are
    /// the caller's to fill in.
    pub fn queued(
        recording_id: RecordingId,
        owner: OwnerId,
        chain: Chain,
        format: impl Into<Option<Format>>,
        now: Timestamp,
    ) -> Self {
        Self {
            id: JobId::new(now),
            recording_id,
            owner,
            chain,
            pins: Pins::new(),
            preset: None,
            format: format.into(),
            track: None,
            status: Status::Queued,
            progress: 0.0,
            step: None,
            attempt: 0,
            excused: Excused::default(),
            callback_url: None,
            lease: None,
            cancel_requested: false,
            error: None,
            warnings: Vec::new(),
            request_id: None,
            traceparent: None,
            created_at: now,
            started_at: None,
            ended_at: None,
        }
    }

    /// The right to run the job, if it waits or its lease has run out. A job whose lease ran out and
    /// that has no attempts left ends here, and is refused as ended.
    pub fn claim(
        &mut self,
        worker: &str,
        now: Timestamp,
        terms: LeaseTerms,
    ) -> Result<Attempt<Job>, ClaimRefused> {
        self.expire(now, terms);
        match (&self.status, &self.lease) {
            (Status::Queued, _) => {}
            (Status::Running, Some(lease)) => {
                return Err(ClaimRefused::Leased { until: lease.until });
            }
            // `expire` takes the lease of a running job away only together with its status.
            (Status::Running, None) => unreachable!("a running job has a lease"),
            (Status::Completed | Status::Failed | Status::Cancelled, _) => {
                return Err(ClaimRefused::Ended);
            }
        }
        self.status = Status::Running;
        self.progress = 0.0;
        self.step = None;
        self.started_at.get_or_insert(now);
        Ok(self.begin(worker, now, terms))
    }

    /// A heartbeat: renews the lease and takes progress, which never falls.
    pub fn extend(
        &mut self,
        attempt: Attempt<Job>,
        now: Timestamp,
        terms: LeaseTerms,
        fraction: f32,
        step: Option<&str>,
    ) -> Result<(), LeaseLost> {
        self.renew(attempt, now, terms)?;
        // max() also drops NaN.
        self.progress = self.progress.max(fraction).clamp(0.0, 1.0);
        if let Some(step) = step
            && self.step.as_deref() != Some(step)
        {
            self.step = Some(step.to_owned());
        }
        Ok(())
    }

    /// The attempt ended, and the job with it. At most one settle per job takes effect.
    pub fn settle(
        &mut self,
        attempt: Attempt<Job>,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), LeaseLost> {
        self.lease_of(attempt)?;
        match outcome {
            Outcome::Completed {
                correction,
                warnings,
                ..
            } => {
                self.end(Status::Completed, now);
                let written = Format::of_content_type(&correction.content_type);
                self.format = self.format.or(written);
                self.progress = 1.0;
                self.warnings = warnings;
            }
            Outcome::Failed { problem, warnings } => {
                self.end(Status::Failed, now);
                self.error = Some(problem);
                self.warnings = warnings;
            }
            Outcome::Cancelled => self.end(Status::Cancelled, now),
        }
        Ok(())
    }

    /// Gives the job back unfinished. Where a cancel was asked for it is cancelled; with no attempts
    /// left it fails with `reason`.
    pub fn release(
        &mut self,
        attempt: Attempt<Job>,
        now: Timestamp,
        terms: LeaseTerms,
        blame: Blame,
        reason: Problem,
    ) -> Result<(), LeaseLost> {
        self.lease_of(attempt)?;
        self.give_up_attempt(now, terms, blame, || reason);
        Ok(())
    }

    /// A queued job ends at once; a running one is asked to. Asking again changes nothing.
    pub fn cancel(&mut self, now: Timestamp) -> Result<(), AlreadyEnded> {
        match self.status {
            Status::Queued => self.end(Status::Cancelled, now),
            Status::Running => self.cancel_requested = true,
            Status::Completed | Status::Failed | Status::Cancelled => return Err(AlreadyEnded),
        }
        Ok(())
    }

    /// Its recording went into the trash: a running attempt is over, through no fault of the job's, and the job is
    /// left waiting. Whoever calls sees to it that nobody claims it there.
    pub fn hold(&mut self, now: Timestamp) {
        if self.status != Status::Running {
            return;
        }
        if self.cancel_requested {
            self.end(Status::Cancelled, now);
            return;
        }
        self.excused.spared += 1;
        self.status = Status::Queued;
        self.lease = None;
        self.progress = 0.0;
        self.step = None;
    }

    /// Takes a lease that has run out away. `None`: there was none, and nothing changed.
    pub fn expire(&mut self, now: Timestamp, terms: LeaseTerms) -> Option<Expired> {
        let expired = self.lease.as_ref().is_some_and(|lease| lease.until <= now);
        if !expired {
            return None;
        }
        let (attempt, lost) = (self.attempt, self.excused.lost + 1);
        Some(self.give_up_attempt(now, terms, Blame::Nobody, || {
            too_many_lost("the job", attempt, lost, terms)
        }))
    }

    fn give_up_attempt(
        &mut self,
        now: Timestamp,
        terms: LeaseTerms,
        blame: Blame,
        reason: impl FnOnce() -> Problem,
    ) -> Expired {
        if self.cancel_requested {
            self.end(Status::Cancelled, now);
            return Expired::Ended;
        }
        let age = now.duration_since(self.created_at);
        if self.excused.one_too_many(self.attempt, blame, age, terms) {
            self.end(Status::Failed, now);
            self.error = Some(reason());
            return Expired::Ended;
        }
        self.status = Status::Queued;
        self.lease = None;
        self.progress = 0.0;
        self.step = None;
        Expired::Queued
    }

    /// Attempts that count.
    pub fn tried(&self) -> u32 {
        self.excused.tried(self.attempt)
    }

    /// How long it is left alone after an attempt that ended without a word.
    pub fn rest_after_loss(&self) -> SignedDuration {
        self.excused.rest()
    }

    fn end(&mut self, status: Status, now: Timestamp) {
        self.status = status;
        self.lease = None;
        self.step = None;
        self.ended_at = Some(now);
    }
}
