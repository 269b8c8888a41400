//! Finds what went missing: leases that ran out, uploads that broke off.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use retake_jobs::{id::JobId, job::changes::DRAFT_LIFETIME, lease::LeaseTerms, seams::StoreError};
use rusqlite::Connection;

use super::{
    Database,
    changes::{Times, change},
    connection::{SqliteError, nanos},
    plugin_files,
    rows::{job_by_id, parsed},
    upload,
};

/// Most jobs moved in one transaction; the next sweep goes on.
const JOBS_MAX: usize = 100;

pub(super) async fn sweep(
    database: &Arc<Database>,
    terms: LeaseTerms,
) -> Result<usize, StoreError> {
    if let Some(clock) = &database.shared_clock {
        clock.follow(database).await?;
    }
    let now = database.clock.now();
    database.staged.forget_before(now - DRAFT_LIFETIME);
    // Nearly always there is nothing to do, and then nobody's writes should wait for it.
    let needed = database
        .read(move |connection| is_needed(connection, now))
        .await?;
    if !needed {
        return Ok(0);
    }
    let times = database.times();
    let moved = database
        .write(move |connection| {
            let expired = expire_leases(connection, terms, times)?;
            remove_drafts(connection, now)?;
            plugin_files::remove_unused(connection, now)?;
            Ok(expired)
        })
        .await?;
    upload::reclaim(database).await?;
    Ok(moved)
}

fn is_needed(connection: &Connection, now: Timestamp) -> Result<bool, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE status = 'running' AND lease_until <= ?1)
             OR EXISTS (SELECT 1 FROM recordings WHERE owner IS NULL AND created_at < ?2)
             OR EXISTS (SELECT 1 FROM corrections WHERE content_type IS NULL AND created_at < ?2)
             OR EXISTS (SELECT 1 FROM deltas WHERE kept = 0 AND created_at < ?2)
             OR EXISTS (SELECT 1 FROM derivative_files WHERE kept = 0 AND created_at < ?2)
             OR EXISTS (SELECT 1 FROM uploads WHERE touched_at < ?2)",
    )?;
    if plugin_files::unused_is_there(connection, now)? {
        return Ok(true);
    }
    let parameters = (nanos(now), nanos(now - DRAFT_LIFETIME));
    Ok(statement.query_row(parameters, |row| row.get(0))?)
}

fn expire_leases(
    connection: &Connection,
    terms: LeaseTerms,
    times: Times,
) -> Result<usize, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM jobs WHERE status = 'running' AND lease_until <= ?1
         ORDER BY lease_until LIMIT ?2",
    )?;
    let expired: Vec<JobId> = statement
        .query_and_then((nanos(times.now), JOBS_MAX as i64), |row| {
            parsed(row.get_ref(0)?)
        })?
        .collect::<Result<_, SqliteError>>()?;
    for id in &expired {
        let job = job_by_id(connection, *id)?;
        let rest = job.map_or(SignedDuration::ZERO, |job| job.rest_after_loss());
        change(connection, *id, times.later(rest), |job| {
            job.expire(times.now, terms)
        })?;
    }
    Ok(expired.len())
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
        "UPDATE uploads SET touched_at = 0, head = NULL WHERE id IN
             (SELECT upload FROM derivative_files WHERE kept = 0 AND created_at < ?1)",
        "UPDATE uploads SET touched_at = 0, head = NULL WHERE touched_at < ?1",
        "DELETE FROM recordings WHERE owner IS NULL AND created_at < ?1",
        "DELETE FROM corrections WHERE content_type IS NULL AND created_at < ?1",
        "DELETE FROM deltas WHERE kept = 0 AND created_at < ?1",
        "DELETE FROM derivative_files WHERE kept = 0 AND created_at < ?1",
    ] {
        connection.prepare_cached(mark)?.execute([long_ago])?;
    }
    Ok(())
}
