//! An owner's lists, what they call their recordings, and the trash.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use retake_jobs::{
    correction::Correction,
    entry::{
        EXAMINED_MAX, Edit, Entry, EntryPlace, EntryQuery, Facts, Found, JobCounts, JobQuery,
        Metadata, folded,
    },
    event::{Event, EventKind, RecordingNews, Subject},
    id::{EventId, JobId, OwnerId, RecordingId},
    job::{Job, Status},
    recording::Recording,
    seams::{BlobKey, Changed, Library, StoreError},
};

use super::{JobRow, MemoryStore, RecordingRow, Tables};

pub(super) struct Trashed {
    pub owner: OwnerId,
    until: Timestamp,
}

impl RecordingRow {
    pub(super) fn new(recording: Recording) -> Self {
        Self {
            seen_by: recording.owner,
            recording,
            metadata: Metadata::default(),
            version: 0,
            duration_ms: None,
            trashed: None,
        }
    }

    fn folded_name(&self) -> String {
        let name = self.metadata.name.as_ref();
        let shown = name.or(self.recording.file_name.as_ref());
        shown.map(|name| folded(name)).unwrap_or_default()
    }
}

#[async_trait]
impl Library for MemoryStore {
    async fn recordings(
        &self,
        owner: OwnerId,
        query: &EntryQuery,
    ) -> Result<Found<Entry, EntryPlace>, StoreError> {
        let tables = self.tables();
        let mine = tables
            .recordings
            .values()
            .filter(|row| row.seen_by == owner);
        let place = |row: &RecordingRow| {
            let name = row.folded_name();
            query.sort.place(row.recording.id, &name, row.duration_ms)
        };
        let mut placed: Vec<_> = mine.map(|row| (place(row), row)).collect();
        placed.sort_by(|(a, _), (b, _)| a.cmp(b));
        if query.sort.descends() {
            placed.reverse();
        }
        let behind = |place: &EntryPlace| match &query.after {
            None => true,
            Some(after) if query.sort.descends() => place < after,
            Some(after) => place > after,
        };
        let rows = placed.into_iter().filter(|(place, _)| behind(place));
        let found = page(rows, query.limit, |row| {
            let newest = tables.newest_job(row.recording.id);
            query.takes(&Facts {
                folded_name: &row.folded_name(),
                tags: &row.metadata.tags,
                created_at: row.recording.created_at,
                newest_status: newest.map(|job| job.status),
            })
        });
        Ok(Found {
            items: found
                .items
                .into_iter()
                .map(|row| tables.entry(row))
                .collect(),
            next: found.next,
        })
    }

    async fn jobs(
        &self,
        owner: OwnerId,
        query: &JobQuery,
    ) -> Result<Found<Job, JobId>, StoreError> {
        let tables = self.tables();
        let jobs = tables.jobs.values().rev().map(|row| &row.job);
        let mine = jobs.filter(|job| {
            job.owner == owner
                && query.before.is_none_or(|before| job.id < before)
                && query.recording.is_none_or(|id| job.recording_id == id)
        });
        let found = page(mine.map(|job| (job.id, job)), query.limit, |job| {
            query.takes(job.status, job.preset.as_deref())
        });
        Ok(Found {
            items: found.items.into_iter().cloned().collect(),
            next: found.next,
        })
    }

    async fn edit_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
        edit: &Edit,
        expected: Option<u64>,
    ) -> Result<Option<Result<Entry, Changed>>, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let row = tables.recordings.get_mut(&id);
        let Some(row) = row.filter(|row| row.seen_by == owner) else {
            return Ok(None);
        };
        if expected.is_some_and(|expected| expected != row.version) {
            return Ok(Some(Err(Changed)));
        }
        let before = row.metadata.clone();
        edit.apply(&mut row.metadata);
        if row.metadata != before {
            row.version += 1;
            tables.add_recording_event(EventKind::RecordingChanged, owner, id, None, now);
        }
        Ok(tables.owned(owner, id).map(|row| Ok(tables.entry(row))))
    }

    async fn trash_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
        grace: SignedDuration,
    ) -> Result<Option<Timestamp>, StoreError> {
        let now = self.clock.now();
        let until = now.saturating_add(grace).unwrap_or(Timestamp::MAX);
        let mut tables = self.tables();
        if tables.owned(owner, id).is_none() {
            return Ok(None);
        }
        tables.give(id, OwnerId::new(), Some(Trashed { owner, until }));
        for job in tables.unfinished(id) {
            tables.change(job, now, Timestamp::MAX, |job| job.hold(now));
            tables.set_due(job, Timestamp::MAX);
        }
        tables.add_recording_event(EventKind::RecordingDeleted, owner, id, Some(until), now);
        Ok(Some(until))
    }

    async fn restore_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<Entry>, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let trashed = tables.recordings.get(&id).and_then(|r| r.trashed.as_ref());
        if trashed.is_none_or(|trashed| trashed.owner != owner || trashed.until <= now) {
            return Ok(None);
        }
        tables.give(id, owner, None);
        for job in tables.unfinished(id) {
            tables.set_due(job, now);
        }
        tables.add_recording_event(EventKind::RecordingRestored, owner, id, None, now);
        Ok(tables.owned(owner, id).map(|row| tables.entry(row)))
    }
}

