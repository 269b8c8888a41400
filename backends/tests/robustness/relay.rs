//! The relay: what is in the outbox reaches the queue, whatever happens in between.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use retake_backends::memory::{LocalEvents, MemoryStore};
use retake_jobs::{
    clock::{Clock, ManualClock},
    id::OwnerId,
    job::Job,
    relay::{Relay, RelayError, RelayHandle},
    seams::{
        Delivery, Events, Outbox, Queue, QueueError, Records, SharedEvents, SharedQueue,
        SharedStore, Topic, Wake,
    },
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    faulty::{Fault, FaultyQueue},
    made::{self, TERMS},
    soon,
};

struct Bench {
    clock: Arc<ManualClock>,
    memory: Arc<MemoryStore>,
    store: SharedStore,
    faulty: Arc<FaultyQueue>,
    queue: SharedQueue,
    local: LocalEvents,
    events: SharedEvents,
    relay: Relay,
    owner: OwnerId,
}

fn bench() -> Bench {
    let clock = Arc::new(ManualClock::new(
        Timestamp::from_second(1_800_000_000).unwrap(),
    ));
    let memory = Arc::new(MemoryStore::new(clock.clone()));
    let faulty = Arc::new(FaultyQueue::default());
    let local = LocalEvents::new();
    Bench {
        store: memory.clone(),
        queue: faulty.clone(),
        events: Arc::new(local.clone()),
        relay: Relay::new(clock.clone()),
        owner: OwnerId::new(),
        clock,
        memory,
        faulty,
        local,
    }
}

impl Bench {
    /// A relay of its own, running until it is told to stop.
    fn run(&self) -> (RelayHandle, CancellationToken, JoinHandle<()>) {
        let shutdown = CancellationToken::new();
        let relay = Relay::new(self.clock.clone());
        let handle = relay.handle();
        let (store, queue, events) = (self.store.clone(), self.queue.clone(), self.events.clone());
        let running = tokio::spawn(relay.run(store, queue, events, TERMS, shutdown.clone()));
        (handle, shutdown, running)
    }

    async fn accepted(&self) -> Job {
        let recording = made::recording(self.owner, self.clock.now());
        let job = made::job(&recording, self.clock.now());
        self.memory.accept(&recording, &job, None).await.unwrap();
        job
    }

    async fn send(&self) -> Result<usize, RelayError> {
        self.relay
            .send(
                self.store.as_ref(),
                &self.queue,
                &self.events,
                Timestamp::MAX,
            )
            .await
    }

    async fn unsent(&self) -> usize {
        self.memory
            .unsent(Timestamp::MAX, 1_000)
            .await
            .unwrap()
            .len()
    }

    async fn waiting(&self, topic: Topic) -> u64 {
        self.faulty.waiting(topic).await.unwrap()
    }
}

fn says(delivery: &Delivery, job: &Job) -> bool {
    String::from_utf8_lossy(&delivery.body).contains(&job.id.to_string())
}

#[tokio::test]
async fn a_message_counts_as_sent_only_when_the_queue_says_so() {
    let bench = bench();
    bench.accepted().await;
    for (fault, stored) in [(Fault::Refused, 0), (Fault::ConfirmLost, 1)] {
        bench.faulty.next_faults([Some(fault)]);
        let error = bench.send().await.unwrap_err();
        assert!(
            matches!(error, RelayError::Queue(QueueError::Unavailable(_))),
            "{error}"
        );
        assert_eq!(
            (bench.unsent().await, bench.waiting(Topic::Jobs).await),
            (1, stored)
        );
    }
    assert_eq!(bench.send().await, Ok(1));
    assert_eq!(
        (bench.unsent().await, bench.waiting(Topic::Jobs).await),
        (0, 2)
    );
    assert_eq!(bench.send().await, Ok(0));
}

#[tokio::test]
async fn more_than_one_page_of_messages_is_sent() {
    let bench = bench();
    for _ in 0..600 {
        bench.accepted().await;
    }
    assert_eq!(bench.send().await, Ok(600));
    assert_eq!(bench.waiting(Topic::Jobs).await, 600);
}

