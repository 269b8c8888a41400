//! The claims of `EventLog` and `Outbox`.

use jiff::Timestamp;
use retake_jobs::{clock::Clock, id::JobId, seams::Progress};

use super::Bench;
use crate::{claims, made::TERMS};

claims! { Bench on memory sqlite; [
    events_replay_in_order_after_an_id
    event_ids_are_never_given_twice
    a_job_is_found_by_its_id_alone_for_those_who_spread_news
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
                .all(|event| event.job.id == job.id && event.job.owner == bench.owner)
        );
        fractions.extend(page.iter().map(|event| event.job.progress));
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
    assert_eq!(bench.b.newest_event().await.unwrap(), newest);
    bench.accepted().await;
    assert!(bench.b.newest_event().await.unwrap() > newest);
}

async fn a_job_is_found_by_its_id_alone_for_those_who_spread_news(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    let found = bench.b.job_now(job.id).await.unwrap().unwrap();
    assert_eq!((found.owner, found.attempt), (bench.owner, attempt.attempt));
    assert_eq!(bench.b.job_now(JobId::new()).await.unwrap(), None);
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
