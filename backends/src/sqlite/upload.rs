//! How a blob comes into the file and leaves it, in small writes.
//!
//! A blob's first MiB stands in its own row (`recordings.recording`, `corrections.correction`,
//! `deltas.delta`, `plugin_files.file`, `derivative_files.file`), the
//! rest in `blob_chunks` under the number of the upload that brought it. A blob that fits the first
//! MiB is one write, a shorter one a part of another ([`super::staged`]). A longer one is a row in `uploads` until it is whole; then one transaction makes
//! it the key's blob. The upload's row stays as long as its chunks do: removing a blob marks it, and
//! [`reclaim`] frees the chunks a few at a time.

use std::sync::Arc;

use jiff::Timestamp;
use retake_jobs::seams::{BlobInfo, BlobKey, StoreError};
use rusqlite::{Connection, OptionalExtension};

use super::{
    Database,
    connection::{SqliteError, nanos},
    keyed,
    rows::signed,
    writer::Durability,
};

pub(super) const HEAD_BYTES: usize = 1 << 20;
pub(super) const CHUNK_BYTES: usize = 256 << 10;
/// Chunks of one blob: 16 GiB.
pub(super) const CHUNKS_MAX: i64 = 1 << 16;
/// Chunks freed in one transaction.
const FREED_MAX: usize = 64;

pub(super) struct Upload {
    database: Arc<Database>,
    key: BlobKey,
    id: Option<i64>,
    chunks: i64,
    buffer: Vec<u8>,
    finished: bool,
    is_draft: bool,
}

impl Upload {
    /// A draft may wait in memory for the write that makes it matter.
    pub fn new(database: Arc<Database>, key: BlobKey, is_draft: bool) -> Self {
        Self {
            database,
            key,
            id: None,
            chunks: 0,
            buffer: Vec::new(),
            finished: false,
            is_draft,
        }
    }

    /// Most bytes a blob can have.
    pub const BYTES_MAX: u64 = HEAD_BYTES as u64 + CHUNKS_MAX as u64 * CHUNK_BYTES as u64;