#[tokio::test]
async fn a_full_topic_does_not_hold_the_other() {
    let bench = bench();
    let job = bench.accepted().await;
    bench
        .memory
        .cancel(bench.owner, job.id)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    bench.faulty.next_faults([Some(Fault::Full)]);
    assert_eq!(bench.send().await, Err(RelayError::Queue(QueueError::Full)));
    let waiting = (
        bench.waiting(Topic::Jobs).await,
        bench.waiting(Topic::Completions).await,
    );
    assert_eq!((waiting, bench.unsent().await), ((0, 1), 1));
}

#[tokio::test]
async fn a_sent_completion_wakes_its_owner() {
    let bench = bench();
    let mut wakes = bench.local.subscribe();
    let job = bench.accepted().await;
    bench.send().await.unwrap();
    assert!(wakes.try_recv().is_err());
    bench
        .memory
        .cancel(bench.owner, job.id)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    bench.send().await.unwrap();
    assert_eq!(wakes.try_recv().unwrap(), Wake::Owner(bench.owner));
}

/// Time is tokio's here, and stands still while anything can be done.
#[tokio::test(start_paused = true)]
async fn a_kicked_relay_sends_at_once_and_an_outage_is_survived() {
    let bench = bench();
    let (handle, shutdown, running) = bench.run();

    let start = tokio::time::Instant::now();
    let first = bench.accepted().await;
    handle.kick();
    let delivery = soon("the message", bench.faulty.claim(Topic::Jobs))
        .await
        .unwrap();
    assert!(says(&delivery, &first));
    bench.faulty.ack(delivery).await.unwrap();
    assert!(
        start.elapsed().is_zero(),
        "no timer was needed: {:?}",
        start.elapsed()
    );

    bench.faulty.next_faults([Some(Fault::Refused); 20]);
    let second = bench.accepted().await;
    handle.kick();
    let delivery = soon("the message", bench.faulty.claim(Topic::Jobs))
        .await
        .unwrap();
    assert!(says(&delivery, &second));

    shutdown.cancel();
    soon("the relay's end", running).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_another_process_wrote_is_left_to_it_for_a_while() {
    let bench = bench();
    let shutdown = CancellationToken::new();
    let relay = Relay::new(bench.clock.clone());
    let (store, queue, events) = (
        bench.store.clone(),
        bench.queue.clone(),
        bench.events.clone(),
    );
    bench.accepted().await;
    let running = tokio::spawn(relay.run(store, queue, events, TERMS, shutdown.clone()));
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    assert_eq!(
        bench.waiting(Topic::Jobs).await,
        0,
        "by the store's clock it is new"
    );
    bench.clock.advance(SignedDuration::from_secs(4));
    soon("the message", bench.faulty.claim(Topic::Jobs))
        .await
        .unwrap();
    shutdown.cancel();
    soon("the relay's end", running).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn purged_messages_are_back_within_two_sweeps_however_often() {
    let bench = bench();
    let (handle, shutdown, running) = bench.run();
    let pass = async |seconds: i64| {
        for _ in 0..seconds * 10 {
            bench.clock.advance(SignedDuration::from_millis(100));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    for _ in 0..60 {
        bench.accepted().await;
    }
    handle.kick();
    pass(4).await;
    assert_eq!(bench.waiting(Topic::Jobs).await, 60);
    for purged in [60, 1, 60, 59, 60] {
        for _ in 0..purged {
            let delivery = bench.faulty.claim(Topic::Jobs).await.unwrap();
            bench.faulty.ack(delivery).await.unwrap();
        }
        pass(4).await;
        assert_eq!(bench.waiting(Topic::Jobs).await, 60, "{purged} were purged");
    }
    pass(600).await;
    assert_eq!(bench.waiting(Topic::Jobs).await, 60, "none too many either");
    shutdown.cancel();
    soon("the relay's end", running).await.unwrap();
}

#[tokio::test]
async fn what_is_left_is_sent_at_shutdown() {
    let bench = bench();
    bench.accepted().await;
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let relay = Relay::new(bench.clock.clone());
    let (store, queue, events) = (
        bench.store.clone(),
        bench.queue.clone(),
        bench.events.clone(),
    );
    soon(
        "the relay's end",
        relay.run(store, queue, events, TERMS, shutdown),
    )
    .await;
    assert_eq!(bench.waiting(Topic::Jobs).await, 1);
}
