//! The claims of `Records` about requests that come twice.

use jiff::SignedDuration;
use retake_jobs::{
    clock::Clock,
    id::OwnerId,
    idempotency::{Added, Answered, IdempotencyKey, Once},
    job::Job,
    recording::Recording,
    seams::StoreError,
};

use super::Bench;
use crate::{claims, made};

claims! { Bench on memory sqlite; [
    a_request_that_comes_again_is_answered_as_before_and_writes_nothing
    one_of_two_at_once_is_done
    a_key_is_its_owners
    a_key_that_made_a_job_is_told_apart_by_what_the_request_says
    a_key_is_forgotten_with_what_it_made_and_in_time
    what_was_not_accepted_leaves_no_key
] }

fn once(key: &str) -> Once {
    Once {
        key: IdempotencyKey::parse(key).unwrap(),
        fingerprint: [7; 32],
    }
}

fn made(bench: &Bench) -> (Recording, Job) {
    let recording = made::recording(bench.owner, bench.clock.now());
    let job = made::job(&recording, bench.clock.now());
    (recording, job)
}

async fn accept(bench: &Bench, once: &Once) -> (Recording, Job, Result<Added, StoreError>) {
    let (recording, job) = made(bench);
    let added = bench.b.accept(&recording, &job, Some(once)).await;
    (recording, job, added)
}

async fn count(bench: &Bench) -> (usize, usize) {
    let all = bench.listed().await;
    (all.len(), bench.unsent().await.len())
}

async fn a_request_that_comes_again_is_answered_as_before_and_writes_nothing(bench: Bench) {
    let once = once("one");
    let (recording, job) = made(&bench);
    let first = bench.a.accept(&recording, &job, Some(&once)).await.unwrap();
    let Added::Now(event) = first else {
        panic!("{first:?}");
    };
    let written = count(&bench).await;
    bench.pass(1);
    // What has become of the job since is not what was answered.
    bench
        .a
        .cancel(bench.owner, job.id)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let (_, _, again) = accept(&bench, &once).await;
    let answered = Answered {
        fingerprint: once.fingerprint,
        job: job.clone(),
        event,
    };
    assert_eq!(again.unwrap(), Added::Before(Box::new(answered.clone())));
    assert_eq!(
        bench.b.answered(bench.owner, &once.key).await.unwrap(),
        Some(answered)
    );
    assert_eq!(count(&bench).await.0, written.0);
}

async fn one_of_two_at_once_is_done(bench: Bench) {
    let once = once("race");
    let (left, right) = tokio::join!(accept(&bench, &once), accept(&bench, &once));
    let now = [&left.2, &right.2]
        .into_iter()
        .filter(|added| matches!(added, Ok(Added::Now(_))));
    assert_eq!(now.count(), 1, "{left:?} {right:?}");
    assert_eq!(count(&bench).await, (1, 1));
}

async fn a_key_is_its_owners(bench: Bench) {
    let once = once("mine");
    accept(&bench, &once).await.2.unwrap();
    let other = OwnerId::new();
    assert_eq!(bench.a.answered(other, &once.key).await.unwrap(), None);
    let recording = made::recording(other, bench.clock.now());
    let job = made::job(&recording, bench.clock.now());
    let added = bench.a.accept(&recording, &job, Some(&once)).await.unwrap();
    assert!(matches!(added, Added::Now(_)), "{added:?}");
}

async fn a_key_that_made_a_job_is_told_apart_by_what_the_request_says(bench: Bench) {
    let (recording, _) = bench.accepted().await;
    let job = || made::job(&recording, bench.clock.now());
    let first = once("job");
    let added = bench.a.add_job(&job(), Some(&first)).await.unwrap();
    assert!(matches!(added, Some(Added::Now(_))), "{added:?}");
    let other = Once {
        fingerprint: [8; 32],
        ..first.clone()
    };
    let added = bench.b.add_job(&job(), Some(&other)).await.unwrap();
    let Some(Added::Before(answered)) = added else {
        panic!("{added:?}");
    };
    assert_eq!(answered.fingerprint, first.fingerprint);
    let all = bench.a.recording(bench.owner, recording.id).await.unwrap();
    assert_eq!(all.unwrap().jobs.total(), 2);
}

async fn a_key_is_forgotten_with_what_it_made_and_in_time(bench: Bench) {
    let (first, second) = (once("deleted"), once("old"));
    let recording = accept(&bench, &first).await.0;
    accept(&bench, &second).await.2.unwrap();
    bench
        .a
        .delete_recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    let there = async |once: &Once| {
        let found = bench.a.answered(bench.owner, &once.key).await.unwrap();
        found.is_some()
    };
    assert!(!there(&first).await && there(&second).await);
    bench.pass(60);
    let forget = async |seconds| {
        let lifetime = SignedDuration::from_secs(seconds);
        bench.a.forget_answered(lifetime).await.unwrap();
    };
    forget(61).await;
    assert!(there(&second).await);
    forget(59).await;
    assert!(!there(&second).await);
}

async fn what_was_not_accepted_leaves_no_key(bench: Bench) {
    let (recording, job) = bench.accepted().await;
    let once = once("refused");
    let refused = bench.a.accept(&recording, &job, Some(&once)).await;
    refused.unwrap_err();
    let elsewhere = made(&bench).1;
    let added = bench.a.add_job(&elsewhere, Some(&once)).await.unwrap();
    assert_eq!(added, None);
    assert_eq!(
        bench.b.answered(bench.owner, &once.key).await.unwrap(),
        None
    );
}
