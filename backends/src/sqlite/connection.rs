//! Opens a connection. There is no other way to: settings like `synchronous` are per connection, and
//! one opener that forgets them loses data for all.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use retake_jobs::seams::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, ffi};

/// How long a writer waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// In order; a released file is never edited, only followed by another.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_start.sql"),
    include_str!("migrations/0002_publishing.sql"),
    include_str!("migrations/0003_deltas.sql"),
    include_str!("migrations/0004_tracks.sql"),
    include_str!("migrations/0005_pins.sql"),
    include_str!("migrations/0006_spared.sql"),
    include_str!("migrations/0007_time_and_space.sql"),
    include_str!("migrations/0008_turns.sql"),
    include_str!("migrations/0009_budgets.sql"),
    include_str!("migrations/0010_traces.sql"),
    include_str!("migrations/0011_direct.sql"),
    include_str!("migrations/0012_lost.sql"),
    include_str!("migrations/0013_catalogue_changes.sql"),
    include_str!("migrations/0014_excused_checks.sql"),
    include_str!("migrations/0015_derivatives.sql"),
    include_str!("migrations/0016_idempotency.sql"),
    include_str!("migrations/0017_credentials.sql"),
    include_str!("migrations/0018_derivative_events.sql"),
    include_str!("migrations/0019_shares.sql"),
    include_str!("migrations/0020_presets.sql"),
    include_str!("migrations/0021_usage.sql"),
    include_str!("migrations/0022_library.sql"),
    include_str!("migrations/0023_webhooks.sql"),
];

/// What this program writes.
pub(super) const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Opens the file and brings its schema up to date.
pub(super) fn open_writer(path: &Path, bytes_max: Option<u64>) -> Result<Connection, SqliteError> {
    let mut connection = open(path)?;
    migrate(&mut connection)?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA cache_size = -4096;")?;
    if let Some(bytes_max) = bytes_max {
        let page_bytes: i64 = connection.pragma_query_one(None, "page_size")?;
        let pages_max = bytes_max / page_bytes.unsigned_abs().max(1);
        connection.pragma_update_and_check(
            None,
            "max_page_count",
            i64::try_from(pages_max).unwrap_or(i64::MAX),
            |_| Ok(()),
        )?;
    }
    Ok(connection)
}

/// Small cache: readers are several, and downloads would only wash it out.
pub(super) fn open_reader(path: &Path) -> Result<Connection, SqliteError> {
    let connection = open(path)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -1024;")?;
    Ok(connection)
}

/// Only brings the log into the file.
pub(super) fn open_checkpointer(path: &Path) -> Result<Connection, SqliteError> {
    let connection = open(path)?;
    connection.execute_batch("PRAGMA cache_size = -64;")?;
    Ok(connection)
}

fn open(path: &Path) -> Result<Connection, SqliteError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|error| StoreError::Broken(format!("cannot open {}: {error}", path.display())))?;
    #[cfg(test)]
    let connection = super::tests::plans::watched(connection);
    connection.busy_timeout(BUSY_TIMEOUT)?;
    if is_new(&connection)? {
        // Both mean something only before the first table is made, and before the WAL; later the second
        // one would write to the file, which on a full disk keeps everybody out.
        // Small pages: a short job touches some twenty of them in each of its commits, and each goes to the
        // log as a whole. What a long recording pays for it is measured in docs/benchmarks.md.
        connection.execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;")?;
    }
    enter_wal(&connection)?;
    connection.execute_batch(
        // Nothing of SQLite's own lies in a temporary folder: there may be none that can be written.
        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

fn is_new(connection: &Connection) -> Result<bool, SqliteError> {
    let new = connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
        row.get(0)
    })?;
    Ok(new)
}

/// The change of mode does not wait for the busy timeout as statements do, so that two processes
/// that start at once on a new file need this loop.
fn enter_wal(connection: &Connection) -> Result<(), SqliteError> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        let entered = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match entered {
            Ok(mode) if mode.eq_ignore_ascii_case("wal") => return Ok(()),
            Ok(mode) => {
                return Err(StoreError::Broken(format!(
                    "the database's journal mode is {mode} and cannot be made WAL"
                ))
                .into());
            }
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn migrate(connection: &mut Connection) -> Result<(), SqliteError> {
    let newest = SCHEMA_VERSION;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_one(None, "user_version")?;
    if version > newest {
        return Err(StoreError::Broken(format!(
            "the database has schema version {version}, and this program knows only up to {newest}: \
             a newer Retake wrote it"
        )).into());
    }
    if version == newest {
        // Nothing is written: a program that starts on a full disk gets past here.
        return Ok(());
    }
    let missing = usize::try_from(version).unwrap_or(0);
    for migration in &MIGRATIONS[missing..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", newest)?;
    transaction.commit()?;
    Ok(())
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// SQLite calls only ENOSPC while it writes a file "full". A quota or a limit on the length of files
/// is an I/O error of writing to it, and no room for the index of the log one of `SHMSIZE`.
fn is_full(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return false;
    };
    failure.code == ErrorCode::DiskFull
        || matches!(
            failure.extended_code,
            ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE
        )
}

/// What begins and ends transactions is not parsed each time.
pub(super) fn run_cached(connection: &Connection, statement: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(statement)?.execute([])?;
    Ok(())
}

/// What goes wrong with a [`Connection`] in hand. SQLite's own errors become the store's only by way
/// of it: neither of those types is this crate's.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub(super) struct SqliteError(#[from] StoreError);

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        if is_busy(&error) {
            return Self(StoreError::Busy(text));
        }
        if is_full(&error) {
            return Self(StoreError::Full(text));
        }
        Self(StoreError::Broken(text))
    }
}

/// Of a file or thread beside SQLite's own.
impl From<std::io::Error> for SqliteError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let text = error.to_string();
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self(StoreError::Full(text)),
            _ => Self(StoreError::Broken(text)),
        }
    }
}

impl SqliteError {
    pub fn is_full(&self) -> bool {
        matches!(self.0, StoreError::Full(_))
    }
}

impl From<SqliteError> for StoreError {
    fn from(SqliteError(error): SqliteError) -> Self {
        error
    }
}

/// As the tables hold times. What lies beyond year 2262 is as good as never.
pub(super) fn nanos(time: Timestamp) -> i64 {
    let nanos = time.as_nanosecond();
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

pub(super) fn time(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanos.into()).expect("every i64 of nanoseconds is within range")
}
