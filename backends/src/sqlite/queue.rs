//! The embedded queue: a table. A claim makes a message invisible for a while and takes the next
//! claim number; whoever comes back with an older number is stale.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::seams::{Delivery, Queue, QueueError, QueueLimits, Tag, Topic};
use rusqlite::{Connection, OptionalExtension};

use super::{
    Database, SqliteStore,
    connection::{SqliteError, nanos, time},
    rows::signed,
};

/// Looks again after this long although nobody said so.
const SAFETY_POLL: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct SqliteQueue {
    database: Arc<Database>,
    limits: QueueLimits,
}

impl SqliteQueue {
    pub fn new(store: &SqliteStore, limits: QueueLimits) -> Self {
        Self {
            database: Arc::clone(&store.database),
            limits,
        }
    }

    fn invisible_until(&self) -> i64 {
        after(self.database.clock.now(), self.limits.visibility)
    }

    /// Runs one statement on the message of a delivery that is still ours.
    async fn held(
        &self,
        delivery: &Delivery,
        work: impl FnOnce(&Connection, i64, i64) -> Result<usize, SqliteError> + Send + 'static,
    ) -> Result<(), QueueError> {
        let Tag::Row { id, claim } = delivery.tag else {
            return Err(QueueError::Stale);
        };
        let changed = self
            .database
            .write_lightly(move |connection| work(connection, id, claim))
            .await?;
        if changed == 1 {
            Ok(())
        } else {
            Err(QueueError::Stale)
        }
    }
}

#[async_trait]
impl Queue for SqliteQueue {
    async fn publish(&self, topic: Topic, body: &[u8]) -> Result<(), QueueError> {
        let (body, now) = (body.to_vec(), nanos(self.database.clock.now()));
        let messages_max = signed(self.limits.messages_max);
        // Lightly: the outbox row it comes from is removed by a later commit to the same log, so
        // that whatever happens to the machine one of the two is there.
        let published = self
            .database
            .write_lightly(move |connection| {
                let count: Option<i64> = connection
                    .prepare_cached("SELECT count FROM message_counts WHERE topic = ?1")?
                    .query_row([topic.name()], |row| row.get(0))
                    .optional()?;
                if count.unwrap_or(0) >= messages_max {
                    return Ok(false);
                }
                connection
                    .prepare_cached(
                        "INSERT INTO messages (topic, body, visible_at) VALUES (?1, ?2, ?3)",
                    )?
                    .execute((topic.name(), body, now))?;
                Ok(true)
            })
            .await?;
        if !published {
            return Err(QueueError::Full);
        }
        self.database.news.messages_wait();
        Ok(())
    }

    async fn claim(&self, topic: Topic) -> Result<Delivery, QueueError> {
        loop {
            // Listen before looking.
            let published = self.database.news.messages.notified();
            let (now, until) = (self.database.clock.now(), self.invisible_until());
            let database = Arc::clone(&self.database);
            let claimed = self
                .database
                .write_lightly(
                    move |connection| match claim(connection, topic, now, until)? {
                        Some(delivery) => Ok(Claimed::Some(InHand::new(delivery, database))),
                        None => Ok(Claimed::None {
                            next: next_visible(connection, topic)?,
                        }),
                    },
                )
                .await?;
            let patience = match claimed {
                Claimed::Some(in_hand) => return Ok(in_hand.take()),
                Claimed::None { next: None } => SAFETY_POLL,
                Claimed::None { next: Some(next) } => {
                    let wait = next.duration_since(now).unsigned_abs();
                    wait.clamp(Duration::from_millis(1), SAFETY_POLL)
                }
            };
            let _ = tokio::time::timeout(patience, published).await;
        }
    }

    async fn extend(&self, delivery: &Delivery) -> Result<(), QueueError> {
        let until = self.invisible_until();
        self.held(delivery, move |connection, id, claim| {
            let mut statement = connection.prepare_cached(
                "UPDATE messages SET visible_at = ?3 WHERE id = ?1 AND claim = ?2",
            )?;
            Ok(statement.execute((id, claim, until))?)
        })
        .await
    }

    async fn ack(&self, delivery: Delivery) -> Result<(), QueueError> {
        self.held(&delivery, |connection, id, claim| {
            let mut statement =
                connection.prepare_cached("DELETE FROM messages WHERE id = ?1 AND claim = ?2")?;
            Ok(statement.execute((id, claim))?)
        })
        .await
    }

