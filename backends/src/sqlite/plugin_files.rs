//! Which plugins' bytes are of use to somebody.

use retake_jobs::job::changes::DRAFT_LIFETIME;
use rusqlite::Connection;

use super::connection::{SqliteError, nanos};

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
