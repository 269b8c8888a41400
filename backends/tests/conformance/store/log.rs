//! The claims of `EventLog` and `Outbox`.

use jiff::{SignedDuration, Timestamp};
use retake_jobs::{
    clock::Clock,
    id::{EventId, JobId},
    job::Status,
    seams::Progress,
};

use super::Bench;
use crate::{claims, made::TERMS};

claims! { Bench on memory sqlite; [
    events_replay_in_order_after_an_id
    event_ids_are_never_given_twice
    a_job_is_found_by_its_id_alone_for_those_who_spread_news
    events_are_forgotten_by_their_age_and_never_earlier
    sent_messages_do_not_come_again
] }

async fn events_replay_in_order_after_an_id(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    let mut seen = bench.a.newest_event().await.unwrap();
    for n in 1..=4_u8 {
        let progress = Progress {
            fraction: f32::from(n) / 4.0,
            step: None,
        };
        bench
            .a
            .extend(attempt, TERMS, &progress, true)
            .await
            .unwrap()
            .unwrap();
    }
    let mut fractions = Vec::new();
    loop {
        let page = bench.b.events(bench.owner, seen, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        seen = last.id;
        assert!(
            page.iter()
                .all(|event| event.is_of(job.id) && event.owner == bench.owner)
        );
        fractions.extend(page.iter().map(|event| event.job().unwrap().progress));
    }
    assert_eq!(fractions, [0.25, 0.5, 0.75, 1.0], "each as it was then");
    assert_eq!(bench.a.newest_event().await.unwrap(), seen);
}

async fn event_ids_are_never_given_twice(bench: Bench) {
    let (recording, ..) = bench.claimed().await;
    let newest = bench.a.newest_event().await.unwrap();
    bench
        .a
        .delete_recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    // That of the deletion.
    assert_eq!(bench.b.newest_event().await.unwrap().0, newest.0 + 1);
    bench.accepted().await;
    assert!(bench.b.newest_event().await.unwrap().0 > newest.0 + 1);
}

async fn a_job_is_found_by_its_id_alone_for_those_who_spread_news(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    let found = bench.b.job_now(job.id).await.unwrap().unwrap();
    assert_eq!((found.owner, found.attempt), (bench.owner, attempt.attempt));
    assert_eq!(
        bench
            .b
            .job_now(JobId::new(bench.clock.now()))
            .await
            .unwrap(),
        None
    );
}

async fn events_are_forgotten_by_their_age_and_never_earlier(bench: Bench) {
    const LIFETIME: SignedDuration = SignedDuration::from_hours(10);
    let forget = async || bench.a.forget_events(LIFETIME).await.unwrap();
    assert_eq!(forget().await, 0);
    assert_eq!(bench.b.forgotten_up_to().await.unwrap(), EventId(0));
    bench.accepted().await;
    let old = bench.a.newest_event().await.unwrap();
    forget().await;
    bench.pass(3_600);
    let (_, job) = bench.accepted().await;
    let young = bench.a.newest_event().await.unwrap();
    forget().await;
    bench.pass(9 * 3_600 - 1);
    assert_eq!(forget().await, 0, "nothing is ten hours old");
    assert_eq!(bench.kinds().await.len(), 2);
    bench.pass(1);
    assert_eq!(forget().await, 1);
    let left = bench.b.events(bench.owner, EventId(0), 10).await.unwrap();
    assert_eq!(left.iter().map(|e| e.id).collect::<Vec<_>>(), [young]);
    assert_eq!(bench.b.forgotten_up_to().await.unwrap(), old);
    assert_eq!(bench.a.newest_event().await.unwrap(), young);
    bench.pass(20 * 3_600);
    assert_eq!(forget().await, 1);
    assert_eq!(bench.b.forgotten_up_to().await.unwrap(), young);
    assert_eq!(bench.job(job.id).await.status, Status::Queued, "jobs stay");
}

async fn sent_messages_do_not_come_again(bench: Bench) {
    let before = bench.clock.now();
    bench.accepted().await;
    bench.pass(1);
    bench.accepted().await;
    assert_eq!(
        bench.a.unsent(before, 10).await.unwrap(),
        [],
        "written before, not at"
    );
    let old = bench.a.unsent(bench.clock.now(), 10).await.unwrap();
    let all = bench.unsent().await;
    assert_eq!((old.len(), all.len()), (1, 2));
    assert!(all[0].id < all[1].id && all[0] == old[0], "oldest first");
    assert_eq!(bench.a.unsent(Timestamp::MAX, 1).await.unwrap(), old);
    bench.b.sent(&[old[0].id]).await.unwrap();
    bench.b.sent(&[old[0].id]).await.unwrap();
    assert_eq!(bench.unsent().await, all[1..]);
}
