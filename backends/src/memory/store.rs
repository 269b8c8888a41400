//! Everything in one process's memory, for tests and simulations: the same claims as the database,
//! and nothing survives.

mod answered;
mod credentials;
mod derivatives;
mod errands;
mod library;
mod outbox;
mod plugins;
mod presets;
mod shares;
mod usage;
mod webhooks;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use retake_chain::problem::Problem;
use retake_jobs::{
    clock::Clock,
    correction::Correction,
    derivative::Derivative,
    entry::{Entry, Metadata},
    event::{Event, EventKind, Subject},
    id::{DerivativeId, EventId, JobId, OwnerId, RecordingId},
    idempotency::{Added, Answered, IdempotencyKey, Once},
    job::{
        AlreadyEnded, ClaimRefused, Job, Outcome, Status,
        changes::{entailed, snapshot},
    },
    lease::{Attempt, Blame, LeaseLost, LeaseTerms},
    recording::Recording,
    seams::{
        BlobKey, Claim, EventLog, Heartbeat, JobLeases, JobRecord, Leases, OutboxRow, Progress,
        Records, Space, SpaceUsed, StoreError, Sweep, Topic,
    },
};

use self::{credentials::Known, library::Trashed, plugins::Plugins};

pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    recordings: BTreeMap<RecordingId, RecordingRow>,
    jobs: BTreeMap<JobId, JobRow>,
    events: BTreeMap<EventId, Event>,
    /// When the event was written.
    written: BTreeMap<EventId, Timestamp>,
    forgotten_up_to: EventId,
    newest_event: EventId,
    outbox: BTreeMap<i64, Waiting>,
    newest_message: i64,
    credentials: Known,
    answered: BTreeMap<(OwnerId, IdempotencyKey), (Answered, Timestamp)>,
    /// When a job of theirs last began.
    turns: BTreeMap<OwnerId, Timestamp>,
    plugins: Plugins,
    presets: presets::Known,
    shares: shares::Known,
    usage: usage::Known,
    derivatives: BTreeMap<DerivativeId, Derivative>,
    hooks: webhooks::Hooks,
}

struct RecordingRow {
    recording: Recording,
    /// Of one in the trash, nobody.
    seen_by: OwnerId,
    metadata: Metadata,
    version: u64,
    duration_ms: Option<u64>,
    trashed: Option<Trashed>,
}

struct JobRow {
    job: Job,
    correction: Option<Correction>,
    message_at: Timestamp,
}

struct Waiting {
    row: OutboxRow,
    job: JobId,
    written_at: Timestamp,
    not_before: Timestamp,
}

impl MemoryStore {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            tables: Mutex::default(),
        }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().expect("no panic while held")
    }
}

impl Tables {
    /// Runs one transition on a job and writes what it entails. `None`: no such job.
    fn change<T>(
        &mut self,
        id: JobId,
        now: Timestamp,
        not_before: Timestamp,
        transition: impl FnOnce(&mut Job) -> T,
    ) -> Option<(Job, T)> {
        let row = self.jobs.get_mut(&id)?;
        let before = row.job.clone();
        let answer = transition(&mut row.job);
        let after = row.job.clone();
        self.write_entailed(Some(&before), &after, now, not_before);
        Some((after, answer))
    }

    fn claim(&mut self, id: JobId, worker: &str, now: Timestamp, terms: LeaseTerms) -> Claim {
        match self.change(id, now, now, |job| job.claim(worker, now, terms)) {
            None => Claim::Gone,
            Some((_, Err(refused))) => Claim::Refused(refused),
            Some((job, Ok(attempt))) => {
                self.turns.insert(job.owner, now);
                match self.recordings.get(&job.recording_id) {
                    Some(row) => Claim::Won {
                        attempt,
                        job,
                        recording: row.recording.clone(),
                    },
                    None => Claim::Gone,
                }
            }
        }
    }

