//! Plugins on their way into the catalogue.

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::{
    id::SubmissionId,
    seams::{StoreError, Submissions},
    submission::{
        PluginName, Submission, SubmissionStatus, Verdict,
        publishing::{self, SUBMISSION_LIFETIME},
    },
};
use rusqlite::{Connection, Row, named_params};
use tokio::sync::Notify;

use super::{
    SqliteStore, catalogue,
    connection::{SqliteError, nanos, time},
    errands::{Bytes, Kept},
    news::News,
    rows::{excused, json, lease, named, parsed, signed, to_json},
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
        let added = self
            .database
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
                    submission.write(connection)?;
                    Ok(true)
                },
                move |connection| {
                    connection
                        .prepare_cached("DELETE FROM submissions WHERE id = ?1")?
                        .execute([id.to_string()])?;
                    Ok(())
                },
            )
            .await?;
        if added {
            self.database.news.checks_wait();
        }
        Ok(added)
    }

    async fn submission(&self, id: SubmissionId) -> Result<Option<Submission>, StoreError> {
        self.database
            .read(move |connection| Submission::find(connection, id))
            .await
    }
}

impl Kept for Submission {
    fn claimable(connection: &Connection, now: Timestamp) -> Result<Vec<Self>, SqliteError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM submissions
             WHERE status = 'checking' AND (lease_until IS NULL OR lease_until <= ?1) ORDER BY id"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let found = statement.query_and_then([nanos(now)], submission)?;
        found.collect()
    }

    fn find(connection: &Connection, id: SubmissionId) -> Result<Option<Self>, SqliteError> {
        let sql = format!("SELECT {COLUMNS} FROM submissions WHERE id = ?1");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([id.to_string()])?;
        rows.next()?.map(submission).transpose()
    }

    fn write(&self, connection: &Connection) -> Result<(), SqliteError> {
        let mut statement = connection.prepare_cached(
            "INSERT OR REPLACE INTO submissions (id, status, digest, size_bytes, plugin_id,
                 plugin_version, attempt, spared, lost, lease_worker, lease_until, error, check_report,
                 request_id, created_at, ended_at)
             VALUES (:id, :status, :digest, :size_bytes, :plugin_id, :plugin_version, :attempt, :spared,
                 :lost, :lease_worker, :lease_until, :error, :check_report, :request_id, :created_at,
                 :ended_at)",
        )?;
        let (plugin, lease) = (self.plugin.as_ref(), self.lease.as_ref());
        statement.execute(named_params! {
            ":id": self.id.to_string(),
            ":status": self.status.name(),
            ":digest": self.digest,
            ":size_bytes": signed(self.size_bytes),
            ":plugin_id": plugin.map(|plugin| &plugin.id),
            ":plugin_version": plugin.map(|plugin| &plugin.version),
            ":attempt": self.attempt,
            ":spared": self.excused.spared,
            ":lost": self.excused.lost,
            ":lease_worker": lease.map(|lease| &lease.worker),
            ":lease_until": lease.map(|lease| nanos(lease.until)),
            ":error": self.error.as_ref().map(to_json),
            ":check_report": self.check.as_ref().map(to_json),
            ":request_id": self.request_id,
            ":created_at": nanos(self.created_at),
            ":ended_at": self.ended_at.map(nanos),
        })?;
        Ok(())
    }

    fn told(news: &News) -> &Notify {
        &news.checks
    }

    fn end(
        &mut self,
        connection: &Connection,
        verdict: Verdict,
        now: Timestamp,
        bytes: &Bytes,
    ) -> Result<(), SqliteError> {
        let existing = match &verdict {
            Verdict::Passed { plugin, .. } => {
                catalogue::find(connection, &plugin.manifest.id, &plugin.manifest.version)?
            }
            Verdict::Refused { .. } => None,
        };
        let new = publishing::settle(self, verdict, existing.as_ref(), now);
        if let Some(new) = new {
            catalogue::insert(connection, &new, bytes.are_here)?;
        }
        Ok(())
    }
}

fn forget_old(connection: &Connection, now: Timestamp) -> Result<(), SqliteError> {
    connection
        .prepare_cached("DELETE FROM submissions WHERE ended_at <= ?1")?
        .execute([nanos(now - SUBMISSION_LIFETIME)])?;
    Ok(())
}

fn submission(row: &Row<'_>) -> Result<Submission, SqliteError> {
    let optional_json = |column: &str| row.get::<_, Option<String>>(column);
    let plugin = match (row.get("plugin_id")?, row.get("plugin_version")?) {
        (Some(id), Some(version)) => Some(PluginName { id, version }),
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
        excused: excused(row)?,
        lease: lease(row)?,
        request_id: row.get("request_id")?,
        created_at: time(row.get("created_at")?),
        ended_at: row.get::<_, Option<i64>>("ended_at")?.map(time),
    })
}
