//! The end of an attempt at a job, told to the store until it has heard.

use std::time::Duration;

use retake_chain::problem::Problem;
use retake_jobs::{
    job::{Job, Outcome},
    lease::{Attempt, Blame},
};

use super::{Worker, leased::Heard};

impl Worker {
    pub(super) async fn settle(&self, attempt: Attempt<Job>, outcome: Outcome) -> &'static str {
        let store = &self.parts.store;
        let settle = || store.settle(attempt, outcome.clone());
        match self.until_heard(attempt.id, settle).await {
            Heard::Ended(job) => job.status.name(),
            Heard::LeaseLost {
                asked_before: false,
            } => {
                if let Outcome::Completed {
                    correction,
                    byproducts,
                    ..
                } = &outcome
                {
                    self.delete_all(attempt, &correction.report, byproducts)
                        .await;
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
        attempt: Attempt<Job>,
        job: &Job,
        pause: Duration,
        blame: Blame,
        reason: Problem,
    ) -> &'static str {
        let store = &self.parts.store;
        let terms = self.terms();
        tracing::info!(detail = reason.detail, ?blame, "the job is given back");
        if blame != Blame::Job {
            self.parts.health.spared();
        }
        let release = || store.release(attempt, terms, pause, blame, reason.clone());
        match self.until_heard(attempt.id, release).await {
            Heard::Ended(job) => job.status.name(),
            Heard::LeaseLost { .. } => {
                tracing::debug!(job.id = %job.id, "there was nothing left to give back");
                "the lease was lost"
            }
            Heard::Never => "the store is out of reach; the job runs again",
        }
    }
}