    /// The job whose turn it is.
    fn next(&self, now: Timestamp, running_max: u32) -> Option<JobId> {
        let running = |owner: OwnerId| {
            let jobs = self.jobs.values().map(|row| &row.job);
            let of_owner = jobs.filter(|job| job.owner == owner && job.status == Status::Running);
            u32::try_from(of_owner.count()).unwrap_or(u32::MAX)
        };
        let due = |row: &&JobRow| row.job.status == Status::Queued && row.message_at <= now;
        self.jobs
            .values()
            .filter(due)
            .map(|row| (running(row.job.owner), row))
            .filter(|(running, _)| *running < running_max)
            .min_by_key(|(running, row)| (*running, self.turns.get(&row.job.owner), row.message_at))
            .map(|(_, row)| row.job.id)
    }

    fn write_entailed(
        &mut self,
        before: Option<&Job>,
        after: &Job,
        now: Timestamp,
        not_before: Timestamp,
    ) {
        let email = self.recordings[&after.recording_id]
            .recording
            .user_email
            .clone();
        let entailed = entailed(before, after, &email, now);
        if entailed.forget_progress {
            self.events
                .retain(|_, e| !e.is_of(after.id) || e.kind != EventKind::Progress);
        }
        if let Some(kind) = entailed.event {
            let event = self.add_event(kind, after, now);
            self.tell(event, now);
        }
        if let Some((topic, body)) = entailed.message {
            // A pause is before the next attempt: an end is told at once.
            let not_before = match topic {
                Topic::Jobs => not_before,
                Topic::Completions => now,
            };
            self.add_message(topic, body, after, now, not_before);
        }
    }

    fn add_event(&mut self, kind: EventKind, job: &Job, now: Timestamp) -> EventId {
        self.newest_event.0 += 1;
        let id = self.newest_event;
        self.written.insert(id, now);
        self.events.insert(
            id,
            Event {
                id,
                owner: job.owner,
                kind,
                subject: Subject::Job(snapshot(job)),
            },
        );
        id
    }

    fn add_message(
        &mut self,
        topic: Topic,
        body: Vec<u8>,
        job: &Job,
        now: Timestamp,
        not_before: Timestamp,
    ) {
        if topic == Topic::Jobs
            && let Some(row) = self.jobs.get_mut(&job.id)
        {
            row.message_at = not_before.max(now);
        }
        self.newest_message += 1;
        let id = self.newest_message;
        let row = OutboxRow {
            id,
            topic,
            owner: job.owner,
            body,
        };
        self.outbox.insert(
            id,
            Waiting {
                row,
                job: job.id,
                written_at: now,
                not_before,
            },
        );
    }

    fn add_job(&mut self, job: &Job, now: Timestamp) -> EventId {
        let row = JobRow {
            job: job.clone(),
            correction: None,
            message_at: now,
        };
        self.jobs.insert(job.id, row);
        self.write_entailed(None, job, now, now);
        self.newest_event
    }

    fn owned(&self, owner: OwnerId, id: RecordingId) -> Option<&RecordingRow> {
        self.recordings.get(&id).filter(|row| row.seen_by == owner)
    }
}

