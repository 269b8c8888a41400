//! Blobs in the same file as the rows. How they lie in it: [`super::upload`].

use std::sync::{Arc, atomic::Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use retake_jobs::{
    digest::hex,
    seams::{BlobError, BlobInfo, BlobKey, Blobs, ByteStream, StoreError},
};
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

use super::{
    Database, SqliteStore,
    connection::SqliteError,
    keyed,
    upload::{self, CHUNK_BYTES, CHUNKS_MAX, HEAD_BYTES, Upload},
    writer::Durability,
};

#[derive(Clone)]
pub struct SqliteBlobs {
    database: Arc<Database>,
}

impl SqliteBlobs {
    /// From now on the store accepts only recordings whose bytes are in its file.
    pub fn new(store: &SqliteStore) -> Self {
        store.database.holds_blobs.store(true, Ordering::Relaxed);
        Self {
            database: Arc::clone(&store.database),
        }
    }

    async fn store(
        &self,
        mut upload: Upload,
        body: ByteStream<'_>,
        limit_bytes: u64,
    ) -> Result<BlobInfo, BlobError> {
        match receive(&mut upload, body, limit_bytes.min(Upload::BYTES_MAX)).await {
            Ok(info) => {
                if upload.finish(info.clone()).await? {
                    upload::reclaim(&self.database).await?;
                }
                Ok(info)
            }
            Err(error) => {
                if let Err(error) = upload.discard().await {
                    tracing::warn!(%error, "a broken upload is left to the sweep");
                }
                Err(error)
            }
        }
    }
}

#[async_trait]
impl Blobs for SqliteBlobs {
    async fn put(
        &self,
        key: BlobKey,
        body: ByteStream<'_>,
        limit_bytes: u64,
    ) -> Result<BlobInfo, BlobError> {
        let upload = Upload::new(Arc::clone(&self.database), key, false);
        self.store(upload, body, limit_bytes).await
    }

    async fn put_draft(
        &self,
        key: BlobKey,
        body: ByteStream<'_>,
        limit_bytes: u64,
    ) -> Result<BlobInfo, BlobError> {
        let upload = Upload::new(Arc::clone(&self.database), key, true);
        self.store(upload, body, limit_bytes).await
    }

    async fn size(&self, key: BlobKey) -> Result<u64, BlobError> {
        if let Some(staged) = self.database.staged.get(key) {
            return Ok(staged.info.size_bytes);
        }
        let place = self
            .database
            .read(move |connection| place(connection, key))
            .await?;
        place
            .map(|place| place.size_bytes)
            .ok_or(BlobError::NotFound)
    }

    async fn read(&self, key: BlobKey, offset: u64, len_max: usize) -> Result<Bytes, BlobError> {
        if let Some(staged) = self.database.staged.get(key) {
            let bytes = &staged.bytes;
            let from = usize::try_from(offset).map_or(bytes.len(), |from| from.min(bytes.len()));
            return Ok(bytes.slice(from..from + len_max.min(bytes.len() - from)));
        }
        let bytes = self
            .database
            .read(move |connection| {
                let Some(place) = place(connection, key)? else {
                    return Ok(None);
                };
                read(connection, key, &place, offset, len_max).map(Some)
            })
            .await?;
        bytes.map(Bytes::from).ok_or(BlobError::NotFound)
    }

    async fn delete(&self, key: BlobKey) -> Result<(), BlobError> {
        self.database.staged.remove(key);
        self.database
            .write_freeing(Durability::Machine, move |connection| {
                upload::remove_row(connection, key)
            })
            .await?;
        upload::reclaim(&self.database).await?;
        Ok(())
    }
}

async fn receive(
    upload: &mut Upload,
    mut body: ByteStream<'_>,
    limit_bytes: u64,
) -> Result<BlobInfo, BlobError> {
    let mut sha256 = Sha256::new();
    let mut size_bytes = 0;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(BlobError::Body)?;
        size_bytes += piece.len() as u64;
        if size_bytes > limit_bytes {
            return Err(BlobError::TooLarge { limit_bytes });
        }
        sha256.update(&piece);
        upload.push(&piece).await?;
    }
    Ok(BlobInfo {
        size_bytes,
        sha256: hex(&sha256.finalize()),
    })
}

