//! An owner's lists, what they call their recordings, and the trash.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use retake_jobs::{
    entry::{Edit, Entry, EntryPlace, EntryQuery, Found, JobQuery, folded},
    event::{EventKind, RecordingNews},
    id::{JobId, OwnerId, RecordingId},
    job::Job,
    seams::{BlobKey, Changed, Library, StoreError},
};
use rusqlite::{Connection, OptionalExtension};

use super::{
    Database, SqliteStore,
    changes::{Times, add_recording_event, change},
    connection::{SqliteError, nanos, time},
    entries, records,
    rows::{parsed, parsed_text, recording_by_id},
    upload,
    writer::Durability,
};

/// Recordings removed in one transaction.
const AT_ONCE: i64 = 10;

#[async_trait]
impl Library for SqliteStore {
    async fn recordings(
        &self,
        owner: OwnerId,
        query: &EntryQuery,
    ) -> Result<Found<Entry, EntryPlace>, StoreError> {
        let query = query.clone();
        self.database
            .read(move |connection| entries::list(connection, owner, &query))
            .await
    }

    async fn jobs(
        &self,
        owner: OwnerId,
        query: &JobQuery,
    ) -> Result<Found<Job, JobId>, StoreError> {
        let query = query.clone();
        self.database
            .read(move |connection| entries::jobs(connection, owner, &query))
            .await
    }

    async fn edit_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
        edit: &Edit,
        expected: Option<u64>,
    ) -> Result<Option<Result<Entry, Changed>>, StoreError> {
        let (edit, now) = (edit.clone(), self.database.clock.now());
        self.database
            .write(move |connection| {
                let Some(mut row) = entries::find(connection, owner, id)? else {
                    return Ok(None);
                };
                if expected.is_some_and(|expected| expected != row.version) {
                    return Ok(Some(Err(Changed)));
                }
                let before = row.metadata.clone();
                edit.apply(&mut row.metadata);
                if row.metadata != before {
                    row.version += 1;
                    let recording = recording_by_id(connection, id)?;
                    let file_name = recording.and_then(|recording| recording.file_name);
                    let shown = row.metadata.name.as_deref().or(file_name.as_deref());
                    row.folded_name = folded(shown.unwrap_or_default());
                    entries::write(connection, owner, &row)?;
                    let news = RecordingNews {
                        id,
                        restorable_until: None,
                    };
                    add_recording_event(
                        connection,
                        EventKind::RecordingChanged,
                        owner,
                        &news,
                        now,
                    )?;
                }
                Ok(entries::whole(connection, row)?.map(Ok))
            })
            .await
    }

    async fn trash_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
        grace: SignedDuration,
    ) -> Result<Option<Timestamp>, StoreError> {
        let times = self.database.times();
        let until = times.now.saturating_add(grace).unwrap_or(Timestamp::MAX);
        self.database
            // On a full disk, too, deleting is possible.
            .write_freeing(Durability::Machine, move |connection| {
                trash(connection, owner, id, times, until)
            })
            .await
    }

    async fn restore_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<Entry>, StoreError> {
        let times = self.database.times();
        self.database
            .write(move |connection| restore(connection, owner, id, times))
            .await
    }
}

/// When a job that is held may be claimed: never, but that is no number.
const HELD: SignedDuration = SignedDuration::from_hours(24 * 365 * 100);

fn trash(
    connection: &Connection,
    owner: OwnerId,
    id: RecordingId,
    times: Times,
    until: Timestamp,
) -> Result<Option<Timestamp>, SqliteError> {
    if !entries::is_there(connection, owner, id)? {
        return Ok(None);
    }
    let hidden = OwnerId::new();
    connection
        .prepare_cached(
            "INSERT INTO trash (recording_id, owner, hidden, restorable_until)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((
            id.to_string(),
            owner.to_string(),
            hidden.to_string(),
            nanos(until),
        ))?;
    give(connection, id, owner, hidden)?;
    let held = Times {
        due: times.now.saturating_add(HELD).unwrap_or(Timestamp::MAX),
        ..times
    };
    for job in unfinished(connection, id)? {
        change(connection, job, held, |job| job.hold(times.now))?;
        set_due(connection, job, held.due)?;
    }
    let news = RecordingNews {
        id,
        restorable_until: Some(until),
    };
    add_recording_event(
        connection,
        EventKind::RecordingDeleted,
        owner,
        &news,
        times.now,
    )?;
    Ok(Some(until))
}