/// As many as are wanted of those that are taken, and the place of the last one that was looked at.
fn page<'r, Row, Place>(
    rows: impl Iterator<Item = (Place, &'r Row)>,
    limit: usize,
    takes: impl Fn(&Row) -> bool,
) -> Found<&'r Row, Place> {
    let mut items = Vec::new();
    let (mut examined, mut last) = (0, None);
    for (place, row) in rows {
        if items.len() == limit || examined == EXAMINED_MAX {
            return Found { items, next: last };
        }
        examined += 1;
        last = Some(place);
        if takes(row) {
            items.push(row);
        }
    }
    Found { items, next: None }
}

impl Tables {
    fn newest_job(&self, id: RecordingId) -> Option<&Job> {
        let mut jobs = self.jobs.values().rev().map(|row| &row.job);
        jobs.find(|job| job.recording_id == id)
    }

    pub(super) fn entry(&self, row: &RecordingRow) -> Entry {
        let id = row.recording.id;
        let jobs = self.jobs.values().map(|row| &row.job);
        let of_recording = jobs.filter(|job| job.recording_id == id);
        Entry {
            recording: row.recording.clone(),
            metadata: row.metadata.clone(),
            version: row.version,
            duration_ms: row.duration_ms,
            jobs: JobCounts::of(of_recording.map(|job| job.status)),
            newest_job: self.newest_job(id).cloned(),
        }
    }

    pub(super) fn note_duration(&mut self, job: &Job, correction: &Correction) {
        if let Some(row) = self.recordings.get_mut(&job.recording_id) {
            row.duration_ms = Some(correction.report.input.duration_ms);
        }
    }

    fn give(&mut self, id: RecordingId, to: OwnerId, trashed: Option<Trashed>) {
        if let Some(row) = self.recordings.get_mut(&id) {
            row.seen_by = to;
            row.trashed = trashed;
        }
        let mut jobs = Vec::new();
        for row in self.jobs.values_mut() {
            if row.job.recording_id == id {
                row.job.owner = to;
                jobs.push(row.job.id);
            }
        }
        for derivative in self.derivatives.values_mut() {
            if jobs.contains(&derivative.job_id) {
                derivative.owner = to;
            }
        }
    }

    fn unfinished(&self, id: RecordingId) -> Vec<JobId> {
        let jobs = self.jobs.values().map(|row| &row.job);
        let unfinished = jobs.filter(|job| job.recording_id == id && !job.status.is_ended());
        unfinished.map(|job| job.id).collect()
    }

    /// With the messages that are still to be sent.
    fn set_due(&mut self, id: JobId, due: Timestamp) {
        let waits = |row: &&mut JobRow| row.job.status == Status::Queued;
        if let Some(row) = self.jobs.get_mut(&id).filter(waits) {
            row.message_at = due;
        }
        let of_job = |waiting: &&mut super::Waiting| {
            waiting.job == id && waiting.row.topic == retake_jobs::seams::Topic::Jobs
        };
        for waiting in self.outbox.values_mut().filter(of_job) {
            waiting.not_before = due;
        }
    }

    pub(super) fn add_recording_event(
        &mut self,
        kind: EventKind,
        owner: OwnerId,
        recording: RecordingId,
        restorable_until: Option<Timestamp>,
        now: Timestamp,
    ) {
        self.newest_event.0 += 1;
        let id: EventId = self.newest_event;
        self.written.insert(id, now);
        let news = RecordingNews {
            id: recording,
            restorable_until,
        };
        let subject = Subject::Recording(news);
        self.events.insert(
            id,
            Event {
                id,
                owner,
                kind,
                subject,
            },
        );
        self.tell(id, now);
    }

    pub(super) fn empty_trash(&mut self, now: Timestamp) -> Vec<BlobKey> {
        let over = |row: &&RecordingRow| row.trashed.as_ref().is_some_and(|it| it.until <= now);
        let over: Vec<_> = self.recordings.values().filter(over).collect();
        let over: Vec<_> = over.into_iter().map(|row| row.recording.id).collect();
        over.into_iter()
            .flat_map(|id| self.remove_recording(id))
            .collect()
    }

    /// With all that was made of it; gives the keys of the bytes.
    pub(super) fn remove_recording(&mut self, id: RecordingId) -> Vec<BlobKey> {
        let mut blobs = vec![BlobKey::Recording(id)];
        let of_recording = |row: &&JobRow| row.job.recording_id == id;
        for row in self.jobs.values().filter(of_recording) {
            blobs.extend(keys_of_job(row));
        }
        let gone: Vec<JobId> = self
            .jobs
            .values()
            .filter(of_recording)
            .map(|row| row.job.id)
            .collect();
        blobs.extend(self.forget_derivatives_of(&gone));
        self.recordings.remove(&id);
        self.jobs.retain(|job, _| !gone.contains(job));
        self.events
            .retain(|_, event| !gone.iter().any(|job| event.is_of(*job)));
        self.outbox
            .retain(|_, message| !gone.contains(&message.job));
        blobs
    }
}

fn keys_of_job(row: &JobRow) -> Vec<BlobKey> {
    let job = row.job.id;
    let asked = row.job.chain.steps.iter().map(|step| step.delta);
    let kept = row
        .correction
        .iter()
        .flat_map(|correction| &correction.report.steps);
    let kept = kept.map(|step| step.delta);
    let mut steps: Vec<u32> = (0..)
        .zip(asked)
        .chain((0..).zip(kept))
        .filter_map(|(step, delta)| delta.then_some(step))
        .collect();
    steps.sort_unstable();
    steps.dedup();
    let mut keys = Vec::new();
    for attempt in 1..=row.job.attempt {
        keys.push(BlobKey::Correction { job, attempt });
        let delta = |&step: &u32| BlobKey::Delta { job, attempt, step };
        keys.extend(steps.iter().map(delta));
    }
    keys
}
