//! Requests that came under a key, and what each was answered.

use jiff::Timestamp;
use retake_jobs::{
    id::OwnerId,
    idempotency::{Added, Answered, IdempotencyKey, Once},
    job::Job,
};

use super::Tables;

impl Tables {
    /// Until the job is gone.
    pub(super) fn answered(&self, owner: OwnerId, key: &IdempotencyKey) -> Option<Answered> {
        let (answered, _) = self.answered.get(&(owner, key.clone()))?;
        let is_there = self.jobs.contains_key(&answered.job.id);
        is_there.then(|| answered.clone())
    }

    pub(super) fn answered_before(&self, owner: OwnerId, once: Option<&Once>) -> Option<Added> {
        let answered = self.answered(owner, &once?.key)?;
        Some(Added::Before(Box::new(answered)))
    }

    pub(super) fn add_job_once(&mut self, job: &Job, once: Option<&Once>, now: Timestamp) -> Added {
        let event = self.add_job(job, now);
        if let Some(once) = once {
            let answered = Answered {
                fingerprint: once.fingerprint,
                job: job.clone(),
                event,
            };
            self.answered
                .insert((job.owner, once.key.clone()), (answered, now));
        }
        Added::Now(event)
    }

    pub(super) fn forget_answered(&mut self, before: Timestamp) -> usize {
        let had = self.answered.len();
        self.answered.retain(|_, (_, at)| *at >= before);
        had - self.answered.len()
    }
}
