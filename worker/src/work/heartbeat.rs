//! While a job runs: keeps its lease and its delivery, stores progress, tells whoever watches, and
//! hears that the job should stop.

use std::time::Duration;

use retake_jobs::{
    id::OwnerId,
    job::{Attempt, LeaseLost},
    seams::{Delivery, Progress, QueueError},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::Worker;

/// Why a job must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// It is another's, or nobody's any more.
    LeaseLost,
    CancelRequested,
    /// The worker is to end, and the job had its time of grace.
    Shutdown,
}

/// Smaller steps of progress are not news.
const NEWS: f32 = 0.005;

/// Runs until the job must stop.
pub(super) async fn keep(
    worker: &Worker,
    attempt: Attempt,
    owner: OwnerId,
    delivery: &Delivery,
    mut progress: watch::Receiver<Progress>,
) -> Stop {
    let heartbeat = Duration::from_millis(worker.config.heartbeat_ms);
    let between_events = Duration::from_millis(worker.config.progress_ms);
    let mut told = Progress::default();
    let mut last_event: Option<Instant> = None;
    let mut next_beat = Instant::now() + heartbeat;
    let mut delivery_is_ours = true;
    loop {
        // Whichever comes first: the beat, or news that may be told.
        let event = tokio::select! {
            () = sleep_until(next_beat) => false,
            () = news(&mut progress, &told) => {
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
        let now = progress.borrow_and_update().clone();
        let extended = worker
            .parts
            .store
            .extend(attempt, worker.terms(), &now, event)
            .await;
        match extended {
            Ok(Ok(heartbeat)) if heartbeat.cancel_requested => return Stop::CancelRequested,
            Ok(Ok(_)) => {}
            Ok(Err(LeaseLost)) => return Stop::LeaseLost,
            // Nobody else can claim the job either; and should we have lost it, settling says so.
            Err(error) => worker.out_of_reach(attempt.job_id, &error),
        }
        if event {
            last_event = Some(Instant::now());
            told = now;
            worker.parts.events.announce(owner).await;
        }
        if Instant::now() >= next_beat {
            next_beat = Instant::now() + heartbeat;
            if delivery_is_ours {
                match worker.parts.queue.extend(delivery).await {
                    Ok(())
                    | Err(QueueError::Unavailable(_) | QueueError::Blocked(_) | QueueError::Full) =>
                        {}
                    // It comes again to somebody, who finds the job leased.
                    Err(QueueError::Stale) => delivery_is_ours = false,
                }
            }
        }
    }
}

/// Waits for progress that is worth telling.
async fn news(progress: &mut watch::Receiver<Progress>, told: &Progress) {
    let worth = |now: &Progress| now.fraction >= told.fraction + NEWS || now.step != told.step;
    if progress.wait_for(worth).await.is_err() {
        // The work is over; whoever waits for us knows.
        std::future::pending::<()>().await;
    }
}
