//! A queue for those who have the store's file open: a job that waits is found in the store, without a
//! message. What carries messages otherwise goes on carrying completions, and the messages of jobs that
//! nobody beside the store has taken for a while.
//!
//! A message that comes for a job which is no longer waiting is acknowledged here: whoever runs it holds
//! its lease, and a lease that runs out is the sweep's to find.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use retake_jobs::{
    id::JobId,
    job::changes::job_message,
    message::JobMessage,
    seams::{Delivery, Queue, QueueError, SharedQueue, Tag, Topic},
};
use rusqlite::Connection;

use super::{
    Database, SqliteQueue, SqliteStore,
    connection::{SqliteError, nanos, time},
    messages_again,
    rows::{email_of, job_by_id, parsed},
    turns,
};

/// Looks again after this long although nobody said so.
const SAFETY_POLL: Duration = Duration::from_secs(1);
/// Whoever was given a job has claimed it by then, or will find it claimed.
const GIVEN: Duration = Duration::from_millis(50);
/// A job that waits so long has its message sent.
const LEFT_TO_NEIGHBOURS: SignedDuration = SignedDuration::from_secs(1);

pub struct DirectQueue {
    database: Arc<Database>,
    carrier: SharedQueue,
    /// The carrier may bring jobs' messages, too.
    carries_jobs: bool,
    running_max: u32,
    /// Jobs somebody here was given a moment ago.
    given: Mutex<HashMap<JobId, Instant>>,
    pub(super) given_for: Duration,
}

impl DirectQueue {
    /// Over a broker. `running_max` is the worker's limit of one owner's running jobs.
    pub fn over(store: &SqliteStore, carrier: SharedQueue, running_max: u32) -> Self {
        store.database.leave_messages_for(LEFT_TO_NEIGHBOURS);
        Self::new(store, carrier, true, running_max)
    }

    /// Without a broker everybody has the file open, and no job needs a message.
    pub fn embedded(store: &SqliteStore, carrier: SqliteQueue, running_max: u32) -> Self {
        store.database.leave_messages_for(LEFT_TO_NEIGHBOURS);
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
            given: Mutex::default(),
            given_for: GIVEN,
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
        let given = self.given_lately();
        let found = self
            .database
            .read(move |connection| look(connection, now, running_max, &given))
            .await?;
        if let Found::Waits { job, .. } = &found {
            self.given
                .lock()
                .expect("no panic while held")
                .insert(*job, Instant::now());
        }
        Ok(found)
    }

    fn given_lately(&self) -> Vec<JobId> {
        let mut given = self.given.lock().expect("no panic while held");
        given.retain(|_, at| at.elapsed() < self.given_for);
        given.keys().copied().collect()
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
            // Listen before looking.
            let told = self.database.news.jobs.notified();
            if self.carries_jobs
                && let Some(delivery) = self.arrived().await?
            {
                return Ok(delivery);
            }
            let patience = match self.look().await? {
                Found::Waits { job, body } => {
                    // Where one job waits there may be two.
                    self.database.news.jobs.notify_one();
                    return Ok(Delivery {
                        topic,
                        body,
                        redeliveries: 0,
                        tag: Tag::Waiting { job },
                    });
                }
                Found::Nothing { patience } => patience,
            };
            tokio::select! {
                () = told => {}
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
            Tag::Waiting { .. } => Ok(()),
            _ => self.carrier.extend(delivery).await,
        }
    }

    async fn ack(&self, delivery: Delivery) -> Result<(), QueueError> {
        match delivery.tag {
            Tag::Waiting { .. } => Ok(()),
            _ => self.carrier.ack(delivery).await,
        }
    }

    /// What was found in the store is there until somebody claims it.
    async fn retry(&self, delivery: Delivery, delay: Duration) -> Result<(), QueueError> {
        match delivery.tag {
            Tag::Waiting { .. } => Ok(()),
            _ => self.carrier.retry(delivery, delay).await,
        }
    }

    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<(), QueueError> {
        match delivery.tag {
            Tag::Waiting { .. } => Ok(()),
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
    Waits { job: JobId, body: Vec<u8> },
    Nothing { patience: Duration },
}

/// One that waits and was not given to somebody else a moment ago. Whose turn it is, the claim decides.
fn look(
    connection: &Connection,
    now: Timestamp,
    running_max: u32,
    given: &[JobId],
) -> Result<Found, SqliteError> {
    let next = turns::next(connection, now, running_max)?;
    let free = match next {
        Some(id) if given.contains(&id) => another(connection, now, given)?,
        next => next,
    };
    let job = free.map(|id| job_by_id(connection, id)).transpose()?;
    let Some(job) = job.flatten() else {
        let patience = match next {
            Some(_) => GIVEN,
            None => until_due(connection, now)?,
        };
        return Ok(Found::Nothing { patience });
    };
    let email = email_of(connection, job.recording_id)?;
    Ok(Found::Waits {
        job: job.id,
        body: job_message(&job, &email, now),
    })
}

fn another(
    connection: &Connection,
    now: Timestamp,
    given: &[JobId],
) -> Result<Option<JobId>, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM jobs WHERE status = 'queued' AND message_at <= ?1
         ORDER BY message_at LIMIT ?2",
    )?;
    let mut rows = statement.query((nanos(now), given.len() as i64 + 1))?;
    while let Some(row) = rows.next()? {
        let id: JobId = parsed(row.get_ref(0)?)?;
        if !given.contains(&id) {
            return Ok(Some(id));
        }
    }
    Ok(None)
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
