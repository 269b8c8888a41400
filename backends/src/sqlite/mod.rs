//! Everything in one SQLite file: rows, blobs, the embedded queue and the news, across processes.
//!
//! One [`Database`] per process and file holds the threads: one that writes, a few that read. Rows,
//! blobs, queue and events are views of it and share them. Nothing here blocks a tokio thread.

mod answered;
mod backup;
mod blobs;
mod catalogue;
mod changes;
mod connection;
mod credentials;
mod deliveries;
mod derivatives;
mod direct;
mod entries;
mod errands;
mod events;
mod forget;
mod keyed;
mod leases;
mod library;
mod log;
mod messages_again;
mod neighbours;
mod news;
mod plugin_files;
mod presets;
mod queue;
mod readers;
mod records;
mod reserve;
mod rows;
mod shared_clock;
mod shares;
mod space;
mod staged;
mod submissions;
mod sweep;
mod syncer;
mod tidy;
mod turns;
mod upload;
mod usage;
mod webhooks;
mod write_ahead;
mod writer;

#[cfg(test)]
mod tests;

pub use backup::{Backup, BackupError, back_up, verify};
pub use blobs::SqliteBlobs;
pub use direct::DirectQueue;
pub use events::SqliteEvents;
pub use queue::SqliteQueue;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use jiff::Timestamp;
use retake_jobs::{
    clock::Clock,
    seams::{
        BlobKey, QueueLimits, SharedBlobs, SharedEvents, SharedQueue, SharedStore, StoreError,
    },
};
use rusqlite::Connection;
use tokio::sync::Semaphore;

use self::{
    changes::Times,
    connection::{SqliteError, open_writer},
    news::News,
    readers::Readers,
    reserve::Reserve,
    shared_clock::{Machine, SharedClock, ThisMachine},
    staged::StagedBlob,
    tidy::Tidy,
    write_ahead::WriteAheadLog,
    writer::{Durability, Writer},
};

#[derive(Clone)]
pub struct SqliteStore {
    pub(super) database: Arc<Database>,
}

#[derive(Debug, Clone, Copy)]
pub struct SqliteOptions {
    /// The file grows no further than this; then writes answer [`StoreError::Full`]. Every process
    /// that opens the file must be told the same.
    pub size_bytes_max: Option<u64>,
    /// Room kept beside the file for when the disk is full; 0 keeps none.
    pub reserve_bytes: u64,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            size_bytes_max: None,
            reserve_bytes: reserve::WHOLE_BYTES,
        }
    }
}

/// Most pieces of blobs waiting for the writer at once, so that small writes are not kept waiting.
const BULK_WRITES_MAX: usize = 4;

pub(super) struct Database {
    path: PathBuf,
    writer: Writer,
    readers: Readers,
    reserve: Reserve,
    clock: Arc<dyn Clock>,
    /// The clock, where it is the one of everybody who shares the file.
    shared_clock: Option<Arc<SharedClock>>,
    news: Arc<News>,
    bulk: Semaphore,
    /// Deletions that were let have the room kept for them: uploads must not take it before they do.
    clearing: AtomicUsize,
    catalogue: catalogue::Known,
    staged: staged::Staged,
    /// Whoever runs jobs finds them here, without a message.
    jobs_are_found: AtomicBool,
    /// The blobs are in this file too, so that accepting a recording whose bytes are missing is an
    /// error.
    holds_blobs: AtomicBool,
}

impl SqliteStore {
    /// Opens the file, making it if need be, and brings its schema up to date. A file that a newer
    /// Retake has written is refused.
    pub fn open(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Self::open_with(path, clock, SqliteOptions::default())
    }

    pub fn open_with(
        path: impl AsRef<Path>,
        clock: Arc<dyn Clock>,
        options: SqliteOptions,
    ) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let reserve = Reserve::beside(path, options.reserve_bytes);
        Self::on(path, &reserve, options, |_| Ok((clock.clone(), None)))
    }

    /// With the clock that all processes share which open the file like this.
    pub fn open_shared(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self, StoreError> {
        Self::open_on(path, options, Arc::new(ThisMachine))
    }

    fn open_on(
        path: impl AsRef<Path>,
        options: SqliteOptions,
        machine: Arc<dyn Machine>,
    ) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let reserve = Reserve::beside(path, options.reserve_bytes);
        reserve.take();
        Self::on(path, &reserve, options, |connection| {
            let clock = Arc::new(SharedClock::begin(connection, machine.clone())?);
            Ok((clock.clone() as Arc<dyn Clock>, Some(clock)))
        })
    }

    fn on(
        path: &Path,
        reserve: &Reserve,
        options: SqliteOptions,
        clock: impl Fn(&Connection) -> Result<Clocks, SqliteError>,
    ) -> Result<Self, StoreError> {
        match Self::assemble(path, options, &clock) {
            // Even reading takes a little room, for the index of the log.
            Err(error) if error.is_full() && reserve.release_all() => {
                Ok(Self::assemble(path, options, &clock)?)
            }
            opened => Ok(opened?),
        }
    }

    fn assemble(
        path: &Path,
        options: SqliteOptions,
        clock: &impl Fn(&Connection) -> Result<Clocks, SqliteError>,
    ) -> Result<Self, SqliteError> {
        let mut connection = open_writer(path, options.size_bytes_max)?;
        let (clock, shared_clock) = clock(&connection)?;
        let news = Arc::new(News::default());
        news.begin(&connection)?;
        if let Err(error) = news.join(path) {
            tracing::warn!(%error, "other processes cannot be told of what is written here; they find it by looking");
        }
        let database = Database {
            path: path.to_owned(),
            readers: Readers::start(path)?,
            writer: Writer::start(
                Arc::clone(&news),
                Tidy::new(path, options.reserve_bytes),
                WriteAheadLog::of(path, &mut connection)?,
                syncer::of_log(path)?,
                connection,
            )?,
            reserve: Reserve::beside(path, options.reserve_bytes),
            clock,
            shared_clock,
            news,
            bulk: Semaphore::new(BULK_WRITES_MAX),
            clearing: AtomicUsize::new(0),
            catalogue: catalogue::Known::default(),
            staged: staged::Staged::default(),
            jobs_are_found: AtomicBool::new(false),
            holds_blobs: AtomicBool::new(false),
        };
        Ok(Self {
            database: Arc::new(database),
        })
    }

    /// The time by which this store goes.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.database.clock)
    }

    /// An orderly end: what was asked for before is written, and the last process to close the file
    /// leaves it whole, without a log beside it. What is asked for later fails.
    pub async fn close(&self) {
        // The log can be brought in only where nobody reads.
        self.database.readers.close().await;
        self.database.writer.close().await;
    }
}

