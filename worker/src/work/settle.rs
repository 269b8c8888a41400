//! The end of an attempt, told to the store until it has heard.

use std::{future::Future, time::Duration};

use retake_chain::problem::Problem;
use retake_jobs::{
    correction::Correction,
    job::{Attempt, Blame, Job, LeaseLost, Outcome},
    seams::StoreError,
};

use super::{Worker, backoff::Backoff};

/// What the store made of it.
enum Heard {
    Ended(Box<Job>),
    LeaseLost { asked_before: bool },
    Never,
}

impl Worker {
    pub(super) async fn settle(
        &self,
        attempt: Attempt,
        outcome: Outcome,
        correction: Option<Correction>,
    ) -> &'static str {
        let store = &self.parts.store;
        let settle = || store.settle(attempt, outcome.clone(), correction.clone());
        match self.until_heard(attempt, settle).await {
            Heard::Ended(job) => {
                self.told(&job).await;
                job.status.name()
            }
            Heard::LeaseLost {
                asked_before: false,
            } => {
                if let Some(correction) = &correction {
                    self.delete_all(attempt, &correction.report).await;
                }
                "the lease was lost"
            }
            // An earlier try may have reached the store after all, and the job then points to this
            // correction. An orphan is better than a job without its audio.
            Heard::LeaseLost { asked_before: true } => "settled before, or the lease was lost",
            Heard::Never => "the store is out of reach; the job runs again",
        }
    }

    pub(super) async fn release(
        &self,
        attempt: Attempt,
        job: &Job,
        pause: Duration,
        blame: Blame,
        reason: Problem,
    ) -> &'static str {
        let store = &self.parts.store;
        let terms = self.terms();
        tracing::info!(detail = reason.detail, ?blame, "the job is given back");
        if blame == Blame::Worker {
            self.parts.health.spared();
        }
        let release = || store.release(attempt, terms, pause, blame, reason.clone());
        match self.until_heard(attempt, release).await {
            Heard::Ended(job) => {
                self.told(&job).await;
                job.status.name()
            }
            Heard::LeaseLost { .. } => {
                tracing::debug!(job.id = %job.id, "there was nothing left to give back");
                "the lease was lost"
            }
            Heard::Never => "the store is out of reach; the job runs again",
        }
    }

    /// Asks again while the store is out of reach. After shutdown only for the time of grace: then
    /// the lease runs out by itself.
    async fn until_heard<F>(&self, attempt: Attempt, ask: impl Fn() -> F) -> Heard
    where
        F: Future<Output = Result<Result<Job, LeaseLost>, StoreError>>,
    {
        let mut backoff = Backoff::outage();
        let mut asked_before = false;
        let asking = async {
            loop {
                match ask().await {
                    Ok(Ok(job)) => return Heard::Ended(Box::new(job)),
                    Ok(Err(LeaseLost)) => return Heard::LeaseLost { asked_before },
                    Err(error) => self.out_of_reach(attempt.job_id, &error),
                }
                asked_before = true;
                tokio::time::sleep(backoff.next()).await;
            }
        };
        let grace = async {
            self.shutdown.cancelled().await;
            tokio::time::sleep(Duration::from_millis(self.config.grace_ms.max(1_000))).await;
        };
        tokio::select! {
            biased;
            heard = asking => heard,
            () = grace => Heard::Never,
        }
    }

    /// The outbox holds a message and the log an event.
    async fn told(&self, job: &Job) {
        (self.parts.relay)();
        self.parts.events.announce(job.owner).await;
    }
}
