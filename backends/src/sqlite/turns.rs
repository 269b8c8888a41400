//! Whose turn it is. Looks at one waiting job of each owner, however many they have.

use jiff::{SignedDuration, Timestamp};
use retake_jobs::id::{JobId, OwnerId};
use rusqlite::{Connection, OptionalExtension};

use super::{
    connection::{SqliteError, nanos},
    rows::parsed,
};

/// Who was served longer ago than this counts as one who never was.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);

/// Owners one after the other by the index (`min` of what is greater), not by reading all that wait.
pub(super) const NEXT: &str = "
    WITH RECURSIVE waiting (owner) AS (
        SELECT min(owner) FROM jobs WHERE status = 'queued'
        UNION ALL
        SELECT (SELECT min(owner) FROM jobs WHERE status = 'queued' AND owner > waiting.owner)
        FROM waiting WHERE waiting.owner IS NOT NULL
    ),
    heads (owner, job, running) AS (
        SELECT owner,
            (SELECT id FROM jobs WHERE status = 'queued' AND owner = waiting.owner
                 AND message_at <= ?1 ORDER BY message_at LIMIT 1),
            (SELECT count(*) FROM jobs WHERE status = 'running' AND owner = waiting.owner)
        FROM waiting WHERE owner IS NOT NULL
    )
    SELECT heads.job FROM heads
    JOIN jobs ON jobs.id = heads.job
    LEFT JOIN turns ON turns.owner = heads.owner
    WHERE heads.running < ?2
    ORDER BY heads.running, coalesce(turns.served_at, 0), jobs.message_at
    LIMIT 1";

/// The job whose turn it is, if any waits that is due and whose owner may have one more running.
pub(super) fn next(
    connection: &Connection,
    now: Timestamp,
    running_max: u32,
) -> Result<Option<JobId>, SqliteError> {
    let mut statement = connection.prepare_cached(NEXT)?;
    let mut rows = statement.query((nanos(now), running_max))?;
    rows.next()?.map(|row| parsed(row.get_ref(0)?)).transpose()
}

/// One of the owner's jobs begins.
pub(super) fn served(
    connection: &Connection,
    owner: OwnerId,
    now: Timestamp,
) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO turns (owner, served_at) VALUES (?1, ?2)
             ON CONFLICT (owner) DO UPDATE SET served_at = excluded.served_at",
        )?
        .execute((owner.to_string(), nanos(now)))?;
    connection
        .prepare_cached("DELETE FROM turns WHERE served_at < ?1")?
        .execute([nanos(now - REMEMBERED)])?;
    Ok(())
}

/// Whether the job waits, whatever for.
pub(super) fn waits(connection: &Connection, id: JobId) -> Result<bool, SqliteError> {
    let status: Option<String> = connection
        .prepare_cached("SELECT status FROM jobs WHERE id = ?1")?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?;
    Ok(status.as_deref() == Some("queued"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use retake_jobs::clock::SystemClock;

    use super::*;
    use crate::sqlite::SqliteStore;

    #[tokio::test]
    async fn the_turn_is_found_by_indexes_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("retake.db");
        let store = SqliteStore::open(&path, Arc::new(SystemClock)).unwrap();
        let plan: Vec<String> = store
            .database
            .read(|connection| {
                let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {NEXT}"))?;
                let rows = statement.query_map((0, 1), |row| row.get(3))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
            .unwrap();
        let jobs: Vec<_> = plan.iter().filter(|line| line.contains("jobs")).collect();
        assert!(jobs.len() >= 5, "{plan:#?}");
        for line in jobs {
            let by_owner = line.contains("jobs_waiting") || line.contains("jobs_of_running");
            let by_id = line.contains("(id=?)");
            assert!(line.starts_with("SEARCH") && (by_owner || by_id), "{line}");
        }
    }
}