type Clocks = (Arc<dyn Clock>, Option<Arc<SharedClock>>);

/// The embedded default: everything in one file, sharing its threads.
pub fn open_sqlite(
    path: impl AsRef<Path>,
) -> Result<(SharedStore, SharedBlobs, SharedQueue, SharedEvents), StoreError> {
    let store = SqliteStore::open_shared(path, SqliteOptions::default())?;
    let blobs = SqliteBlobs::new(&store);
    let queue = SqliteQueue::new(&store, QueueLimits::default());
    let events = SqliteEvents::new(&store);
    Ok((
        Arc::new(store),
        Arc::new(blobs),
        Arc::new(queue),
        Arc::new(events),
    ))
}

impl Database {
    /// For what a caller may rely on from now on, whatever happens to the machine.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        Ok(self.writer.write(Durability::Machine, work).await?)
    }

    /// For what is asked for again when it failed. Where it was committed and could not be synced, `undo`
    /// takes it back: whoever hears of a failure and tries again would have it twice.
    async fn write_or_undo<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
        undo: impl FnOnce(&Connection) -> Result<(), SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let committing = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&committing);
        let write = self.write(move |connection| {
            let worked = work(connection)?;
            done.store(true, Ordering::Release);
            Ok(worked)
        });
        let error = match write.await {
            Err(error) if committing.load(Ordering::Acquire) => error,
            answer => return answer,
        };
        // Nobody waits for the disk: it may be broken, and to whoever looks it is gone at once.
        match self.write_lightly(undo).await {
            Ok(()) => tracing::warn!(%error, "what could not be synced was taken back"),
            Err(left) => {
                tracing::error!(%error, %left, "what could not be synced may be there all the same");
            }
        }
        Err(error)
    }

    /// For what only matters together with a later [`Database::write`].
    async fn write_lightly<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        Ok(self.writer.write(Durability::Process, work).await?)
    }

    /// For what makes room. Where there is none left for it, there is what was kept for that.
    async fn write_freeing<T: Send + 'static>(
        &self,
        durability: Durability,
        work: impl Fn(&Connection) -> Result<T, SqliteError> + Clone + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.writer.write(durability, work.clone()).await {
            Err(error) if error.is_full() => {
                let _clearing = Clearing::begin(&self.clearing);
                // Where it is let go of already, it was so a moment ago perhaps, by another deletion:
                // what that did not need may still be there.
                self.reserve.release();
                Ok(self.writer.write(durability, work).await?)
            }
            done => Ok(done?),
        }
    }

    fn refuse_while_clearing(&self) -> Result<(), StoreError> {
        if self.clearing.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        Err(StoreError::Full(
            "a deletion makes room at this moment".to_owned(),
        ))
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        Ok(self.readers.read(work).await?)
    }

    /// What waits in memory for a write that is to take it along. It is the writer's caller to remove.
    fn staged_for(&self, key: BlobKey) -> Result<Option<Arc<StagedBlob>>, StoreError> {
        let staged = self.staged.get(key);
        if staged.is_some() {
            self.refuse_while_clearing()?;
        }
        Ok(staged)
    }

    fn holds_blobs(&self) -> bool {
        self.holds_blobs.load(Ordering::Relaxed)
    }

    /// Messages are sent only for jobs that wait for so long that their message seems lost.
    fn jobs_are_found(&self) {
        self.jobs_are_found.store(true, Ordering::Relaxed);
    }

    fn times(&self) -> Times {
        let now = self.clock.now();
        self.times_due(now, now)
    }

    fn times_due(&self, now: Timestamp, due: Timestamp) -> Times {
        Times {
            now,
            due,
            jobs_are_found: self.jobs_are_found.load(Ordering::Relaxed),
        }
    }
}

/// Ends also where whoever asked for the deletion is gone.
struct Clearing<'a>(&'a AtomicUsize);

impl<'a> Clearing<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Clearing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
