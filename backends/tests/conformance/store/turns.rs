//! The claims of `Leases::claim_next`: whose turn it is.

use retake_jobs::{
    clock::Clock,
    id::{JobId, OwnerId},
    job::{ClaimRefused, Job},
    lease::{Attempt, Blame},
    seams::Claim,
};

use super::Bench;
use crate::{
    claims,
    made::{self, TERMS},
};

claims! { Bench on memory sqlite; [
    owners_take_turns_however_many_jobs_one_has
    who_has_fewer_running_comes_before_who_has_waited_longer
    who_has_all_they_may_have_running_is_passed_over_and_later_comes_again
    an_owners_own_jobs_keep_their_order_whatever_the_message_names
    a_job_that_is_not_due_is_nobodys_turn
    where_nobody_waits_a_hint_is_about_its_own_job
    whoever_has_no_hint_gets_the_job_whose_turn_it_is
] }

const MANY: u32 = 100;

async fn accepted(bench: &Bench, owner: OwnerId) -> Job {
    let recording = made::recording(owner, bench.clock.now());
    let job = made::job(&recording, bench.clock.now());
    bench.a.accept(&recording, &job, None).await.unwrap();
    bench.pass(1);
    job
}

async fn next(bench: &Bench, hint: JobId, running_max: u32) -> (Job, Attempt<Job>) {
    match bench
        .b
        .claim_next(Some(hint), "w1", TERMS, running_max)
        .await
    {
        Ok(Claim::Won { attempt, job, .. }) => (job, attempt),
        other => panic!("nothing was claimed: {other:?}"),
    }
}

async fn refused(bench: &Bench, hint: JobId, running_max: u32) -> ClaimRefused {
    match bench
        .b
        .claim_next(Some(hint), "w1", TERMS, running_max)
        .await
    {
        Ok(Claim::Refused(refused)) => refused,
        other => panic!("it was not refused: {other:?}"),
    }
}

async fn end(bench: &Bench, attempt: Attempt<Job>) {
    let settled = bench.a.settle(attempt, made::completed(1));
    settled.await.unwrap().unwrap();
}

async fn owners_take_turns_however_many_jobs_one_has(bench: Bench) {
    let owners = [OwnerId::new(), OwnerId::new(), OwnerId::new()];
    let mut messages = Vec::new();
    for (owner, count) in owners.into_iter().zip([20, 3, 3]) {
        for _ in 0..count {
            messages.push(accepted(&bench, owner).await.id);
        }
    }
    // One worker with one slot, and the messages as they came: twenty of the first owner first.
    let mut served = Vec::new();
    for hint in messages {
        let (job, attempt) = next(&bench, hint, MANY).await;
        served.push(owners.iter().position(|owner| *owner == job.owner).unwrap());
        bench.pass(1);
        end(&bench, attempt).await;
    }
    assert_eq!(served[..9], [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    assert_eq!(served[9..], [0; 17]);
}

async fn who_has_fewer_running_comes_before_who_has_waited_longer(bench: Bench) {
    let (a, b) = (OwnerId::new(), OwnerId::new());
    let hint = accepted(&bench, a).await.id;
    accepted(&bench, a).await;
    accepted(&bench, a).await;
    let (first, attempt) = next(&bench, hint, MANY).await;
    let (second, _) = next(&bench, hint, MANY).await;
    assert_eq!((first.owner, second.owner), (a, a));
    let of_b = accepted(&bench, b).await;
    accepted(&bench, b).await;
    assert_eq!(next(&bench, hint, MANY).await.0.id, of_b.id);
    end(&bench, attempt).await;
    // One each now, and b's began last.
    assert_eq!(next(&bench, hint, MANY).await.0.owner, a);
}

async fn who_has_all_they_may_have_running_is_passed_over_and_later_comes_again(bench: Bench) {
    let (a, b) = (OwnerId::new(), OwnerId::new());
    let hint = accepted(&bench, a).await.id;
    accepted(&bench, a).await;
    let third = accepted(&bench, a).await;
    let (_, attempt) = next(&bench, hint, 2).await;
    next(&bench, hint, 2).await;
    assert_eq!(refused(&bench, third.id, 2).await, ClaimRefused::NotNow);
    let of_b = accepted(&bench, b).await;
    assert_eq!(next(&bench, third.id, 2).await.0.id, of_b.id);
    assert_eq!(refused(&bench, third.id, 2).await, ClaimRefused::NotNow);
    end(&bench, attempt).await;
    assert_eq!(next(&bench, third.id, 2).await.0.id, third.id);
}

async fn an_owners_own_jobs_keep_their_order_whatever_the_message_names(bench: Bench) {
    let first = accepted(&bench, bench.owner).await;
    let second = accepted(&bench, bench.owner).await;
    assert_eq!(next(&bench, second.id, MANY).await.0.id, first.id);
    assert_eq!(next(&bench, first.id, MANY).await.0.id, second.id);
}

async fn a_job_that_is_not_due_is_nobodys_turn(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    let later = std::time::Duration::from_secs(30);
    let released = bench
        .a
        .release(attempt, TERMS, later, Blame::Job, made::problem());
    released.await.unwrap().unwrap();
    assert_eq!(refused(&bench, job.id, MANY).await, ClaimRefused::NotNow);
    bench.pass(30);
    assert_eq!(next(&bench, job.id, MANY).await.0.id, job.id);
}

async fn where_nobody_waits_a_hint_is_about_its_own_job(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    assert!(matches!(
        refused(&bench, job.id, MANY).await,
        ClaimRefused::Leased { .. }
    ));
    // Its lease is over, and nobody has swept yet.
    bench.pass(60);
    let (again, second) = next(&bench, job.id, 1).await;
    assert_eq!((again.id, second.attempt), (job.id, attempt.attempt + 1));
    let settled = bench.a.settle(second, made::completed(2));
    settled.await.unwrap().unwrap();
    assert_eq!(refused(&bench, job.id, MANY).await, ClaimRefused::Ended);
    let gone = bench
        .b
        .claim_next(Some(JobId::new(bench.clock.now())), "w1", TERMS, MANY)
        .await;
    assert_eq!(gone.unwrap(), Claim::Gone);
    let nothing = bench.b.claim_next(None, "w1", TERMS, MANY).await;
    assert_eq!(nothing.unwrap(), Claim::Gone);
}

async fn whoever_has_no_hint_gets_the_job_whose_turn_it_is(bench: Bench) {
    let (ann, bob) = (OwnerId::new(), OwnerId::new());
    let first = accepted(&bench, ann).await;
    accepted(&bench, ann).await;
    let others = accepted(&bench, bob).await;
    for expected in [first.id, others.id] {
        let claimed = bench.b.claim_next(None, "w1", TERMS, 1).await.unwrap();
        let Claim::Won { job, .. } = claimed else {
            panic!("{claimed:?}");
        };
        assert_eq!(job.id, expected);
    }
    let claimed = bench.b.claim_next(None, "w1", TERMS, 1).await.unwrap();
    assert_eq!(
        claimed,
        Claim::Gone,
        "each has one running, and may have one"
    );
}
