//! Everything in one SQLite file: rows, blobs, the embedded queue and the news, across processes.
//!
//! One [`Database`] per process and file holds the threads: one that writes, a few that read. Rows,
//! blobs, queue and events are views of it and share them. Nothing here blocks a tokio thread.

mod blobs;
mod catalogue;
mod changes;
mod connection;
mod events;
mod leases;
mod log;
mod news;
mod owners;
mod plugin_files;
mod queue;
mod readers;
mod records;
mod rows;
mod submissions;
mod sweep;
mod turns;
mod upload;
mod writer;

#[cfg(test)]
mod tests;

pub use blobs::SqliteBlobs;
pub use events::SqliteEvents;
pub use queue::SqliteQueue;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use retake_jobs::{
    clock::{Clock, SystemClock},
    seams::{QueueLimits, SharedBlobs, SharedEvents, SharedQueue, SharedStore, StoreError},
};
use rusqlite::Connection;
use tokio::sync::Semaphore;

use self::{
    connection::{SqliteError, open_writer},
    news::News,
    readers::Readers,
    writer::{Durability, Writer},
};

#[derive(Clone)]
pub struct SqliteStore {
    pub(super) database: Arc<Database>,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct SqliteOptions {
    /// The file grows no further than this; then writes answer [`StoreError::Full`]. Every process
    /// that opens the file must be told the same.
    pub size_bytes_max: Option<u64>,
}

/// Most pieces of blobs waiting for the writer at once, so that small writes are not kept waiting.
const BULK_WRITES_MAX: usize = 4;

pub(super) struct Database {
    writer: Writer,
    readers: Readers,
    clock: Arc<dyn Clock>,
    news: Arc<News>,
    bulk: Semaphore,
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
        let connection = open_writer(path, options.size_bytes_max)?;
        let news = Arc::new(News::default());
        news.begin(&connection)?;
        let database = Database {
            readers: Readers::start(path)?,
            writer: Writer::start(connection, Arc::clone(&news))?,
            clock,
            news,
            bulk: Semaphore::new(BULK_WRITES_MAX),
            holds_blobs: AtomicBool::new(false),
        };
        Ok(Self {
            database: Arc::new(database),
        })
    }
}

/// The embedded default: everything in one file, sharing its threads.
pub fn open_sqlite(
    path: impl AsRef<Path>,
) -> Result<(SharedStore, SharedBlobs, SharedQueue, SharedEvents), StoreError> {
    let store = SqliteStore::open(path, Arc::new(SystemClock))?;
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

    /// For what only matters together with a later [`Database::write`].
    async fn write_lightly<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        Ok(self.writer.write(Durability::Process, work).await?)
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        Ok(self.readers.read(work).await?)
    }

    fn holds_blobs(&self) -> bool {
        self.holds_blobs.load(Ordering::Relaxed)
    }
}
