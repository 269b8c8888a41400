//! Links to corrections.

use async_trait::async_trait;
use retake_jobs::{
    id::{OwnerId, ShareId},
    seams::{Shares, StoreError},
    share::{Share, Shared},
};
use rusqlite::{OptionalExtension, Row};

use super::{
    SqliteStore,
    connection::{SqliteError, nanos, time},
    rows::{parsed, signed},
};

const COLUMNS: &str = "id, owner, recording_id, job_id, may_download, created_at, expires_at";

#[async_trait]
impl Shares for SqliteStore {
    async fn add_share(
        &self,
        share: &Share,
        token_sha256: [u8; 32],
        shares_max: u64,
    ) -> Result<Shared, StoreError> {
        let share = share.clone();
        self.database
            .write(move |connection| {
                let owner = share.owner.to_string();
                let there = connection
                    .prepare_cached(
                        "SELECT 1 FROM jobs WHERE id = ?1 AND owner = ?2 AND recording_id = ?3",
                    )?
                    .exists((share.job.to_string(), &owner, share.recording.to_string()))?;
                if !there {
                    return Ok(Shared::Gone);
                }
                connection
                    .prepare_cached("DELETE FROM shares WHERE owner = ?1 AND expires_at <= ?2")?
                    .execute((&owner, nanos(share.created_at)))?;
                let had: i64 = connection
                    .prepare_cached("SELECT count(*) FROM shares WHERE owner = ?1")?
                    .query_row([&owner], |row| row.get(0))?;
                if had >= signed(shares_max) {
                    return Ok(Shared::TooMany);
                }
                connection
                    .prepare_cached(
                        "INSERT INTO shares (id, token_sha256, owner, recording_id, job_id,
                             may_download, created_at, expires_at)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    )?
                    .execute((
                        share.id.to_string(),
                        token_sha256,
                        owner,
                        share.recording.to_string(),
                        share.job.to_string(),
                        share.may_download,
                        nanos(share.created_at),
                        nanos(share.expires_at),
                    ))?;
                Ok(Shared::Made)
            })
            .await
    }

    async fn share(&self, token_sha256: [u8; 32]) -> Result<Option<Share>, StoreError> {
        self.database
            .read(move |connection| {
                let sql = format!("SELECT {COLUMNS} FROM shares WHERE token_sha256 = ?1");
                let mut statement = connection.prepare_cached(&sql)?;
                let mut found = statement.query_and_then([token_sha256], share)?;
                found.next().transpose()
            })
            .await
    }

    async fn shares(
        &self,
        owner: OwnerId,
        before: Option<ShareId>,
        limit: usize,
    ) -> Result<Vec<Share>, StoreError> {
        self.database
            .read(move |connection| {
                let sql = format!(
                    "SELECT {COLUMNS} FROM shares WHERE owner = ?1 AND id < ?2
                     ORDER BY id DESC LIMIT ?3"
                );
                let mut statement = connection.prepare_cached(&sql)?;
                // Sorts behind every id.
                let before = before.map_or("~".to_owned(), |id| id.to_string());
                let bounds = (owner.to_string(), before, signed(limit as u64));
                statement.query_and_then(bounds, share)?.collect()
            })
            .await
    }

    async fn remove_share(&self, owner: OwnerId, id: ShareId) -> Result<bool, StoreError> {
        self.database
            .write(move |connection| {
                let removed: Option<i64> = connection
                    .prepare_cached("DELETE FROM shares WHERE id = ?1 AND owner = ?2 RETURNING 1")?
                    .query_row((id.to_string(), owner.to_string()), |row| row.get(0))
                    .optional()?;
                Ok(removed.is_some())
            })
            .await
    }
}

fn share(row: &Row<'_>) -> Result<Share, SqliteError> {
    Ok(Share {
        id: parsed(row.get_ref("id")?)?,
        owner: parsed(row.get_ref("owner")?)?,
        recording: parsed(row.get_ref("recording_id")?)?,
        job: parsed(row.get_ref("job_id")?)?,
        may_download: row.get("may_download")?,
        created_at: time(row.get("created_at")?),
        expires_at: time(row.get("expires_at")?),
    })
}
