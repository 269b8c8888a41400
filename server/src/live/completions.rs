//! Takes completions off their queue and tells whoever watches.
//!
//! Each completion goes to one server of several, which announces it to all. It is only a hint: what
//! became of the job stands in the record, and the event streams read it there.

use std::time::Duration;

use retake_jobs::{
    message::CompletionMessage,
    seams::{Delivery, QueueError, Topic},
};

use crate::app::App;

/// Between tries while the queue is out of reach.
const PAUSE: Duration = Duration::from_secs(1);

pub async fn consume(app: &App) {
    loop {
        let settled = match app.parts.queue.claim(Topic::Completions).await {
            Ok(delivery) => settle(app, delivery).await,
            Err(error) => Err(error),
        };
        match settled {
            // It comes again, and is as harmless then.
            Ok(()) | Err(QueueError::Stale) => {}
            Err(error) => {
                tracing::warn!("completions cannot be taken: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn settle(app: &App, delivery: Delivery) -> Result<(), QueueError> {
    let queue = &app.parts.queue;
    let message: CompletionMessage = match serde_json::from_slice(&delivery.body) {
        Ok(message) => message,
        Err(error) => {
            tracing::error!("a completion that cannot be read is buried: {error}");
            return queue
                .bury(delivery, &format!("not a completion: {error}"))
                .await;
        }
    };
    match app.parts.store.job_now(message.job_id).await {
        Ok(Some(job)) if job.status.is_ended() => {
            app.parts.events.announce(job.owner).await;
            app.metrics.job(job.status);
            tracing::info!(job.id = %job.id, job.status = job.status.name(), "job ended");
        }
        Ok(Some(job)) => tracing::warn!(
            job.id = %job.id,
            job.status = job.status.name(),
            "a completion says {}, and the record does not; it is dropped",
            message.status.name()
        ),
        // Deleted since.
        Ok(None) => tracing::debug!(job.id = %message.job_id, "a completion of no job"),
        Err(error) => {
            tracing::warn!("a completion waits for the store: {error}");
            return queue.retry(delivery, PAUSE).await;
        }
    }
    queue.ack(delivery).await
}
