//! The claims of `Queue`.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use retake_backends::{
    memory::MemoryQueue,
    rabbitmq::{RabbitOptions, RabbitQueue},
    sqlite::{DirectQueue, SqliteQueue, SqliteStore},
};
use retake_jobs::{
    clock::SystemClock,
    seams::{Delivery, Queue, QueueError, QueueLimits, SharedQueue, Topic},
};

use crate::{broker, claims, eventually, soon};

/// `a` and `b` are two processes' handles on the same queue, where the backend can do that.
struct Bench {
    a: SharedQueue,
    b: SharedQueue,
    _keep: Box<dyn std::any::Any + Send + Sync>,
}

const LIMITS: QueueLimits = QueueLimits {
    visibility: Duration::from_millis(400),
    messages_max: 500,
};

impl Bench {
    async fn memory() -> Self {
        let queue: SharedQueue = Arc::new(MemoryQueue::with_limits(LIMITS));
        Self {
            a: queue.clone(),
            b: queue,
            _keep: Box::new(()),
        }
    }

    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = || -> SharedQueue {
            let path = folder.path().join("retake.db");
            let store = SqliteStore::open(path, Arc::new(SystemClock)).unwrap();
            Arc::new(SqliteQueue::new(&store, LIMITS))
        };
        Self {
            a: open(),
            b: open(),
            _keep: Box::new(folder),
        }
    }

    /// What passes through it, beside the jobs that it finds in the store.
    async fn direct() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = || -> SharedQueue {
            let path = folder.path().join("retake.db");
            let store = SqliteStore::open(path, Arc::new(SystemClock)).unwrap();
            let carrier = Arc::new(SqliteQueue::new(&store, LIMITS));
            Arc::new(DirectQueue::over(&store, carrier, 4))
        };
        Self {
            a: open(),
            b: open(),
            _keep: Box::new(folder),
        }
    }

    async fn rabbitmq() -> Self {
        let address = broker::shared_address().await;
        // Many tests share the broker.
        let prefix = format!("retake-test-{}", uuid::Uuid::new_v4());
        let connect = || {
            let options = RabbitOptions {
                prefix: prefix.clone(),
                ..RabbitOptions::default()
            };
            Arc::new(RabbitQueue::connect(address.parse().unwrap(), options))
        };
        let (a, b) = (connect(), connect());
        let sweeper = Leftovers {
            queue: connect(),
            runtime: tokio::runtime::Handle::current(),
        };
        for queue in [&a, &b, &sweeper.queue] {
            eventually("the connection", || async {
                queue.waiting(Topic::Jobs).await.is_ok()
            })
            .await;
        }
        Self {
            a,
            b,
            _keep: Box::new(sweeper),
        }
    }
}

/// Deletes what the test declared.
struct Leftovers {
    queue: Arc<RabbitQueue>,
    runtime: tokio::runtime::Handle,
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        let (queue, runtime) = (self.queue.clone(), self.runtime.clone());
        tokio::task::block_in_place(|| runtime.block_on(queue.delete_topology())).unwrap();
    }
}

async fn claim(queue: &SharedQueue, topic: Topic) -> Delivery {
    soon("a delivery", queue.claim(topic)).await.unwrap()
}

fn text(delivery: &Delivery) -> String {
    String::from_utf8(delivery.body.clone()).unwrap()
}

/// The broker counts a little late.
async fn waiting_becomes(queue: &SharedQueue, topic: Topic, count: u64) {
    eventually("the count of waiting messages", || async {
        queue.waiting(topic).await == Ok(count)
    })
    .await;
}

claims! { Bench on memory sqlite direct rabbitmq; [
    a_published_message_is_delivered
    topics_do_not_mix
    a_claimed_message_is_not_given_to_a_second_claimant
    a_claim_waits_for_a_message
    an_acked_message_does_not_come_back
    a_retried_message_comes_back_after_its_delay
    a_buried_message_does_not_come_back
    dropping_a_claim_loses_no_message
    of_many_claimants_each_message_goes_to_one
    bodies_of_any_bytes_pass
] }

