//! The outbox and the event log.

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::{
    derivative::Derivative,
    event::{Event, EventKind},
    id::{EventId, JobId, OwnerId},
    job::Job,
    seams::{EventLog, Outbox, OutboxRow, StoreError, Topic},
};

use super::{
    SqliteStore,
    connection::nanos,
    forget, messages_again, news,
    rows::{job_by_id, json, named, parsed, signed},
};

#[async_trait]
impl Outbox for SqliteStore {
    async fn unsent(
        &self,
        written_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let now = self.database.clock.now();
        self.database
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT id, topic, owner, body FROM outbox
                     WHERE not_before <= ?2 AND written_at < ?1 ORDER BY not_before, id LIMIT ?3",
                )?;
                let rows = statement.query_and_then(
                    (nanos(written_before), nanos(now), signed(limit as u64)),
                    |row| {
                        Ok(OutboxRow {
                            id: row.get(0)?,
                            topic: named(&row.get::<_, String>(1)?, Topic::parse)?,
                            owner: parsed(row.get_ref(2)?)?,
                            body: row.get(3)?,
                        })
                    },
                )?;
                rows.collect()
            })
            .await
    }

    /// Sent rows go: what matters of them, when it was, stands in the job.
    async fn sent(&self, ids: &[i64]) -> Result<(), StoreError> {
        let ids = ids.to_vec();
        self.database
            .write_lightly(move |connection| {
                let mut statement =
                    connection.prepare_cached("DELETE FROM outbox WHERE id = ?1")?;
                for id in ids {
                    statement.execute([id])?;
                }
                Ok(())
            })
            .await
    }

    async fn sent_and_waiting(&self, due_before: Timestamp) -> Result<u64, StoreError> {
        self.database
            .read(move |connection| messages_again::sent_and_waiting(connection, due_before))
            .await
    }

    async fn send_again(&self, count: u64, due_before: Timestamp) -> Result<usize, StoreError> {
        messages_again::send(&self.database, count, due_before).await
    }
}

#[async_trait]
impl EventLog for SqliteStore {
    async fn events(
        &self,
        owner: OwnerId,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        self.database
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT id, kind, job, derivative FROM events WHERE owner = ?1 AND id > ?2
                     ORDER BY id LIMIT ?3",
                )?;
                let rows = statement.query_and_then(
                    (owner.to_string(), after.0, signed(limit as u64)),
                    |row| {
                        let job: Job = json(&row.get::<_, String>(2)?)?;
                        let derivative = row.get::<_, Option<String>>(3)?;
                        let derivative = derivative.as_deref().map(json).transpose()?;
                        Ok(Event {
                            id: EventId(row.get(0)?),
                            kind: named(&row.get::<_, String>(1)?, EventKind::parse)?,
                            // Owners never stand in JSON, which leaves the server.
                            job: Job { owner, ..job },
                            derivative: derivative.map(|is: Derivative| Derivative { owner, ..is }),
                        })
                    },
                )?;
                rows.collect()
            })
            .await
    }

    async fn forgotten_up_to(&self) -> Result<EventId, StoreError> {
        self.database.read(forget::forgotten).await
    }

    async fn newest_event(&self) -> Result<EventId, StoreError> {
        self.database
            .read(|connection| news::newest_event(connection).map(EventId))
            .await
    }

    async fn job_now(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.database
            .read(move |connection| job_by_id(connection, id))
            .await
    }
}
