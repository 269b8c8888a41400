//! Seeded histories of server, relay, sweeper and workers, with crashes, stalls, cancels, and a queue
//! that loses, doubles and refuses. Time is an argument. A failing seed is printed; put it into
//! `SEEDS` to see it again.

use std::{collections::BTreeMap, ops::Range, sync::Arc, time::Duration};

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use rand::{Rng, SeedableRng, rngs::StdRng};
use retake_backends::memory::{LocalEvents, MemoryStore};
use retake_jobs::{
    clock::{Clock, ManualClock},
    event::EventKind,
    id::{EventId, JobId, OwnerId},
    job::{ClaimRefused, Job, Outcome, Status},
    lease::Attempt,
    message::{CompletionMessage, JobMessage},
    relay::Relay,
    seams::{
        Claim, Delivery, EventLog, JobLeases, Leases, Outbox, Progress, Queue, Records,
        SharedEvents, SharedQueue, SharedStore, Topic,
    },
};

use crate::{
    faulty::{Fault, FaultyQueue},
    made::{self, TERMS},
};

const SEEDS: Range<u64> = 0..300;
const STEPS: usize = 250;
const WORKERS: usize = 3;

#[tokio::test(start_paused = true)]
async fn whatever_breaks_every_job_ends_once_and_is_told_once() {
    let mut endings: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in SEEDS {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step().await;
        }
        world.heal().await;
        world.check().await;
        for status in world.statuses().await.into_values() {
            *endings.entry(status.name()).or_default() += 1;
        }
    }
    let kinds: Vec<_> = endings.keys().copied().collect();
    assert_eq!(
        kinds,
        ["cancelled", "completed", "failed"],
        "the histories are varied: {endings:?}"
    );
}

struct World {
    seed: u64,
    random: StdRng,
    clock: Arc<ManualClock>,
    memory: Arc<MemoryStore>,
    store: SharedStore,
    faulty: Arc<FaultyQueue>,
    queue: SharedQueue,
    events: SharedEvents,
    relay: Relay,
    owner: OwnerId,
    /// How many settles the store has accepted.
    jobs: BTreeMap<JobId, usize>,
    workers: [Option<Work>; WORKERS],
}

/// A worker's job, and the message it came by.
struct Work {
    attempt: Attempt<Job>,
    delivery: Delivery,
}

impl World {
    fn new(seed: u64) -> Self {
        let clock = Arc::new(ManualClock::new(
            Timestamp::from_second(1_800_000_000).unwrap(),
        ));
        let memory = Arc::new(MemoryStore::new(clock.clone()));
        let faulty = Arc::new(FaultyQueue::default());
        Self {
            seed,
            random: StdRng::seed_from_u64(seed),
            store: memory.clone(),
            queue: faulty.clone(),
            events: Arc::new(LocalEvents::new()),
            relay: Relay::new(clock.clone()),
            owner: OwnerId::new(),
            jobs: BTreeMap::new(),
            workers: Default::default(),
            clock,
            memory,
            faulty,
        }
    }

    async fn step(&mut self) {
        let worker = self.random.random_range(0..WORKERS);
        match self.random.random_range(0..20) {
            0 | 1 => self.submit().await,
            2..=4 => {
                let fault = match self.random.random_range(0..10) {
                    0 => Some(Fault::Refused),
                    1 => Some(Fault::ConfirmLost),
                    2 => Some(Fault::Doubled),
                    3 => Some(Fault::Vanished),
                    _ => None,
                };
                self.faulty.next_faults([fault]);
                let _ = self.send().await;
            }
            5..=9 => self.take(worker).await,
            10 | 11 => self.progress(worker).await,
            12..=14 => self.finish(worker, true).await,
            15 => self.finish(worker, false).await,
            // kill -9: lease and message are simply not heard of again.
            16 => self.workers[worker] = None,
            17 => self.cancel_one().await,
            // A stall, of everybody: leases and deliveries run out under working workers.
            18 => self.pass(self.random.clone().random_range(5..90)).await,
            _ => self.pass(1).await,
        }
    }

    async fn submit(&mut self) {
        let recording = made::recording(self.owner, self.clock.now());
        let job = made::job(&recording, self.clock.now());
        self.memory.accept(&recording, &job, None).await.unwrap();
        self.jobs.insert(job.id, 0);
    }

    async fn send(&self) -> bool {
        self.relay
            .send(
                self.store.as_ref(),
                &self.queue,
                &self.events,
                Timestamp::MAX,
            )
            .await
            .is_ok()
    }

    /// As the worker does: the message is a hint, the row decides.
    async fn take(&mut self, worker: usize) {
        if self.workers[worker].is_some() {
            return;
        }
        let Some(delivery) = self.faulty.claim(Topic::Jobs).now_or_never() else {
            return;
        };
        let delivery = delivery.unwrap();
        let message: JobMessage = serde_json::from_slice(&delivery.body).unwrap();
        let name = format!("w{worker}");
        match self
            .memory
            .claim_next(Some(message.job_id), &name, TERMS, 2)
            .await
            .unwrap()
        {
            Claim::Won { attempt, .. } => self.workers[worker] = Some(Work { attempt, delivery }),
            Claim::Refused(ClaimRefused::Leased { .. } | ClaimRefused::NotNow) => {
                let _ = self.faulty.retry(delivery, Duration::from_secs(1)).await;
            }
            Claim::Refused(ClaimRefused::Ended) | Claim::Gone => {
                let _ = self.faulty.ack(delivery).await;
            }
        }
    }

