//! A few threads that only read, each with its own connection. In WAL mode they wait for nobody.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use retake_jobs::seams::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::connection::{SqliteError, open_reader, run_cached};

const READERS: usize = 3;

type Work = Box<dyn FnOnce(&Connection) + Send>;

enum Order {
    Read(Work),
    /// For whichever thread takes it: its last.
    Close(oneshot::Sender<()>),
}

pub(super) struct Readers(Arc<Orders>);

/// What waits to be read. A channel's receiver would have to be shared behind a lock, and each order would wake a
/// second thread, which then waits in the first one's place.
#[derive(Default)]
struct Orders {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

#[derive(Default)]
struct Waiting {
    orders: VecDeque<Order>,
    /// Threads that take orders.
    readers: usize,
    is_over: bool,
}

impl Readers {
    pub fn start(path: &Path) -> Result<Self, SqliteError> {
        let readers = Self(Arc::default());
        for number in 0..READERS {
            let connection = open_reader(path)?;
            let orders = Arc::clone(&readers.0);
            std::thread::Builder::new()
                .name(format!("sqlite-reader-{number}"))
                .spawn(move || run(connection, &orders))
                .map_err(|error| StoreError::Broken(format!("cannot start a reader: {error}")))?;
            readers.0.waiting().readers += 1;
        }
        Ok(readers)
    }

    /// Runs `work` on one unchanging state of the database.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, SqliteError> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            // A caller that is gone needs no answer.
            if !answer.is_closed() {
                let _ = answer.send(in_one_state(connection, work));
            }
        });
        self.0.give(Order::Read(work));
        let stopped = |_| StoreError::Broken("the readers have stopped".to_owned());
        answered.await.map_err(stopped)?
    }

    /// Answers what was asked before, and lets go of the file.
    pub async fn close(&self) {
        let closing = (0..READERS).map(|_| {
            let (closed, told) = oneshot::channel();
            self.0.give(Order::Close(closed));
            told
        });
        for told in closing.collect::<Vec<_>>() {
            let _ = told.await;
        }
    }
}

/// Nobody asks any more.
impl Drop for Readers {
    fn drop(&mut self) {
        self.0.waiting().is_over = true;
        self.0.more.notify_all();
    }
}

impl Orders {
    /// Where nobody is left to take it, it is dropped, and whoever waits for its answer hears that.
    fn give(&self, order: Order) {
        let mut waiting = self.waiting();
        if waiting.readers > 0 {
            waiting.orders.push_back(order);
            self.more.notify_one();
        }
    }

    fn take(&self) -> Option<Order> {
        let mut waiting = self.waiting();
        loop {
            if let Some(order) = waiting.orders.pop_front() {
                return Some(order);
            }
            if waiting.is_over {
                return None;
            }
            waiting = self.more.wait(waiting).expect("no panic while held");
        }
    }

    fn one_less(&self) {
        let mut waiting = self.waiting();
        waiting.readers -= 1;
        if waiting.readers == 0 {
            waiting.orders.clear();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no panic while held")
    }
}

fn in_one_state<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, SqliteError>,
) -> Result<T, SqliteError> {
    run_cached(connection, "BEGIN")?;
    let result = work(connection);
    // Of a transaction that has only read, all that there is to end is the state it sees.
    run_cached(connection, "COMMIT")?;
    result
}

fn run(connection: Connection, orders: &Orders) {
    while let Some(next) = orders.take() {
        match next {
            Order::Read(work) => {
                if catch_unwind(AssertUnwindSafe(|| work(&connection))).is_err() {
                    tracing::error!("a read panicked");
                    if !connection.is_autocommit() {
                        let _ = connection.execute_batch("ROLLBACK");
                    }
                }
            }
            Order::Close(closed) => {
                orders.one_less();
                drop(connection);
                let _ = closed.send(());
                return;
            }
        }
    }
}
