//! The memory backends, with calls that fail when a test says so.

mod credentials;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicIsize, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use retake_backends::memory::{MemoryBlobs, MemoryQueue, MemoryStore};
use retake_chain::{InstalledPlugin, problem::Problem};
use retake_jobs::{
    derivative::Derivative,
    entry::Entry,
    event::Event,
    id::{DerivativeId, EventId, JobId, OwnerId, RecordingId, SubmissionId},
    idempotency::{Added, Answered, IdempotencyKey, Once},
    job::{AlreadyEnded, Job, Outcome},
    lease::{Attempt, Blame, Errand, LeaseLost, LeaseTerms},
    plugin::PluginVersion,
    recording::Recording,
    seams::{
        BlobError, BlobInfo, BlobKey, Blobs, ByteStream, Catalogue, Claim, Delivery, Derivatives,
        Derive, Errands, EventLog, Heartbeat, JobLeases, JobRecord, Leases, Outbox, OutboxRow,
        Progress, Queue, QueueError, Records, Removal, Source, Sources, StoreError, Submissions,
        Sweep, Topic,
    },
    submission::Submission,
};
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Claim,
    Extend,
    Settle,
    /// The call takes effect, and its answer is lost.
    AnswerOfSettle,
    Release,
    Plugins,
    SettleErrand,
}

pub struct FaultyStore {
    inner: MemoryStore,
    /// Calls that will still fail.
    faults: Mutex<Vec<(Fault, usize)>>,
    extends: AtomicUsize,
}

impl FaultyStore {
    pub fn new(inner: MemoryStore) -> Self {
        Self {
            inner,
            faults: Mutex::default(),
            extends: AtomicUsize::new(0),
        }
    }

    /// The next so many calls of that kind fail; 0 mends it.
    pub fn fail(&self, fault: Fault, times: usize) {
        let mut faults = self.faults.lock().unwrap();
        faults.retain(|(known, _)| *known != fault);
        faults.push((fault, times));
    }

    /// Of which kinds calls would still fail: nothing met them.
    pub fn unmet(&self) -> Vec<Fault> {
        let faults = self.faults.lock().unwrap();
        let unmet = faults.iter().filter(|(_, left)| *left > 0);
        unmet.map(|(fault, _)| *fault).collect()
    }

    /// Heartbeats that got through.
    pub fn extends(&self) -> usize {
        self.extends.load(Relaxed)
    }

    fn check(&self, fault: Fault) -> Result<(), StoreError> {
        let mut faults = self.faults.lock().unwrap();
        match faults
            .iter_mut()
            .find(|(known, left)| *known == fault && *left > 0)
        {
            Some((_, left)) => {
                *left -= 1;
                Err(StoreError::Busy("as the test says".to_owned()))
            }
            None => Ok(()),
        }
    }
}

#[async_trait]
impl JobLeases for FaultyStore {
    async fn claim(&self, id: JobId, worker: &str, terms: LeaseTerms) -> Result<Claim, StoreError> {
        self.check(Fault::Claim)?;
        self.inner.claim(id, worker, terms).await
    }

    async fn claim_next(
        &self,
        hint: Option<JobId>,
        worker: &str,
        terms: LeaseTerms,
        running_max: u32,
    ) -> Result<Claim, StoreError> {
        self.check(Fault::Claim)?;
        self.inner
            .claim_next(hint, worker, terms, running_max)
            .await
    }

    async fn release(
        &self,
        attempt: Attempt<Job>,
        terms: LeaseTerms,
        pause: Duration,
        blame: Blame,
        reason: Problem,
    ) -> Result<Result<Job, LeaseLost>, StoreError> {
        self.check(Fault::Release)?;
        self.inner
            .release(attempt, terms, pause, blame, reason)
            .await
    }
}

#[async_trait]
impl Leases<Job> for FaultyStore {
    async fn extend(
        &self,
        attempt: Attempt<Job>,
        terms: LeaseTerms,
        progress: &Progress,
        event: bool,
    ) -> Result<Result<Heartbeat, LeaseLost>, StoreError> {
        self.check(Fault::Extend)?;
        let extended = self.inner.extend(attempt, terms, progress, event).await;
        self.extends.fetch_add(1, Relaxed);
        extended
    }

    async fn settle(
        &self,
        attempt: Attempt<Job>,
        outcome: Outcome,
    ) -> Result<Result<Job, LeaseLost>, StoreError> {
        self.check(Fault::Settle)?;
        let settled = self.inner.settle(attempt, outcome).await;
        self.check(Fault::AnswerOfSettle)?;
        settled
    }
}

#[async_trait]
impl Sweep for FaultyStore {
    async fn sweep(&self, terms: LeaseTerms) -> Result<usize, StoreError> {
        self.inner.sweep(terms).await
    }

