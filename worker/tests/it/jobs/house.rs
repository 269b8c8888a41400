//! A store, blobs, a queue and events in memory, with a relay between them, and ways to break them.

mod faulty;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use retake_backends::memory::{LocalEvents, MemoryBlobs, MemoryStore};
use retake_chain::{Chain, Pins, format::Format};
use retake_child::ChildProgram;
use retake_jobs::{
    announcing::Announcing,
    clock::{Clock, ManualClock},
    derivative::Derivative,
    email::Email,
    event::EventKind,
    health::Health,
    id::{JobId, OwnerId, RecordingId},
    job::Job,
    lease::LeaseTerms,
    message::{CompletionMessage, JobMessage},
    recording::Recording,
    seams::{
        BlobKey, Blobs, Derivatives, EventLog, Events, JobRecord, Outbox, Queue, Records, Topic,
        Wake,
    },
    trace::TraceContext,
};
use retake_worker::{Config, Parts};
use tempfile::TempDir;
use tokio::{sync::broadcast, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::{done, eventually, false_child, real_checker, real_child, real_installer};
pub use faulty::Fault;
use faulty::{CountingQueue, FaultyBlobs, FaultyStore};

pub struct House {
    pub store: Arc<FaultyStore>,
    pub blobs: Arc<FaultyBlobs>,
    pub queue: Arc<CountingQueue>,
    pub clock: Arc<ManualClock>,
    events: Arc<LocalEvents>,
    kicks: Arc<AtomicUsize>,
    completions: Arc<Mutex<Vec<CompletionMessage>>>,
    dir: TempDir,
    _relay: DropGuard,
}

/// What a test needs to know of a job.
#[derive(Clone, Copy)]
pub struct Accepted {
    pub id: JobId,
    pub owner: OwnerId,
    pub recording: RecordingId,
}

pub struct Running {
    worker: JoinHandle<()>,
    shutdown: CancellationToken,
}

impl Running {
    pub async fn stop(self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(20), self.worker).await;
        ended.expect("the worker ends").unwrap();
    }
}

