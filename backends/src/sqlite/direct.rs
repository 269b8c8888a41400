//! A queue for those who have the store's file open: a job that waits is found in the store, without a
//! message. What carries messages otherwise goes on carrying completions, and the messages of jobs that
//! nobody has taken for a while: the sweep finds them as it finds those whose message was lost.
//!
//! A message that comes for a job which is no longer waiting is acknowledged here: whoever runs it holds
//! its lease, and a lease that runs out is the sweep's to find.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::FutureExt;
use jiff::Timestamp;
use retake_jobs::{
    message::JobMessage,
    seams::{Delivery, Queue, QueueError, SharedQueue, Tag, Topic},
};
use rusqlite::Connection;

use super::{
    Database, SqliteQueue, SqliteStore,
    connection::{SqliteError, nanos, time},
    messages_again, turns,
};

/// Looks again after this long although nobody said so.
const SAFETY_POLL: Duration = Duration::from_secs(1);

pub struct DirectQueue {
    database: Arc<Database>,
    carrier: SharedQueue,
    /// The carrier may bring jobs' messages, too.
    carries_jobs: bool,
    running_max: u32,
}

impl DirectQueue {
    /// Over a broker. `running_max` is the worker's limit of one owner's running jobs.
    pub fn over(store: &SqliteStore, carrier: SharedQueue, running_max: u32) -> Self {
        store.database.jobs_are_found();
        Self::new(store, carrier, true, running_max)
    }

    /// Without a broker everybody has the file open, and no job needs a message.
    pub fn embedded(store: &SqliteStore, carrier: SqliteQueue, running_max: u32) -> Self {
        store.database.jobs_are_found();
        Self::new(store, Arc::new(carrier), false, running_max)
    }

    fn new(
        store: &SqliteStore,
        carrier: SharedQueue,
        carries_jobs: bool,
        running_max: u32,
    ) -> Self {
        Self {
            database: Arc::clone(&store.database),
            carrier,
            carries_jobs,
            running_max,
        }
    }

    /// A message that has come already and whose job still waits.
    async fn arrived(&self) -> Result<Option<Delivery>, QueueError> {
        while let Some(delivery) = self.carrier.claim(Topic::Jobs).now_or_never() {
            if let Some(delivery) = self.unless_over(delivery?).await? {
                return Ok(Some(delivery));
            }
        }
        Ok(None)
    }

    async fn unless_over(&self, delivery: Delivery) -> Result<Option<Delivery>, QueueError> {
        // What cannot be read is the worker's to bury.
        let Ok(message) = serde_json::from_slice::<JobMessage>(&delivery.body) else {
            return Ok(Some(delivery));
        };
        let waits = self
            .database
            .read(move |connection| turns::waits(connection, message.job_id))
            .await?;
        if waits {
            return Ok(Some(delivery));
        }
        match self.carrier.ack(delivery).await {
            Ok(()) | Err(QueueError::Stale) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn look(&self) -> Result<Found, QueueError> {
        let (now, running_max) = (self.database.clock.now(), self.running_max);
        let found = self
            .database
            .read(move |connection| look(connection, now, running_max))
            .await?;
        Ok(found)
    }
}

/// Which one, the claim decides.
fn some_job_waits() -> Delivery {
    Delivery {
        topic: Topic::Jobs,
        body: Vec::new(),
        redeliveries: 0,
        tag: Tag::Waiting,
    }
}

#[async_trait]
impl Queue for DirectQueue {
    async fn publish(&self, topic: Topic, body: &[u8]) -> Result<(), QueueError> {
        if topic == Topic::Jobs && !self.carries_jobs {
            return Ok(());
        }
        self.carrier.publish(topic, body).await
    }

    async fn claim(&self, topic: Topic) -> Result<Delivery, QueueError> {
        if topic != Topic::Jobs {
            return self.carrier.claim(topic).await;
        }
        loop {
            // Listen before looking; and whoever was told, by an acceptance or by the one who claimed before
            // them, need not look.
            let mut told = std::pin::pin!(self.database.news.jobs.notified());
            if told.as_mut().enable() {
                return Ok(some_job_waits());
            }
            if self.carries_jobs
                && let Some(delivery) = self.arrived().await?
            {
                return Ok(delivery);
            }
            let patience = match self.look().await? {
                Found::Waits => return Ok(some_job_waits()),
                Found::Nothing { patience } => patience,
            };
            tokio::select! {
                () = told => return Ok(some_job_waits()),
                () = tokio::time::sleep(patience) => {}
                delivery = self.carrier.claim(topic), if self.carries_jobs => {
                    if let Some(delivery) = self.unless_over(delivery?).await? {
                        return Ok(delivery);
                    }
                }
            }
        }
    }

    async fn extend(&self, delivery: &Delivery) -> Result<(), QueueError> {
        match delivery.tag {
            Tag::Waiting => Ok(()),
            _ => self.carrier.extend(delivery).await,
        }
    }

    async fn ack(&self, delivery: Delivery) -> Result<(), QueueError> {
        match delivery.tag {
            Tag::Waiting => Ok(()),
            _ => self.carrier.ack(delivery).await,
        }
    }

    /// What was found in the store is there until somebody claims it.
    async fn retry(&self, delivery: Delivery, delay: Duration) -> Result<(), QueueError> {
        match delivery.tag {
            Tag::Waiting => Ok(()),
            _ => self.carrier.retry(delivery, delay).await,
        }
    }

    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<(), QueueError> {
        match delivery.tag {
            Tag::Waiting => Ok(()),
            _ => self.carrier.bury(delivery, reason).await,
        }
    }

    async fn waiting(&self, topic: Topic) -> Result<u64, QueueError> {
        if topic == Topic::Jobs && !self.carries_jobs {
            let now = self.database.clock.now();
            let waiting = move |c: &Connection| messages_again::waiting(c, now);
            return Ok(self.database.read(waiting).await?);
        }
        self.carrier.waiting(topic).await
    }
}

enum Found {
    Waits,
    Nothing { patience: Duration },
}

fn look(connection: &Connection, now: Timestamp, running_max: u32) -> Result<Found, SqliteError> {
    if turns::next(connection, now, running_max)?.is_some() {
        return Ok(Found::Waits);
    }
    let patience = until_due(connection, now)?;
    Ok(Found::Nothing { patience })
}

/// Until the next pause of a job is over.
fn until_due(connection: &Connection, now: Timestamp) -> Result<Duration, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT min(message_at) FROM jobs WHERE status = 'queued' AND message_at > ?1",
    )?;
    let next: Option<i64> = statement.query_row([nanos(now)], |row| row.get(0))?;
    Ok(next.map_or(SAFETY_POLL, |next| {
        let wait = time(next).duration_since(now).unsigned_abs();
        wait.clamp(Duration::from_millis(1), SAFETY_POLL)
    }))
}