    async fn retry(&self, delivery: Delivery, delay: Duration) -> Result<(), QueueError> {
        let then = after(self.database.clock.now(), delay);
        self.held(&delivery, move |connection, id, claim| {
            give_back(connection, id, claim, then)
        })
        .await?;
        self.database.news.messages_wait();
        Ok(())
    }

    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<(), QueueError> {
        let (reason, now) = (reason.to_owned(), nanos(self.database.clock.now()));
        self.held(&delivery, move |connection, id, claim| {
            connection
                .prepare_cached(
                    "INSERT INTO dead_letters (topic, body, reason, deliveries, buried_at)
                     SELECT topic, body, ?3, deliveries, ?4 FROM messages
                     WHERE id = ?1 AND claim = ?2",
                )?
                .execute((id, claim, reason, now))?;
            let mut statement =
                connection.prepare_cached("DELETE FROM messages WHERE id = ?1 AND claim = ?2")?;
            Ok(statement.execute((id, claim))?)
        })
        .await
    }

    async fn waiting(&self, topic: Topic) -> Result<u64, QueueError> {
        let now = nanos(self.database.clock.now());
        let waiting = self.database.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT count(*) FROM messages WHERE topic = ?1 AND visible_at <= ?2",
            )?;
            let count: i64 = statement.query_row((topic.name(), now), |row| row.get(0))?;
            Ok(count.unsigned_abs())
        });
        Ok(waiting.await?)
    }
}

enum Claimed {
    Some(InHand),
    None { next: Option<Timestamp> },
}

/// A claim on its way to the claimant. A claimant that has gone in the meantime never takes it, and
/// then the message is visible again at once.
struct InHand(Option<(Delivery, Arc<Database>)>);

impl InHand {
    fn new(delivery: Delivery, database: Arc<Database>) -> Self {
        Self(Some((delivery, database)))
    }

    fn take(mut self) -> Delivery {
        self.0.take().expect("taken once").0
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        let Some((delivery, database)) = self.0.take() else {
            return;
        };
        let Tag::Row { id, claim } = delivery.tag else {
            return;
        };
        let news = Arc::clone(&database.news);
        let now = nanos(database.clock.now());
        database.writer.write_later(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE messages SET deliveries = deliveries - 1 WHERE id = ?1 AND claim = ?2",
                )?
                .execute((id, claim))?;
            give_back(connection, id, claim, now)?;
            news.messages.notify_waiters();
            Ok(())
        });
    }
}

fn claim(
    connection: &Connection,
    topic: Topic,
    now: Timestamp,
    until: i64,
) -> Result<Option<Delivery>, SqliteError> {
    let mut statement = connection.prepare_cached(
        "UPDATE messages SET visible_at = ?3, claim = claim + 1, deliveries = deliveries + 1
         WHERE id = (SELECT id FROM messages WHERE topic = ?1 AND visible_at <= ?2
                     ORDER BY visible_at, id LIMIT 1)
         RETURNING id, claim, deliveries, body",
    )?;
    let delivery = statement.query_row((topic.name(), nanos(now), until), |row| {
        Ok(Delivery {
            topic,
            tag: Tag::Row {
                id: row.get(0)?,
                claim: row.get(1)?,
            },
            redeliveries: row.get::<_, u32>(2)?.saturating_sub(1),
            body: row.get(3)?,
        })
    });
    Ok(delivery.optional()?)
}

fn next_visible(connection: &Connection, topic: Topic) -> Result<Option<Timestamp>, SqliteError> {
    let mut statement =
        connection.prepare_cached("SELECT min(visible_at) FROM messages WHERE topic = ?1")?;
    let next: Option<i64> = statement.query_row([topic.name()], |row| row.get(0))?;
    Ok(next.map(time))
}

/// The claim number goes up, so that the delivery that is given back is stale from now on.
fn give_back(
    connection: &Connection,
    id: i64,
    claim: i64,
    visible_at: i64,
) -> Result<usize, SqliteError> {
    let mut statement = connection.prepare_cached(
        "UPDATE messages SET visible_at = ?3, claim = claim + 1 WHERE id = ?1 AND claim = ?2",
    )?;
    Ok(statement.execute((id, claim, visible_at))?)
}

fn after(now: Timestamp, delay: Duration) -> i64 {
    now.checked_add(delay).map_or(i64::MAX, nanos)
}
