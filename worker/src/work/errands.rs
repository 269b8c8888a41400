//! Whatever waits for a worker and is no job: claimed, seen to beside a heartbeat, and ended or given back.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    marker::PhantomData,
    time::{Duration, Instant},
};

use retake_chain::problem::{Problem, ProblemKind};
use retake_jobs::{
    lease::{Attempt, Blame, Errand},
    seams::{Errands, WorkerStore},
};
use retake_runner::chain::Trouble;
use tokio::time::sleep;

use super::{
    Worker,
    leased::{Heard, News, Source, Stop, Taken},
};
use crate::config::Config;

/// An errand that a worker knows how to see to.
pub(super) trait Doable: Errand<Outcome: Clone + Sync> + Sync {
    /// For people and the log: "a plugin's check".
    const NAME: &'static str;

    /// How often to look for one although nobody has said that there is any.
    fn poll_ms(config: &Config) -> u64;

    /// Does it. What came of it is told to the store.
    fn work(
        &self,
        worker: &Worker,
        attempt: Attempt<Self>,
    ) -> impl Future<Output = Result<Self::Outcome, NotDone>> + Send;

    /// After the store has heard; what is left is cleared away.
    fn settled(&self, worker: &Worker) -> impl Future<Output = ()> + Send;

    /// What came of it is nobody's: its bytes besides those of the attempt are cleared away.
    fn discarded(_: &Worker, _: &Self::Outcome) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// After the attempt was lost or given back.
    fn dropped(worker: &Worker, attempt: Attempt<Self>) -> impl Future<Output = ()> + Send;
}

/// Why it came to no end here. It is another attempt's turn.
#[derive(Debug)]
pub(super) struct NotDone {
    pub why: Why,
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// A store is out of reach: nobody's fault.
    OutOfReach,
    /// Its own fault, or that of what it is made from.
    Itself,
    /// Ours, perhaps.
    Trouble(Trouble),
}

impl NotDone {
    pub fn new(why: Why, error: impl fmt::Display) -> Self {
        Self {
            why,
            detail: error.to_string(),
        }
    }
}

/// Errands of one kind.
pub(super) struct Waiting<T>(PhantomData<fn() -> T>);

impl<T> Waiting<T> {
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Doable> Source for Waiting<T>
where
    dyn WorkerStore: Errands<T>,
{
    type Hint = ();
    type Error = Infallible;

    async fn hint(&self, worker: &Worker) -> Result<(), Infallible> {
        let told = Errands::<T>::errand_waits(&*worker.parts.store);
        // Words may be lost.
        let patience = Duration::from_millis(T::poll_ms(&worker.config));
        let _ = tokio::time::timeout(patience, told).await;
        Ok(())
    }

    async fn take(&self, worker: &Worker, (): ()) -> Taken {
        let store = &worker.parts.store;
        let claiming = store.claim_errand(&worker.name, worker.terms());
        let claimed: Option<(Attempt<T>, T)> = match claiming.await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, errand = T::NAME, "no errand can be claimed");
                return Taken::OutOfReach;
            }
        };
        match claimed {
            Some((attempt, errand)) => {
                worker.see_to(attempt, errand).await;
                Taken::Done
            }
            None => Taken::Nothing(Duration::ZERO),
        }
    }
}

impl Worker {
    async fn see_to<T: Doable>(&self, attempt: Attempt<T>, errand: T)
    where
        dyn WorkerStore: Errands<T>,
    {
        tracing::info!(errand = T::NAME, id = %attempt.id, attempt = attempt.attempt, "an errand begins");
        let started = Instant::now();
        let work = std::pin::pin!(errand.work(self, attempt));
        // Without grace: another worker begins anew.
        let worked = self.while_ours(attempt, News::default(), Duration::ZERO, work);
        match worked.await {
            Ok(Ok(outcome)) => self.settle_errand(attempt, outcome).await,
            Ok(Err(NotDone { why, detail })) => {
                let blame = match why {
                    Why::OutOfReach => Blame::Nobody,
                    Why::Itself => Blame::Job,
                    Why::Trouble(trouble) => self.whose(trouble, started).await,
                };
                tracing::error!(errand = T::NAME, id = %attempt.id, detail, ?blame, "an errand came to no end");
                self.give_back(attempt, blame).await;
                // Not at once again by us: others may be luckier.
                sleep(Duration::from_millis(self.config.retry_ms)).await;
            }
            Err(Stop::LeaseLost | Stop::CancelRequested) => {
                tracing::warn!(errand = T::NAME, id = %attempt.id, "the errand is another's by now");
                T::dropped(self, attempt).await;
            }
            Err(Stop::Shutdown) => self.give_back(attempt, Blame::Worker).await,
        }
    }

    /// For others, at once.
    async fn give_back<T: Doable>(&self, attempt: Attempt<T>, blame: Blame)
    where
        dyn WorkerStore: Errands<T>,
    {
        let store = &self.parts.store;
        let detail = format!(
            "{} was begun {} times and came to no end",
            T::WHAT,
            attempt.attempt
        );
        let reason = Problem::new(ProblemKind::TooManyAttempts, detail);
        let release = || store.release_errand(attempt, self.terms(), blame, reason.clone());
        match self.until_heard(attempt.id, release).await {
            Heard::Ended(_) => {
                tracing::info!(errand = T::NAME, id = %attempt.id, "an errand was given back");
            }
            Heard::LeaseLost { .. } => {
                tracing::warn!(errand = T::NAME, id = %attempt.id, "the errand is another's by now");
            }
            Heard::Never => {}
        }
        T::dropped(self, attempt).await;
    }

    /// Tells the store until it has heard.
    async fn settle_errand<T: Doable>(&self, attempt: Attempt<T>, outcome: T::Outcome)
    where
        dyn WorkerStore: Errands<T>,
    {
        let store = &self.parts.store;
        let settle = || store.settle(attempt, outcome.clone());
        match self.until_heard(attempt.id, settle).await {
            Heard::Ended(errand) => errand.settled(self).await,
            // An earlier try may have reached the store after all: bytes that nobody points to are better
            // than a row without its bytes.
            Heard::LeaseLost { asked_before } => {
                tracing::warn!(errand = T::NAME, id = %attempt.id, "the errand was another's by then");
                if !asked_before {
                    T::discarded(self, &outcome).await;
                    T::dropped(self, attempt).await;
                }
            }
            Heard::Never => {}
        }
    }
}
