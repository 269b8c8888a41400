//! What is told after each commit: which owners have new events, that jobs wait, and that the embedded
//! queue may have messages. [`Neighbours`] hear it at once; what they did not hear is found by looking at
//! the file now and then, so that subscribers do not need to know where an event was written.

use std::{
    collections::BTreeSet,
    io,
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
};

use retake_jobs::{event::EventKind, id::OwnerId, seams::Wake};
use rusqlite::Connection;
use tokio::sync::Notify;

use super::{
    connection::SqliteError,
    neighbours::{Neighbours, Word},
};
use crate::memory::LocalEvents;

/// Of one commit. With so many everybody is woken: one wake is cheaper than a long list.
const EVENTS_MAX: usize = 512;

#[derive(Default)]
pub(super) struct News {
    pub events: LocalEvents,
    pub messages: Notify,
    /// For one of those who look for jobs; whoever finds one passes it on.
    pub jobs: Notify,
    /// The same for plugins to be checked and for derivatives to be made.
    pub checks: Notify,
    pub derivatives: Notify,
    newest_event: AtomicI64,
    neighbours: OnceLock<Neighbours>,
}

/// What a commit brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fresh {
    pub wakes: Vec<Wake>,
    /// Jobs wait that did not before.
    pub jobs: bool,
}

impl News {
    /// Where the log ended when this process came: what is older is nobody's news.
    pub fn begin(&self, connection: &Connection) -> Result<(), SqliteError> {
        self.newest_event
            .store(newest_event(connection)?, Ordering::Relaxed);
        Ok(())
    }

    /// From now on other processes are told and heard.
    pub fn join(self: &Arc<Self>, database: &Path) -> io::Result<()> {
        let news = Arc::downgrade(self);
        let neighbours = Neighbours::join(database, move |word| {
            if let Some(news) = news.upgrade() {
                news.heard(word);
            }
        })?;
        let _ = self.neighbours.set(neighbours);
        Ok(())
    }

    pub fn has_neighbours(&self) -> bool {
        self.neighbours.get().is_some()
    }

    fn heard(&self, word: Word) {
        match word {
            Word::Jobs => self.jobs.notify_one(),
            Word::Checks => self.checks.notify_one(),
            Word::Derivatives => self.derivatives.notify_one(),
            Word::Messages => self.messages.notify_waiters(),
            Word::News(wake) => self.events.wake(wake),
            Word::Hello | Word::Bye => {}
        }
    }

    fn tell(&self, word: Word) {
        if let Some(neighbours) = self.neighbours.get() {
            neighbours.tell(word);
        }
    }

    /// Whoever looks for jobs may find some: as soon as they are committed, because what comes of them
    /// stands behind them in the log, and is not safe before they are.
    pub fn jobs_wait(&self) {
        self.jobs.notify_one();
        self.tell(Word::Jobs);
    }

    /// An errand waits that did not before.
    pub fn checks_wait(&self) {
        self.checks.notify_one();
        self.tell(Word::Checks);
    }

    pub fn derivatives_wait(&self) {
        self.derivatives.notify_one();
        self.tell(Word::Derivatives);
    }

    pub fn messages_wait(&self) {
        self.messages.notify_waiters();
        self.tell(Word::Messages);
    }

    /// Of what is safe, here and elsewhere.
    pub fn wake(&self, wakes: Vec<Wake>) {
        for wake in wakes {
            self.events.wake(wake);
            self.tell(Word::News(wake));
        }
    }

    /// What another process committed, and may have told by itself.
    pub fn found(&self, fresh: Fresh) {
        self.messages.notify_waiters();
        if fresh.jobs {
            self.jobs.notify_one();
        }
        fresh
            .wakes
            .into_iter()
            .for_each(|wake| self.events.wake(wake));
    }

    /// Called by the writer's thread only, after a commit of its own or of another process.
    pub fn since_the_last(&self, connection: &Connection) -> Fresh {
        self.look(connection).unwrap_or_else(|error| {
            tracing::warn!(%error, "the event log could not be read after a commit");
            Fresh {
                wakes: vec![Wake::All],
                jobs: true,
            }
        })
    }

    fn look(&self, connection: &Connection) -> Result<Fresh, SqliteError> {
        let seen = self.newest_event.load(Ordering::Relaxed);
        let newest = newest_event(connection)?;
        if newest == seen {
            return Ok(Fresh::default());
        }
        self.newest_event.store(newest, Ordering::Relaxed);
        // By the log's own key, never DISTINCT: for that SQLite would walk every owner there is.
        let mut statement = connection
            .prepare_cached("SELECT owner, kind FROM events WHERE id > ?1 ORDER BY id LIMIT ?2")?;
        let mut rows = statement.query((seen, EVENTS_MAX as i64))?;
        let mut owners = BTreeSet::new();
        let (mut events, mut jobs) = (0, false);
        while let Some(row) = rows.next()? {
            events += 1;
            // A recording that is restored may have jobs that waited for it.
            let kind = row.get_ref(1)?.as_str();
            jobs |= [EventKind::Queued, EventKind::RecordingRestored]
                .iter()
                .any(|waits| kind == Ok(waits.name()));
            owners.insert(super::rows::parsed::<OwnerId>(row.get_ref(0)?)?);
        }
        let all = events == EVENTS_MAX;
        Ok(Fresh {
            wakes: if all {
                vec![Wake::All]
            } else {
                owners.into_iter().map(Wake::Owner).collect()
            },
            jobs: jobs || all,
        })
    }
}

/// The highest id ever given, also where that event has been deleted.
pub(super) fn newest_event(connection: &Connection) -> Result<i64, SqliteError> {
    let mut statement =
        connection.prepare_cached("SELECT max(seq) FROM sqlite_sequence WHERE name = 'events'")?;
    let newest: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(newest.unwrap_or(0))
}
