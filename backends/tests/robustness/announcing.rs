//! Whoever writes a job need not remember whom to tell.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use retake_backends::memory::{LocalEvents, MemoryStore};
use retake_jobs::{
    announcing::Announcing,
    clock::{Clock, ManualClock},
    id::{JobId, OwnerId},
    job::{Job, Outcome},
    lease::{Attempt, Blame},
    seams::{Claim, Events, JobLeases, Leases, Progress, Records, SharedStore, Store, Wake},
};
use tokio::sync::broadcast::Receiver;

use crate::made::{self, TERMS};

/// A store that tells, and what was told since the last look.
struct Bench {
    clock: Arc<ManualClock>,
    store: Announcing<dyn Store>,
    owner: OwnerId,
    kicks: Arc<AtomicUsize>,
    news: Receiver<Wake>,
}

fn bench() -> Bench {
    let clock = Arc::new(ManualClock::new(
        Timestamp::from_second(1_800_000_000).unwrap(),
    ));
    let inner: SharedStore = Arc::new(MemoryStore::new(clock.clone()));
    let events = LocalEvents::new();
    let kicks = Arc::<AtomicUsize>::default();
    let counted = kicks.clone();
    Bench {
        clock,
        news: events.subscribe(),
        store: Announcing::new(inner, Arc::new(events), move || {
            counted.fetch_add(1, Relaxed);
        }),
        owner: OwnerId::new(),
        kicks,
    }
}

impl Bench {
    /// How often the relay was told, and the watchers of this owner.
    #[track_caller]
    fn told(&mut self) -> (usize, usize) {
        let mut news = 0;
        while let Ok(wake) = self.news.try_recv() {
            assert_eq!(wake, Wake::Owner(self.owner));
            news += 1;
        }
        (self.kicks.swap(0, Relaxed), news)
    }

    async fn accepted(&self) -> Job {
        let recording = made::recording(self.owner, self.clock.now());
        let job = made::job(&recording, self.clock.now());
        self.store.accept(&recording, &job, None).await.unwrap();
        job
    }

    async fn won(&self, id: JobId) -> Attempt<Job> {
        match self.store.claim(id, "w", TERMS).await.unwrap() {
            Claim::Won { attempt, .. } => attempt,
            other => panic!("not won: {other:?}"),
        }
    }
}

/// The relay has something to send, and watchers have something to see.
const BOTH: (usize, usize) = (1, 1);
const ONLY_NEWS: (usize, usize) = (0, 1);
const NOTHING: (usize, usize) = (0, 0);

#[tokio::test]
async fn every_write_of_a_job_tells_the_relay_and_the_watchers_what_concerns_them() {
    let mut bench = bench();
    let job = bench.accepted().await;
    assert_eq!(bench.told(), BOTH, "accept");
    let attempt = bench.won(job.id).await;
    assert_eq!(bench.told(), ONLY_NEWS, "claim");
    let half = Progress::default();
    let extend = async |event| {
        let extended = bench.store.extend(attempt, TERMS, &half, event).await;
        extended.unwrap().unwrap();
    };
    extend(false).await;
    extend(true).await;
    assert_eq!(bench.told(), ONLY_NEWS, "one of two heartbeats was news");
    let (pause, problem) = (Duration::ZERO, made::problem());
    let store = &bench.store;
    let released = store.release(attempt, TERMS, pause, Blame::Worker, problem);
    released.await.unwrap().unwrap();
    assert_eq!(bench.told(), BOTH, "release");
    let next = bench.store.claim_next(Some(job.id), "w", TERMS, 9);
    let Claim::Won { attempt, .. } = next.await.unwrap() else {
        panic!("it waits")
    };
    assert_eq!(bench.told(), ONLY_NEWS, "claim of the next");
    let settled = bench.store.settle(attempt, made::completed(2)).await;
    settled.unwrap().unwrap();
    assert_eq!(bench.told(), BOTH, "settle");
    let again = Job {
        id: JobId::new(Timestamp::now()),
        ..job
    };
    bench.store.add_job(&again, None).await.unwrap().unwrap();
    assert_eq!(bench.told(), BOTH, "another job");
    let cancelled = bench.store.cancel(bench.owner, again.id).await;
    cancelled.unwrap().unwrap().unwrap();
    assert_eq!(bench.told(), BOTH, "cancel");
}

#[tokio::test]
async fn what_changed_nothing_tells_nobody() {
    let mut bench = bench();
    let job = bench.accepted().await;
    let lost = bench.won(job.id).await;
    bench.clock.advance(SignedDuration::from_secs(60));
    let attempt = bench.won(job.id).await;
    bench.told();
    let store = &bench.store;
    assert!(
        store
            .settle(lost, Outcome::Cancelled)
            .await
            .unwrap()
            .is_err()
    );
    let progress = Progress::default();
    let extended = store.extend(lost, TERMS, &progress, true).await;
    assert!(extended.unwrap().is_err());
    let (pause, problem) = (Duration::ZERO, made::problem());
    let released = store.release(lost, TERMS, pause, Blame::Job, problem);
    assert!(released.await.unwrap().is_err());
    let claimed = store.claim(job.id, "w", TERMS).await.unwrap();
    assert!(matches!(claimed, Claim::Refused(_)));
    let stranger = store.cancel(OwnerId::new(), job.id).await.unwrap();
    assert_eq!(stranger, None);
    assert_eq!(bench.told(), NOTHING);
    let settled = bench.store.settle(attempt, Outcome::Cancelled).await;
    settled.unwrap().unwrap();
    bench.told();
    let ended = bench.store.cancel(bench.owner, job.id).await.unwrap();
    assert!(ended.unwrap().is_err());
    assert_eq!(bench.told(), NOTHING);
}