/// Where a blob lies.
struct Place {
    row: i64,
    size_bytes: u64,
    upload: Option<i64>,
}

fn place(connection: &Connection, key: BlobKey) -> Result<Option<Place>, SqliteError> {
    let place = |row: &rusqlite::Row<'_>| {
        Ok(Place {
            row: row.get(0)?,
            size_bytes: row.get::<_, i64>(1)?.unsigned_abs(),
            upload: row.get(2)?,
        })
    };
    let found = match key {
        BlobKey::Recording(id) => connection
            .prepare_cached(
                "SELECT rowid, size_bytes, upload FROM recordings
                 WHERE id = ?1 AND recording IS NOT NULL",
            )?
            .query_row([id.to_string()], place),
        BlobKey::Correction { job, attempt } => connection
            .prepare_cached(
                "SELECT rowid, size_bytes, upload FROM corrections
                 WHERE job_id = ?1 AND attempt = ?2 AND correction IS NOT NULL",
            )?
            .query_row((job.to_string(), attempt), place),
        BlobKey::Delta { job, attempt, step } => connection
            .prepare_cached(
                "SELECT rowid, size_bytes, upload FROM deltas
                 WHERE job_id = ?1 AND attempt = ?2 AND step = ?3",
            )?
            .query_row((job.to_string(), attempt, step), place),
        BlobKey::Derivative { .. } | BlobKey::Submission(_) | BlobKey::Plugin { .. } => {
            let table = keyed::table(key);
            let sql = format!("SELECT rowid, size_bytes, upload FROM {table} WHERE key = ?1");
            connection
                .prepare_cached(&sql)?
                .query_row([key.to_string()], place)
        }
    };
    Ok(found.optional()?)
}

/// From the head or from one chunk: at most what is in one row.
fn read(
    connection: &Connection,
    key: BlobKey,
    place: &Place,
    offset: u64,
    len_max: usize,
) -> Result<Vec<u8>, SqliteError> {
    if offset >= place.size_bytes {
        return Ok(Vec::new());
    }
    let len_max = i64::try_from(len_max).unwrap_or(i64::MAX);
    let offset = i64::try_from(offset).unwrap_or(i64::MAX);
    let behind_head = offset - HEAD_BYTES as i64;
    let sql = match (behind_head < 0, key) {
        (true, BlobKey::Recording(_)) => {
            "SELECT substr(recording, ?2, ?3) FROM recordings WHERE rowid = ?1"
        }
        (true, BlobKey::Correction { .. }) => {
            "SELECT substr(correction, ?2, ?3) FROM corrections WHERE rowid = ?1"
        }
        (true, BlobKey::Delta { .. }) => {
            "SELECT substr(delta, ?2, ?3) FROM deltas WHERE rowid = ?1"
        }
        (true, BlobKey::Derivative { .. }) => {
            "SELECT substr(file, ?2, ?3) FROM derivative_files WHERE rowid = ?1"
        }
        (true, BlobKey::Submission(_) | BlobKey::Plugin { .. }) => {
            "SELECT substr(file, ?2, ?3) FROM plugin_files WHERE rowid = ?1"
        }
        (false, _) => "SELECT substr(bytes, ?2, ?3) FROM blob_chunks WHERE id = ?1",
    };
    let (row, start) = if behind_head < 0 {
        (place.row, offset)
    } else {
        let lost = || StoreError::Broken("a blob's chunks are not there".to_owned());
        let chunk_bytes = CHUNK_BYTES as i64;
        let first = place.upload.ok_or_else(lost)? * CHUNKS_MAX;
        (first + behind_head / chunk_bytes, behind_head % chunk_bytes)
    };
    // substr counts from 1.
    let bytes = connection
        .prepare_cached(sql)?
        .query_row((row, start + 1, len_max), |row| row.get(0))?;
    Ok(bytes)
}
