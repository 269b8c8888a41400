//! Jobs that are found in the store, without a message.

use std::collections::BTreeSet;

use futures_util::FutureExt;
use retake_jobs::{
    clock::Clock,
    id::JobId,
    job::Blame,
    seams::{Delivery, Outbox, Queue, QueueLimits, Tag, Topic},
};

use super::*;

const RUNNING_MAX: u32 = 4;
const SOON: Duration = Duration::from_secs(20);

fn embedded(store: &SqliteStore) -> DirectQueue {
    let carrier = SqliteQueue::new(store, QueueLimits::default());
    DirectQueue::embedded(store, carrier, RUNNING_MAX)
}

/// Beside a queue that carries messages, and that queue.
fn over(store: &SqliteStore) -> (DirectQueue, Arc<SqliteQueue>) {
    let carrier = Arc::new(SqliteQueue::new(store, QueueLimits::default()));
    let direct = DirectQueue::over(store, carrier.clone(), RUNNING_MAX);
    (direct, carrier)
}

async fn found(queue: &DirectQueue) -> (JobId, Delivery) {
    let claim = queue.claim(Topic::Jobs);
    let delivery = tokio::time::timeout(SOON, claim).await.unwrap().unwrap();
    let Tag::Waiting { job } = delivery.tag else {
        panic!("{:?} came as a message", delivery.tag);
    };
    (job, delivery)
}

/// Long enough for whatever would be found.
async fn finds_nothing(queue: &DirectQueue) -> bool {
    let claim = queue.claim(Topic::Jobs);
    tokio::time::timeout(Duration::from_millis(300), claim)
        .await
        .is_err()
}

impl Bench {
    async fn claimed(&self, id: JobId) -> Attempt<Job> {
        match self.store.claim(id, "worker", TERMS).await.unwrap() {
            Claim::Won { attempt, .. } => attempt,
            other => panic!("{other:?}"),
        }
    }

    async fn unsent(&self, topic: Topic) -> usize {
        let rows = self.store.unsent(Timestamp::MAX, 100).await.unwrap();
        rows.iter().filter(|row| row.topic == topic).count()
    }

    async fn kept_back(&self) -> i64 {
        self.count("SELECT count(*) FROM outbox WHERE topic = 'jobs'")
            .await
    }
}

#[tokio::test]
async fn a_job_that_waits_is_found_without_a_message_and_one_that_runs_is_not() {
    let bench = bench();
    let queue = embedded(&bench.store);
    let (_, job) = bench.accepted(10).await;
    let (id, delivery) = found(&queue).await;
    assert_eq!(id, job.id);
    assert!(
        String::from_utf8(delivery.body.clone())
            .unwrap()
            .contains(&id.to_string())
    );
    bench.claimed(id).await;
    queue.ack(delivery).await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(finds_nothing(&queue).await);
}

#[tokio::test]
async fn of_many_that_look_each_finds_another_job() {
    let bench = bench();
    let mut queue = embedded(&bench.store);
    // However slow this machine is.
    queue.given_for = Duration::from_secs(600);
    let queue = Arc::new(queue);
    let looking: Vec<_> = (0..8)
        .map(|_| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { found(&queue).await.0 })
        })
        .collect();
    tokio::task::yield_now().await;
    let mut accepted = BTreeSet::new();
    for _ in 0..8 {
        accepted.insert(bench.accepted(10).await.1.id);
    }
    let mut got = BTreeSet::new();
    for looking in looking {
        got.insert(looking.await.unwrap());
    }
    assert_eq!(got, accepted);
}

#[tokio::test]
async fn a_job_that_was_given_and_not_claimed_is_found_again() {
    let bench = bench();
    let queue = embedded(&bench.store);
    let (_, job) = bench.accepted(10).await;
    assert_eq!(found(&queue).await.0, job.id);
    // Whoever took it has died.
    assert_eq!(found(&queue).await.0, job.id);
}

#[tokio::test]
async fn a_job_that_another_process_accepts_is_found() {
    let bench = bench();
    let path = bench.folder.path().join("retake.db");
    let other = SqliteStore::open(path, bench.clock.clone()).unwrap();
    let queue = Arc::new(embedded(&other));
    let looking = Arc::clone(&queue);
    let looking = tokio::spawn(async move { found(&looking).await.0 });
    let (_, job) = bench.accepted(10).await;
    assert_eq!(looking.await.unwrap(), job.id);
}

#[tokio::test]
async fn a_job_in_its_pause_is_left_alone_until_it_is_over() {
    let bench = bench();
    let queue = embedded(&bench.store);
    let (_, job) = bench.accepted(10).await;
    let attempt = bench.claimed(job.id).await;
    let pause = Duration::from_secs(5);
    let reason = retake_chain::problem::Problem::new(
        retake_chain::problem::ProblemKind::Unavailable,
        "not now",
    );
    let released = bench
        .store
        .release(attempt, TERMS, pause, Blame::Job, reason);
    released.await.unwrap().unwrap();
    assert!(finds_nothing(&queue).await);
    bench.clock.advance(SignedDuration::from_secs(5));
    assert_eq!(found(&queue).await.0, job.id);
}

