//! Errands of every kind: claimed, kept and given back alike.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use retake_chain::problem::Problem;
use retake_jobs::{
    lease::{Attempt, Blame, Errand, LeaseLost, LeaseTerms},
    seams::{Errands, Heartbeat, Leases, Progress, StoreError},
};

use super::{MemoryStore, Tables};

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// An errand that has a table.
pub(super) trait Kept: Errand<Id: Ord> + Clone {
    fn rows(tables: &mut Tables) -> &mut BTreeMap<Self::Id, Self>;

    /// What its outcome does to the tables. The attempt holds it.
    fn end(
        tables: &mut Tables,
        attempt: Attempt<Self>,
        outcome: Self::Outcome,
        now: Timestamp,
    ) -> Option<()>;

    /// Whoever watches it hears of it.
    fn ended(&self, _: &mut Tables, _: Timestamp) {}
}

fn note_end<T: Kept>(tables: &mut Tables, errand: &T, now: Timestamp) {
    if !errand.waits() {
        errand.ended(tables, now);
    }
}

#[async_trait]
impl<T: Kept> Errands<T> for MemoryStore {
    /// Nobody tells: whoever waits looks.
    async fn errand_waits(&self) {
        tokio::time::sleep(LOOK_EVERY).await;
    }

    async fn claim_errand(
        &self,
        worker: &str,
        terms: LeaseTerms,
    ) -> Result<Option<(Attempt<T>, T)>, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let (mut ended, mut claimed) = (Vec::new(), None);
        for errand in T::rows(&mut tables).values_mut().filter(|it| it.waits()) {
            if let Some(attempt) = errand.claim(worker, now, terms) {
                claimed = Some((attempt, errand.clone()));
                break;
            }
            ended.push(errand.clone());
        }
        for errand in ended {
            note_end(&mut tables, &errand, now);
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
        let now = self.clock.now();
        let mut tables = self.tables();
        let errand = T::rows(&mut tables).get_mut(&attempt.id);
        let released = errand.ok_or(LeaseLost).and_then(|errand| {
            errand.release(attempt, now, terms, blame, reason)?;
            Ok(errand.clone())
        });
        if let Ok(errand) = &released {
            note_end(&mut tables, errand, now);
        }
        Ok(released)
    }
}

#[async_trait]
impl<T: Kept> Leases<T> for MemoryStore {
    async fn extend(
        &self,
        attempt: Attempt<T>,
        terms: LeaseTerms,
        _: &Progress,
        _: bool,
    ) -> Result<Result<Heartbeat, LeaseLost>, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let errand = T::rows(&mut tables).get_mut(&attempt.id);
        Ok(errand
            .ok_or(LeaseLost)
            .and_then(|errand| errand.renew(attempt, now, terms))
            .map(|()| Heartbeat::default()))
    }

    async fn settle(
        &self,
        attempt: Attempt<T>,
        outcome: T::Outcome,
    ) -> Result<Result<T, LeaseLost>, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let Some(errand) = T::rows(&mut tables).get_mut(&attempt.id) else {
            return Ok(Err(LeaseLost));
        };
        if let Err(lost) = errand.lease_of(attempt) {
            return Ok(Err(lost));
        }
        let ended = T::end(&mut tables, attempt, outcome, now);
        let errand = ended.and_then(|()| T::rows(&mut tables).get(&attempt.id).cloned());
        if let Some(errand) = &errand {
            note_end(&mut tables, errand, now);
        }
        Ok(errand.ok_or(LeaseLost))
    }
}
