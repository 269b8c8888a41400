//! Blobs that have a row of their own under the path of their key, for [`super::blobs`] and
//! [`super::upload`]: plugins and what is made of corrections.

use retake_jobs::seams::{BlobInfo, BlobKey};
use rusqlite::{Connection, OptionalExtension};

use super::{
    connection::{SqliteError, nanos},
    rows::signed,
};

/// Of the key's kind.
pub(super) fn table(key: BlobKey) -> &'static str {
    match key {
        BlobKey::Derivative { .. } => "derivative_files",
        BlobKey::Submission(_) | BlobKey::Plugin { .. } => "plugin_files",
        BlobKey::Recording(_) | BlobKey::Correction { .. } | BlobKey::Delta { .. } => {
            unreachable!("{key} has columns of its own")
        }
    }
}

pub(super) fn put(
    connection: &Connection,
    key: BlobKey,
    upload: Option<i64>,
    info: &BlobInfo,
    head: &[u8],
    now: jiff::Timestamp,
) -> Result<(), SqliteError> {
    let sql = format!(
        "INSERT INTO {} (key, size_bytes, sha256, created_at, upload, file)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (key) DO UPDATE SET size_bytes = excluded.size_bytes,
             sha256 = excluded.sha256, created_at = excluded.created_at,
             upload = excluded.upload, file = excluded.file",
        table(key)
    );
    connection.prepare_cached(&sql)?.execute((
        key.to_string(),
        signed(info.size_bytes),
        &info.sha256,
        nanos(now),
        upload,
        head,
    ))?;
    Ok(())
}

pub(super) fn upload_of(connection: &Connection, key: BlobKey) -> Result<Option<i64>, SqliteError> {
    let sql = format!("SELECT upload FROM {} WHERE key = ?1", table(key));
    let upload = connection
        .prepare_cached(&sql)?
        .query_row([key.to_string()], |row| row.get(0))
        .optional()?;
    Ok(upload.flatten())
}

pub(super) fn remove(connection: &Connection, key: BlobKey) -> Result<(), SqliteError> {
    let sql = format!("DELETE FROM {} WHERE key = ?1", table(key));
    connection
        .prepare_cached(&sql)?
        .execute([key.to_string()])?;
    Ok(())
}

pub(super) fn is_there(connection: &Connection, key: BlobKey) -> Result<bool, SqliteError> {
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM {} WHERE key = ?1)",
        table(key)
    );
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row([key.to_string()], |row| row.get(0))?)
}
