//! What the writer tells after each commit: which owners have new events, and that the embedded
//! queue may have messages. Commits of other processes are told the same way, so that subscribers do
//! not need to know where an event was written.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicI64, Ordering},
};

use retake_jobs::{id::OwnerId, seams::Wake};
use rusqlite::Connection;
use tokio::sync::Notify;

use super::connection::SqliteError;
use crate::memory::LocalEvents;

/// Of one commit. With so many everybody is woken: one wake is cheaper than a long list.
const EVENTS_MAX: usize = 512;

#[derive(Default)]
pub(super) struct News {
    pub events: LocalEvents,
    pub messages: Notify,
    newest_event: AtomicI64,
}

impl News {
    /// Where the log ended when this process came: what is older is nobody's news.
    pub fn begin(&self, connection: &Connection) -> Result<(), SqliteError> {
        self.newest_event
            .store(newest_event(connection)?, Ordering::Relaxed);
        Ok(())
    }

    /// Called by the writer's thread only, after a commit of its own or of another process.
    pub fn committed(&self, connection: &Connection, foreign: bool) {
        if foreign {
            self.messages.notify_waiters();
        }
        match self.owners_with_news(connection) {
            Ok(owners) => owners.into_iter().for_each(|wake| self.events.wake(wake)),
            Err(error) => {
                tracing::warn!(%error, "the event log could not be read after a commit");
                self.events.wake(Wake::All);
            }
        }
    }

    fn owners_with_news(&self, connection: &Connection) -> Result<Vec<Wake>, SqliteError> {
        let seen = self.newest_event.load(Ordering::Relaxed);
        let newest = newest_event(connection)?;
        if newest == seen {
            return Ok(Vec::new());
        }
        self.newest_event.store(newest, Ordering::Relaxed);
        // By the log's own key, never DISTINCT: for that SQLite would walk every owner there is.
        let mut statement = connection
            .prepare_cached("SELECT owner FROM events WHERE id > ?1 ORDER BY id LIMIT ?2")?;
        let mut rows = statement.query((seen, EVENTS_MAX as i64))?;
        let mut owners = BTreeSet::new();
        let mut events = 0;
        while let Some(row) = rows.next()? {
            events += 1;
            owners.insert(super::rows::parsed::<OwnerId>(row.get_ref(0)?)?);
        }
        if events == EVENTS_MAX {
            return Ok(vec![Wake::All]);
        }
        Ok(owners.into_iter().map(Wake::Owner).collect())
    }
}

/// The highest id ever given, also where that event has been deleted.
pub(super) fn newest_event(connection: &Connection) -> Result<i64, SqliteError> {
    let mut statement =
        connection.prepare_cached("SELECT max(seq) FROM sqlite_sequence WHERE name = 'events'")?;
    let newest: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(newest.unwrap_or(0))
}
