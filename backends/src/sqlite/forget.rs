//! Old events go. There is no time in an event's row: marks say how far the log had come when.

use jiff::{SignedDuration, Timestamp};
use retake_jobs::{id::EventId, seams::StoreError};
use rusqlite::{Connection, OptionalExtension};

use super::{
    Database,
    connection::{SqliteError, nanos},
    news::newest_event,
    writer::Durability,
};

/// Marks per lifetime of an event: what is kept too long is so much of it.
const MARKS: i32 = 64;
/// Events removed in one transaction, so that nobody waits long.
const EVENTS_MAX: i64 = 1_000;

/// Where the log that is still whole begins: whoever asks for what came before has missed something.
pub(super) fn forgotten(connection: &Connection) -> Result<EventId, SqliteError> {
    let forgotten: Option<i64> = connection
        .prepare_cached(
            "SELECT newest_event FROM event_marks WHERE forgotten = 1
             ORDER BY newest_event DESC LIMIT 1",
        )?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(EventId(forgotten.unwrap_or(0)))
}

pub(super) async fn forget(
    database: &Database,
    lifetime: SignedDuration,
) -> Result<usize, StoreError> {
    let now = database.clock.now();
    let due = database
        .read(move |connection| due(connection, lifetime, now))
        .await?;
    if !due {
        return Ok(0);
    }
    let (mut events, mut more) = (0, true);
    while more {
        let gone = database
            .write_freeing(Durability::Process, move |connection| {
                mark(connection, lifetime, now)?;
                forget_some(connection, earlier(now, lifetime))
            })
            .await?;
        events += gone;
        more = gone == EVENTS_MAX.unsigned_abs() as usize;
    }
    Ok(events)
}

/// Whether a mark is to be made, or one is old enough to forget what lies before it.
fn due(
    connection: &Connection,
    lifetime: SignedDuration,
    now: Timestamp,
) -> Result<bool, SqliteError> {
    if mark_is_due(connection, lifetime, now)? {
        return Ok(true);
    }
    let old = old_mark(connection, earlier(now, lifetime))?;
    Ok(old.is_some_and(|(_, forgotten)| !forgotten))
}

fn mark_is_due(
    connection: &Connection,
    lifetime: SignedDuration,
    now: Timestamp,
) -> Result<bool, SqliteError> {
    let last: Option<(i64, i64)> = connection
        .prepare_cached(
            "SELECT newest_event, at FROM event_marks ORDER BY newest_event DESC LIMIT 1",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let newest = newest_event(connection)?;
    Ok(match last {
        Some((event, at)) => event < newest && at <= nanos(earlier(now, lifetime / MARKS)),
        None => newest > 0,
    })
}

fn mark(
    connection: &Connection,
    lifetime: SignedDuration,
    now: Timestamp,
) -> Result<(), SqliteError> {
    if mark_is_due(connection, lifetime, now)? {
        connection
            .prepare_cached("INSERT OR IGNORE INTO event_marks (newest_event, at) VALUES (?1, ?2)")?
            .execute((newest_event(connection)?, nanos(now)))?;
    }
    Ok(())
}

fn earlier(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// The highest mark that was made before then.
fn old_mark(
    connection: &Connection,
    before: Timestamp,
) -> Result<Option<(i64, bool)>, SqliteError> {
    let found = connection
        .prepare_cached(
            "SELECT newest_event, forgotten FROM event_marks WHERE at <= ?1
             ORDER BY newest_event DESC LIMIT 1",
        )?
        .query_row([nanos(before)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found)
}

fn forget_some(connection: &Connection, before: Timestamp) -> Result<usize, SqliteError> {
    let Some((event, _)) = old_mark(connection, before)? else {
        return Ok(0);
    };
    // First the word that something is missing, then what is.
    connection
        .prepare_cached("UPDATE event_marks SET forgotten = 1 WHERE newest_event = ?1")?
        .execute([event])?;
    connection
        .prepare_cached("DELETE FROM event_marks WHERE newest_event < ?1")?
        .execute([event])?;
    let gone = connection
        .prepare_cached(
            "DELETE FROM events WHERE id IN
                 (SELECT id FROM events WHERE id <= ?1 ORDER BY id LIMIT ?2)",
        )?
        .execute((event, EVENTS_MAX))?;
    Ok(gone)
}
