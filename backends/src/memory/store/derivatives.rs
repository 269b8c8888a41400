//! What is made of completed jobs on demand.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::{
    derivative::{Byproduct, Derivative, DerivativeStatus, Derived},
    event::{EventKind, Subject},
    id::{DerivativeId, JobId, OwnerId},
    job::Status,
    lease::Attempt,
    seams::{BlobKey, Derivatives, Derive, Source, Sources, StoreError},
};

use super::{MemoryStore, Tables, errands::Kept};

#[async_trait]
impl Derivatives for MemoryStore {
    async fn derive(&self, new: &Derivative, waiting_max: usize) -> Result<Derive, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let job = tables.jobs.get(&new.job_id).map(|row| &row.job);
        if job.is_none_or(|job| job.owner != new.owner || job.status != Status::Completed) {
            return Ok(Derive::Gone);
        }
        let there = &mut tables.derivatives;
        there.retain(|_, old| !old.is_over(now));
        let of_kind = |old: &&mut Derivative| (old.job_id, old.kind) == (new.job_id, new.kind);
        if let Some(is) = there.values_mut().find(of_kind) {
            is.used(now);
            return Ok(Derive::Is(is.clone()));
        }
        let waiting = there
            .values()
            .filter(|old| old.owner == new.owner && old.status == DerivativeStatus::Waiting);
        if waiting.count() >= waiting_max {
            return Ok(Derive::TooMany);
        }
        there.insert(new.id, new.clone());
        Ok(Derive::Is(new.clone()))
    }

    async fn reading(&self, id: DerivativeId) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let there = tables.derivatives.get_mut(&id);
        Ok(there.map(|derivative| derivative.read(now)).is_some())
    }

    async fn derivatives(&self, owner: OwnerId, job: JobId) -> Result<Vec<Derivative>, StoreError> {
        let tables = self.tables();
        let there = tables.derivatives.values();
        let mine = there.filter(|it| it.job_id == job && it.owner == owner);
        Ok(mine.cloned().collect())
    }
}

#[async_trait]
impl Sources for MemoryStore {
    async fn source(&self, job: JobId) -> Result<Option<Source>, StoreError> {
        let tables = self.tables();
        Ok(tables.jobs.get(&job).and_then(|row| {
            let recording = tables.recordings.get(&row.job.recording_id)?;
            Some(Source {
                recording: recording.recording.clone(),
                job: row.job.clone(),
                correction: row.correction.clone()?,
            })
        }))
    }
}

impl Kept for Derivative {
    fn rows(tables: &mut Tables) -> &mut BTreeMap<DerivativeId, Self> {
        &mut tables.derivatives
    }

    fn end(
        tables: &mut Tables,
        attempt: Attempt<Self>,
        derived: Derived,
        now: Timestamp,
    ) -> Option<()> {
        let byproducts = match &derived {
            Derived::Ready { byproducts, .. } => byproducts.clone(),
            Derived::Failed(_) => Vec::new(),
        };
        let derivative = tables.derivatives.get_mut(&attempt.id)?;
        derivative.settle(derived, now);
        let job = derivative.job_id;
        for byproduct in byproducts {
            tables.add_besides(job, byproduct, now);
        }
        Some(())
    }

    fn ended(&self, tables: &mut Tables, now: Timestamp) {
        let kind = EventKind::of_derivative(self.status);
        let job = tables.jobs.get(&self.job_id).map(|row| row.job.clone());
        if let (Some(kind), Some(job)) = (kind, job) {
            let id = tables.add_event(kind, &job, now);
            let event = tables.events.get_mut(&id).expect("just added");
            event.subject = Subject::Derivative(job, self.clone());
            tables.tell(id, now);
        }
    }
}

impl Tables {
    /// Removes those that are to go; gives their bytes' keys.
    pub(super) fn forget_derivatives(&mut self, bytes_max: u64, now: Timestamp) -> Vec<BlobKey> {
        let mut by_use: Vec<_> = self.derivatives.values().collect();
        by_use.sort_by_key(|it| it.used_at);
        let mut weight: u64 = by_use.iter().map(|it| it.weight_bytes()).sum();
        let mut over = Vec::new();
        for it in by_use {
            if it.is_over(now) || (weight > bytes_max && it.may_go(now)) {
                weight -= it.weight_bytes();
                over.push(it.id);
            }
        }
        let gone = over.iter().filter_map(|id| self.derivatives.remove(id));
        gone.flat_map(|it| it.keys()).collect()
    }

    /// Where one is ready it stays; one that waits need not be made any more.
    fn add_besides(&mut self, job: JobId, byproduct: Byproduct, now: Timestamp) {
        let mut there = self.derivatives.values();
        let there = there.find(|it| (it.job_id, it.kind) == (job, byproduct.kind));
        let there = there.map(|it| (it.id, it.status));
        let Some(job) = self.jobs.get(&job).map(|row| row.job.clone()) else {
            return;
        };
        if let Some((id, status)) = there {
            if status == DerivativeStatus::Ready {
                return;
            }
            self.derivatives.remove(&id);
        }
        let ready = Derivative::besides(&job, byproduct, now);
        self.derivatives.insert(ready.id, ready.clone());
        if there.is_some() {
            ready.ended(self, now);
        }
    }

    pub(super) fn forget_derivatives_of(&mut self, jobs: &[JobId]) -> Vec<BlobKey> {
        let gone = |it: &Derivative| jobs.contains(&it.job_id);
        let going = self.derivatives.values().filter(|it| gone(it));
        let keys = going.flat_map(Derivative::keys).collect();
        self.derivatives.retain(|_, it| !gone(it));
        keys
    }
}