    async fn progress(&mut self, worker: usize) {
        let fraction = self.random.random_range(0.0..1.0);
        let Some(work) = &self.workers[worker] else {
            return;
        };
        let progress = Progress {
            fraction,
            step: None,
        };
        match self
            .memory
            .extend(work.attempt, TERMS, &progress, true)
            .await
            .unwrap()
        {
            Ok(heartbeat) if heartbeat.cancel_requested => {
                self.settle(worker, Outcome::Cancelled).await;
            }
            Ok(_) => {
                let _ = self.faulty.extend(&work.delivery).await;
            }
            Err(_) => self.workers[worker] = None,
        }
    }

    async fn finish(&mut self, worker: usize, well: bool) {
        let Some(attempt) = self.workers[worker]
            .as_ref()
            .map(|work| work.attempt.attempt)
        else {
            return;
        };
        let outcome = if well {
            made::completed(attempt)
        } else {
            Outcome::Failed {
                problem: made::problem(),
                warnings: Vec::new(),
            }
        };
        self.settle(worker, outcome).await;
    }

    async fn settle(&mut self, worker: usize, outcome: Outcome) {
        let Some(Work { attempt, delivery }) = self.workers[worker].take() else {
            return;
        };
        if self.memory.settle(attempt, outcome).await.unwrap().is_ok() {
            *self.jobs.get_mut(&attempt.id).unwrap() += 1;
        }
        // Sometimes it dies before the ack.
        if self.random.random_bool(0.8) {
            let _ = self.faulty.ack(delivery).await;
        }
    }

    async fn cancel_one(&mut self) {
        let number = self.random.random_range(0..self.jobs.len().max(1));
        if let Some(id) = self.jobs.keys().nth(number) {
            let _ = self.memory.cancel(self.owner, *id).await.unwrap();
        }
    }

    async fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
        tokio::time::advance(Duration::from_secs(seconds.unsigned_abs())).await;
        self.relay
            .sweep(self.store.as_ref(), &self.queue, TERMS)
            .await
            .unwrap();
    }

    /// From now on nothing breaks.
    async fn heal(&mut self) {
        self.faulty.heal();
        for _ in 0..2_000 {
            assert!(self.send().await, "seed {}", self.seed);
            for worker in 0..WORKERS {
                self.take(worker).await;
                self.progress(worker).await;
                self.finish(worker, true).await;
            }
            let all_ended = self
                .statuses()
                .await
                .values()
                .all(|status| status.is_ended());
            if all_ended && self.send().await {
                return;
            }
            self.pass(7).await;
        }
        panic!(
            "seed {}: not all jobs ended: {:?}",
            self.seed,
            self.statuses().await
        );
    }

    async fn statuses(&self) -> BTreeMap<JobId, Status> {
        let mut statuses = BTreeMap::new();
        for id in self.jobs.keys() {
            let record = self.memory.job(self.owner, *id).await.unwrap().unwrap();
            statuses.insert(*id, record.job.status);
        }
        statuses
    }

    async fn check(&self) {
        let seed = self.seed;
        let events = self
            .memory
            .events(self.owner, EventId(0), usize::MAX)
            .await
            .unwrap();
        assert!(events.is_sorted_by(|a, b| a.id < b.id), "seed {seed}");
        assert!(
            events.iter().all(|event| event.kind != EventKind::Progress),
            "seed {seed}"
        );
        let mut told: BTreeMap<JobId, usize> = BTreeMap::new();
        while let Some(delivery) = self.faulty.claim(Topic::Completions).now_or_never() {
            let message: CompletionMessage =
                serde_json::from_slice(&delivery.unwrap().body).unwrap();
            *told.entry(message.job_id).or_default() += 1;
        }
        for (id, settles) in &self.jobs {
            let record = self.memory.job(self.owner, *id).await.unwrap().unwrap();
            assert!(
                *settles <= 1,
                "seed {seed}: job {id} was settled {settles} times"
            );
            let ends = events.iter().filter(|event| {
                event.is_of(*id) && event.job().is_some_and(|job| job.status.is_ended())
            });
            assert_eq!(ends.count(), 1, "seed {seed}: the ends of job {id}");
            let completed = record.job.status == Status::Completed;
            assert_eq!(
                record.correction.is_some(),
                completed,
                "seed {seed}: job {id}"
            );
            if completed {
                let correction = record.correction.unwrap();
                assert_eq!(
                    correction.attempt, record.job.attempt,
                    "seed {seed}: job {id}"
                );
            }
        }
        assert_eq!(
            self.memory.unsent(Timestamp::MAX, 10).await.unwrap(),
            [],
            "seed {seed}"
        );
        assert!(
            told.keys().all(|id| self.jobs.contains_key(id)),
            "seed {seed}"
        );
    }
}
