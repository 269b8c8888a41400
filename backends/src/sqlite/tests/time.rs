//! Clocks that are set while jobs wait and run.

use retake_chain::problem::{Problem, ProblemKind};
use retake_jobs::{job::Blame, seams::Outbox};

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
