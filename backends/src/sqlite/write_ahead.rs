//! SQLite's write-ahead log, as a file that is used again and again.
//!
//! Syncing what was appended to a file also writes the file's new length and where its blocks lie, through the
//! file system's own journal: milliseconds. Syncing bytes over bytes that were there before writes those bytes
//! alone: a tenth of a millisecond on the same disk. So this file is made longer with zeros ahead of what is
//! written, up to [`KEPT_BYTES`], and never shorter than that; SQLite takes what does not bear its checksums for
//! the end of the log.
//!
//! The log is brought into the database beside the writer, by a thread of its own. Only while commits keep
//! coming so that it never reaches their end does the writer do the rest, which lets the log begin anew.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use rusqlite::{Connection, hooks::Wal};

use super::{
    connection::{SqliteError, open_checkpointer},
    reserve::beside,
};

/// The file is made as long as this, and cut to it.
pub(super) const KEPT_BYTES: u64 = 16 << 20;
/// First by so much, later by as much as there is.
const STEP_BYTES: u64 = 1 << 20;
/// So much lies ahead of a commit, if it can.
const AHEAD_BYTES: u64 = 512 << 10;
/// What is brought in beside the writer, each time.
const BESIDE_BYTES: u64 = 4 << 20;
/// Where the writer does what is left.
const ITSELF_BYTES: u64 = 12 << 20;
/// As SQLite's file format has them: the log's header, and that of each page in it.
const HEADER_BYTES: u64 = 32;
const FRAME_HEADER_BYTES: u64 = 24;

pub(super) struct WriteAheadLog {
    file: File,
    file_bytes: u64,
    page_bytes: u64,
    /// In the log, after the writer's last commit.
    pages: Arc<AtomicU64>,
    /// What the log held after the writer's last commit, and when it was last asked to be brought in.
    used: u64,
    asked_at: u64,
    checkpointer: Checkpointer,
}

impl WriteAheadLog {
    /// `connection` is the writer's, and no longer brings the log in by itself.
    pub fn of(database: &Path, connection: &mut Connection) -> Result<Self, SqliteError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(beside(database, "-wal"))?;
        let page_bytes: i64 = connection.pragma_query_one(None, "page_size")?;
        let pages = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&pages);
        connection.wal_hook(Some(move |_: &mut Wal, count| {
            counted.store(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self {
            file_bytes: file.metadata()?.len(),
            file,
            page_bytes: page_bytes.unsigned_abs(),
            pages,
            used: 0,
            asked_at: 0,
            checkpointer: Checkpointer::start(database)?,
        })
    }

    /// After a commit, and outside of any transaction.
    pub fn committed(&mut self, connection: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        let used = HEADER_BYTES + pages * (self.page_bytes + FRAME_HEADER_BYTES);
        if used < self.used {
            // It began anew, and somebody may have cut it before.
            self.asked_at = 0;
            self.file_bytes = self.file.metadata().map_or(0, |file| file.len());
        }
        self.used = used;
        if used + AHEAD_BYTES > self.file_bytes && self.file_bytes < KEPT_BYTES {
            self.lengthen(connection, used).unwrap_or_else(|error| {
                // It then grows with what is written, as it does without us.
                tracing::debug!(%error, "the log is not made longer ahead");
            });
        }
        if used >= ITSELF_BYTES.max(self.asked_at + BESIDE_BYTES) {
            self.asked_at = used;
            if let Err(error) = checkpoint(connection, "PASSIVE") {
                tracing::debug!(%error, "the log stays as it is for now");
            }
        } else if used >= self.asked_at + BESIDE_BYTES {
            self.asked_at = used;
            self.checkpointer.ask();
        }
    }

    /// Nobody writes to the log while we hold the right to write.
    fn lengthen(&mut self, connection: &Connection, used: u64) -> Result<(), SqliteError> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let lengthened = self.append_zeros(used);
        connection.execute_batch("ROLLBACK")?;
        Ok(lengthened?)
    }

    fn append_zeros(&mut self, used: u64) -> io::Result<()> {
        static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
        let from = self.file.metadata()?.len();
        self.file_bytes = from;
        let wanted = from.max(used) + from.max(STEP_BYTES);
        let to = wanted.min(KEPT_BYTES);
        let mut at = from;
        while at < to {
            let piece = ZEROS
                .len()
                .min(usize::try_from(to - at).unwrap_or(usize::MAX));
            if let Err(error) = self.file.write_all_at(&ZEROS[..piece], at) {
                // What little room there is is not ours to take.
                self.file.set_len(from)?;
                return Err(error);
            }
            at += piece as u64;
        }
        self.file_bytes = from.max(to);
        Ok(())
    }

    /// Before the writer's connection is closed: the last one to close the file removes the log.
    pub fn end(self) {
        self.checkpointer.end();
    }
}

struct Checkpointer {
    orders: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Checkpointer {
    fn start(database: &Path) -> Result<Self, SqliteError> {
        let connection = open_checkpointer(database)?;
        let (orders, waiting) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("sqlite-checkpointer".to_owned())
            .spawn(move || bring_in(&connection, &waiting))?;
        Ok(Self { orders, thread })
    }

    fn ask(&self) {
        // One that waits will do for both.
        let _ = self.orders.try_send(());
    }

    fn end(self) {
        drop(self.orders);
        let _ = self.thread.join();
    }
}

fn bring_in(connection: &Connection, orders: &Receiver<()>) {
    while orders.recv().is_ok() {
        if let Err(error) = checkpoint(connection, "PASSIVE") {
            tracing::debug!(%error, "the log stays as it is for now");
        }
    }
}

/// Does not wait for readers. True where everything was brought in.
pub(super) fn checkpoint(connection: &Connection, mode: &str) -> Result<bool, SqliteError> {
    let patience: i64 = connection.pragma_query_one(None, "busy_timeout")?;
    connection.busy_timeout(std::time::Duration::ZERO)?;
    let done = connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        let (busy, pages, brought): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(busy == 0 && pages == brought)
    });
    connection.busy_timeout(std::time::Duration::from_millis(patience.unsigned_abs()))?;
    Ok(done?)
}
