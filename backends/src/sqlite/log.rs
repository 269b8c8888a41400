//! The outbox and the event log.

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::{
    derivative::Derivative,
    event::{Event, EventKind, Subject},
    id::{EventId, JobId, OwnerId},
    job::Job,
    seams::{EventLog, Outbox, OutboxRow, StoreError, Topic},
};
use rusqlite::Row;

use super::{
    SqliteStore,
    connection::{SqliteError, nanos},
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
                    "SELECT id, kind, job, derivative, recording FROM events
                     WHERE owner = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
                )?;
                let rows = statement
                    .query_and_then((owner.to_string(), after.0, signed(limit as u64)), |row| {
                        event(row, owner)
                    })?;
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

fn event(row: &Row<'_>, owner: OwnerId) -> Result<Event, SqliteError> {
    Ok(Event {
        id: EventId(row.get("id")?),
        owner,
        kind: named(&row.get::<_, String>("kind")?, EventKind::parse)?,
        subject: subject(row, owner)?,
    })
}

/// Owners never stand in JSON, which leaves the server.
pub(super) fn subject(row: &Row<'_>, owner: OwnerId) -> Result<Subject, SqliteError> {
    let text = |column: &str| row.get::<_, Option<String>>(column);
    let job: Option<Job> = text("job")?.as_deref().map(json).transpose()?;
    let job = job.map(|job| Job { owner, ..job });
    let derivative: Option<Derivative> = text("derivative")?.as_deref().map(json).transpose()?;
    Ok(match (job, derivative) {
        (Some(job), None) => Subject::Job(job),
        (Some(job), Some(is)) => Subject::Derivative(job, Derivative { owner, ..is }),
        (None, _) => Subject::Recording(json(&row.get::<_, String>("recording")?)?),
    })
}
