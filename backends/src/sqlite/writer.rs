//! The one thread of this process that writes. What waits is written in one transaction, and every
//! caller hears back after the commit; whoever relies on it after the [`syncer`](super::syncer), too,
//! which this thread does not wait for.
//!
//! A request that fails is undone by its savepoint and hurts no other. The thread also notices what
//! other processes committed, because only its connection's `data_version` tells theirs from ours.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use retake_jobs::seams::StoreError;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    connection::{SqliteError, run_cached},
    news::{Fresh, News},
    syncer::{Reply, Sync, Syncer, Unsynced, not_synced},
    tidy::Tidy,
    write_ahead::{WriteAheadLog, checkpoint},
};

/// Most requests in one transaction, so that the first of them does not wait long for the last.
const BATCH_MAX: usize = 64;
/// Most requests waiting; further callers wait before they are let in.
const WAITING_MAX: usize = 1024;
/// How often to look for other processes' commits where they tell of them, and where they do not: after a
/// commit of anybody's, and else.
const POLL_TOLD: Duration = Duration::from_millis(250);
const POLL_BUSY: Duration = Duration::from_millis(5);
const POLL_IDLE: Duration = Duration::from_millis(20);
const BUSY_FOR: Duration = Duration::from_secs(2);

/// How safe a commit must be when its caller hears of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// Survives the process. It survives the machine too from the next `Machine` commit on, because
    /// the log is written in order: right for what only that later commit makes matter.
    Process,
    /// Survives the machine.
    Machine,
}

/// Is given the connection, or why there is no transaction to work in.
type Work = Box<dyn FnOnce(Result<&Connection, SqliteError>) -> Result<Reply, Failed> + Send>;

/// Work that is undone, and why.
struct Failed {
    reply: Reply,
    error: SqliteError,
}

struct Request {
    durability: Durability,
    work: Work,
    _permit: Option<OwnedSemaphorePermit>,
}

enum Order {
    Write(Request),
    /// The last one.
    Close(oneshot::Sender<()>),
}

pub(super) struct Writer {
    orders: mpsc::Sender<Order>,
    room: Arc<Semaphore>,
}

impl Writer {
    /// `sync` brings the connection's log to the disk.
    pub fn start(
        news: Arc<News>,
        tidy: Tidy,
        log: WriteAheadLog,
        sync: Sync,
        connection: Connection,
    ) -> Result<Self, SqliteError> {
        // The log is synced by the syncer; before it is brought into the file, by SQLite all the same.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let (orders, waiting) = mpsc::channel();
        let syncer = Syncer::start(sync, Arc::clone(&news))?;
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || run(connection, &waiting, &news, tidy, log, syncer))?;
        Ok(Self {
            orders,
            room: Arc::new(Semaphore::new(WAITING_MAX)),
        })
    }

    /// Runs `work` in a transaction. Once the first poll is over it will be done, whether or not the
    /// caller still waits.
    pub async fn write<T: Send + 'static>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, SqliteError> {
        let permit = Arc::clone(&self.room)
            .acquire_owned()
            .await
            .map_err(|_| stopped())?;
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let result = connection.and_then(work);
            let error = result.as_ref().err().cloned();
            let reply: Reply = Box::new(move |committed| {
                // Nobody waiting any more is no error; the value is dropped.
                let _ = answer.send(committed.and(result));
            });
            match error {
                Some(error) => Err(Failed { reply, error }),
                None => Ok(reply),
            }
        });
        let request = Request {
            durability,
            work,
            _permit: Some(permit),
        };
        self.orders
            .send(Order::Write(request))
            .map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    /// Runs `work` some time, for `Drop`, which cannot wait. It may be lost.
    pub fn write_later(
        &self,
        work: impl FnOnce(&Connection) -> Result<(), SqliteError> + Send + 'static,
    ) {
        let nothing: fn() -> Reply = || Box::new(|_| {});
        let work: Work = Box::new(move |connection| match connection.and_then(work) {
            Ok(()) => Ok(nothing()),
            Err(error) => Err(Failed {
                reply: nothing(),
                error,
            }),
        });
        let request = Request {
            durability: Durability::Process,
            work,
            _permit: None,
        };
        let _ = self.orders.send(Order::Write(request));
    }

    /// Writes what was asked for before, brings the log into the file and lets go of it. Whoever asks
    /// later hears that the writer has stopped.
    pub async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.orders.send(Order::Close(answer)).is_ok() {
            let _ = answered.await;
        }
    }
}

fn stopped() -> SqliteError {
    StoreError::Broken("the writer has stopped".to_owned()).into()
}

fn run(
    connection: Connection,
    orders: &mpsc::Receiver<Order>,
    news: &News,
    mut tidy: Tidy,
    mut log: WriteAheadLog,
    syncer: Syncer,
) {
    let mut version = data_version(&connection);
    let mut busy_until = Instant::now();
    loop {
        let now = Instant::now();
        let poll = match now < busy_until {
            _ if news.has_neighbours() => POLL_TOLD,
            true => POLL_BUSY,
            false => POLL_IDLE,
        };
        let Some((batch, closing)) = next_batch(orders, poll.min(tidy.patience(now))) else {
            return;
        };
        let wrote = !batch.is_empty();
        let unsynced = if wrote {
            write_batch(&connection, batch, &syncer)
        } else {
            Vec::new()
        };
        let before = std::mem::replace(&mut version, data_version(&connection));
        let foreign = version != before;
        if wrote || foreign {
            let now = Instant::now();
            busy_until = now + BUSY_FOR;
            tell(
                news,
                news.since_the_last(&connection),
                unsynced,
                &syncer,
                !wrote,
            );
            tidy.committed(now);
        }
        if wrote {
            log.committed(&connection);
        }
        if let Some(closed) = closing {
            syncer.end();
            log.end();
            close(connection);
            let _ = closed.send(());
            return;
        }
        if tidy.is_due() {
            tidy.turn(&connection, wrote);
        }
    }
}