impl House {
    pub fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::now()));
        let memory = MemoryStore::new(clock.clone());
        let stop = CancellationToken::new();
        let house = Self {
            store: Arc::new(FaultyStore::new(memory)),
            blobs: Arc::new(FaultyBlobs::new(MemoryBlobs::new())),
            queue: Arc::<CountingQueue>::default(),
            clock,
            events: Arc::new(LocalEvents::new()),
            kicks: Arc::default(),
            completions: Arc::default(),
            dir: tempfile::tempdir().unwrap(),
            _relay: stop.clone().drop_guard(),
        };
        tokio::spawn(relay(
            Arc::clone(&house.store),
            Arc::clone(&house.queue),
            Arc::clone(&house.clock),
            Arc::clone(&house.completions),
            stop,
        ));
        house
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn config(&self) -> Config {
        Config {
            slots: 2,
            scratch_dir: self.path("scratch").to_str().unwrap().to_owned(),
            // Only a test's clock makes it run out.
            lease_ms: 10_000,
            heartbeat_ms: 20,
            progress_ms: 10,
            retry_ms: 5,
            retry_ms_max: 20,
            grace_ms: 50,
            ..Config::default()
        }
    }

    pub fn terms(&self) -> LeaseTerms {
        let Config {
            lease_ms,
            attempts_max,
            give_up_ms,
            ..
        } = self.config();
        LeaseTerms {
            lease_ms,
            attempts_max,
            give_up_ms,
        }
    }

    pub fn parts(&self) -> Parts {
        let kicks = Arc::clone(&self.kicks);
        Parts {
            store: Arc::new(Announcing::new(
                self.store.clone(),
                self.events.clone(),
                move || {
                    kicks.fetch_add(1, Ordering::Relaxed);
                },
            )),
            blobs: self.blobs.clone(),
            queue: self.queue.clone(),
            clock: self.clock.clone(),
            externals: vec![],
            plugin_cache: self.path("plugins"),
            child: real_child(),
            installer: real_installer(),
            checker: real_checker(),
            health: Health::default(),
        }
    }

    pub fn worker(&self, parts: Parts) -> Running {
        self.worker_with(parts, self.config())
    }

    pub fn worker_with(&self, parts: Parts, config: Config) -> Running {
        let shutdown = CancellationToken::new();
        let opened = retake_worker::open(parts, config).unwrap();
        let worker = tokio::spawn(opened.run(shutdown.clone()));
        Running { worker, shutdown }
    }

    pub async fn accept(&self, audio: Vec<u8>, chain: serde_json::Value) -> Accepted {
        self.accept_pinned(audio, chain, Pins::new()).await
    }

    /// As a server accepts it that knows what the chain's names mean.
    pub async fn accept_pinned(
        &self,
        audio: Vec<u8>,
        chain: serde_json::Value,
        pins: Pins,
    ) -> Accepted {
        self.accept_with(audio, chain, |job| job.pins = pins).await
    }

    /// As part of a trace.
    pub async fn accept_traced(
        &self,
        audio: Vec<u8>,
        chain: serde_json::Value,
        trace: TraceContext,
    ) -> Accepted {
        self.accept_with(audio, chain, |job| job.traceparent = Some(trace))
            .await
    }

    async fn accept_with(
        &self,
        audio: Vec<u8>,
        chain: serde_json::Value,
        change: impl FnOnce(&mut Job),
    ) -> Accepted {
        let owner = OwnerId::new();
        let now = Timestamp::now();
        let recording = Recording {
            id: RecordingId::new(now),
            owner,
            user_email: "someone@example.org".parse::<Email>().unwrap(),
            file_name: None,
            content_type: "audio/wav".to_owned(),
            size_bytes: audio.len() as u64,
            sha256: "0".repeat(64),
            created_at: now,
        };
        let chain: Chain = serde_json::from_value(chain).unwrap();
        let mut job = Job::queued(recording.id, owner, chain, Format::Flac, now);
        change(&mut job);
        let body = Box::pin(futures_util::stream::once(async { Ok(audio.into()) }));
        self.blobs
            .put(BlobKey::Recording(recording.id), body, u64::MAX)
            .await
            .unwrap();
        self.store.accept(&recording, &job, None).await.unwrap();
        Accepted {
            id: job.id,
            owner,
            recording: recording.id,
        }
    }

    pub async fn record(&self, job: Accepted) -> JobRecord {
        self.store.job(job.owner, job.id).await.unwrap().unwrap()
    }

    pub async fn derivatives(&self, job: Accepted) -> Vec<Derivative> {
        let all = self.store.derivatives(job.owner, job.id);
        all.await.unwrap()
    }

    pub async fn ended(&self, job: Accepted) {
        let ended = async || self.record(job).await.job.status.is_ended();
        eventually("the job has ended", ended).await;
    }

    pub async fn events(&self, job: Accepted) -> Vec<EventKind> {
        let events = self
            .store
            .events(job.owner, Default::default(), 1_000)
            .await
            .unwrap();
        events.iter().map(|event| event.kind).collect()
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Wake> {
        self.events.subscribe()
    }

    pub fn kicks(&self) -> usize {
        self.kicks.load(Ordering::Relaxed)
    }

    /// Completion messages that the relay has sent.
    pub async fn completions(&self) -> usize {
        let sent = async || {
            self.store
                .unsent(Timestamp::MAX, 10)
                .await
                .unwrap()
                .is_empty()
        };
        eventually("the outbox is empty", sent).await;
        self.completions.lock().unwrap().len()
    }

    pub async fn last_completion(&self) -> CompletionMessage {
        assert!(self.completions().await > 0);
        self.completions.lock().unwrap().last().unwrap().clone()
    }

    pub async fn blob(&self, key: BlobKey) -> Vec<u8> {
        let size = self.blobs.size(key).await.unwrap();
        self.blobs
            .read(key, 0, size as usize)
            .await
            .unwrap()
            .to_vec()
    }

    pub fn correction_blobs(&self) -> Vec<BlobKey> {
        let mut keys = self.blobs.keys();
        keys.retain(|key| matches!(key, BlobKey::Correction { .. }));
        keys
    }

    /// Whatever is in the queue now comes so many more times.
    pub async fn repeat_messages(&self, times: usize) {
        eventually("the relay has sent", async || {
            self.queue.waiting(Topic::Jobs).await == Ok(1)
        })
        .await;
        let delivery = self.queue.claim(Topic::Jobs).await.unwrap();
        serde_json::from_slice::<JobMessage>(&delivery.body).unwrap();
        for _ in 0..times {
            self.queue
                .publish(Topic::Jobs, &delivery.body)
                .await
                .unwrap();
        }
        self.queue.retry(delivery, Duration::ZERO).await.unwrap();
    }

    /// Nothing waits, and nothing is in anybody's hands.
    pub async fn queue_is_empty(&self) -> bool {
        self.queue.open() == 0
    }

    /// The child's process id, once it has written it.
    pub async fn started(&self, pid: &Path) -> String {
        let written = async || std::fs::read_to_string(pid).is_ok_and(|pid| pid.ends_with('\n'));
        eventually("the child has started", written).await;
        std::fs::read_to_string(pid).unwrap()
    }

    pub fn assert_nothing_left_over(&self) {
        let left: Vec<_> = std::fs::read_dir(self.path("scratch")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// A child that says who it is and then does nothing for ever.
pub fn hanging_child(house: &House) -> (ChildProgram, PathBuf) {
    let pid = house.path("pid");
    (
        false_child(&format!("echo $$ > {}; exec sleep 1000", pid.display())),
        pid,
    )
}

/// A child that finishes properly as soon as there is a file `go`.
pub fn finishing_child(house: &House, go: &Path) -> (ChildProgram, PathBuf) {
    let pid = house.path("pid");
    let script = format!(
        r#"read -r request; file() {{ file=${{request#*"\"$1\":\""}}; echo "${{file%%'"'*}}"; }}
        echo $$ > {pid}; until [ -e {go} ]; do sleep 0.01; done
        for name in input_peaks output_peaks output; do echo made > "$(file $name)"; done; echo '{done}'"#,
        pid = pid.display(),
        go = go.display(),
        done = done("[]"),
    );
    (false_child(&script), pid)
}

/// What `jobs::relay` does, as plainly as can be.
async fn relay(
    store: Arc<FaultyStore>,
    queue: Arc<CountingQueue>,
    clock: Arc<ManualClock>,
    completions: Arc<Mutex<Vec<CompletionMessage>>>,
    stop: CancellationToken,
) {
    while !stop.is_cancelled() {
        // The store's clock is never behind the real one, by which work is put off.
        let behind = Timestamp::now().duration_since(clock.now());
        clock.advance(behind.max(SignedDuration::ZERO));
        for row in store.unsent(Timestamp::MAX, 100).await.unwrap() {
            match row.topic {
                Topic::Jobs => queue.publish(Topic::Jobs, &row.body).await.unwrap(),
                Topic::Completions => {
                    let message = serde_json::from_slice(&row.body).unwrap();
                    completions.lock().unwrap().push(message);
                }
            }
            store.sent(&[row.id]).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
