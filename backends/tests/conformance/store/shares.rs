//! The claims of `Shares`.

use jiff::SignedDuration;
use retake_jobs::{
    clock::Clock,
    id::{OwnerId, ShareId},
    job::Job,
    share::{Share, Shared},
};

use super::Bench;
use crate::claims;

claims! { Bench on memory sqlite; [
    a_share_is_found_by_its_token_only
    only_who_has_the_job_shares_it
    shares_are_listed_newest_first_page_by_page_to_their_owner
    a_share_that_was_removed_opens_nothing_and_only_its_owner_removes_it
    there_are_so_many_shares_and_no_more_and_expired_ones_make_room
    shares_go_with_their_recording
] }

fn of(bench: &Bench, job: &Job) -> Share {
    let now = bench.clock.now();
    Share {
        id: ShareId::new(now),
        owner: job.owner,
        recording: job.recording_id,
        job: job.id,
        may_download: true,
        created_at: now,
        expires_at: now + SignedDuration::from_hours(1),
    }
}

async fn add(bench: &Bench, job: &Job, token: u8) -> Share {
    let share = of(bench, job);
    let made = bench.a.add_share(&share, [token; 32], 10).await.unwrap();
    assert_eq!(made, Shared::Made);
    bench.clock.advance(SignedDuration::from_millis(1));
    share
}

async fn a_share_is_found_by_its_token_only(bench: Bench) {
    let (_, job) = bench.accepted().await;
    let share = add(&bench, &job, 1).await;
    assert_eq!(bench.b.share([1; 32]).await.unwrap(), Some(share));
    assert_eq!(bench.a.share([2; 32]).await.unwrap(), None);
}

async fn only_who_has_the_job_shares_it(bench: Bench) {
    let (_, job) = bench.accepted().await;
    let (_, other) = bench.accepted().await;
    let theirs = Share {
        owner: OwnerId::new(),
        ..of(&bench, &job)
    };
    let mixed = Share {
        recording: other.recording_id,
        ..of(&bench, &job)
    };
    for share in [theirs, mixed] {
        let made = bench.a.add_share(&share, [1; 32], 10).await.unwrap();
        assert_eq!(made, Shared::Gone);
    }
    assert_eq!(bench.a.share([1; 32]).await.unwrap(), None);
}

async fn shares_are_listed_newest_first_page_by_page_to_their_owner(bench: Bench) {
    let (_, job) = bench.accepted().await;
    let mut made = Vec::new();
    for token in 0..4 {
        made.push(add(&bench, &job, token).await);
    }
    made.reverse();
    let first = bench.b.shares(bench.owner, None, 3).await.unwrap();
    assert_eq!(first, made[..3]);
    let rest = bench.b.shares(bench.owner, Some(first[2].id), 3).await;
    assert_eq!(rest.unwrap(), made[3..]);
    assert_eq!(bench.b.shares(OwnerId::new(), None, 3).await.unwrap(), []);
}

async fn a_share_that_was_removed_opens_nothing_and_only_its_owner_removes_it(bench: Bench) {
    let (_, job) = bench.accepted().await;
    let share = add(&bench, &job, 1).await;
    assert!(
        !bench
            .b
            .remove_share(OwnerId::new(), share.id)
            .await
            .unwrap()
    );
    assert!(bench.a.share([1; 32]).await.unwrap().is_some());
    assert!(bench.b.remove_share(bench.owner, share.id).await.unwrap());
    assert_eq!(bench.a.share([1; 32]).await.unwrap(), None);
    assert!(!bench.b.remove_share(bench.owner, share.id).await.unwrap());
}

async fn there_are_so_many_shares_and_no_more_and_expired_ones_make_room(bench: Bench) {
    let (_, job) = bench.accepted().await;
    let add = async |token: u8| {
        let share = of(&bench, &job);
        bench.a.add_share(&share, [token; 32], 2).await.unwrap()
    };
    assert_eq!(add(1).await, Shared::Made);
    assert_eq!(add(2).await, Shared::Made);
    assert_eq!(add(3).await, Shared::TooMany);
    bench.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(add(4).await, Shared::Made);
    assert_eq!(bench.b.share([1; 32]).await.unwrap(), None);
    assert_eq!(bench.b.shares(bench.owner, None, 9).await.unwrap().len(), 1);
}

async fn shares_go_with_their_recording(bench: Bench) {
    let (recording, job) = bench.accepted().await;
    add(&bench, &job, 1).await;
    let deleted = bench.b.delete_recording(bench.owner, recording.id).await;
    assert!(deleted.unwrap().is_some());
    assert_eq!(bench.a.share([1; 32]).await.unwrap(), None);
    assert_eq!(bench.a.shares(bench.owner, None, 9).await.unwrap(), []);
}