    async fn forget_derivatives(&self, bytes_max: u64) -> Result<Vec<BlobKey>, StoreError> {
        self.inner.forget_derivatives(bytes_max).await
    }

    async fn empty_trash(&self) -> Result<Vec<BlobKey>, StoreError> {
        self.inner.empty_trash().await
    }

    async fn forget_events(&self, lifetime: SignedDuration) -> Result<usize, StoreError> {
        self.inner.forget_events(lifetime).await
    }

    async fn forget_answered(&self, lifetime: SignedDuration) -> Result<usize, StoreError> {
        self.inner.forget_answered(lifetime).await
    }
}

#[async_trait]
impl Catalogue for FaultyStore {
    async fn put_plugin(
        &self,
        plugin: &InstalledPlugin,
        size_bytes: u64,
    ) -> Result<(), StoreError> {
        self.inner.put_plugin(plugin, size_bytes).await
    }

    async fn plugins(&self) -> Result<Vec<PluginVersion>, StoreError> {
        self.check(Fault::Plugins)?;
        self.inner.plugins().await
    }

    async fn check_report(&self, id: &str, version: &str) -> Result<Option<Value>, StoreError> {
        self.inner.check_report(id, version).await
    }

    async fn remove_plugin(&self, id: &str, version: &str) -> Result<Removal, StoreError> {
        self.inner.remove_plugin(id, version).await
    }
}

#[async_trait]
impl Submissions for FaultyStore {
    async fn add_submission(
        &self,
        submission: &Submission,
        waiting_max: usize,
    ) -> Result<bool, StoreError> {
        self.inner.add_submission(submission, waiting_max).await
    }

    async fn submission(&self, id: SubmissionId) -> Result<Option<Submission>, StoreError> {
        self.inner.submission(id).await
    }
}

/// The errands there are; jobs are none.
trait Known: Errand {}
impl Known for Submission {}
impl Known for Derivative {}

#[async_trait]
impl<T: Known> Errands<T> for FaultyStore
where
    MemoryStore: Errands<T>,
{
    async fn errand_waits(&self) {
        Errands::<T>::errand_waits(&self.inner).await;
    }

    async fn claim_errand(
        &self,
        worker: &str,
        terms: LeaseTerms,
    ) -> Result<Option<(Attempt<T>, T)>, StoreError> {
        self.inner.claim_errand(worker, terms).await
    }

    async fn release_errand(
        &self,
        attempt: Attempt<T>,
        terms: LeaseTerms,
        blame: Blame,
        reason: Problem,
    ) -> Result<Result<T, LeaseLost>, StoreError> {
        self.inner
            .release_errand(attempt, terms, blame, reason)
            .await
    }
}

#[async_trait]
impl<T: Known> Leases<T> for FaultyStore
where
    MemoryStore: Leases<T>,
{
    async fn extend(
        &self,
        attempt: Attempt<T>,
        terms: LeaseTerms,
        progress: &Progress,
        event: bool,
    ) -> Result<Result<Heartbeat, LeaseLost>, StoreError> {
        self.inner.extend(attempt, terms, progress, event).await
    }

    async fn settle(
        &self,
        attempt: Attempt<T>,
        outcome: T::Outcome,
    ) -> Result<Result<T, LeaseLost>, StoreError> {
        self.check(Fault::SettleErrand)?;
        self.inner.settle(attempt, outcome).await
    }
}

#[async_trait]
impl Derivatives for FaultyStore {
    async fn reading(&self, id: DerivativeId) -> Result<bool, StoreError> {
        self.inner.reading(id).await
    }

    async fn derive(&self, new: &Derivative, waiting_max: usize) -> Result<Derive, StoreError> {
        self.inner.derive(new, waiting_max).await
    }

    async fn derivatives(&self, owner: OwnerId, job: JobId) -> Result<Vec<Derivative>, StoreError> {
        self.inner.derivatives(owner, job).await
    }
}

#[async_trait]
impl Sources for FaultyStore {
    async fn source(&self, job: JobId) -> Result<Option<Source>, StoreError> {
        self.inner.source(job).await
    }
}

#[async_trait]
impl Records for FaultyStore {
    async fn accept(
        &self,
        recording: &Recording,
        job: &Job,
        once: Option<&Once>,
    ) -> Result<Added, StoreError> {
        self.inner.accept(recording, job, once).await
    }

    async fn add_job(&self, job: &Job, once: Option<&Once>) -> Result<Option<Added>, StoreError> {
        self.inner.add_job(job, once).await
    }

    async fn answered(
        &self,
        owner: OwnerId,
        key: &IdempotencyKey,
    ) -> Result<Option<Answered>, StoreError> {
        self.inner.answered(owner, key).await
    }

