//! Errands of every kind: claimed, kept, given back and ended alike. Each call is one transition in one
//! transaction.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;
use retake_chain::problem::Problem;
use retake_jobs::{
    lease::{Attempt, Blame, Errand, LeaseLost, LeaseTerms},
    seams::{BlobKey, Errands, Heartbeat, Leases, Progress, StoreError},
};
use rusqlite::Connection;
use tokio::sync::Notify;

use super::{Database, SqliteStore, connection::SqliteError, news::News, staged::StagedBlob};

/// An errand that has a table.
pub(super) trait Kept: Errand + Clone + PartialEq {
    /// Those that nobody sees to now, the oldest first.
    fn claimable(connection: &Connection, now: Timestamp) -> Result<Vec<Self>, SqliteError>;

    fn find(connection: &Connection, id: Self::Id) -> Result<Option<Self>, SqliteError>;

    fn write(&self, connection: &Connection) -> Result<(), SqliteError>;

    /// Whoever watches it hears of it.
    fn ended(&self, _: &Connection) -> Result<(), SqliteError> {
        Ok(())
    }

    /// For one of those who wait for such an errand.
    fn told(news: &News) -> &Notify;

    /// Bytes that an attempt has put, of which its end takes hold.
    fn bytes(_: Attempt<Self>, _: &Self::Outcome) -> Vec<BlobKey> {
        Vec::new()
    }

    /// What its outcome does to it, which is written afterwards, and to other tables. The attempt
    /// holds it.
    fn end(
        &mut self,
        connection: &Connection,
        outcome: Self::Outcome,
        now: Timestamp,
        bytes: &Bytes,
    ) -> Result<(), SqliteError>;
}

/// Writes it, and where it has ended that.
fn write<T: Kept>(connection: &Connection, errand: &T) -> Result<(), SqliteError> {
    errand.write(connection)?;
    if errand.waits() {
        return Ok(());
    }
    errand.ended(connection)
}

/// What was put for a row that is about to end.
pub(super) struct Bytes {
    /// Where they are not, none are looked for.
    pub are_here: bool,
    staged: HashMap<BlobKey, Arc<StagedBlob>>,
}

impl Bytes {
    pub fn of(
        database: &Database,
        keys: impl IntoIterator<Item = BlobKey>,
    ) -> Result<Self, StoreError> {
        let mut staged = HashMap::new();
        for key in keys {
            staged.extend(database.staged_for(key)?.map(|blob| (key, blob)));
        }
        Ok(Self {
            are_here: database.holds_blobs(),
            staged,
        })
    }

    /// What waits in memory, and is to be written along.
    pub fn staged(&self, key: BlobKey) -> Option<&StagedBlob> {
        self.staged.get(&key).map(Arc::as_ref)
    }
}

/// Runs one transition on an errand and writes what came of it, unless it was refused.
fn change<T: Kept>(
    connection: &Connection,
    id: T::Id,
    transition: impl FnOnce(&mut T) -> Result<(), LeaseLost>,
) -> Result<Result<T, LeaseLost>, SqliteError> {
    let Some(mut errand) = T::find(connection, id)? else {
        return Ok(Err(LeaseLost));
    };
    let changed = transition(&mut errand);
    if changed.is_ok() {
        write(connection, &errand)?;
    }
    Ok(changed.map(|()| errand))
}

#[async_trait]
impl<T: Kept> Errands<T> for SqliteStore {
    async fn errand_waits(&self) {
        T::told(&self.database.news).notified().await;
    }

    async fn claim_errand(
        &self,
        worker: &str,
        terms: LeaseTerms,
    ) -> Result<Option<(Attempt<T>, T)>, StoreError> {
        let (worker, now) = (worker.to_owned(), self.database.clock.now());
        // Workers ask often, and nearly always there is nothing: nobody's writes wait for that.
        let claimable = self
            .database
            .read(move |connection| Ok(!T::claimable(connection, now)?.is_empty()))
            .await?;
        if !claimable {
            return Ok(None);
        }
        let claimed = self
            .database
            .write(move |connection| {
                for mut errand in T::claimable(connection, now)? {
                    let before = errand.clone();
                    let attempt = errand.claim(&worker, now, terms);
                    // One that was tried too often ends here; one that rests is left as it is.
                    if errand != before {
                        write(connection, &errand)?;
                    }
                    if let Some(attempt) = attempt {
                        return Ok(Some((attempt, errand)));
                    }
                }
                Ok(None)
            })
            .await?;
        if claimed.is_some() {
            // There may be more.
            T::told(&self.database.news).notify_one();
        }
        Ok(claimed)
    }

    async fn release_errand(
        &self,
        attempt: Attempt<T>,
        terms: LeaseTerms,
        blame: Blame,
        reason: Problem,
    ) -> Result<Result<T, LeaseLost>, StoreError> {
        let now = self.database.clock.now();
        self.database
            .write(move |connection| {
                change(connection, attempt.id, |errand: &mut T| {
                    errand.release(attempt, now, terms, blame, reason)
                })
            })
            .await
    }
}

#[async_trait]
impl<T: Kept> Leases<T> for SqliteStore {
    async fn extend(
        &self,
        attempt: Attempt<T>,
        terms: LeaseTerms,
        _: &Progress,
        _: bool,
    ) -> Result<Result<Heartbeat, LeaseLost>, StoreError> {
        let now = self.database.clock.now();
        self.database
            .write_lightly(move |connection| {
                let extended = change(connection, attempt.id, |errand: &mut T| {
                    errand.renew(attempt, now, terms)
                })?;
                Ok(extended.map(|_| Heartbeat::default()))
            })
            .await
    }

    async fn settle(
        &self,
        attempt: Attempt<T>,
        outcome: T::Outcome,
    ) -> Result<Result<T, LeaseLost>, StoreError> {
        let now = self.database.clock.now();
        let keys = T::bytes(attempt, &outcome);
        let bytes = Bytes::of(&self.database, keys.iter().copied())?;
        let settled = self
            .database
            .write(move |connection| {
                let Some(mut errand) = T::find(connection, attempt.id)? else {
                    return Ok(Err(LeaseLost));
                };
                if let Err(lost) = errand.lease_of(attempt) {
                    return Ok(Err(lost));
                }
                errand.end(connection, outcome, now, &bytes)?;
                write(connection, &errand)?;
                Ok(Ok(errand))
            })
            .await?;
        if settled.is_ok() {
            self.database.staged.remove_all(keys);
        }
        Ok(settled)
    }
}
