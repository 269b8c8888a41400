//! Rows to types and back. What stands in the database was checked when it was written; where it
//! does not parse all the same, the store is broken and says where.

use std::{fmt::Display, str::FromStr};

use retake_chain::format::asked;
use retake_jobs::{
    email::Email,
    id::{JobId, RecordingId},
    job::{Job, Status},
    lease::{Excused, Lease},
    recording::Recording,
    seams::StoreError,
};
use retake_secrets::SecretUrl;
use rusqlite::{Connection, OptionalExtension, Row, named_params, types::ValueRef};
use serde::{Serialize, de::DeserializeOwned};

use super::connection::{SqliteError, nanos, time};

pub(super) const JOB_COLUMNS: &str = "jobs.id, jobs.recording_id, jobs.owner, jobs.chain, \
    jobs.pins, jobs.preset, jobs.format, jobs.track, jobs.status, jobs.progress, jobs.step, jobs.attempt, \
    jobs.spared, jobs.lost, jobs.lease_worker, jobs.lease_until, jobs.cancel_requested, jobs.error, jobs.warnings, \
    jobs.request_id, jobs.traceparent, jobs.callback_url, jobs.created_at, jobs.started_at, jobs.ended_at";

pub(super) const RECORDING_COLUMNS: &str = "recordings.id, recordings.owner, \
    recordings.user_email, recordings.file_name, recordings.content_type, recordings.size_bytes, \
    recordings.sha256, recordings.created_at";

/// Of whatever workers lease.
pub(super) fn lease(row: &Row<'_>) -> Result<Option<Lease>, SqliteError> {
    let lease = match (row.get("lease_worker")?, row.get("lease_until")?) {
        (Some(worker), Some(until)) => Some(Lease {
            worker,
            until: time(until),
        }),
        _ => None,
    };
    Ok(lease)
}

pub(super) fn excused(row: &Row<'_>) -> Result<Excused, SqliteError> {
    Ok(Excused {
        spared: row.get("spared")?,
        lost: row.get("lost")?,
    })
}

pub(super) fn job(row: &Row<'_>) -> Result<Job, SqliteError> {
    let error: Option<String> = row.get("error")?;
    Ok(Job {
        id: parsed(row.get_ref("id")?)?,
        recording_id: parsed(row.get_ref("recording_id")?)?,
        owner: parsed(row.get_ref("owner")?)?,
        chain: json(&row.get::<_, String>("chain")?)?,
        pins: json(&row.get::<_, String>("pins")?)?,
        preset: row.get("preset")?,
        format: named(&row.get::<_, String>("format")?, asked::parse)?,
        track: row.get("track")?,
        status: named(&row.get::<_, String>("status")?, status)?,
        progress: row.get("progress")?,
        step: row.get("step")?,
        attempt: row.get("attempt")?,
        excused: excused(row)?,
        lease: lease(row)?,
        cancel_requested: row.get("cancel_requested")?,
        error: error.as_deref().map(json).transpose()?,
        warnings: json(&row.get::<_, String>("warnings")?)?,
        request_id: row.get("request_id")?,
        traceparent: match row.get_ref("traceparent")? {
            ValueRef::Null => None,
            text => Some(parsed(text)?),
        },
        callback_url: row
            .get::<_, Option<String>>("callback_url")?
            .map(Into::into),
        created_at: time(row.get("created_at")?),
        started_at: row.get::<_, Option<i64>>("started_at")?.map(time),
        ended_at: row.get::<_, Option<i64>>("ended_at")?.map(time),
    })
}

pub(super) fn recording(row: &Row<'_>) -> Result<Recording, SqliteError> {
    Ok(Recording {
        id: parsed(row.get_ref("id")?)?,
        owner: parsed(row.get_ref("owner")?)?,
        user_email: parsed(row.get_ref("user_email")?)?,
        file_name: row.get("file_name")?,
        content_type: row.get("content_type")?,
        size_bytes: row.get::<_, i64>("size_bytes")?.unsigned_abs(),
        sha256: row.get("sha256")?,
        created_at: time(row.get("created_at")?),
    })
}

