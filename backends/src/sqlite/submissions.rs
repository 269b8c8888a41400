//! Plugins on their way into the catalogue. Each call is one transition in one transaction.

use async_trait::async_trait;
use jiff::Timestamp;
use retake_chain::problem::Problem;
use retake_jobs::{
    id::SubmissionId,
    lease::{Attempt, Blame, Excused, Lease, LeaseLost, LeaseTerms, Leased},
    seams::{CheckLeases, Heartbeat, Leases, Progress, StoreError, Submissions},
    submission::{
        PluginName, Submission, SubmissionStatus, Verdict,
        publishing::{self, SUBMISSION_LIFETIME},
    },
};
use rusqlite::{Connection, Row, named_params};

use super::{
    SqliteStore, catalogue,
    connection::{SqliteError, nanos, time},
    rows::{json, named, parsed, signed, to_json},
};

const COLUMNS: &str = "id, status, digest, size_bytes, plugin_id, plugin_version, attempt, \
    spared, lost, lease_worker, lease_until, error, check_report, request_id, created_at, ended_at";

#[async_trait]
impl Submissions for SqliteStore {
    async fn add_submission(
        &self,
        submission: &Submission,
        waiting_max: usize,
    ) -> Result<bool, StoreError> {
        let (submission, now) = (submission.clone(), self.database.clock.now());
        let id = submission.id;
        self.database
            .write_or_undo(
                move |connection| {
                    forget_old(connection, now)?;
                    let waiting: i64 = connection
                        .prepare_cached(
                            "SELECT count(*) FROM submissions WHERE status = 'checking'",
                        )?
                        .query_row([], |row| row.get(0))?;
                    if waiting >= signed(waiting_max as u64) {
                        return Ok(false);
                    }
                    write(connection, &submission)?;
                    Ok(true)
                },
                move |connection| {
                    connection
                        .prepare_cached("DELETE FROM submissions WHERE id = ?1")?
                        .execute([id.to_string()])?;
                    Ok(())
                },
            )
            .await
    }

    async fn submission(&self, id: SubmissionId) -> Result<Option<Submission>, StoreError> {
        self.database
            .read(move |connection| find(connection, id))
            .await
    }
}

#[async_trait]
impl CheckLeases for SqliteStore {
    async fn claim_submission(
        &self,
        worker: &str,
        terms: LeaseTerms,
    ) -> Result<Option<(Attempt<Submission>, Submission)>, StoreError> {
        let (worker, now) = (worker.to_owned(), self.database.clock.now());
        // Workers ask often, and nearly always there is nothing: nobody's writes wait for that.
        let claimable = self
            .database
            .read(move |connection| Ok(!claimable(connection, now)?.is_empty()))
            .await?;
        if !claimable {
            return Ok(None);
        }
        self.database
            .write(move |connection| {
                for mut submission in self::claimable(connection, now)? {
                    let before = submission.clone();
                    let attempt = submission.claim(&worker, now, terms);
                    // One that was tried too often ends here; one that rests is left as it is.
                    if submission != before {
                        write(connection, &submission)?;
                    }
                    if let Some(attempt) = attempt {
                        return Ok(Some((attempt, submission)));
                    }
                }
                Ok(None)
            })
            .await
    }

    async fn release_submission(
        &self,
        attempt: Attempt<Submission>,
        terms: LeaseTerms,
        blame: Blame,
        reason: Problem,
    ) -> Result<Result<Submission, LeaseLost>, StoreError> {
        let now = self.database.clock.now();
        self.database
            .write(move |connection| {
                let Some(mut submission) = find(connection, attempt.id)? else {
                    return Ok(Err(LeaseLost));
                };
                let released = submission.release(attempt, now, terms, blame, reason);
                if released.is_ok() {
                    write(connection, &submission)?;
                }
                Ok(released.map(|()| submission))
            })
            .await
    }
}

#[async_trait]
impl Leases<Submission> for SqliteStore {
    async fn extend(
        &self,
        attempt: Attempt<Submission>,
        terms: LeaseTerms,
        _: &Progress,
        _: bool,
    ) -> Result<Result<Heartbeat, LeaseLost>, StoreError> {
        let now = self.database.clock.now();
        self.database
            .write_lightly(move |connection| {
                let Some(mut submission) = find(connection, attempt.id)? else {
                    return Ok(Err(LeaseLost));
                };
                let extended = submission.renew(attempt, now, terms);
                if extended.is_ok() {
                    write(connection, &submission)?;
                }
                Ok(extended.map(|()| Heartbeat::default()))
            })
            .await
    }

