//! Jobs that wait, and their messages: how many the queue should hold, and writing again what it lost.

use std::sync::Arc;

use jiff::Timestamp;
use retake_jobs::{
    id::JobId,
    job::changes::job_message,
    seams::{StoreError, Topic},
};
use rusqlite::Connection;

use super::{
    Database,
    changes::{Times, add_message, set_due},
    connection::{SqliteError, nanos},
    rows::{email_of, job_by_id, parsed, signed},
};

/// Messages written in one transaction, so that nobody waits long.
const JOBS_MAX: u64 = 100;

/// Those whose message was due before then.
pub(super) fn waiting(connection: &Connection, due_before: Timestamp) -> Result<u64, SqliteError> {
    let mut statement = connection
        .prepare_cached("SELECT count(*) FROM jobs WHERE status = 'queued' AND message_at < ?1")?;
    let count: i64 = statement.query_row([nanos(due_before)], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// By two counts of indexes, not by asking of each job whether its message waits in the outbox.
pub(super) fn sent_and_waiting(
    connection: &Connection,
    due_before: Timestamp,
) -> Result<u64, SqliteError> {
    let mut statement = connection
        .prepare_cached("SELECT count(*) FROM outbox WHERE not_before < ?1 AND topic = ?2")?;
    let parameters = (nanos(due_before), Topic::Jobs.name());
    let unsent: i64 = statement.query_row(parameters, |row| row.get(0))?;
    Ok(waiting(connection, due_before)?.saturating_sub(unsent.unsigned_abs()))
}

pub(super) async fn send(
    database: &Arc<Database>,
    count: u64,
    due_before: Timestamp,
) -> Result<usize, StoreError> {
    let times = database.times();
    let mut written = 0;
    while written < count {
        let most = JOBS_MAX.min(count - written);
        let some = database
            .write(move |connection| write_again(connection, most, due_before, times))
            .await?;
        written += some;
        if some < most {
            break;
        }
    }
    Ok(usize::try_from(written).unwrap_or(usize::MAX))
}

/// The oldest first: the queue delivers in order, so that theirs should have come by now.
fn write_again(
    connection: &Connection,
    most: u64,
    due_before: Timestamp,
    times: Times,
) -> Result<u64, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM jobs
         WHERE status = 'queued' AND message_at < ?1 AND NOT EXISTS
             (SELECT 1 FROM outbox WHERE outbox.job_id = jobs.id AND outbox.topic = ?2)
         ORDER BY message_at LIMIT ?3",
    )?;
    let lost: Vec<JobId> = statement
        .query_and_then(
            (nanos(due_before), Topic::Jobs.name(), signed(most)),
            |row| parsed(row.get_ref(0)?),
        )?
        .collect::<Result<_, SqliteError>>()?;
    for id in &lost {
        let Some(job) = job_by_id(connection, *id)? else {
            continue;
        };
        let email = email_of(connection, job.recording_id)?;
        let body = job_message(&job, &email, times.now);
        add_message(connection, Topic::Jobs, &body, &job, times)?;
        set_due(connection, *id, times)?;
    }
    Ok(lost.len() as u64)
}
