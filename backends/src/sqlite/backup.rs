//! A copy of the whole file while everybody works on it, and whether a copy can be relied upon.
//!
//! SQLite's own online backup within one read transaction: the copy is one state of everything, rows
//! and audio, and nobody waits for it. (Copying the file is not: what the log holds would be missing,
//! or half of a commit there.) A copy is one file without a log and can be opened as it is.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

use retake_jobs::{digest::hex, seams::StoreError};
use rusqlite::{
    Connection, OpenFlags,
    backup::{self, StepResult},
};
use sha2::{Digest, Sha256};

use super::{
    connection::{SCHEMA_VERSION, SqliteError, open_reader},
    upload::CHUNKS_MAX,
};

/// 16 MiB, and then a breath, so that the disk serves others too.
const PAGES_PER_STEP: i32 = 1_024;
const BREATH: Duration = Duration::from_millis(2);

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("there is no database at {0}")]
    Missing(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// The copy must not be used.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    #[error(
        "the database has schema version {found}, and this program knows only up to \
         {SCHEMA_VERSION}: a newer Retake wrote it"
    )]
    Newer { found: i64 },
}

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    pub schema_version: i64,
    pub recordings: u64,
    pub corrections: u64,
    pub deltas: u64,
    pub plugin_files: u64,
    /// Of all audio and plugins, each compared with its SHA-256.
    pub blob_bytes: u64,
}

/// Copies the database to `into`, which must not be there, and verifies the copy.
pub fn back_up(database: &Path, into: &Path) -> Result<Backup, BackupError> {
    if !database.is_file() {
        return Err(BackupError::Missing(database.display().to_string()));
    }
    // Made here, for its mode: recordings are nobody else's.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(into)?
        .sync_all()?;
    let source = open_reader(database).map_err(StoreError::from)?;
    copy(&source, into).map_err(StoreError::from)?;
    verify(into)
}

fn copy(source: &Connection, into: &Path) -> Result<(), SqliteError> {
    let mut target = Connection::open_with_flags(
        into,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    {
        // Held from the first page to the last: without it others' commits make the backup begin anew.
        let state = source.unchecked_transaction()?;
        state.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        let copying = backup::Backup::new(&state, &mut target)?;
        loop {
            match copying.step(PAGES_PER_STEP)? {
                StepResult::Done => break,
                StepResult::More => std::thread::sleep(BREATH),
                other => {
                    let why = format!("the copy cannot go on: {other:?}");
                    return Err(StoreError::Busy(why).into());
                }
            }
        }
    }
    // One file: the header it was copied with says that there is a log.
    target.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;")?;
    target.close().map_err(|(_, error)| error.into())
}

/// Reads everything in a copy: SQLite's own check, and every blob against its digest.
pub fn verify(file: &Path) -> Result<Backup, BackupError> {
    let connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(damaged)?;
    connection
        .execute_batch("PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;")
        .map_err(damaged)?;
    let schema_version: i64 = connection
        .pragma_query_one(None, "user_version")
        .map_err(damaged)?;
    if schema_version > SCHEMA_VERSION {
        return Err(BackupError::Newer {
            found: schema_version,
        });
    }
    let said: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(damaged)?;
    if said != "ok" {
        return Err(BackupError::Damaged(said));
    }
    let dangling = connection
        .prepare("PRAGMA foreign_key_check")
        .and_then(|mut statement| statement.exists([]))
        .map_err(damaged)?;
    if dangling {
        return Err(BackupError::Damaged(
            "a row belongs to one that is not there".to_owned(),
        ));
    }
    let mut blob_bytes = 0;
    let mut count = |table: &str, blob: &str| -> Result<u64, BackupError> {
        let (count, bytes) = verify_blobs(&connection, table, blob)?;
        blob_bytes += bytes;
        Ok(count)
    };
    Ok(Backup {
        schema_version,
        recordings: count("recordings", "recording")?,
        corrections: count("corrections", "correction")?,
        // Older schemas have none.
        deltas: if schema_version >= 3 {
            count("deltas", "delta")?
        } else {
            0
        },
        plugin_files: if schema_version >= 2 {
            count("plugin_files", "file")?
        } else {
            0
        },
        blob_bytes,
    })
}

/// How many there are, and their bytes.
fn verify_blobs(
    connection: &Connection,
    table: &str,
    blob: &str,
) -> Result<(u64, u64), BackupError> {
    let sql = format!(
        "SELECT rowid, size_bytes, sha256, upload, {blob} FROM {table} WHERE {blob} IS NOT NULL"
    );
    let mut heads = connection.prepare(&sql).map_err(damaged)?;
    let mut chunks = connection
        .prepare("SELECT bytes FROM blob_chunks WHERE id >= ?1 AND id < ?2 ORDER BY id")
        .map_err(damaged)?;
    let mut rows = heads.query([]).map_err(damaged)?;
    let (mut count, mut bytes) = (0, 0);
    while let Some(row) = rows.next().map_err(damaged)? {
        let mut read = || -> rusqlite::Result<(i64, bool, u64)> {
            let (id, size, sha256): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let head = row.get_ref(4)?.as_blob()?;
            let mut hash = Sha256::new_with_prefix(head);
            let mut length = head.len() as u64;
            if let Some(upload) = row.get::<_, Option<i64>>(3)? {
                let mut rest = chunks.query((upload * CHUNKS_MAX, (upload + 1) * CHUNKS_MAX))?;
                while let Some(chunk) = rest.next()? {
                    let chunk = chunk.get_ref(0)?.as_blob()?;
                    hash.update(chunk);
                    length += chunk.len() as u64;
                }
            }
            let whole = length == size.unsigned_abs() && hex(&hash.finalize()) == sha256;
            Ok((id, whole, length))
        };
        let (id, whole, length) = read().map_err(damaged)?;
        if !whole {
            return Err(BackupError::Damaged(format!(
                "row {id} of {table} holds other bytes than were stored"
            )));
        }
        count += 1;
        bytes += length;
    }
    Ok((count, bytes))
}

fn damaged(error: rusqlite::Error) -> BackupError {
    BackupError::Damaged(error.to_string())
}