#[async_trait]
impl Records for MemoryStore {
    async fn accept(
        &self,
        recording: &Recording,
        job: &Job,
        once: Option<&Once>,
    ) -> Result<Added, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        if let Some(before) = tables.answered_before(job.owner, once) {
            return Ok(before);
        }
        if tables.recordings.contains_key(&recording.id) || tables.jobs.contains_key(&job.id) {
            return Err(StoreError::Broken(format!(
                "recording {} is there already",
                recording.id
            )));
        }
        let row = RecordingRow::new(recording.clone());
        tables.recordings.insert(recording.id, row);
        usage::note_bytes(&mut tables.usage, recording);
        Ok(tables.add_job_once(job, once, now))
    }

    async fn add_job(&self, job: &Job, once: Option<&Once>) -> Result<Option<Added>, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        if tables.owned(job.owner, job.recording_id).is_none() {
            return Ok(None);
        }
        let before = tables.answered_before(job.owner, once);
        Ok(Some(
            before.unwrap_or_else(|| tables.add_job_once(job, once, now)),
        ))
    }

    async fn answered(
        &self,
        owner: OwnerId,
        key: &IdempotencyKey,
    ) -> Result<Option<Answered>, StoreError> {
        Ok(self.tables().answered(owner, key))
    }

    async fn recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<Entry>, StoreError> {
        let tables = self.tables();
        Ok(tables.owned(owner, id).map(|row| tables.entry(row)))
    }

    async fn job(&self, owner: OwnerId, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        let tables = self.tables();
        let row = tables.jobs.get(&id).filter(|row| row.job.owner == owner);
        Ok(row.map(|row| JobRecord {
            job: row.job.clone(),
            correction: row.correction.clone(),
        }))
    }

    async fn cancel(
        &self,
        owner: OwnerId,
        id: JobId,
    ) -> Result<Option<Result<Job, AlreadyEnded>>, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let mine = |row: &JobRow| row.job.owner == owner;
        if !tables.jobs.get(&id).is_some_and(mine) {
            return Ok(None);
        }
        let changed = tables.change(id, now, now, |job| job.cancel(now));
        Ok(changed.map(|(job, answer)| answer.map(|()| job)))
    }

    async fn delete_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<Vec<BlobKey>>, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let mine = tables.recordings.get(&id).is_some_and(|row| {
            let trashed = row.trashed.as_ref();
            row.seen_by == owner || trashed.is_some_and(|trashed| trashed.owner == owner)
        });
        if !mine {
            return Ok(None);
        }
        let blobs = tables.remove_recording(id);
        tables.add_recording_event(EventKind::RecordingDeleted, owner, id, None, now);
        Ok(Some(blobs))
    }
}

#[async_trait]
impl JobLeases for MemoryStore {
    async fn claim(&self, id: JobId, worker: &str, terms: LeaseTerms) -> Result<Claim, StoreError> {
        let now = self.clock.now();
        Ok(self.tables().claim(id, worker, now, terms))
    }

    async fn claim_next(
        &self,
        hint: Option<JobId>,
        worker: &str,
        terms: LeaseTerms,
        running_max: u32,
    ) -> Result<Claim, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let hint_waits = hint
            .and_then(|hint| tables.jobs.get(&hint))
            .is_some_and(|row| row.job.status == Status::Queued);
        Ok(match (tables.next(now, running_max), hint) {
            (Some(id), _) => tables.claim(id, worker, now, terms),
            (None, Some(_)) if hint_waits => Claim::Refused(ClaimRefused::NotNow),
            (None, Some(hint)) => tables.claim(hint, worker, now, terms),
            (None, None) => Claim::Gone,
        })
    }

    async fn release(
        &self,
        attempt: Attempt<Job>,
        terms: LeaseTerms,
        pause: Duration,
        blame: Blame,
        reason: Problem,
    ) -> Result<Result<Job, LeaseLost>, StoreError> {
        let now = self.clock.now();
        let not_before = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        let released = self.tables().change(attempt.id, now, not_before, |job| {
            job.release(attempt, now, terms, blame, reason)
        });
        Ok(match released {
            Some((job, Ok(()))) => Ok(job),
            _ => Err(LeaseLost),
        })
    }
}

