//! Whatever is leased is worked off in one way: somebody says that there may be something, it is
//! claimed, worked on beside a heartbeat that keeps it ours, and settled until the store has heard.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use retake_jobs::{
    backoff::Backoff,
    lease::{Attempt, LeaseLost, Leased},
    seams::{Delivery, Leases, Progress, QueueError, StoreError, WorkerStore},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use super::Worker;

/// Where one kind of leased work comes from.
pub(super) trait Source: Send + Sync + 'static {
    type Hint: Send;
    type Error: fmt::Display + Send;

    /// Waits until there may be something. Dropping it loses nothing.
    fn hint(&self, worker: &Worker)
    -> impl Future<Output = Result<Self::Hint, Self::Error>> + Send;

    /// Claims what there is, works on it and settles it.
    fn take(&self, worker: &Worker, hint: Self::Hint) -> impl Future<Output = Taken> + Send;
}

/// What came of a hint.
pub(super) enum Taken {
    /// It was dealt with; on to the next.
    Done,
    /// There was nothing to do: not again before so long.
    Nothing(Duration),
    /// Something of ours is out of reach, and was told of: not again for a while.
    OutOfReach,
}

/// Why work must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// It is another's, or nobody's any more.
    LeaseLost,
    CancelRequested,
    /// The worker is to end, and the work had its time of grace.
    Shutdown,
}

/// What the store made of the end of an attempt.
pub(super) enum Heard<T> {
    Ended(T),
    LeaseLost {
        asked_before: bool,
    },
    /// Out of reach until the worker had to end: the lease runs out by itself.
    Never,
}

/// Smaller steps of progress are not news.
const NEWS: f32 = 0.005;

impl Worker {
    /// One after the other, until shutdown.
    pub(super) async fn work_off(self: Arc<Self>, source: impl Source) {
        let mut backoff = Backoff::outage();
        loop {
            let hint = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return,
                hint = source.hint(&self) => hint,
            };
            let taken = match hint {
                Ok(hint) => source.take(&self, hint).await,
                Err(error) => {
                    tracing::warn!(%error, "no message can be claimed");
                    Taken::OutOfReach
                }
            };
            let pause = match taken {
                Taken::Done => {
                    backoff.reset();
                    continue;
                }
                Taken::Nothing(pause) => {
                    backoff.reset();
                    pause
                }
                Taken::OutOfReach => backoff.next(),
            };
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = sleep(pause) => {}
            }
        }
    }

    /// The work and the heartbeat, side by side, until one of them ends, or until `grace` after the
    /// worker was told to. What was stopped is the caller's to end.
    pub(super) async fn while_ours<T, W>(
        &self,
        attempt: Attempt<T>,
        news: News<'_>,
        grace: Duration,
        work: Pin<&mut W>,
    ) -> Result<W::Output, Stop>
    where
        T: Leased,
        dyn WorkerStore: Leases<T>,
        W: Future,
    {
        let grace = async {
            self.shutdown.cancelled().await;
            sleep(grace).await;
        };
        tokio::select! {
            biased;
            worked = work => Ok(worked),
            stop = self.keep(attempt, news) => Err(stop),
            () = grace => Err(Stop::Shutdown),
        }
    }

    /// Heartbeats, until the work must stop.
    async fn keep<T>(&self, attempt: Attempt<T>, mut news: News<'_>) -> Stop
    where
        T: Leased,
        dyn WorkerStore: Leases<T>,
    {
        let heartbeat = Duration::from_millis(self.config.heartbeat_ms);
        let between_events = Duration::from_millis(self.config.progress_ms);
        let mut told = Progress::default();
        let mut last_event: Option<Instant> = None;
        let mut next_beat = Instant::now() + heartbeat;
        loop {
            // Whichever comes first: the beat, or news that may be told.
            let event = tokio::select! {
                () = sleep_until(next_beat) => false,
                () = news.worth_telling(&told) => {
                    if let Some(last) = last_event {
                        tokio::select! {
                            () = sleep_until(last + between_events) => true,
                            () = sleep_until(next_beat) => false,
                        }
                    } else {
                        true
                    }
                }
            };
            let now = news.progress();
            let terms = self.terms();
            match self.parts.store.extend(attempt, terms, &now, event).await {
                Ok(Ok(heartbeat)) if heartbeat.cancel_requested => return Stop::CancelRequested,
                Ok(Ok(_)) => {}
                Ok(Err(LeaseLost)) => return Stop::LeaseLost,
                // Nobody else can claim it either; and should we have lost it, settling says so.
                Err(error) => out_of_reach(attempt.id, &error),
            }
            if event {
                last_event = Some(Instant::now());
                told = now;
            }
            if Instant::now() >= next_beat {
                next_beat = Instant::now() + heartbeat;
                if let Some(delivery) = news.delivery {
                    match self.parts.queue.extend(delivery).await {
                        Ok(())
                        | Err(
                            QueueError::Unavailable(_) | QueueError::Blocked(_) | QueueError::Full,
                        ) => {}
                        // It comes again to somebody, who finds it leased.
                        Err(QueueError::Stale) => news.delivery = None,
                    }
                }
            }
        }
    }

    /// Asks again while the store is out of reach. After shutdown only for the time of grace: then
    /// the lease runs out by itself.
    pub(super) async fn until_heard<T, F>(&self, id: T::Id, ask: impl Fn() -> F) -> Heard<T>
    where
        T: Leased,
        F: Future<Output = Result<Result<T, LeaseLost>, StoreError>>,
    {
        let mut backoff = Backoff::outage();
        let mut asked_before = false;
        let asking = async {
            loop {
                match ask().await {
                    Ok(Ok(ended)) => return Heard::Ended(ended),
                    Ok(Err(LeaseLost)) => return Heard::LeaseLost { asked_before },
                    Err(error) => out_of_reach(id, &error),
                }
                asked_before = true;
                sleep(backoff.next()).await;
            }
        };
        let grace = async {
            self.shutdown.cancelled().await;
            sleep(Duration::from_millis(self.config.grace_ms.max(1_000))).await;
        };
        tokio::select! {
            biased;
            heard = asking => heard,
            () = grace => Heard::Never,
        }
    }
}

/// What goes with the heartbeats.
#[derive(Default)]
pub(super) struct News<'a> {
    /// Of work that says how far it is.
    pub progress: Option<watch::Receiver<Progress>>,
    /// The message that brought it, kept ours as well.
    pub delivery: Option<&'a Delivery>,
}

impl News<'_> {
    fn progress(&mut self) -> Progress {
        let progress = self.progress.as_mut();
        progress.map_or_else(Progress::default, |now| now.borrow_and_update().clone())
    }

    /// Waits for progress that is.
    async fn worth_telling(&mut self, told: &Progress) {
        let worth = |now: &Progress| now.fraction >= told.fraction + NEWS || now.step != told.step;
        if let Some(progress) = &mut self.progress
            && progress.wait_for(worth).await.is_ok()
        {
            return;
        }
        // The work is over; whoever waits for us knows.
        std::future::pending::<()>().await;
    }
}

pub(super) fn out_of_reach(id: impl fmt::Display, error: &dyn fmt::Display) {
    tracing::warn!(%id, %error, "the store is out of reach");
}