    async fn recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<Entry>, StoreError> {
        self.inner.recording(owner, id).await
    }

    async fn job(&self, owner: OwnerId, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        self.inner.job(owner, id).await
    }

    async fn cancel(
        &self,
        owner: OwnerId,
        id: JobId,
    ) -> Result<Option<Result<Job, AlreadyEnded>>, StoreError> {
        self.inner.cancel(owner, id).await
    }

    async fn delete_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<Vec<BlobKey>>, StoreError> {
        self.inner.delete_recording(owner, id).await
    }
}

#[async_trait]
impl Outbox for FaultyStore {
    async fn unsent(
        &self,
        written_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.inner.unsent(written_before, limit).await
    }

    async fn sent(&self, ids: &[i64]) -> Result<(), StoreError> {
        self.inner.sent(ids).await
    }

    async fn sent_and_waiting(&self, due_before: Timestamp) -> Result<u64, StoreError> {
        self.inner.sent_and_waiting(due_before).await
    }

    async fn send_again(&self, count: u64, due_before: Timestamp) -> Result<usize, StoreError> {
        self.inner.send_again(count, due_before).await
    }
}

#[async_trait]
impl EventLog for FaultyStore {
    async fn events(
        &self,
        owner: OwnerId,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        self.inner.events(owner, after, limit).await
    }

    async fn job_now(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.inner.job_now(id).await
    }

    async fn forgotten_up_to(&self) -> Result<EventId, StoreError> {
        self.inner.forgotten_up_to().await
    }

    async fn newest_event(&self) -> Result<EventId, StoreError> {
        self.inner.newest_event().await
    }
}

#[async_trait]
impl Blobs for FaultyBlobs {
    async fn put(
        &self,
        key: BlobKey,
        body: ByteStream<'_>,
        limit_bytes: u64,
    ) -> Result<BlobInfo, BlobError> {
        self.inner.put(key, body, limit_bytes).await
    }

    async fn size(&self, key: BlobKey) -> Result<u64, BlobError> {
        self.inner.size(key).await
    }

    async fn read(&self, key: BlobKey, offset: u64, len_max: usize) -> Result<Bytes, BlobError> {
        let failing = self
            .failing_reads
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        match failing {
            Ok(_) => Err(BlobError::Broken("as the test says".to_owned())),
            Err(_) => self.inner.read(key, offset, len_max).await,
        }
    }

    async fn delete(&self, key: BlobKey) -> Result<(), BlobError> {
        self.inner.delete(key).await
    }
}

/// Knows how many messages were published and not yet acknowledged, wherever they are.
#[derive(Default)]
pub struct CountingQueue {
    inner: MemoryQueue,
    open: AtomicIsize,
}

impl CountingQueue {
    pub fn open(&self) -> isize {
        self.open.load(Relaxed)
    }

    pub fn buried(&self) -> Vec<(Topic, Vec<u8>, String)> {
        self.inner.buried()
    }
}

#[async_trait]
impl Queue for CountingQueue {
    async fn publish(&self, topic: Topic, body: &[u8]) -> Result<(), QueueError> {
        self.open.fetch_add(1, Relaxed);
        self.inner.publish(topic, body).await
    }

    async fn claim(&self, topic: Topic) -> Result<Delivery, QueueError> {
        self.inner.claim(topic).await
    }

    async fn extend(&self, delivery: &Delivery) -> Result<(), QueueError> {
        self.inner.extend(delivery).await
    }

    async fn ack(&self, delivery: Delivery) -> Result<(), QueueError> {
        self.inner.ack(delivery).await?;
        self.open.fetch_sub(1, Relaxed);
        Ok(())
    }

    async fn retry(
        &self,
        delivery: Delivery,
        delay: std::time::Duration,
    ) -> Result<(), QueueError> {
        self.inner.retry(delivery, delay).await
    }

    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<(), QueueError> {
        self.inner.bury(delivery, reason).await?;
        self.open.fetch_sub(1, Relaxed);
        Ok(())
    }

    async fn waiting(&self, topic: Topic) -> Result<u64, QueueError> {
        self.inner.waiting(topic).await
    }
}

pub struct FaultyBlobs {
    inner: MemoryBlobs,
    failing_reads: AtomicUsize,
}

impl FaultyBlobs {
    pub fn new(inner: MemoryBlobs) -> Self {
        Self {
            inner,
            failing_reads: AtomicUsize::new(0),
        }
    }

    pub fn unmet_reads(&self) -> usize {
        self.failing_reads.load(Relaxed)
    }

    pub fn fail_reads(&self, times: usize) {
        self.failing_reads.store(times, Relaxed);
    }

    pub fn keys(&self) -> Vec<BlobKey> {
        self.inner.keys()
    }
}
