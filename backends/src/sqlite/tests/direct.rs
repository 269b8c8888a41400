//! Jobs that are found in the store, without a message.

use std::collections::BTreeSet;

use futures_util::FutureExt;
use retake_jobs::{
    clock::Clock,
    id::JobId,
    lease::Blame,
    seams::{Outbox, Queue, QueueLimits, Tag, Topic},
};

use super::*;

const RUNNING_MAX: u32 = 8;
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

/// As a worker does: what the queue says is that some job may wait, and the claim finds which.
async fn taken(store: &SqliteStore, queue: &DirectQueue) -> JobId {
    loop {
        let delivery = queue.claim(Topic::Jobs).await.unwrap();
        assert_eq!(delivery.tag, Tag::Waiting, "no message");
        queue.ack(delivery).await.unwrap();
        let claimed = store.claim_next(None, "worker", TERMS, RUNNING_MAX);
        if let Claim::Won { job, .. } = claimed.await.unwrap() {
            return job.id;
        }
    }
}

async fn soon(taken: impl Future<Output = JobId>) -> JobId {
    tokio::time::timeout(SOON, taken).await.unwrap()
}

/// Long enough for whatever would be found.
async fn nothing(taken: impl Future<Output = JobId>) -> bool {
    tokio::time::timeout(Duration::from_millis(300), taken)
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
}

#[tokio::test]
async fn a_job_that_waits_is_found_without_a_message_and_one_that_runs_is_not() {
    let bench = bench();
    let queue = embedded(&bench.store);
    let (_, job) = bench.accepted(10).await;
    assert_eq!(soon(taken(&bench.store, &queue)).await, job.id);
    assert!(nothing(taken(&bench.store, &queue)).await);
}

#[tokio::test]
async fn of_many_that_look_each_finds_another_job() {
    let bench = bench();
    let queue = Arc::new(embedded(&bench.store));
    let looking: Vec<_> = (0..RUNNING_MAX)
        .map(|_| {
            let (store, queue) = (bench.store.clone(), Arc::clone(&queue));
            tokio::spawn(async move { soon(taken(&store, &queue)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let mut accepted = BTreeSet::new();
    for _ in 0..RUNNING_MAX {
        accepted.insert(bench.accepted(10).await.1.id);
    }
    let mut got = BTreeSet::new();
    for looking in looking {
        got.insert(looking.await.unwrap());
    }
    assert_eq!(got, accepted);
}

#[tokio::test]
async fn a_job_that_nobody_claimed_is_told_of_again() {
    let bench = bench();
    let queue = embedded(&bench.store);
    bench.accepted(10).await;
    for _ in 0..3 {
        // Whoever was told has died.
        let told = queue.claim(Topic::Jobs);
        let told = tokio::time::timeout(SOON, told).await.unwrap().unwrap();
        assert_eq!(told.tag, Tag::Waiting);
    }
}

#[tokio::test]
async fn a_job_that_another_process_accepts_is_found() {
    let bench = bench();
    let path = bench.folder.path().join("retake.db");
    let other = SqliteStore::open(path, bench.clock.clone()).unwrap();
    let queue = embedded(&other);
    let looking = tokio::spawn(async move { soon(taken(&other, &queue)).await });
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
    assert!(nothing(taken(&bench.store, &queue)).await);
    bench.clock.advance(SignedDuration::from_secs(5));
    assert_eq!(soon(taken(&bench.store, &queue)).await, job.id);
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
    assert!(nothing(taken(&bench.store, &queue)).await);
    let (recording, job) = bench.made();
    let other = OwnerId::new();
    let (mut recording, mut job) = (recording, job);
    (recording.owner, job.owner) = (other, other);
    let key = BlobKey::Recording(recording.id);
    bench.blobs.put(key, body(10), u64::MAX).await.unwrap();
    bench.store.accept(&recording, &job, None).await.unwrap();
    assert_eq!(soon(taken(&bench.store, &queue)).await, job.id);
}

#[tokio::test]
async fn a_message_is_written_only_for_a_job_that_nobody_has_taken_for_a_while() {
    let bench = bench();
    let (_direct, _) = over(&bench.store);
    let (_, taken) = bench.accepted(10).await;
    bench.accepted(10).await;
    assert_eq!(bench.unsent(Topic::Jobs).await, 0);
    bench.claimed(taken.id).await;
    bench.clock.advance(SignedDuration::from_secs(2));
    let due_before = bench.clock.now() - SignedDuration::from_secs(1);
    let lost = bench.store.sent_and_waiting(due_before).await.unwrap();
    assert_eq!(lost, 1, "the queue does not hold it");
    bench.store.send_again(lost, due_before).await.unwrap();
    assert_eq!(bench.unsent(Topic::Jobs).await, 1);
    let lost = bench.store.sent_and_waiting(due_before).await.unwrap();
    assert_eq!(lost, 0, "it is on its way");
}

#[tokio::test]
async fn a_completion_is_not_kept_back() {
    let bench = bench();
    let (_direct, _) = over(&bench.store);
    let (_, job) = bench.accepted(10).await;
    bench.store.cancel(bench.owner, job.id).await.unwrap();
    assert_eq!(bench.unsent(Topic::Completions).await, 1);
    assert_eq!(
        bench.unsent(Topic::Jobs).await,
        0,
        "nobody needs the job's message"
    );
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
    // Word of the other, or its message: whichever is looked at first.
    let delivery = come(&queue).await;
    let message = String::from_utf8_lossy(&delivery.body);
    assert!(delivery.tag == Tag::Waiting || message.contains(&waiting.id.to_string()));
    bench.claimed(waiting.id).await;
    queue.ack(delivery).await.unwrap();
    assert!(nothing(taken(&bench.store, &queue)).await);
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
