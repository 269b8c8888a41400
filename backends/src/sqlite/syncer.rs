//! The thread that makes commits survive the machine. The writer commits to SQLite's log without waiting
//! for the disk and goes on; this thread waits for the disk, once for all that was committed meanwhile,
//! and then answers whoever was promised that. docs/decisions/commits.md says why that is as safe as
//! SQLite's own `synchronous = FULL`.

use std::{
    fs::File,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::JoinHandle,
};

use retake_jobs::seams::{StoreError, Wake};

use super::{connection::SqliteError, news::News, reserve::beside};

/// Makes sure that what was written to the log is on the disk.
pub(super) type Sync = Box<dyn FnMut() -> io::Result<()> + Send>;
pub(super) type Reply = Box<dyn FnOnce(Result<(), SqliteError>) + Send>;

/// The log of a database that is open. It stays the same file for as long as anybody has it open.
pub(super) fn of_log(database: &Path) -> io::Result<Sync> {
    let log = File::open(beside(database, "-wal"))?;
    Ok(Box::new(move || log.sync_data()))
}

/// Committed, and not yet safe from the machine.
pub(super) struct Unsynced {
    pub replies: Vec<Reply>,
    pub news: Vec<Wake>,
}

pub(super) struct Syncer {
    waiting: mpsc::Sender<Unsynced>,
    failed: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Syncer {
    pub fn start(sync: Sync, news: Arc<News>) -> io::Result<Self> {
        let (waiting, committed) = mpsc::channel();
        let failed = Arc::new(AtomicBool::new(false));
        let has_failed = Arc::clone(&failed);
        let thread = std::thread::Builder::new()
            .name("sqlite-syncer".to_owned())
            .spawn(move || run(&committed, sync, &has_failed, &news))?;
        Ok(Self {
            waiting,
            failed,
            thread,
        })
    }

    /// Answers and tells after the next sync.
    pub fn hand_over(&self, unsynced: Unsynced) {
        if let Err(mpsc::SendError(unsynced)) = self.waiting.send(unsynced) {
            let gone = StoreError::Broken("the syncer has stopped".to_owned());
            answer(unsynced.replies, &Err(gone.into()));
        }
    }

    /// A system that could not write a page forgets that it is to be written, and says so once: from then
    /// on a sync that succeeds proves nothing, until somebody has brought the whole log into the file.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// The log was brought into the file, and that to the disk.
    pub fn mended(&self) {
        self.failed.store(false, Ordering::Release);
    }

    /// Returns once everybody has been answered.
    pub fn end(self) {
        drop(self.waiting);
        let _ = self.thread.join();
    }
}

fn run(committed: &mpsc::Receiver<Unsynced>, mut sync: Sync, failed: &AtomicBool, news: &News) {
    while let Ok(first) = committed.recv() {
        let mut together = vec![first];
        together.extend(committed.try_iter());
        let result = if failed.load(Ordering::Acquire) {
            Err(not_synced(
                "an earlier sync failed, and nothing has mended that yet",
            ))
        } else {
            sync().map_err(|error| {
                failed.store(true, Ordering::Release);
                tracing::error!(%error, "the log could not be written to the disk");
                SqliteError::from(error)
            })
        };
        for Unsynced {
            replies,
            news: wakes,
        } in together
        {
            answer(replies, &result);
            // Also of what was not synced: it is there for whoever looks.
            news.wake(wakes);
        }
    }
}

fn answer(replies: Vec<Reply>, result: &Result<(), SqliteError>) {
    for reply in replies {
        reply(result.clone());
    }
}

pub(super) fn not_synced(why: &str) -> SqliteError {
    StoreError::Broken(format!("what was written may not be on the disk: {why}")).into()
}