    pub async fn push(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        while !bytes.is_empty() {
            let piece = if self.id.is_none() {
                HEAD_BYTES
            } else {
                CHUNK_BYTES
            };
            if self.buffer.len() == piece {
                self.flush().await?;
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(piece - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Makes what was pushed the key's blob, in place of what it was before. True where that left chunks
    /// to reclaim.
    pub async fn finish(mut self, info: BlobInfo) -> Result<bool, StoreError> {
        let (key, id, chunks) = (self.key, self.id, self.chunks);
        let mut last = std::mem::take(&mut self.buffer);
        let now = self.database.clock.now();
        self.database.refuse_while_clearing()?;
        if id.is_none() && self.is_draft {
            match self.database.staged.put(key, &info, last, now) {
                Ok(()) => {
                    self.finished = true;
                    return Ok(false);
                }
                Err(too_much) => last = too_much,
            }
        } else {
            self.database.staged.remove(key);
        }
        let replaced = self
            .database
            .write_lightly(move |connection| {
                let head = match id {
                    None => last,
                    Some(id) => {
                        if !last.is_empty() {
                            insert_chunk(connection, id, chunks, &last)?;
                        }
                        take_head(connection, id)?
                    }
                };
                replace(connection, key, id, &info, &head, now)
            })
            .await?;
        self.finished = true;
        Ok(replaced)
    }

    /// Removes what was pushed.
    pub async fn discard(mut self) -> Result<(), StoreError> {
        self.finished = true;
        let Some(id) = self.id else { return Ok(()) };
        self.database
            .write_freeing(Durability::Process, move |connection| mark(connection, id))
            .await?;
        reclaim(&self.database).await
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        let bytes = std::mem::take(&mut self.buffer);
        let (id, chunk, now) = (self.id, self.chunks, self.database.clock.now());
        let _turn = self
            .database
            .bulk
            .acquire()
            .await
            .expect("the semaphore is never closed");
        self.database.refuse_while_clearing()?;
        match id {
            None => {
                let write = self.database.write_lightly(move |connection| {
                    connection
                        .prepare_cached("INSERT INTO uploads (touched_at, head) VALUES (?1, ?2)")?
                        .execute((nanos(now), bytes))?;
                    Ok(connection.last_insert_rowid())
                });
                self.id = Some(write.await?);
            }
            Some(id) => {
                self.database
                    .write_lightly(move |connection| {
                        touch(connection, id, now)?;
                        insert_chunk(connection, id, chunk, &bytes)
                    })
                    .await?;
                self.chunks += 1;
            }
        }
        self.buffer.reserve_exact(CHUNK_BYTES);
        Ok(())
    }
}

/// The request that brought the bytes is gone.
impl Drop for Upload {
    fn drop(&mut self) {
        if let (Some(id), false) = (self.id, self.finished) {
            self.database
                .writer
                .write_later(move |connection| mark(connection, id));
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                let database = Arc::clone(&self.database);
                // Where it fails the sweep does it.
                runtime.spawn(async move { reclaim(&database).await });
            }
        }
    }
}

/// Frees the chunks of all blobs that were removed, a few at a time so that nobody waits long.
pub(super) async fn reclaim(database: &Arc<Database>) -> Result<(), StoreError> {
    loop {
        let left = database
            .write_freeing(Durability::Process, |connection| {
                let marked: Option<i64> = connection
                    .prepare_cached("SELECT id FROM uploads WHERE touched_at = 0 LIMIT 1")?
                    .query_row([], |row| row.get(0))
                    .optional()?;
                let Some(id) = marked else { return Ok(false) };
                let freed = connection
                    .prepare_cached(
                        "DELETE FROM blob_chunks WHERE id IN
                             (SELECT id FROM blob_chunks WHERE id >= ?1 AND id < ?2 LIMIT ?3)",
                    )?
                    .execute((id * CHUNKS_MAX, (id + 1) * CHUNKS_MAX, FREED_MAX as i64))?;
                if freed < FREED_MAX {
                    connection
                        .prepare_cached("DELETE FROM uploads WHERE id = ?1")?
                        .execute([id])?;
                }
                Ok(true)
            })
            .await?;
        if !left {
            return Ok(());
        }
    }
}

/// Takes a blob away: the draft's row with it, while an accepted recording or a settled correction
/// keeps its row.
pub(super) fn remove_row(connection: &Connection, key: BlobKey) -> Result<(), SqliteError> {
    if let Some(upload) = upload_of(connection, key)? {
        mark(connection, upload)?;
    }
    match key {
        BlobKey::Recording(id) => {
            let id = id.to_string();
            connection
                .prepare_cached("DELETE FROM recordings WHERE id = ?1 AND owner IS NULL")?
                .execute([&id])?;
            connection
                .prepare_cached(
                    "UPDATE recordings SET recording = NULL, upload = NULL WHERE id = ?1",
                )?
                .execute([&id])?;
        }
        BlobKey::Correction { job, attempt } => {
            let job = job.to_string();
            connection
                .prepare_cached(
                    "DELETE FROM corrections
                     WHERE job_id = ?1 AND attempt = ?2 AND content_type IS NULL",
                )?
                .execute((&job, attempt))?;
            connection
                .prepare_cached(
                    "UPDATE corrections SET correction = NULL, upload = NULL
                     WHERE job_id = ?1 AND attempt = ?2",
                )?
                .execute((&job, attempt))?;
        }
        BlobKey::Delta { job, attempt, step } => {
            connection
                .prepare_cached(
                    "DELETE FROM deltas WHERE job_id = ?1 AND attempt = ?2 AND step = ?3",
                )?
                .execute((job.to_string(), attempt, step))?;
        }
        BlobKey::Derivative { .. } | BlobKey::Submission(_) | BlobKey::Plugin { .. } => {
            keyed::remove(connection, key)?;
        }
    }
    Ok(())
}

fn replace(
    connection: &Connection,
    key: BlobKey,
    upload: Option<i64>,
    info: &BlobInfo,
    head: &[u8],
    at: Timestamp,
) -> Result<bool, SqliteError> {
    let old = upload_of(connection, key)?;
    if let Some(old) = old {
        mark(connection, old)?;
    }
    let (size_bytes, sha256, now) = (signed(info.size_bytes), &info.sha256, nanos(at));
    match key {
        BlobKey::Recording(id) => connection
            .prepare_cached(
                "INSERT INTO recordings (id, size_bytes, sha256, created_at, upload, recording)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET size_bytes = excluded.size_bytes,
                     sha256 = excluded.sha256, upload = excluded.upload,
                     recording = excluded.recording",
            )?
            .execute((id.to_string(), size_bytes, sha256, now, upload, head))?,
        BlobKey::Correction { job, attempt } => connection
            .prepare_cached(
                "INSERT INTO corrections (job_id, attempt, size_bytes, sha256, created_at, upload,
                     correction)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (job_id, attempt) DO UPDATE SET size_bytes = excluded.size_bytes,
                     sha256 = excluded.sha256, upload = excluded.upload,
                     correction = excluded.correction",
            )?
            .execute((
                job.to_string(),
                attempt,
                size_bytes,
                sha256,
                now,
                upload,
                head,
            ))?,
        BlobKey::Delta { job, attempt, step } => connection
            .prepare_cached(
                "INSERT INTO deltas (job_id, attempt, step, size_bytes, sha256, created_at, upload,
                     delta)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (job_id, attempt, step) DO UPDATE SET
                     size_bytes = excluded.size_bytes, sha256 = excluded.sha256,
                     upload = excluded.upload, delta = excluded.delta",
            )?
            .execute((
                job.to_string(),
                attempt,
                step,
                size_bytes,
                sha256,
                now,
                upload,
                head,
            ))?,
        BlobKey::Derivative { .. } | BlobKey::Submission(_) | BlobKey::Plugin { .. } => {
            keyed::put(connection, key, upload, info, head, at)?;
            1
        }
    };
    Ok(old.is_some())
}

fn upload_of(connection: &Connection, key: BlobKey) -> Result<Option<i64>, SqliteError> {
    let upload = match key {
        BlobKey::Recording(id) => connection
            .prepare_cached("SELECT upload FROM recordings WHERE id = ?1")?
            .query_row([id.to_string()], |row| row.get(0))
            .optional()?,
        BlobKey::Correction { job, attempt } => connection
            .prepare_cached("SELECT upload FROM corrections WHERE job_id = ?1 AND attempt = ?2")?
            .query_row((job.to_string(), attempt), |row| row.get(0))
            .optional()?,
        BlobKey::Delta { job, attempt, step } => connection
            .prepare_cached(
                "SELECT upload FROM deltas WHERE job_id = ?1 AND attempt = ?2 AND step = ?3",
            )?
            .query_row((job.to_string(), attempt, step), |row| row.get(0))
            .optional()?,
        BlobKey::Derivative { .. } | BlobKey::Submission(_) | BlobKey::Plugin { .. } => {
            return keyed::upload_of(connection, key);
        }
    };
    Ok(upload.flatten())
}

/// The head moves to the blob's own row; the upload is not to be swept any more.
fn take_head(connection: &Connection, id: i64) -> Result<Vec<u8>, SqliteError> {
    let head: Option<Option<Vec<u8>>> = connection
        .prepare_cached("SELECT head FROM uploads WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let head = head.flatten().ok_or_else(swept)?;
    connection
        .prepare_cached("UPDATE uploads SET touched_at = ?2, head = NULL WHERE id = ?1")?
        .execute((id, i64::MAX))?;
    Ok(head)
}

fn touch(connection: &Connection, id: i64, now: Timestamp) -> Result<(), SqliteError> {
    let touched = connection
        .prepare_cached("UPDATE uploads SET touched_at = ?2 WHERE id = ?1 AND touched_at > 0")?
        .execute((id, nanos(now)))?;
    if touched == 1 { Ok(()) } else { Err(swept()) }
}

fn insert_chunk(
    connection: &Connection,
    upload: i64,
    chunk: i64,
    bytes: &[u8],
) -> Result<(), SqliteError> {
    connection
        .prepare_cached("INSERT INTO blob_chunks (id, bytes) VALUES (?1, ?2)")?
        .execute((upload * CHUNKS_MAX + chunk, bytes))?;
    Ok(())
}

fn mark(connection: &Connection, upload: i64) -> Result<(), SqliteError> {
    connection
        .prepare_cached("UPDATE uploads SET touched_at = 0, head = NULL WHERE id = ?1")?
        .execute([upload])?;
    Ok(())
}

fn swept() -> SqliteError {
    StoreError::Broken("the upload stood still for so long that it was removed".to_owned()).into()
}