#[tokio::test]
async fn an_owner_at_the_limit_waits_and_others_are_found() {
    let bench = bench();
    let queue = embedded(&bench.store);
    for _ in 0..RUNNING_MAX {
        let (_, job) = bench.accepted(10).await;
        bench.claimed(job.id).await;
    }
    bench.accepted(10).await;
    assert!(finds_nothing(&queue).await);
    let (recording, job) = bench.made();
    let other = OwnerId::new();
    let (mut recording, mut job) = (recording, job);
    (recording.owner, job.owner) = (other, other);
    let key = BlobKey::Recording(recording.id);
    bench.blobs.put(key, body(10), u64::MAX).await.unwrap();
    bench.store.accept(&recording, &job).await.unwrap();
    assert_eq!(found(&queue).await.0, job.id);
}

#[tokio::test]
async fn a_message_is_sent_only_for_a_job_that_nobody_has_taken_for_a_while() {
    let bench = bench();
    let (_direct, _) = over(&bench.store);
    let (_, taken) = bench.accepted(10).await;
    bench.accepted(10).await;
    assert_eq!(
        (bench.unsent(Topic::Jobs).await, bench.kept_back().await),
        (0, 2)
    );
    bench.claimed(taken.id).await;
    assert_eq!(bench.kept_back().await, 1);
    bench.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(bench.unsent(Topic::Jobs).await, 1);
}

#[tokio::test]
async fn what_is_kept_back_is_not_taken_for_lost() {
    let bench = bench();
    let (_direct, _) = over(&bench.store);
    let lost = async |bench: &Bench| {
        let now = bench.clock.now();
        bench.store.sent_and_waiting(now).await.unwrap()
    };
    bench.accepted(10).await;
    for _ in 0..8 {
        bench.clock.advance(SignedDuration::from_millis(500));
        assert_eq!(lost(&bench).await, 0);
    }
    let rows = bench.store.unsent(Timestamp::MAX, 10).await.unwrap();
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    bench.store.sent(&ids).await.unwrap();
    assert_eq!(lost(&bench).await, 1, "now the queue should hold it");
}

#[tokio::test]
async fn a_completion_is_not_kept_back() {
    let bench = bench();
    let (_direct, _) = over(&bench.store);
    let (_, job) = bench.accepted(10).await;
    bench.store.cancel(bench.owner, job.id).await.unwrap();
    assert_eq!(bench.unsent(Topic::Completions).await, 1);
    assert_eq!(bench.kept_back().await, 0, "nobody needs the job's message");
}

#[tokio::test]
async fn a_message_that_comes_for_a_job_which_no_longer_waits_is_acknowledged() {
    let bench = bench();
    let (queue, carrier) = over(&bench.store);
    let (_, running) = bench.accepted(10).await;
    let (_, waiting) = bench.accepted(10).await;
    let email = "ann@example.org".parse().unwrap();
    for job in [&running, &waiting] {
        let body = retake_jobs::job::changes::job_message(job, &email, bench.clock.now());
        carrier.publish(Topic::Jobs, &body).await.unwrap();
    }
    bench.claimed(running.id).await;
    let come = async |queue: &DirectQueue| {
        let claim = queue.claim(Topic::Jobs);
        tokio::time::timeout(SOON, claim).await.unwrap().unwrap()
    };
    // The other's message, or the other itself: whichever is looked at first.
    let delivery = come(&queue).await;
    assert!(String::from_utf8_lossy(&delivery.body).contains(&waiting.id.to_string()));
    bench.claimed(waiting.id).await;
    queue.ack(delivery).await.unwrap();
    assert!(finds_nothing(&queue).await);
    assert_eq!(bench.count("SELECT count(*) FROM messages").await, 0);
    assert!(carrier.claim(Topic::Jobs).now_or_never().is_none());
}

#[tokio::test]
async fn without_a_broker_no_job_is_carried_and_as_many_wait_as_there_are_jobs() {
    let bench = bench();
    let queue = embedded(&bench.store);
    for _ in 0..3 {
        bench.accepted(10).await;
    }
    bench.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(queue.waiting(Topic::Jobs).await, Ok(3));
    queue.publish(Topic::Jobs, b"{}").await.unwrap();
    assert_eq!(bench.count("SELECT count(*) FROM messages").await, 0);
    queue.publish(Topic::Completions, b"{}").await.unwrap();
    assert_eq!(queue.waiting(Topic::Completions).await, Ok(1));
}
