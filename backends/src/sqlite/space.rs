//! How much there is: jobs that wait, and what the file takes of the disk.

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::seams::{Space, SpaceUsed, StoreError};

use super::{SqliteStore, messages_again, reserve::beside};

#[async_trait]
impl Space for SqliteStore {
    async fn jobs_waiting(&self) -> Result<u64, StoreError> {
        self.database
            .read(|connection| messages_again::waiting(connection, Timestamp::MAX))
            .await
    }

    async fn space(&self) -> Result<SpaceUsed, StoreError> {
        let (free, page_bytes) = self
            .database
            .read(|connection| {
                let free: i64 = connection.pragma_query_one(None, "freelist_count")?;
                let page_bytes: i64 = connection.pragma_query_one(None, "page_size")?;
                Ok((free.unsigned_abs(), page_bytes.unsigned_abs()))
            })
            .await?;
        let length = |ending: &str| {
            std::fs::metadata(beside(&self.database.path, ending)).map_or(0, |file| file.len())
        };
        Ok(SpaceUsed {
            file_bytes: length(""),
            free_bytes: free.saturating_mul(page_bytes),
            log_bytes: length("-wal"),
            reserve_bytes: self.database.reserve.bytes(),
        })
    }
}
