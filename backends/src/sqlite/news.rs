//! What the writer tells after each commit: which owners have new events, and that the embedded
//! queue may have messages. Commits of other processes are told the same way, so that subscribers do
//! not need to know where an event was written.

use std::sync::atomic::{AtomicI64, Ordering};

use retake_jobs::seams::Wake;
use rusqlite::Connection;
use tokio::sync::Notify;

use super::connection::SqliteError;
use crate::memory::LocalEvents;

/// Beyond it everybody is woken: one wake is cheaper than a long list.
const OWNERS_MAX: usize = 256;

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
            Ok(owners) if owners.len() > OWNERS_MAX => self.events.wake(Wake::All),
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
        let mut statement = connection
            .prepare_cached("SELECT DISTINCT owner FROM events WHERE id > ?1 LIMIT ?2")?;
        let mut rows = statement.query((seen, OWNERS_MAX as i64 + 1))?;
        let mut owners = Vec::new();
        while let Some(row) = rows.next()? {
            owners.push(Wake::Owner(super::rows::parsed(row.get_ref(0)?)?));
        }
        Ok(owners)
    }
}

/// The highest id ever given, also where that event has been deleted.
pub(super) fn newest_event(connection: &Connection) -> Result<i64, SqliteError> {
    let mut statement =
        connection.prepare_cached("SELECT max(seq) FROM sqlite_sequence WHERE name = 'events'")?;
    let newest: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(newest.unwrap_or(0))
}
