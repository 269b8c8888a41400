//! Clocks that are set while jobs wait and run.

use retake_chain::problem::{Problem, ProblemKind};
use retake_jobs::{
    id::SubmissionId,
    lease::Blame,
    seams::{Errands, Outbox, Submissions},
    submission::Submission,
};

use super::*;
use crate::sqlite::shared_clock::tests::Moved;

const WALL: i64 = 1_800_000_000;
const HOUR: i64 = 3_600;

/// A process of its own, by this machine's clocks.
fn process(bench: &Bench, machine: &Arc<Moved>) -> SqliteStore {
    let path = bench.folder.path().join("retake.db");
    SqliteStore::open_on(path, SqliteOptions::default(), machine.clone()).unwrap()
}

#[tokio::test]
async fn a_dead_workers_lease_ends_on_time_whatever_the_clock_was_set_to() {
    for set in [-HOUR, HOUR, -24 * HOUR] {
        let bench = bench();
        let machine = Moved::new("this", 500, WALL);
        let worker = process(&bench, &machine);
        let (_, job) = bench.accepted(10).await;
        let claim = worker.claim(job.id, "w", TERMS).await.unwrap();
        assert!(matches!(claim, Claim::Won { .. }));
        machine.is_set(set);
        // Another process starts after that.
        let other = process(&bench, &machine);
        machine.passes(9);
        assert_eq!(other.sweep(TERMS).await.unwrap(), 0, "{set}: it still runs");
        machine.passes(3);
        assert_eq!(other.sweep(TERMS).await.unwrap(), 1, "{set}: it is over");
    }
}

#[tokio::test]
async fn a_job_that_was_given_back_waits_its_pause_whatever_the_clock_was_set_to() {
    for set in [-HOUR, HOUR] {
        let bench = bench();
        let machine = Moved::new("this", 500, WALL);
        let store = process(&bench, &machine);
        let (_, job) = bench.accepted(10).await;
        let Claim::Won { attempt, .. } = store.claim(job.id, "w", TERMS).await.unwrap() else {
            panic!("it waits")
        };
        let all = async || store.unsent(Timestamp::MAX, 10).await.unwrap();
        let first: Vec<_> = all().await.iter().map(|row| row.id).collect();
        store.sent(&first).await.unwrap();
        let problem = Problem::new(ProblemKind::Unavailable, "a test");
        let pause = Duration::from_secs(5);
        let released = store
            .release(attempt, TERMS, pause, Blame::Job, problem)
            .await;
        released.unwrap().unwrap();
        machine.is_set(set);
        machine.passes(4);
        store.sweep(TERMS).await.unwrap();
        assert_eq!(all().await.len(), 0, "{set}");
        machine.passes(2);
        store.sweep(TERMS).await.unwrap();
        assert_eq!(all().await.len(), 1, "{set}");
    }
}

/// A recording with a job, by that process's clock, as a server accepts it.
async fn accepted_by(store: &SqliteStore, owner: OwnerId) -> RecordingId {
    let now = store.clock().now();
    let recording = Recording {
        id: RecordingId::new(now),
        owner,
        user_email: "ann@example.org".parse().unwrap(),
        file_name: None,
        content_type: "audio/wav".to_owned(),
        size_bytes: 10,
        sha256: "ab".repeat(32),
        created_at: now,
    };
    let blobs = SqliteBlobs::new(store);
    let key = BlobKey::Recording(recording.id);
    blobs.put(key, body(10), u64::MAX).await.unwrap();
    let chain = Chain { steps: Vec::new() };
    let job = Job::queued(recording.id, owner, chain, Format::Wav, now);
    store.accept(&recording, &job, None).await.unwrap();
    recording.id
}

#[tokio::test]
async fn what_comes_later_stands_later_whatever_the_clock_was_set_to() {
    let bench = bench();
    let machine = Moved::new("this", 500, WALL);
    let (mut accepted, mut submitted) = (Vec::new(), Vec::new());
    let mut store = process(&bench, &machine);
    for set in [0, -HOUR, 2 * HOUR, -24 * HOUR, 0] {
        machine.is_set(set);
        machine.passes(1);
        accepted.insert(0, accepted_by(&store, bench.owner).await);
        let now = store.clock().now();
        let submission = Submission::new(SubmissionId::new(now), "ab".repeat(32), 1, now);
        assert!(store.add_submission(&submission, 10).await.unwrap());
        submitted.push(submission.id);
        // The next is taken in by a process that starts only now.
        store = process(&bench, &machine);
    }
    let mut listed = Vec::new();
    let mut query = EntryQuery {
        limit: 2,
        ..EntryQuery::default()
    };
    loop {
        let page = store.recordings(bench.owner, &query).await.unwrap();
        listed.extend(page.items.iter().map(|found| found.recording.id));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(listed, accepted, "the newest first");
    for oldest in submitted {
        let (_, claimed): (_, Submission) = store.claim_errand("w", TERMS).await.unwrap().unwrap();
        assert_eq!(claimed.id, oldest);
    }
}

#[tokio::test]
async fn processes_follow_what_one_of_them_has_adjusted() {
    let bench = bench();
    let machine = Moved::new("this", 500, WALL);
    let (a, b) = (process(&bench, &machine), process(&bench, &machine));
    machine.is_set(HOUR);
    for _ in 0..10 {
        machine.passes(2);
        a.sweep(TERMS).await.unwrap();
        b.sweep(TERMS).await.unwrap();
        assert_eq!(a.clock().now(), b.clock().now());
    }
    let gained = a.clock().now().as_second() - WALL - 20;
    assert_eq!(gained, 2, "a tenth");
}