pub(super) fn job_by_id(connection: &Connection, id: JobId) -> Result<Option<Job>, SqliteError> {
    let sql = format!("SELECT {JOB_COLUMNS} FROM jobs WHERE id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(job).transpose()
}

/// Whoever's it is; a draft has no owner and so is not there.
pub(super) fn recording_by_id(
    connection: &Connection,
    id: RecordingId,
) -> Result<Option<Recording>, SqliteError> {
    let sql =
        format!("SELECT {RECORDING_COLUMNS} FROM recordings WHERE id = ?1 AND owner IS NOT NULL");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(recording).transpose()
}

pub(super) fn email_of(connection: &Connection, id: RecordingId) -> Result<Email, SqliteError> {
    let mut statement =
        connection.prepare_cached("SELECT user_email FROM recordings WHERE id = ?1")?;
    let email: Option<String> = statement
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?;
    parsed_text(&email.unwrap_or_default())
}

pub(super) fn insert_job(connection: &Connection, job: &Job) -> Result<(), SqliteError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO jobs (id, recording_id, owner, chain, pins, preset, format, track, status, progress, step,
             attempt, lease_worker, lease_until, cancel_requested, error, warnings, request_id,
             traceparent, callback_url, created_at, started_at, ended_at, message_at)
         VALUES (:id, :recording_id, :owner, :chain, :pins, :preset, :format, :track, :status, :progress, :step,
             :attempt, :lease_worker, :lease_until, :cancel_requested, :error, :warnings,
             :request_id, :traceparent, :callback_url, :created_at, :started_at, :ended_at, :created_at)",
    )?;
    statement.execute(named_params! {
        ":id": job.id.to_string(),
        ":recording_id": job.recording_id.to_string(),
        ":owner": job.owner.to_string(),
        ":chain": to_json(&job.chain),
        ":pins": to_json(&job.pins),
        ":preset": job.preset,
        ":format": asked::name(job.format),
        ":track": job.track,
        ":status": job.status.name(),
        ":progress": job.progress,
        ":step": job.step,
        ":attempt": job.attempt,
        ":lease_worker": job.lease.as_ref().map(|lease| &lease.worker),
        ":lease_until": job.lease.as_ref().map(|lease| nanos(lease.until)),
        ":cancel_requested": job.cancel_requested,
        ":error": job.error.as_ref().map(to_json),
        ":warnings": to_json(&job.warnings),
        ":request_id": job.request_id,
        ":traceparent": job.traceparent.map(|trace| trace.to_string()),
        ":callback_url": job.callback_url.as_ref().map(SecretUrl::expose),
        ":created_at": nanos(job.created_at),
        ":started_at": job.started_at.map(nanos),
        ":ended_at": job.ended_at.map(nanos),
    })?;
    Ok(())
}

/// Writes what a transition can change, and only over the state it was made from.
pub(super) fn update_job(
    connection: &Connection,
    before: &Job,
    after: &Job,
) -> Result<(), SqliteError> {
    let mut statement = connection.prepare_cached(
        "UPDATE jobs SET status = :status, format = :format, progress = :progress, step = :step, attempt = :attempt,
             spared = :spared, lost = :lost, lease_worker = :lease_worker, lease_until = :lease_until,
             cancel_requested = :cancel_requested, error = :error, warnings = :warnings,
             started_at = :started_at, ended_at = :ended_at
         WHERE id = :id AND status = :status_before AND attempt = :attempt_before",
    )?;
    let changed = statement.execute(named_params! {
        ":id": after.id.to_string(),
        ":status_before": before.status.name(),
        ":attempt_before": before.attempt,
        ":status": after.status.name(),
        ":format": asked::name(after.format),
        ":progress": after.progress,
        ":step": after.step,
        ":attempt": after.attempt,
        ":spared": after.excused.spared,
        ":lost": after.excused.lost,
        ":lease_worker": after.lease.as_ref().map(|lease| &lease.worker),
        ":lease_until": after.lease.as_ref().map(|lease| nanos(lease.until)),
        ":cancel_requested": after.cancel_requested,
        ":error": after.error.as_ref().map(to_json),
        ":warnings": to_json(&after.warnings),
        ":started_at": after.started_at.map(nanos),
        ":ended_at": after.ended_at.map(nanos),
    })?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Broken(format!("job {} changed within a transaction", after.id)).into())
    }
}

pub(super) fn parsed<T: FromStr<Err: Display>>(value: ValueRef<'_>) -> Result<T, SqliteError> {
    parsed_text(value.as_str().map_err(|error| broken("a column", error))?)
}

pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T, SqliteError> {
    serde_json::from_str(text).map_err(|error| broken("a JSON column", error))
}

pub(super) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data")
}

pub(super) fn named<T>(name: &str, parse: fn(&str) -> Option<T>) -> Result<T, SqliteError> {
    parse(name).ok_or_else(|| broken("a column", format!("\"{name}\" is not known")))
}

/// Lengths and sizes: SQLite's integers are signed.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn parsed_text<T: FromStr<Err: Display>>(text: &str) -> Result<T, SqliteError> {
    text.parse()
        .map_err(|error: T::Err| broken("a column", error))
}

pub(super) fn status(name: &str) -> Option<Status> {
    use Status::*;
    [Queued, Running, Completed, Failed, Cancelled]
        .into_iter()
        .find(|s| s.name() == name)
}

fn broken(what: &str, error: impl Display) -> SqliteError {
    StoreError::Broken(format!("{what} does not hold what it should: {error}")).into()
}
