//! The claims of `Store`: all its traits.

mod credentials;
mod derivatives;
mod leases;
mod library;
mod log;
mod once;
mod presets;
mod publishing;
mod records;
mod shares;
mod turns;
mod usages;
mod webhooks;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use retake_backends::{memory::MemoryStore, sqlite::SqliteStore};
use retake_jobs::{
    clock::{Clock, ManualClock},
    entry::{EntryQuery, JobQuery},
    event::EventKind,
    id::{EventId, JobId, OwnerId, RecordingId},
    job::Job,
    lease::Attempt,
    recording::Recording,
    seams::{Claim, OutboxRow, SharedStore, Topic},
};

use crate::made::{self, TERMS};

/// `a` and `b` see the same rows as two processes would, where the backend can do that.
pub struct Bench {
    pub clock: Arc<ManualClock>,
    pub a: SharedStore,
    pub b: SharedStore,
    pub owner: OwnerId,
    _folder: Option<tempfile::TempDir>,
}

impl Bench {
    pub async fn memory() -> Self {
        let clock = clock();
        let store: SharedStore = Arc::new(MemoryStore::new(clock.clone()));
        Self {
            clock,
            a: store.clone(),
            b: store,
            owner: OwnerId::new(),
            _folder: None,
        }
    }

    pub async fn sqlite() -> Self {
        let clock = clock();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("retake.db");
        let a = Arc::new(SqliteStore::open(&path, clock.clone()).unwrap());
        let b = Arc::new(SqliteStore::open(&path, clock.clone()).unwrap());
        Self {
            clock,
            a,
            b,
            owner: OwnerId::new(),
            _folder: Some(folder),
        }
    }

    pub async fn accepted(&self) -> (Recording, Job) {
        let recording = made::recording(self.owner, self.clock.now());
        let job = made::job(&recording, self.clock.now());
        self.a.accept(&recording, &job, None).await.unwrap();
        (recording, job)
    }

    pub async fn claimed(&self) -> (Recording, Job, Attempt<Job>) {
        let (recording, job) = self.accepted().await;
        let attempt = self.win(job.id).await;
        (recording, job, attempt)
    }

    pub async fn win(&self, id: JobId) -> Attempt<Job> {
        match self.b.claim(id, "w1", TERMS).await.unwrap() {
            Claim::Won { attempt, .. } => attempt,
            other => panic!("the claim was not won: {other:?}"),
        }
    }

    /// The newest recordings.
    pub async fn listed(&self) -> Vec<Recording> {
        let query = EntryQuery {
            limit: 10,
            ..EntryQuery::default()
        };
        let found = self.a.recordings(self.owner, &query).await.unwrap();
        found
            .items
            .into_iter()
            .map(|entry| entry.recording)
            .collect()
    }

    /// The recording's, newest first.
    pub async fn jobs(&self, id: RecordingId) -> Vec<Job> {
        let query = JobQuery {
            limit: 10,
            recording: Some(id),
            ..JobQuery::default()
        };
        self.b.jobs(self.owner, &query).await.unwrap().items
    }

    pub async fn job(&self, id: JobId) -> Job {
        self.b.job(self.owner, id).await.unwrap().unwrap().job
    }

    pub async fn kinds(&self) -> Vec<EventKind> {
        let events = self.b.events(self.owner, EventId(0), 1_000).await.unwrap();
        assert!(events.is_sorted_by(|a, b| a.id < b.id));
        events.iter().map(|event| event.kind).collect()
    }

    pub async fn unsent(&self) -> Vec<OutboxRow> {
        self.b.unsent(Timestamp::MAX, 1_000).await.unwrap()
    }

    /// Empties the outbox, as the relay would.
    pub async fn send_all(&self) -> Vec<OutboxRow> {
        let rows = self.unsent().await;
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        self.a.sent(&ids).await.unwrap();
        rows
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub async fn sweep(&self) -> usize {
        self.a.sweep(TERMS).await.unwrap()
    }
}

fn clock() -> Arc<ManualClock> {
    let start = Timestamp::from_nanosecond(1_800_000_000_123_456_789).unwrap();
    Arc::new(ManualClock::new(start))
}

pub fn topics(rows: &[OutboxRow]) -> Vec<Topic> {
    rows.iter().map(|row| row.topic).collect()
}
