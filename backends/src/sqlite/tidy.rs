//! What the writer's thread does when nobody asks for anything: gives free pages back to the file
//! system, in steps short enough that a write that comes waits for one of them, and brings the log
//! into the file.
//!
//! Every process does it; where several do at once, they take turns at the lock like all writers.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::{
    connection::SqliteError,
    reserve::{Reserve, beside},
    write_ahead::{KEPT_BYTES, checkpoint},
};

/// So many free pages stay, for the next small writes: 1 MiB.
const PAGES_KEPT: i64 = 64;
const PAGES_MIN: i64 = 16;
/// 8 MiB, so that the log does not grow much where the disk is full.
const PAGES_MAX: i64 = 512;
/// A step that takes less than the first may be longer, one that takes more than the second shorter.
const STEP_MIN: Duration = Duration::from_millis(8);
const STEP_MAX: Duration = Duration::from_millis(30);
/// While requests keep coming, a step goes between them this often.
const BETWEEN_REQUESTS: Duration = Duration::from_millis(100);
/// Without a commit for so long, the log is brought into the file.
const QUIET: Duration = Duration::from_secs(2);
/// How often to see whether the disk has room for the reserve again.
const RESERVE_EVERY: Duration = Duration::from_secs(5);

pub(super) struct Tidy {
    log: PathBuf,
    reserve: Reserve,
    /// When to look for free pages next; `None` until a commit may have made some.
    next_step: Option<Instant>,
    pages: i64,
    /// When to bring the log in; `None` where nothing was committed since.
    next_checkpoint: Option<Instant>,
    next_reserve: Instant,
}

impl Tidy {
    pub fn new(database: &std::path::Path, reserve_bytes: u64) -> Self {
        let now = Instant::now();
        Self {
            log: beside(database, "-wal"),
            reserve: Reserve::beside(database, reserve_bytes),
            // What the process before this one left.
            next_step: Some(now),
            pages: PAGES_MIN,
            next_checkpoint: None,
            next_reserve: now,
        }
    }

    /// Somebody has committed, here or elsewhere.
    pub fn committed(&mut self, now: Instant) {
        self.next_step.get_or_insert(now + BETWEEN_REQUESTS);
        self.next_checkpoint = Some(now + QUIET);
    }

    /// How long the writer may wait for requests before it is to call [`Tidy::turn`].
    pub fn patience(&self, now: Instant) -> Duration {
        self.next_step
            .map_or(Duration::MAX, |at| at.saturating_duration_since(now))
    }

    pub fn is_due(&self) -> bool {
        let now = Instant::now();
        let over = |at: &Instant| *at <= now;
        self.next_reserve <= now
            || self.next_step.as_ref().is_some_and(over)
            || self.next_checkpoint.as_ref().is_some_and(over)
    }

    /// Does at most one short piece of work, if it is time. `asked`: requests are coming.
    pub fn turn(&mut self, connection: &Connection, asked: bool) {
        let now = Instant::now();
        if self.next_step.is_some_and(|at| at <= now) {
            self.next_step = match self.step(connection) {
                Ok(true) if asked => Some(Instant::now() + BETWEEN_REQUESTS),
                // As long for other processes as for this one.
                Ok(true) => Some(Instant::now() + now.elapsed()),
                Ok(false) => None,
                Err(error) => {
                    tracing::debug!(%error, "free pages are kept for now");
                    Some(now + QUIET)
                }
            };
        } else if self.next_checkpoint.is_some_and(|at| at <= now) {
            // Whoever reads an older state at this moment keeps it; the next time does more.
            self.next_checkpoint = (!self.bring_in_log(connection)).then_some(now + QUIET);
        } else if self.next_reserve <= now {
            self.next_reserve = now + RESERVE_EVERY;
            self.reserve.take();
        }
    }

    /// True while there is more.
    fn step(&mut self, connection: &Connection) -> Result<bool, SqliteError> {
        let free: i64 = connection.pragma_query_one(None, "freelist_count")?;
        if free <= PAGES_KEPT {
            return Ok(false);
        }
        let pages = self.pages.min(free - PAGES_KEPT);
        let begun = Instant::now();
        {
            let mut statement =
                connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            let mut rows = statement.query([])?;
            // Each step frees a page.
            while rows.next()?.is_some() {}
        }
        let took = begun.elapsed();
        if took < STEP_MIN {
            self.pages = (self.pages * 2).min(PAGES_MAX);
        } else if took > STEP_MAX {
            self.pages = (self.pages / 2).max(PAGES_MIN);
        }
        // The file gets shorter only when the log is brought in.
        self.next_checkpoint = Some(Instant::now());
        Ok(true)
    }

    /// True once there is nothing left to do. A log that is longer than it is kept is cut.
    fn bring_in_log(&self, connection: &Connection) -> bool {
        let long = std::fs::metadata(&self.log).is_ok_and(|log| log.len() > KEPT_BYTES);
        let mode = if long { "TRUNCATE" } else { "PASSIVE" };
        checkpoint(connection, mode).unwrap_or_else(|error| {
            tracing::debug!(%error, "the log stays as it is for now");
            false
        })
    }
}
