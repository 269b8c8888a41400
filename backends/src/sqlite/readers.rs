//! A few threads that only read, each with its own connection. In WAL mode they wait for nobody.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, mpsc},
};

use retake_jobs::seams::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::connection::{SqliteError, open_reader};

const READERS: usize = 3;

type Work = Box<dyn FnOnce(&Connection) + Send>;

enum Order {
    Read(Work),
    /// For whichever thread takes it: its last.
    Close(oneshot::Sender<()>),
}

pub(super) struct Readers(mpsc::Sender<Order>);

impl Readers {
    pub fn start(path: &Path) -> Result<Self, SqliteError> {
        let (requests, waiting) = mpsc::channel::<Order>();
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..READERS {
            let connection = open_reader(path)?;
            let waiting = Arc::clone(&waiting);
            std::thread::Builder::new()
                .name(format!("sqlite-reader-{number}"))
                .spawn(move || run(connection, &waiting))
                .map_err(|error| StoreError::Broken(format!("cannot start a reader: {error}")))?;
        }
        Ok(Self(requests))
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
        let stopped = || StoreError::Broken("the readers have stopped".to_owned());
        self.0.send(Order::Read(work)).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    /// Answers what was asked before, and lets go of the file.
    pub async fn close(&self) {
        let closing = (0..READERS).filter_map(|_| {
            let (closed, told) = oneshot::channel();
            self.0.send(Order::Close(closed)).ok().map(|()| told)
        });
        for told in closing.collect::<Vec<_>>() {
            let _ = told.await;
        }
    }
}

fn in_one_state<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, SqliteError>,
) -> Result<T, SqliteError> {
    let transaction = connection.unchecked_transaction()?;
    let result = work(&transaction);
    transaction.finish()?;
    result
}

fn run(connection: Connection, waiting: &Mutex<mpsc::Receiver<Order>>) {
    loop {
        let next = waiting.lock().expect("no panic while held").recv();
        match next {
            Ok(Order::Read(work)) => {
                if catch_unwind(AssertUnwindSafe(|| work(&connection))).is_err() {
                    tracing::error!("a read panicked");
                }
            }
            Ok(Order::Close(closed)) => {
                drop(connection);
                let _ = closed.send(());
                return;
            }
            Err(_) => return,
        }
    }
}