#[async_trait]
impl Leases<Job> for MemoryStore {
    async fn extend(
        &self,
        attempt: Attempt<Job>,
        terms: LeaseTerms,
        progress: &Progress,
        event: bool,
    ) -> Result<Result<Heartbeat, LeaseLost>, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let extended = tables.change(attempt.id, now, now, |job| {
            job.extend(
                attempt,
                now,
                terms,
                progress.fraction,
                progress.step.as_deref(),
            )
        });
        let Some((job, Ok(()))) = extended else {
            return Ok(Err(LeaseLost));
        };
        if event {
            tables.add_event(EventKind::Progress, &job, now);
        }
        Ok(Ok(Heartbeat {
            cancel_requested: job.cancel_requested,
            news_of: event.then_some(job.owner),
        }))
    }

    async fn settle(
        &self,
        attempt: Attempt<Job>,
        outcome: Outcome,
    ) -> Result<Result<Job, LeaseLost>, StoreError> {
        let (correction, byproducts) = match &outcome {
            Outcome::Completed {
                correction,
                byproducts,
                ..
            } => (Some(correction.as_ref().clone()), byproducts.clone()),
            Outcome::Failed { .. } | Outcome::Cancelled => (None, Vec::new()),
        };
        let now = self.clock.now();
        let mut tables = self.tables();
        let settled = tables.change(attempt.id, now, now, |job| {
            job.settle(attempt, outcome, now)
        });
        let Some((job, Ok(()))) = settled else {
            return Ok(Err(LeaseLost));
        };
        if let Some(correction) = &correction {
            usage::note_audio(&mut tables.usage, &job, correction, now);
            tables.note_duration(&job, correction);
        }
        if let Some(row) = tables.jobs.get_mut(&job.id) {
            row.correction = correction;
        }
        for byproduct in byproducts {
            let ready = Derivative::besides(&job, byproduct, now);
            tables.derivatives.insert(ready.id, ready);
        }
        Ok(Ok(job))
    }
}

#[async_trait]
impl Sweep for MemoryStore {
    async fn sweep(&self, terms: LeaseTerms) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let ids: Vec<JobId> = tables.jobs.keys().copied().collect();
        let expired = ids.into_iter().filter(|id| {
            let rest = tables.jobs[id].job.rest_after_loss();
            let expired = tables.change(*id, now, now + rest, |job| job.expire(now, terms));
            matches!(expired, Some((_, Some(_))))
        });
        Ok(expired.count())
    }

    async fn forget_derivatives(&self, bytes_max: u64) -> Result<Vec<BlobKey>, StoreError> {
        let now = self.clock.now();
        Ok(self.tables().forget_derivatives(bytes_max, now))
    }

    async fn empty_trash(&self) -> Result<Vec<BlobKey>, StoreError> {
        let now = self.clock.now();
        Ok(self.tables().empty_trash(now))
    }

    async fn forget_events(&self, lifetime: SignedDuration) -> Result<usize, StoreError> {
        let before = self.clock.now().checked_sub(lifetime);
        let before = before.unwrap_or(Timestamp::MIN);
        let mut tables = self.tables();
        let old = tables.written.iter().rev().find(|(_, at)| **at <= before);
        let Some(old) = old.map(|(id, _)| *id) else {
            return Ok(0);
        };
        tables.forgotten_up_to = old;
        tables.written.retain(|id, _| *id > old);
        let had = tables.events.len();
        tables.events.retain(|id, _| *id > old);
        Ok(had - tables.events.len())
    }

    async fn forget_answered(&self, lifetime: SignedDuration) -> Result<usize, StoreError> {
        let before = self.clock.now().checked_sub(lifetime);
        let before = before.unwrap_or(Timestamp::MIN);
        Ok(self.tables().forget_answered(before))
    }
}

#[async_trait]
impl EventLog for MemoryStore {
    async fn events(
        &self,
        owner: OwnerId,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let tables = self.tables();
        let later = tables
            .events
            .range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded));
        let mine = later
            .map(|(_, event)| event)
            .filter(|event| event.owner == owner);
        Ok(mine.take(limit).cloned().collect())
    }

    async fn forgotten_up_to(&self) -> Result<EventId, StoreError> {
        Ok(self.tables().forgotten_up_to)
    }

    async fn newest_event(&self) -> Result<EventId, StoreError> {
        Ok(self.tables().newest_event)
    }

    async fn job_now(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.tables().jobs.get(&id).map(|row| row.job.clone()))
    }
}

#[async_trait]
impl Space for MemoryStore {
    async fn jobs_waiting(&self) -> Result<u64, StoreError> {
        let tables = self.tables();
        let waiting = tables.jobs.values().map(|row| row.job.status);
        Ok(waiting.filter(|status| *status == Status::Queued).count() as u64)
    }

    async fn space(&self) -> Result<SpaceUsed, StoreError> {
        Ok(SpaceUsed::default())
    }
}
