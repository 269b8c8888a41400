//! Finds what went missing: leases that ran out, messages that were lost, uploads that broke off.

use std::sync::Arc;

use jiff::Timestamp;
use retake_jobs::{
    id::JobId,
    job::{
        LeaseTerms,
        changes::{DRAFT_LIFETIME, job_message, message_overdue},
    },
    seams::{StoreError, Topic},
};
use rusqlite::Connection;

use super::{
    Database,
    changes::{add_message, change},
    connection::{SqliteError, nanos, time},
    plugin_files,
    rows::{email_of, job_by_id, parsed},
    upload,
};

/// Most jobs moved in one transaction; the next sweep goes on.
const JOBS_MAX: usize = 100;
/// Free pages given back to the file system in one sweep: 4 MiB.
const PAGES_MAX: i64 = 256;

pub(super) async fn sweep(
    database: &Arc<Database>,
    terms: LeaseTerms,
    queued_before: Timestamp,
) -> Result<usize, StoreError> {
    let now = database.clock.now();
    // Nearly always there is nothing to do, and then nobody's writes should wait for it.
    let needed = database
        .read(move |connection| is_needed(connection, now, queued_before))
        .await?;
    if !needed {
        return Ok(0);
    }
    let moved = database
        .write(move |connection| {
            let expired = expire_leases(connection, terms, now)?;
            let rewritten = rewrite_messages(connection, queued_before, now)?;
            remove_drafts(connection, now)?;
            plugin_files::remove_unused(connection, now)?;
            give_back_pages(connection)?;
            Ok(expired + rewritten)
        })
        .await?;
    upload::reclaim(database).await?;
    Ok(moved)
}

fn is_needed(
    connection: &Connection,
    now: Timestamp,
    queued_before: Timestamp,
) -> Result<bool, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE status = 'running' AND lease_until <= ?1)
             OR EXISTS (SELECT 1 FROM jobs WHERE status = 'queued' AND message_at < ?2)
             OR EXISTS (SELECT 1 FROM recordings WHERE owner IS NULL AND created_at < ?3)
             OR EXISTS (SELECT 1 FROM corrections WHERE content_type IS NULL AND created_at < ?3)
             OR EXISTS (SELECT 1 FROM deltas WHERE kept = 0 AND created_at < ?3)
             OR EXISTS (SELECT 1 FROM uploads WHERE touched_at < ?3)
             OR (SELECT freelist_count FROM pragma_freelist_count) > ?4",
    )?;
    if plugin_files::unused_is_there(connection, now)? {
        return Ok(true);
    }
    let parameters = (
        nanos(now),
        nanos(queued_before),
        nanos(now - DRAFT_LIFETIME),
        PAGES_MAX,
    );
    Ok(statement.query_row(parameters, |row| row.get(0))?)
}

fn expire_leases(
    connection: &Connection,
    terms: LeaseTerms,
    now: Timestamp,
) -> Result<usize, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM jobs WHERE status = 'running' AND lease_until <= ?1
         ORDER BY lease_until LIMIT ?2",
    )?;
    let expired: Vec<JobId> = statement
        .query_and_then((nanos(now), JOBS_MAX as i64), |row| parsed(row.get_ref(0)?))?
        .collect::<Result<_, SqliteError>>()?;
    for id in &expired {
        change(connection, *id, now, now, |job| job.expire(now, terms))?;
    }
    Ok(expired.len())
}

fn rewrite_messages(
    connection: &Connection,
    queued_before: Timestamp,
    now: Timestamp,
) -> Result<usize, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, message_at, rewritten FROM jobs
         WHERE status = 'queued' AND message_at < ?1 AND NOT EXISTS
             (SELECT 1 FROM outbox WHERE outbox.job_id = jobs.id AND outbox.topic = ?2)
         ORDER BY message_at",
    )?;
    let mut rows = statement.query((nanos(queued_before), Topic::Jobs.name()))?;
    let mut overdue: Vec<JobId> = Vec::new();
    while let Some(row) = rows.next()?
        && overdue.len() < JOBS_MAX
    {
        if message_overdue(time(row.get(1)?), row.get(2)?, queued_before, now) {
            overdue.push(parsed(row.get_ref(0)?)?);
        }
    }
    drop(rows);
    for id in &overdue {
        let Some(job) = job_by_id(connection, *id)? else {
            continue;
        };
        let email = email_of(connection, job.recording_id)?;
        let body = job_message(&job, &email, now);
        add_message(connection, Topic::Jobs, &body, &job, now, now)?;
        connection
            .prepare_cached("UPDATE jobs SET rewritten = rewritten + 1 WHERE id = ?1")?
            .execute([id.to_string()])?;
    }
    Ok(overdue.len())
}

/// Bytes that were stored and that nobody then accepted or settled.
fn remove_drafts(connection: &Connection, now: Timestamp) -> Result<(), SqliteError> {
    let long_ago = nanos(now - DRAFT_LIFETIME);
    for mark in [
        "UPDATE uploads SET touched_at = 0, head = NULL WHERE id IN
             (SELECT upload FROM recordings WHERE owner IS NULL AND created_at < ?1)",
        "UPDATE uploads SET touched_at = 0, head = NULL WHERE id IN
             (SELECT upload FROM corrections WHERE content_type IS NULL AND created_at < ?1)",
        "UPDATE uploads SET touched_at = 0, head = NULL WHERE id IN
             (SELECT upload FROM deltas WHERE kept = 0 AND created_at < ?1)",
        "UPDATE uploads SET touched_at = 0, head = NULL WHERE touched_at < ?1",
        "DELETE FROM recordings WHERE owner IS NULL AND created_at < ?1",
        "DELETE FROM corrections WHERE content_type IS NULL AND created_at < ?1",
        "DELETE FROM deltas WHERE kept = 0 AND created_at < ?1",
    ] {
        connection.prepare_cached(mark)?.execute([long_ago])?;
    }
    Ok(())
}

fn give_back_pages(connection: &Connection) -> Result<(), SqliteError> {
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES_MAX})"))?;
    let mut rows = statement.query([])?;
    // Each step frees a page.
    while rows.next()?.is_some() {}
    Ok(())
}