async fn a_published_message_is_delivered(bench: Bench) {
    bench.a.publish(Topic::Jobs, b"hello").await.unwrap();
    waiting_becomes(&bench.a, Topic::Jobs, 1).await;
    let delivery = claim(&bench.b, Topic::Jobs).await;
    assert_eq!(
        (text(&delivery).as_str(), delivery.redeliveries),
        ("hello", 0)
    );
    assert_eq!(delivery.topic, Topic::Jobs);
    bench.b.extend(&delivery).await.unwrap();
    bench.b.ack(delivery).await.unwrap();
    waiting_becomes(&bench.a, Topic::Jobs, 0).await;
}

async fn topics_do_not_mix(bench: Bench) {
    bench.a.publish(Topic::Completions, b"done").await.unwrap();
    bench.a.publish(Topic::Jobs, b"work").await.unwrap();
    assert_eq!(text(&claim(&bench.b, Topic::Jobs).await), "work");
    assert_eq!(text(&claim(&bench.b, Topic::Completions).await), "done");
}

async fn a_claimed_message_is_not_given_to_a_second_claimant(bench: Bench) {
    bench.a.publish(Topic::Jobs, b"first").await.unwrap();
    let first = claim(&bench.a, Topic::Jobs).await;
    bench.a.publish(Topic::Jobs, b"second").await.unwrap();
    let second = claim(&bench.b, Topic::Jobs).await;
    assert_eq!(
        (text(&first).as_str(), text(&second).as_str()),
        ("first", "second")
    );
    bench.a.ack(first).await.unwrap();
    bench.b.ack(second).await.unwrap();
}

async fn a_claim_waits_for_a_message(bench: Bench) {
    let mut waiting = Box::pin(bench.b.claim(Topic::Jobs));
    assert!(waiting.as_mut().now_or_never().is_none());
    bench.a.publish(Topic::Jobs, b"late").await.unwrap();
    let delivery = soon("the delivery", waiting).await.unwrap();
    assert_eq!(text(&delivery), "late");
}

async fn an_acked_message_does_not_come_back(bench: Bench) {
    bench.a.publish(Topic::Jobs, b"once").await.unwrap();
    let delivery = claim(&bench.a, Topic::Jobs).await;
    bench.a.ack(delivery).await.unwrap();
    bench.a.publish(Topic::Jobs, b"next").await.unwrap();
    assert_eq!(text(&claim(&bench.b, Topic::Jobs).await), "next");
}

async fn a_retried_message_comes_back_after_its_delay(bench: Bench) {
    bench.a.publish(Topic::Jobs, b"later").await.unwrap();
    let delivery = claim(&bench.b, Topic::Jobs).await;
    let (delay, start) = (Duration::from_secs(1), Instant::now());
    bench.b.retry(delivery, delay).await.unwrap();
    bench.a.publish(Topic::Jobs, b"now").await.unwrap();
    let first = claim(&bench.b, Topic::Jobs).await;
    assert_eq!(text(&first), "now", "the one that waits is no obstacle");
    bench.b.ack(first).await.unwrap();
    let again = claim(&bench.a, Topic::Jobs).await;
    assert_eq!(text(&again), "later");
    assert!(
        start.elapsed() >= delay - Duration::from_millis(50),
        "{:?}",
        start.elapsed()
    );
    assert!(again.redeliveries >= 1);
    bench.a.ack(again).await.unwrap();
}

async fn a_buried_message_does_not_come_back(bench: Bench) {
    bench.a.publish(Topic::Jobs, b"not JSON").await.unwrap();
    let delivery = claim(&bench.b, Topic::Jobs).await;
    bench.b.bury(delivery, "it does not parse").await.unwrap();
    bench.a.publish(Topic::Jobs, b"next").await.unwrap();
    assert_eq!(text(&claim(&bench.a, Topic::Jobs).await), "next");
}

async fn dropping_a_claim_loses_no_message(bench: Bench) {
    let published: BTreeSet<String> = (0..40).map(|n| format!("m{n}")).collect();
    let mut seen = BTreeSet::new();
    for body in &published {
        // Given up at every stage: while it looks, while it waits, with a message on its way.
        let mut given_up = Box::pin(bench.b.claim(Topic::Jobs));
        if let Some(delivery) = given_up.as_mut().now_or_never() {
            let delivery = delivery.unwrap();
            seen.insert(text(&delivery));
            bench.b.ack(delivery).await.unwrap();
        }
        bench.a.publish(Topic::Jobs, body.as_bytes()).await.unwrap();
        drop(given_up);
    }
    while seen.len() < published.len() {
        let delivery = claim(&bench.a, Topic::Jobs).await;
        seen.insert(text(&delivery));
        bench.a.ack(delivery).await.unwrap();
    }
    assert_eq!(seen, published);
}