/// Jobs are told of at once, events when they are safe.
fn tell(news: &News, fresh: Fresh, unsynced: Vec<Reply>, syncer: &Syncer, foreign_only: bool) {
    if foreign_only {
        return news.found(fresh);
    }
    if fresh.jobs {
        news.jobs_wait();
    }
    if unsynced.is_empty() {
        news.wake(fresh.wakes);
    } else {
        syncer.hand_over(Unsynced {
            replies: unsynced,
            news: fresh.wakes,
        });
    }
}

/// What is to be written together, and whether that is the last. `None`: nobody is left to ask.
fn next_batch(
    orders: &mpsc::Receiver<Order>,
    patience: Duration,
) -> Option<(Vec<Request>, Option<oneshot::Sender<()>>)> {
    let mut batch = Vec::new();
    let mut next = match orders.recv_timeout(patience) {
        Ok(first) => first,
        Err(RecvTimeoutError::Timeout) => return Some((batch, None)),
        Err(RecvTimeoutError::Disconnected) => return None,
    };
    loop {
        match next {
            Order::Write(request) => batch.push(request),
            Order::Close(closed) => return Some((batch, Some(closed))),
        }
        if batch.len() == BATCH_MAX {
            return Some((batch, None));
        }
        match orders.try_recv() {
            Ok(order) => next = order,
            Err(_) => return Some((batch, None)),
        }
    }
}

/// The last process to close leaves one file that is whole; SQLite sees to that itself where nobody
/// else has it open. Where somebody has, this brings in what the log holds so far.
fn close(connection: Connection) {
    if let Err(error) = checkpoint(&connection, "TRUNCATE") {
        tracing::debug!(%error, "the log is left to the next process");
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the database was not closed in order; nothing is lost");
    }
}

/// Changes whenever another connection, which is to say another process, has committed.
fn data_version(connection: &Connection) -> Option<i64> {
    let mut statement = connection.prepare_cached("PRAGMA data_version").ok()?;
    statement.query_row([], |row| row.get(0)).ok()
}

/// Answers whoever need not wait for the disk, and whoever's work was not written. The rest is returned.
fn write_batch(connection: &Connection, batch: Vec<Request>, syncer: &Syncer) -> Vec<Reply> {
    let mut failure = begin(connection, &batch, syncer).err();
    let mut replies = Vec::with_capacity(batch.len());
    for request in batch {
        if let Some(failure) = &failure {
            let (Ok(reply) | Err(Failed { reply, .. })) = (request.work)(Err(failure.clone()));
            reply(Ok(()));
            continue;
        }
        let mut own = None;
        match isolated(connection, request.work) {
            Some(Ok(reply)) => replies.push((request.durability, reply)),
            // Undone by its savepoint: it hears its own error whatever becomes of the rest.
            Some(Err(Failed { reply, error })) => {
                reply(Ok(()));
                own = Some(error);
            }
            None => {}
        }
        // Some errors, a full disk for one, make SQLite drop the whole transaction.
        if connection.is_autocommit() {
            let dropped = || StoreError::Broken("the transaction was rolled back".to_owned());
            failure = Some(own.unwrap_or_else(|| dropped().into()));
        }
    }
    let committed = match failure {
        Some(failure) => Err(failure),
        None => run_cached(connection, "COMMIT").map_err(SqliteError::from),
    };
    if committed.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    let mut unsynced = Vec::new();
    for (durability, reply) in replies {
        match durability {
            Durability::Machine if committed.is_ok() => unsynced.push(reply),
            _ => reply(committed.clone()),
        }
    }
    unsynced
}

/// Nobody is promised what cannot be kept: after a sync that failed, the log is first brought into the
/// file, by way of what the system still has in memory.
fn begin(connection: &Connection, batch: &[Request], syncer: &Syncer) -> Result<(), SqliteError> {
    if syncer.has_failed() && batch.iter().any(|r| r.durability == Durability::Machine) {
        if !checkpoint(connection, "TRUNCATE")? {
            return Err(not_synced(
                "an earlier sync failed, and the file is being read",
            ));
        }
        syncer.mended();
        tracing::info!("what the log held is on the disk after all");
    }
    Ok(run_cached(connection, "BEGIN IMMEDIATE")?)
}

/// Runs one request in its savepoint. `None`: it panicked, and its caller's channel is closed.
fn isolated(connection: &Connection, work: Work) -> Option<Result<Reply, Failed>> {
    let begun = run_cached(connection, "SAVEPOINT request");
    let room = begun.map(|()| connection).map_err(SqliteError::from);
    let result = catch_unwind(AssertUnwindSafe(|| work(room)));
    if !connection.is_autocommit() {
        let undone = match &result {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => run_cached(connection, "ROLLBACK TO request"),
        };
        let ended = undone.and_then(|()| run_cached(connection, "RELEASE request"));
        if let Err(error) = ended {
            tracing::warn!(%error, "a write could not be ended, so that its batch is given up");
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
    if result.is_err() {
        tracing::error!("a write panicked; it was undone");
    }
    result.ok()
}
