//! Writes what a job's change entails, in the change's own transaction.

use jiff::{SignedDuration, Timestamp};
use retake_jobs::{
    email::Email,
    event::{EventKind, RecordingNews, Subject},
    id::{EventId, JobId, OwnerId},
    job::{
        Job, Status,
        changes::{entailed, snapshot},
    },
    seams::Topic,
};
use rusqlite::Connection;

use super::{
    connection::{SqliteError, nanos},
    deliveries::{self, Told},
    rows::{email_of, job_by_id, to_json, update_job},
};

/// When a change is made, and when what it entails is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub now: Timestamp,
    pub due: Timestamp,
    /// Whoever runs jobs finds them in the file: that one waits needs no message.
    pub jobs_are_found: bool,
}

impl Times {
    /// What the change entails may wait so long.
    pub fn later(self, rest: SignedDuration) -> Self {
        Self {
            due: self.due.saturating_add(rest).unwrap_or(self.due),
            ..self
        }
    }
}

/// Runs one transition on a job and writes what came of it. `None`: no such job.
pub(super) fn change<T>(
    connection: &Connection,
    id: JobId,
    times: Times,
    transition: impl FnOnce(&mut Job) -> T,
) -> Result<Option<(Job, T)>, SqliteError> {
    let Some(before) = job_by_id(connection, id)? else {
        return Ok(None);
    };
    let mut after = before.clone();
    let answer = transition(&mut after);
    if after != before {
        update_job(connection, &before, &after)?;
        write_attempts(connection, &before, &after, times.now)?;
        write_entailed(connection, Some(&before), &after, times)?;
    }
    Ok(Some((after, answer)))
}

/// The newest event's id, where there was one to write.
pub(super) fn write_entailed(
    connection: &Connection,
    before: Option<&Job>,
    after: &Job,
    times: Times,
) -> Result<Option<EventId>, SqliteError> {
    // A heartbeat entails nothing; it need not read the address.
    let status_unchanged = before.is_some_and(|before| {
        before.status == after.status
            && before.attempt == after.attempt
            && before.cancel_requested == after.cancel_requested
    });
    if status_unchanged {
        return Ok(None);
    }
    let email: Email = email_of(connection, after.recording_id)?;
    let entailed = entailed(before, after, &email, times.now);
    if entailed.forget_progress {
        connection
            .prepare_cached("DELETE FROM events WHERE job_id = ?1 AND kind = ?2")?
            .execute((after.id.to_string(), EventKind::Progress.name()))?;
    }
    let event = entailed
        .event
        .map(|kind| {
            let event = add_event(connection, kind, after)?;
            let told = Told {
                id: event,
                owner: after.owner,
                kind,
                job: Some(after),
            };
            let subject = || Subject::Job(snapshot(after));
            deliveries::tell(connection, told, subject, times.now)?;
            Ok::<_, SqliteError>(event)
        })
        .transpose()?;
    if let Some((topic, body)) = entailed.message {
        if topic == Topic::Jobs && before.is_some() {
            // A new job's is that of its creation.
            set_due(connection, after.id, times)?;
        }
        if topic == Topic::Completions || !times.jobs_are_found {
            add_message(connection, topic, &body, after, times)?;
        }
    }
    Ok(event)
}

pub(super) fn add_event(
    connection: &Connection,
    kind: EventKind,
    job: &Job,
) -> Result<EventId, SqliteError> {
    connection
        .prepare_cached("INSERT INTO events (owner, job_id, kind, job) VALUES (?1, ?2, ?3, ?4)")?
        .execute((
            job.owner.to_string(),
            job.id.to_string(),
            kind.name(),
            to_json(&snapshot(job)),
        ))?;
    Ok(EventId(connection.last_insert_rowid()))
}

pub(super) fn add_recording_event(
    connection: &Connection,
    kind: EventKind,
    owner: OwnerId,
    news: &RecordingNews,
    now: Timestamp,
) -> Result<EventId, SqliteError> {
    connection
        .prepare_cached("INSERT INTO events (owner, kind, recording) VALUES (?1, ?2, ?3)")?
        .execute((owner.to_string(), kind.name(), to_json(news)))?;
    let id = EventId(connection.last_insert_rowid());
    let told = Told {
        id,
        owner,
        kind,
        job: None,
    };
    deliveries::tell(connection, told, || Subject::Recording(news.clone()), now)?;
    Ok(id)
}

pub(super) fn add_message(
    connection: &Connection,
    topic: Topic,
    body: &[u8],
    job: &Job,
    times: Times,
) -> Result<(), SqliteError> {
    let not_before = match topic {
        Topic::Jobs => times.due,
        // A pause is before the next attempt: an end is told at once.
        Topic::Completions => times.now,
    };
    connection
        .prepare_cached(
            "INSERT INTO outbox (topic, owner, job_id, body, written_at, not_before)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            topic.name(),
            job.owner.to_string(),
            job.id.to_string(),
            body,
            nanos(times.now),
            nanos(not_before),
        ))?;
    Ok(())
}

/// From when on it waits to be run, which is also when its message is due.
pub(super) fn set_due(connection: &Connection, id: JobId, times: Times) -> Result<(), SqliteError> {
    connection
        .prepare_cached("UPDATE jobs SET message_at = ?2 WHERE id = ?1")?
        .execute((id.to_string(), nanos(times.now.max(times.due))))?;
    Ok(())
}

/// The record of who tried what, for whoever asks later why a job took so long.
fn write_attempts(
    connection: &Connection,
    before: &Job,
    after: &Job,
    now: Timestamp,
) -> Result<(), SqliteError> {
    let id = after.id.to_string();
    if before.status == Status::Running
        && (after.status != Status::Running || after.attempt != before.attempt)
    {
        let outcome = if after.status.is_ended() {
            after.status
        } else {
            Status::Queued
        };
        connection
            .prepare_cached(
                "UPDATE attempts SET ended_at = ?3, outcome = ?4 WHERE job_id = ?1 AND attempt = ?2",
            )?
            .execute((&id, before.attempt, nanos(now), outcome.name()))?;
    }
    if let Some(lease) = &after.lease
        && after.attempt != before.attempt
    {
        connection
            .prepare_cached(
                "INSERT INTO attempts (job_id, attempt, worker, started_at) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((&id, after.attempt, &lease.worker, nanos(now)))?;
    }
    Ok(())
}
