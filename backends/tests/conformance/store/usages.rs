//! The claims of `Usages`.

use jiff::SignedDuration;
use retake_jobs::{
    clock::Clock,
    id::OwnerId,
    usage::{Usage, day},
};

use super::Bench;
use crate::{claims, made};

claims! { Bench on memory sqlite; [
    what_is_handed_in_counts_and_stays_counted_when_it_is_deleted
    what_is_corrected_counts_each_time
    each_day_is_counted_on_its_own
] }

async fn usage(bench: &Bench, owner: OwnerId) -> Usage {
    let today = day(bench.clock.now());
    bench.b.usage(owner, today).await.unwrap()
}

async fn what_is_handed_in_counts_and_stays_counted_when_it_is_deleted(bench: Bench) {
    assert_eq!(usage(&bench, bench.owner).await, Usage::default());
    let (first, _) = bench.accepted().await;
    let (second, _) = bench.accepted().await;
    let bytes = first.size_bytes + second.size_bytes;
    assert_eq!(usage(&bench, bench.owner).await.bytes, bytes);
    bench
        .a
        .delete_recording(bench.owner, first.id)
        .await
        .unwrap();
    assert_eq!(usage(&bench, bench.owner).await.bytes, bytes);
    assert_eq!(usage(&bench, OwnerId::new()).await, Usage::default());
    // Another job of the same recording hands nothing in.
    let job = made::job(&second, bench.clock.now());
    bench.a.add_job(&job, None).await.unwrap().unwrap();
    assert_eq!(usage(&bench, bench.owner).await.bytes, bytes);
}

async fn what_is_corrected_counts_each_time(bench: Bench) {
    for times in 1..=2 {
        let (_, _, attempt) = bench.claimed().await;
        let length = made::correction(1).report.input.duration_ms;
        let settled = bench.a.settle(attempt, made::completed(attempt.attempt));
        settled.await.unwrap().unwrap();
        assert_eq!(usage(&bench, bench.owner).await.audio_ms, times * length);
    }
}

async fn each_day_is_counted_on_its_own(bench: Bench) {
    let (first, _) = bench.accepted().await;
    let before = day(bench.clock.now());
    bench.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(usage(&bench, bench.owner).await.bytes, 0);
    let (second, _) = bench.accepted().await;
    assert_eq!(usage(&bench, bench.owner).await.bytes, second.size_bytes);
    let yesterday = bench.b.usage(bench.owner, before).await.unwrap();
    assert_eq!(yesterday.bytes, first.size_bytes);
}
