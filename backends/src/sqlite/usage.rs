//! What owners have had done. What was handed in is counted by triggers, see migrations/0021_usage.sql.

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::{
    id::OwnerId,
    seams::{StoreError, Usages},
    usage::{Usage, day},
};
use rusqlite::{Connection, OptionalExtension};

use super::{SqliteStore, connection::SqliteError, rows::signed};

#[async_trait]
impl Usages for SqliteStore {
    async fn usage(&self, owner: OwnerId, day: i64) -> Result<Usage, StoreError> {
        self.database
            .read(move |connection| {
                let found = connection
                    .prepare_cached(
                        "SELECT bytes, audio_ms FROM usage WHERE owner = ?1 AND day = ?2",
                    )?
                    .query_row((owner.to_string(), day), |row| {
                        Ok(Usage {
                            bytes: row.get::<_, i64>(0)?.unsigned_abs(),
                            audio_ms: row.get::<_, i64>(1)?.unsigned_abs(),
                        })
                    })
                    .optional()?;
                Ok(found.unwrap_or_default())
            })
            .await
    }
}

/// In the transaction that keeps the correction.
pub(super) fn note_audio(
    connection: &Connection,
    owner: OwnerId,
    now: Timestamp,
    audio_ms: u64,
) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO usage (owner, day, bytes, audio_ms) VALUES (?1, ?2, 0, ?3)
             ON CONFLICT DO UPDATE SET audio_ms = audio_ms + excluded.audio_ms",
        )?
        .execute((owner.to_string(), day(now), signed(audio_ms)))?;
    Ok(())
}
