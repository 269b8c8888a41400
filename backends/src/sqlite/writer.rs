//! The one thread of this process that writes. What waits is written in one transaction, so that its
//! `fsync` is shared, and every caller hears back after the commit.
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

use super::{connection::SqliteError, news::News};

/// Most requests in one transaction: beyond it the shared `fsync` hardly gets cheaper.
const BATCH_MAX: usize = 64;
/// Most requests waiting; further callers wait before they are let in.
const WAITING_MAX: usize = 1024;
/// How often to look for other processes' commits: after a commit of anybody's, and else.
const POLL_BUSY: Duration = Duration::from_millis(5);
const POLL_IDLE: Duration = Duration::from_millis(20);
const BUSY_FOR: Duration = Duration::from_secs(2);

/// How safe a commit must be when its caller hears of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Durability {
    /// Survives the process. It survives the machine too from the next `Machine` commit on, because
    /// the log is written in order: right for what only that later commit makes matter.
    Process,
    /// Survives the machine.
    Machine,
}

type Reply = Box<dyn FnOnce(Result<(), SqliteError>) + Send>;
/// Is given the connection, or why there is no transaction to work in.
type Work = Box<dyn FnOnce(Result<&Connection, SqliteError>) -> Result<Reply, Reply> + Send>;

struct Request {
    durability: Durability,
    work: Work,
    _permit: Option<OwnedSemaphorePermit>,
}

#[derive(Clone)]
pub(super) struct Writer {
    requests: mpsc::Sender<Request>,
    room: Arc<Semaphore>,
}

impl Writer {
    pub fn start(connection: Connection, news: Arc<News>) -> Result<Self, SqliteError> {
        let (requests, waiting) = mpsc::channel();
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || run(&connection, &waiting, &news))
            .map_err(|error| StoreError::Broken(format!("cannot start the writer: {error}")))?;
        Ok(Self {
            requests,
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
            let failed = result.is_err();
            let reply: Reply = Box::new(move |committed| {
                // Nobody waiting any more is no error; the value is dropped.
                let _ = answer.send(committed.and(result));
            });
            if failed { Err(reply) } else { Ok(reply) }
        });
        let request = Request {
            durability,
            work,
            _permit: Some(permit),
        };
        self.requests.send(request).map_err(|_| stopped())?;
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
            Err(_) => Err(nothing()),
        });
        let request = Request {
            durability: Durability::Process,
            work,
            _permit: None,
        };
        let _ = self.requests.send(request);
    }
}

fn stopped() -> SqliteError {
    StoreError::Broken("the writer has stopped".to_owned()).into()
}

fn run(connection: &Connection, requests: &mpsc::Receiver<Request>, news: &News) {
    let mut version = data_version(connection);
    let mut durability = Durability::Machine;
    let mut busy_until = Instant::now();
    loop {
        let now = Instant::now();
        let first = requests.recv_timeout(if now < busy_until {
            POLL_BUSY
        } else {
            POLL_IDLE
        });
        let wrote = match first {
            Ok(first) => {
                let batch: Vec<Request> = std::iter::once(first)
                    .chain(requests.try_iter().take(BATCH_MAX - 1))
                    .collect();
                write_batch(connection, batch, &mut durability);
                true
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let before = std::mem::replace(&mut version, data_version(connection));
        let foreign = version != before;
        if wrote || foreign {
            busy_until = Instant::now() + BUSY_FOR;
            news.committed(connection, foreign);
        }
    }
}

/// Changes whenever another connection, which is to say another process, has committed.
fn data_version(connection: &Connection) -> Option<i64> {
    let mut statement = connection.prepare_cached("PRAGMA data_version").ok()?;
    statement.query_row([], |row| row.get(0)).ok()
}

fn write_batch(connection: &Connection, batch: Vec<Request>, current: &mut Durability) {
    let wanted = batch
        .iter()
        .map(|r| r.durability)
        .max()
        .unwrap_or(Durability::Machine);
    let begun = set_durability(connection, wanted, current)
        .and_then(|()| Ok(connection.execute_batch("BEGIN IMMEDIATE")?));
    let mut failure = begun.err();
    let mut replies: Vec<Reply> = Vec::with_capacity(batch.len());
    for request in batch {
        if let Some(failure) = &failure {
            let (Ok(reply) | Err(reply)) = (request.work)(Err(failure.clone()));
            reply(Ok(()));
            continue;
        }
        match isolated(connection, request.work) {
            Some(Ok(reply)) => replies.push(reply),
            // Undone by its savepoint: it hears its own error whatever becomes of the rest.
            Some(Err(reply)) => reply(Ok(())),
            None => {}
        }
        // Some errors, a full disk for one, make SQLite drop the whole transaction.
        if connection.is_autocommit() {
            let rolled_back = "the transaction was rolled back".to_owned();
            failure = Some(StoreError::Full(rolled_back).into());
        }
    }
    let committed = match failure {
        Some(failure) => Err(failure),
        None => connection
            .execute_batch("COMMIT")
            .map_err(SqliteError::from),
    };
    if committed.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    for reply in replies {
        reply(committed.clone());
    }
}

/// Runs one request in its savepoint. `None`: it panicked, and its caller's channel is closed.
fn isolated(connection: &Connection, work: Work) -> Option<Result<Reply, Reply>> {
    let run = || -> Result<Result<Reply, Reply>, rusqlite::Error> {
        connection.execute_batch("SAVEPOINT request")?;
        Ok(work(Ok(connection)))
    };
    let result = catch_unwind(AssertUnwindSafe(run));
    let kept = matches!(result, Ok(Ok(Ok(_))));
    if !connection.is_autocommit() {
        let end = if kept {
            "RELEASE request"
        } else {
            "ROLLBACK TO request; RELEASE request"
        };
        if let Err(error) = connection.execute_batch(end) {
            tracing::warn!(%error, "a write could not be ended, so that its batch is given up");
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
    match result {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(_)) => None,
        Err(_) => {
            tracing::error!("a write panicked; it was undone");
            None
        }
    }
}

fn set_durability(
    connection: &Connection,
    wanted: Durability,
    current: &mut Durability,
) -> Result<(), SqliteError> {
    if wanted != *current {
        let level = match wanted {
            Durability::Process => "NORMAL",
            Durability::Machine => "FULL",
        };
        connection.pragma_update(None, "synchronous", level)?;
        *current = wanted;
    }
    Ok(())
}