async fn of_many_claimants_each_message_goes_to_one(bench: Bench) {
    const MESSAGES: usize = 200;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let claimants: Vec<_> = (0..6)
        .map(|n| {
            let queue = if n % 2 == 0 {
                bench.a.clone()
            } else {
                bench.b.clone()
            };
            let tell = tell.clone();
            tokio::spawn(async move {
                loop {
                    let delivery = queue.claim(Topic::Jobs).await.unwrap();
                    let body = text(&delivery);
                    queue.ack(delivery).await.unwrap();
                    tell.send(body).unwrap();
                }
            })
        })
        .collect();
    for n in 0..MESSAGES {
        bench
            .a
            .publish(Topic::Jobs, format!("m{n}").as_bytes())
            .await
            .unwrap();
    }
    let mut seen = BTreeSet::new();
    for _ in 0..MESSAGES {
        let body = soon("the next", told.recv()).await.unwrap();
        assert!(seen.insert(body.clone()), "{body} came twice");
    }
    waiting_becomes(&bench.a, Topic::Jobs, 0).await;
    for claimant in &claimants {
        claimant.abort();
    }
    for claimant in claimants {
        let ended = claimant.await;
        assert!(ended.is_err_and(|end| end.is_cancelled()));
    }
    assert!(told.try_recv().is_err(), "and no more");
}

async fn bodies_of_any_bytes_pass(bench: Bench) {
    for body in [Vec::new(), vec![0, 255, 10, 13], vec![7; 100_000]] {
        bench.a.publish(Topic::Jobs, &body).await.unwrap();
        let delivery = claim(&bench.b, Topic::Jobs).await;
        assert!(delivery.body == body);
        bench.b.ack(delivery).await.unwrap();
    }
}

/// What only queues without a broker's connections can show: their deliveries have a time limit.
mod timed {
    use super::*;

    claims! { Bench on memory sqlite; [
        an_unacked_message_comes_back
        a_delivery_that_ran_out_and_was_given_away_is_stale
        a_delivery_that_is_extended_stays_ours
        a_full_queue_refuses
    ] }

    async fn an_unacked_message_comes_back(bench: Bench) {
        bench.a.publish(Topic::Jobs, b"work").await.unwrap();
        drop(claim(&bench.a, Topic::Jobs).await);
        let again = claim(&bench.b, Topic::Jobs).await;
        assert_eq!((text(&again).as_str(), again.redeliveries), ("work", 1));
    }

    async fn a_delivery_that_ran_out_and_was_given_away_is_stale(bench: Bench) {
        bench.a.publish(Topic::Jobs, b"work").await.unwrap();
        let late = claim(&bench.a, Topic::Jobs).await;
        let again = claim(&bench.b, Topic::Jobs).await;
        assert_eq!(bench.a.extend(&late).await, Err(QueueError::Stale));
        assert_eq!(bench.a.ack(late).await, Err(QueueError::Stale));
        bench.b.ack(again).await.unwrap();
    }

    async fn a_delivery_that_is_extended_stays_ours(bench: Bench) {
        bench.a.publish(Topic::Jobs, b"work").await.unwrap();
        let start = Instant::now();
        let delivery = claim(&bench.a, Topic::Jobs).await;
        let mut other = Box::pin(bench.b.claim(Topic::Jobs));
        while start.elapsed() < LIMITS.visibility * 3 {
            bench.a.extend(&delivery).await.unwrap();
            let _ = tokio::time::timeout(LIMITS.visibility / 8, &mut other)
                .await
                .map(|_| panic!("it was given away"));
        }
        bench.a.ack(delivery).await.unwrap();
    }

    async fn a_full_queue_refuses(bench: Bench) {
        for _ in 0..LIMITS.messages_max {
            bench.a.publish(Topic::Jobs, b"x").await.unwrap();
        }
        assert_eq!(
            bench.b.publish(Topic::Jobs, b"x").await,
            Err(QueueError::Full)
        );
        bench.b.publish(Topic::Completions, b"x").await.unwrap();
        let delivery = claim(&bench.b, Topic::Jobs).await;
        bench.b.ack(delivery).await.unwrap();
        bench.a.publish(Topic::Jobs, b"x").await.unwrap();
    }
}