    async fn settle(
        &self,
        attempt: Attempt<Submission>,
        verdict: Verdict,
    ) -> Result<Result<Submission, LeaseLost>, StoreError> {
        let (now, bytes_are_here) = (self.database.clock.now(), self.database.holds_blobs());
        self.database
            .write(move |connection| {
                let Some(mut submission) = find(connection, attempt.id)? else {
                    return Ok(Err(LeaseLost));
                };
                if let Err(lost) = submission.lease_of(attempt) {
                    return Ok(Err(lost));
                }
                let existing = match &verdict {
                    Verdict::Passed { plugin, .. } => {
                        catalogue::find(connection, &plugin.manifest.id, &plugin.manifest.version)?
                    }
                    Verdict::Refused { .. } => None,
                };
                let new = publishing::settle(&mut submission, verdict, existing.as_ref(), now);
                if let Some(new) = new {
                    catalogue::insert(connection, &new, bytes_are_here)?;
                }
                write(connection, &submission)?;
                Ok(Ok(submission))
            })
            .await
    }
}

/// Those that nobody is checking now, the oldest first.
fn claimable(connection: &Connection, now: Timestamp) -> Result<Vec<Submission>, SqliteError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM submissions
         WHERE status = 'checking' AND (lease_until IS NULL OR lease_until <= ?1) ORDER BY id"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_and_then([nanos(now)], submission)?;
    found.collect()
}

fn find(connection: &Connection, id: SubmissionId) -> Result<Option<Submission>, SqliteError> {
    let sql = format!("SELECT {COLUMNS} FROM submissions WHERE id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(submission).transpose()
}

fn forget_old(connection: &Connection, now: Timestamp) -> Result<(), SqliteError> {
    connection
        .prepare_cached("DELETE FROM submissions WHERE ended_at <= ?1")?
        .execute([nanos(now - SUBMISSION_LIFETIME)])?;
    Ok(())
}

fn write(connection: &Connection, submission: &Submission) -> Result<(), SqliteError> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO submissions (id, status, digest, size_bytes, plugin_id,
             plugin_version, attempt, spared, lost, lease_worker, lease_until, error, check_report,
             request_id, created_at, ended_at)
         VALUES (:id, :status, :digest, :size_bytes, :plugin_id, :plugin_version, :attempt, :spared,
             :lost, :lease_worker, :lease_until, :error, :check_report, :request_id, :created_at,
             :ended_at)",
    )?;
    let (plugin, lease) = (submission.plugin.as_ref(), submission.lease.as_ref());
    statement.execute(named_params! {
        ":id": submission.id.to_string(),
        ":status": submission.status.name(),
        ":digest": submission.digest,
        ":size_bytes": signed(submission.size_bytes),
        ":plugin_id": plugin.map(|plugin| &plugin.id),
        ":plugin_version": plugin.map(|plugin| &plugin.version),
        ":attempt": submission.attempt,
        ":spared": submission.excused.spared,
        ":lost": submission.excused.lost,
        ":lease_worker": lease.map(|lease| &lease.worker),
        ":lease_until": lease.map(|lease| nanos(lease.until)),
        ":error": submission.error.as_ref().map(to_json),
        ":check_report": submission.check.as_ref().map(to_json),
        ":request_id": submission.request_id,
        ":created_at": nanos(submission.created_at),
        ":ended_at": submission.ended_at.map(nanos),
    })?;
    Ok(())
}

fn submission(row: &Row<'_>) -> Result<Submission, SqliteError> {
    let optional_json = |column: &str| row.get::<_, Option<String>>(column);
    let plugin = match (row.get("plugin_id")?, row.get("plugin_version")?) {
        (Some(id), Some(version)) => Some(PluginName { id, version }),
        _ => None,
    };
    let lease = match (row.get("lease_worker")?, row.get("lease_until")?) {
        (Some(worker), Some(until)) => Some(Lease {
            worker,
            until: time(until),
        }),
        _ => None,
    };
    Ok(Submission {
        id: parsed(row.get_ref("id")?)?,
        status: named(&row.get::<_, String>("status")?, SubmissionStatus::parse)?,
        digest: row.get("digest")?,
        size_bytes: row.get::<_, i64>("size_bytes")?.unsigned_abs(),
        plugin,
        error: optional_json("error")?.as_deref().map(json).transpose()?,
        check: optional_json("check_report")?
            .as_deref()
            .map(json)
            .transpose()?,
        attempt: row.get("attempt")?,
        excused: Excused {
            spared: row.get("spared")?,
            lost: row.get("lost")?,
        },
        lease,
        request_id: row.get("request_id")?,
        created_at: time(row.get("created_at")?),
        ended_at: row.get::<_, Option<i64>>("ended_at")?.map(time),
    })
}
