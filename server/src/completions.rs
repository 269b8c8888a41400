//! Takes completions off their queue and tells whoever watches.
//!
//! Each completion goes to one server of several. It is only a hint: what became of the job stands
//! in the record, and the event stream reads it there.

use std::time::Duration;

use retake_jobs::{
    message::CompletionMessage,
    queue::{Delivery, QueueError, Topic},
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
    let message: CompletionMessage = match serde_json::from_slice(&delivery.body) {
        Ok(message) => message,
        Err(error) => {
            tracing::error!("a completion that cannot be read is buried: {error}");
            return app
                .parts
                .queue
                .bury(delivery, &format!("not a completion: {error}"))
                .await;
        }
    };
    app.metrics.job(message.status);
    tracing::info!(job.id = %message.job_id, job.status = message.status.name(), "job ended");
    app.parts.queue.ack(delivery).await
}
