//! The rows of plugins' bytes, under the paths of their keys, for [`super::blobs`] and [`super::upload`].

use retake_jobs::{job::changes::DRAFT_LIFETIME, seams::BlobInfo};
use rusqlite::{Connection, OptionalExtension};

use super::{
    connection::{SqliteError, nanos},
    rows::signed,
};

pub(super) fn put(
    connection: &Connection,
    key: &str,
    upload: Option<i64>,
    info: &BlobInfo,
    head: &[u8],
    now: jiff::Timestamp,
) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO plugin_files (key, size_bytes, sha256, created_at, upload, file)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (key) DO UPDATE SET size_bytes = excluded.size_bytes,
                 sha256 = excluded.sha256, created_at = excluded.created_at,
                 upload = excluded.upload, file = excluded.file",
        )?
        .execute((
            key,
            signed(info.size_bytes),
            &info.sha256,
            nanos(now),
            upload,
            head,
        ))?;
    Ok(())
}

pub(super) fn upload_of(connection: &Connection, key: &str) -> Result<Option<i64>, SqliteError> {
    let upload = connection
        .prepare_cached("SELECT upload FROM plugin_files WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    Ok(upload.flatten())
}

pub(super) fn remove(connection: &Connection, key: &str) -> Result<(), SqliteError> {
    connection
        .prepare_cached("DELETE FROM plugin_files WHERE key = ?1")?
        .execute([key])?;
    Ok(())
}

pub(super) fn is_there(connection: &Connection, key: &str) -> Result<bool, SqliteError> {
    let mut statement =
        connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM plugin_files WHERE key = ?1)")?;
    Ok(statement.query_row([key], |row| row.get(0))?)
}

/// Files that nobody has a use for, put long enough ago that nobody is about to have one. A version
/// that was removed is of use until the jobs have ended that were accepted while it was there.
macro_rules! unused {
    () => {
        "created_at < ?1
         AND NOT EXISTS (SELECT 1 FROM plugins
             WHERE 'plugin/' || digest = plugin_files.key
                 AND (removed_at IS NULL OR EXISTS (SELECT 1 FROM jobs
                     WHERE status = 'queued' AND message_at >= 0 AND jobs.created_at <= removed_at)
                 OR EXISTS (SELECT 1 FROM jobs
                     WHERE status = 'running' AND lease_until >= 0 AND jobs.created_at <= removed_at)))
         AND NOT EXISTS (SELECT 1 FROM submissions
             WHERE status = 'checking' AND 'submission/' || id = plugin_files.key)"
    };
}

pub(super) fn unused_is_there(
    connection: &Connection,
    now: jiff::Timestamp,
) -> Result<bool, SqliteError> {
    let mut statement = connection.prepare_cached(concat!(
        "SELECT EXISTS (SELECT 1 FROM plugin_files WHERE ",
        unused!(),
        ")"
    ))?;
    Ok(statement.query_row([nanos(now - DRAFT_LIFETIME)], |row| row.get(0))?)
}

pub(super) fn remove_unused(
    connection: &Connection,
    now: jiff::Timestamp,
) -> Result<(), SqliteError> {
    let long_ago = nanos(now - DRAFT_LIFETIME);
    for sql in [
        concat!(
            "UPDATE uploads SET touched_at = 0, head = NULL WHERE id IN
                 (SELECT upload FROM plugin_files WHERE ",
            unused!(),
            ")"
        ),
        concat!("DELETE FROM plugin_files WHERE ", unused!()),
    ] {
        connection.prepare_cached(sql)?.execute([long_ago])?;
    }
    Ok(())
}
