//! Requests that came under a key, and what each was answered.

use jiff::Timestamp;
use retake_jobs::{
    id::{EventId, OwnerId},
    idempotency::{Added, Answered, IdempotencyKey, Once},
    job::Job,
    seams::StoreError,
};
use rusqlite::{Connection, OptionalExtension};

use super::{
    Database,
    connection::{SqliteError, nanos},
    rows::{json, to_json},
    writer::Durability,
};

/// Rows removed in one transaction, so that nobody waits long.
const ROWS_MAX: i64 = 1_000;

pub(super) fn find(
    connection: &Connection,
    owner: OwnerId,
    key: &IdempotencyKey,
) -> Result<Option<Answered>, SqliteError> {
    let row: Option<([u8; 32], String, i64)> = connection
        .prepare_cached(
            "SELECT fingerprint, job, event FROM answered WHERE owner = ?1 AND key = ?2",
        )?
        .query_row((owner.to_string(), key.as_str()), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    row.map(|(fingerprint, job, event)| {
        // Owners never stand in JSON, which leaves the server.
        let job = Job {
            owner,
            ..json(&job)?
        };
        Ok(Answered {
            fingerprint,
            job,
            event: EventId(event),
        })
    })
    .transpose()
}

/// Does the work and writes down what it came to, or says what it came to before.
pub(super) fn once(
    connection: &Connection,
    once: Option<&Once>,
    job: &Job,
    now: Timestamp,
    work: impl FnOnce() -> Result<Option<EventId>, SqliteError>,
) -> Result<Option<Added>, SqliteError> {
    let Some(once) = once else {
        return Ok(work()?.map(Added::Now));
    };
    if let Some(before) = find(connection, job.owner, &once.key)? {
        return Ok(Some(Added::Before(Box::new(before))));
    }
    let Some(event) = work()? else {
        return Ok(None);
    };
    connection
        .prepare_cached(
            "INSERT INTO answered (owner, key, fingerprint, job_id, job, event, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            job.owner.to_string(),
            once.key.as_str(),
            once.fingerprint,
            job.id.to_string(),
            to_json(job),
            event.0,
            nanos(now),
        ))?;
    Ok(Some(Added::Now(event)))
}

/// Removes those from before then.
pub(super) async fn forget(database: &Database, before: Timestamp) -> Result<usize, StoreError> {
    let old = nanos(before);
    let is_old = "SELECT EXISTS (SELECT 1 FROM answered WHERE created_at < ?1)";
    let due = database
        .read(move |connection| {
            Ok(connection
                .prepare_cached(is_old)?
                .query_row([old], |row| row.get(0))?)
        })
        .await?;
    let (mut rows, mut more) = (0, due);
    while more {
        let gone = database
            .write_freeing(Durability::Process, move |connection| {
                Ok(connection
                    .prepare_cached(
                        "DELETE FROM answered WHERE (owner, key) IN
                             (SELECT owner, key FROM answered WHERE created_at < ?1 LIMIT ?2)",
                    )?
                    .execute((old, ROWS_MAX))?)
            })
            .await?;
        rows += gone;
        more = gone == ROWS_MAX.unsigned_abs() as usize;
    }
    Ok(rows)
}