fn restore(
    connection: &Connection,
    owner: OwnerId,
    id: RecordingId,
    times: Times,
) -> Result<Option<Entry>, SqliteError> {
    let Some((hidden, until)) = hidden_owner(connection, owner, id)? else {
        return Ok(None);
    };
    if until <= times.now {
        return Ok(None);
    }
    take_out(connection, id)?;
    give(connection, id, hidden, owner)?;
    for job in unfinished(connection, id)? {
        set_due(connection, job, times.now)?;
    }
    let news = RecordingNews {
        id,
        restorable_until: None,
    };
    add_recording_event(
        connection,
        EventKind::RecordingRestored,
        owner,
        &news,
        times.now,
    )?;
    let row = entries::find(connection, owner, id)?;
    row.map_or(Ok(None), |row| entries::whole(connection, row))
}

/// Who has the recording and its jobs while it is in the owner's trash, and until when it can be restored.
pub(super) fn hidden_owner(
    connection: &Connection,
    owner: OwnerId,
    id: RecordingId,
) -> Result<Option<(OwnerId, Timestamp)>, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT hidden, restorable_until FROM trash WHERE recording_id = ?1 AND owner = ?2",
    )?;
    let mut rows = statement.query((id.to_string(), owner.to_string()))?;
    rows.next()?
        .map(|row| Ok((parsed(row.get_ref(0)?)?, time(row.get(1)?))))
        .transpose()
}

pub(super) fn take_out(connection: &Connection, id: RecordingId) -> Result<(), SqliteError> {
    connection
        .prepare_cached("DELETE FROM trash WHERE recording_id = ?1")?
        .execute([id.to_string()])?;
    Ok(())
}

/// What is looked for by its owner. The recording's own row is not: it holds a MiB, which would be written again.
fn give(
    connection: &Connection,
    id: RecordingId,
    from: OwnerId,
    to: OwnerId,
) -> Result<(), SqliteError> {
    let (id, from, to) = (id.to_string(), from.to_string(), to.to_string());
    connection
        .prepare_cached("UPDATE entries SET owner = ?3 WHERE owner = ?2 AND recording_id = ?1")?
        .execute([&id, &from, &to])?;
    for sql in [
        "UPDATE jobs SET owner = ?2 WHERE recording_id = ?1",
        "UPDATE derivatives SET owner = ?2
         WHERE job_id IN (SELECT id FROM jobs WHERE recording_id = ?1)",
    ] {
        connection.prepare_cached(sql)?.execute([&id, &to])?;
    }
    Ok(())
}

fn unfinished(connection: &Connection, id: RecordingId) -> Result<Vec<JobId>, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM jobs WHERE recording_id = ?1 AND status IN ('queued', 'running')",
    )?;
    let rows = statement.query_and_then([id.to_string()], |row| parsed(row.get_ref(0)?))?;
    rows.collect()
}

/// With the messages that are still to be sent.
fn set_due(connection: &Connection, job: JobId, due: Timestamp) -> Result<(), SqliteError> {
    for sql in [
        "UPDATE jobs SET message_at = ?2 WHERE id = ?1 AND status = 'queued'",
        "UPDATE outbox SET not_before = ?2 WHERE job_id = ?1 AND topic = 'jobs'",
    ] {
        connection
            .prepare_cached(sql)?
            .execute((job.to_string(), nanos(due)))?;
    }
    Ok(())
}

pub(super) async fn empty_trash(database: &Arc<Database>) -> Result<Vec<BlobKey>, StoreError> {
    let now = database.clock.now();
    let mut gone = Vec::new();
    loop {
        let due = database
            .read(move |connection| Ok(first_over(connection, now)?.is_some()))
            .await?;
        if !due {
            return Ok(gone);
        }
        let some = database
            .write_freeing(Durability::Machine, move |connection| {
                let mut keys = Vec::new();
                for _ in 0..AT_ONCE {
                    let Some((id, hidden)) = first_over(connection, now)? else {
                        break;
                    };
                    take_out(connection, id)?;
                    let deleted = records::delete(connection, hidden, id)?;
                    keys.extend(deleted.unwrap_or_default());
                }
                Ok(keys)
            })
            .await?;
        gone.extend(some);
        // What this leaves, the sweep takes.
        upload::reclaim(database).await?;
    }
}

fn first_over(
    connection: &Connection,
    now: Timestamp,
) -> Result<Option<(RecordingId, OwnerId)>, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT recording_id, hidden FROM trash WHERE restorable_until <= ?1
         ORDER BY restorable_until LIMIT 1",
    )?;
    let found: Option<(String, String)> = statement
        .query_row([nanos(now)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found
        .map(|(id, hidden)| Ok((parsed_text(&id)?, parsed_text(&hidden)?)))
        .transpose()
}
