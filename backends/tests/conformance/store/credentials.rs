//! The claims of `Credentials`.

use jiff::SignedDuration;
use retake_jobs::{
    clock::Clock,
    credential::{ApiKey, KeyName, Scope, Session},
    id::{ApiKeyId, OwnerId, SessionId},
};

use super::Bench;
use crate::claims;

claims! { Bench on memory sqlite; [
    a_session_is_found_by_its_token_only
    a_session_that_was_ended_opens_nothing_and_only_its_owner_ends_it
    a_code_opens_one_more_session_of_its_owners_once_and_in_time
    of_many_who_know_a_code_one_is_let_in
    an_owner_has_one_code
    a_key_is_found_by_its_secret_only
    keys_are_listed_newest_first_page_by_page
    a_revoked_key_stays_revoked_and_is_still_listed
    there_are_so_many_keys_and_no_more
    uses_are_noted
] }

fn key(bench: &Bench) -> ApiKey {
    let now = bench.clock.now();
    ApiKey {
        id: ApiKeyId::new(now),
        name: KeyName::parse("nightly build").unwrap(),
        scopes: [Scope::Recordings, Scope::PluginsPublish].into(),
        owner: OwnerId::new(),
        created_at: now,
        expires_at: Some(now + SignedDuration::from_hours(1)),
        used_at: None,
        revoked_at: None,
    }
}

async fn add(bench: &Bench, secret: u8) -> ApiKey {
    let key = key(bench);
    assert!(bench.a.add_api_key(&key, [secret; 32], 10).await.unwrap());
    key
}

async fn a_session_is_found_by_its_token_only(bench: Bench) {
    let session = bench.a.add_session([1; 32]).await.unwrap();
    let other = bench.b.add_session([2; 32]).await.unwrap();
    assert_ne!(session.owner, other.owner);
    assert_eq!(
        bench.b.session([1; 32]).await.unwrap(),
        Some(session.clone())
    );
    assert_eq!(bench.a.session([3; 32]).await.unwrap(), None);
    assert_eq!(bench.b.sessions(session.owner).await.unwrap(), [session]);
}

async fn a_session_that_was_ended_opens_nothing_and_only_its_owner_ends_it(bench: Bench) {
    let session = bench.a.add_session([1; 32]).await.unwrap();
    let (owner, id) = (session.owner, session.id);
    assert!(!bench.b.remove_session(OwnerId::new(), id).await.unwrap());
    assert_eq!(bench.a.session([1; 32]).await.unwrap(), Some(session));
    assert!(bench.b.remove_session(owner, id).await.unwrap());
    assert_eq!(bench.a.session([1; 32]).await.unwrap(), None);
    assert!(!bench.b.remove_session(owner, id).await.unwrap());
}

async fn by_code(bench: &Bench, token: u8, code: u8) -> Option<Session> {
    bench
        .b
        .add_session_by_code([token; 32], [code; 32])
        .await
        .unwrap()
}

async fn a_code_opens_one_more_session_of_its_owners_once_and_in_time(bench: Bench) {
    let first = bench.a.add_session([1; 32]).await.unwrap();
    let until = bench.clock.now() + SignedDuration::from_mins(10);
    bench.a.add_code(first.owner, [9; 32], until).await.unwrap();
    assert_eq!(by_code(&bench, 2, 8).await, None);
    bench.pass(1);
    let second = by_code(&bench, 2, 9).await.unwrap();
    assert_eq!((second.owner, second.id == first.id), (first.owner, false));
    assert_eq!(
        bench.a.session([2; 32]).await.unwrap(),
        Some(second.clone())
    );
    assert_eq!(
        bench.a.sessions(first.owner).await.unwrap(),
        [first.clone(), second]
    );
    assert_eq!(by_code(&bench, 3, 9).await, None);

    let until = bench.clock.now() + SignedDuration::from_mins(10);
    bench.a.add_code(first.owner, [7; 32], until).await.unwrap();
    bench.pass(600);
    assert_eq!(by_code(&bench, 4, 7).await, None);
}

async fn of_many_who_know_a_code_one_is_let_in(bench: Bench) {
    let owner = OwnerId::new();
    let until = bench.clock.now() + SignedDuration::from_mins(10);
    bench.a.add_code(owner, [9; 32], until).await.unwrap();
    let tries = (2..10).map(|token| by_code(&bench, token, 9));
    let let_in = futures_util::future::join_all(tries).await;
    assert_eq!(let_in.iter().flatten().count(), 1);
}

async fn an_owner_has_one_code(bench: Bench) {
    let owner = OwnerId::new();
    let until = bench.clock.now() + SignedDuration::from_mins(10);
    bench.a.add_code(owner, [1; 32], until).await.unwrap();
    bench.b.add_code(owner, [2; 32], until).await.unwrap();
    assert_eq!(by_code(&bench, 3, 1).await, None);
    assert!(by_code(&bench, 3, 2).await.is_some());
}

async fn a_key_is_found_by_its_secret_only(bench: Bench) {
    let key = add(&bench, 1).await;
    let other = add(&bench, 2).await;
    assert_eq!(bench.b.api_key([1; 32]).await.unwrap(), Some(key.clone()));
    assert_eq!(bench.b.api_key_by_id(other.id).await.unwrap(), Some(other));
    assert_eq!(bench.b.api_key([3; 32]).await.unwrap(), None);
    let unknown = ApiKeyId::new(bench.clock.now());
    assert_eq!(bench.b.api_key_by_id(unknown).await.unwrap(), None);
    assert_eq!(bench.b.revoke_api_key(unknown).await.unwrap(), None);
}

async fn keys_are_listed_newest_first_page_by_page(bench: Bench) {
    let mut keys = Vec::new();
    for secret in 0..5 {
        keys.insert(0, add(&bench, secret).await);
        bench.pass(1);
    }
    let first = bench.b.api_keys(None, 3).await.unwrap();
    assert_eq!(first, keys[..3]);
    let rest = bench.b.api_keys(Some(first[2].id), 3).await.unwrap();
    assert_eq!(rest, keys[3..]);
}

async fn a_revoked_key_stays_revoked_and_is_still_listed(bench: Bench) {
    let key = add(&bench, 1).await;
    assert!(key.opens(bench.clock.now()));
    bench.pass(1);
    let at = bench.clock.now();
    let revoked = bench.a.revoke_api_key(key.id).await.unwrap().unwrap();
    assert_eq!((revoked.revoked_at, revoked.opens(at)), (Some(at), false));
    bench.pass(1);
    let again = bench.b.revoke_api_key(key.id).await.unwrap();
    assert_eq!(again, Some(revoked.clone()));
    assert_eq!(
        bench.b.api_key([1; 32]).await.unwrap(),
        Some(revoked.clone())
    );
    assert_eq!(bench.b.api_keys(None, 9).await.unwrap(), [revoked]);
}

async fn there_are_so_many_keys_and_no_more(bench: Bench) {
    let add = async |secret: u8| {
        let key = key(&bench);
        let added = bench.b.add_api_key(&key, [secret; 32], 2).await.unwrap();
        bench.pass(1);
        (key.id, added)
    };
    let (first, _) = add(1).await;
    let (second, _) = add(2).await;
    let (third, added) = add(3).await;
    assert!(!added && bench.a.api_key_by_id(third).await.unwrap().is_none());
    // Revoked ones make room, and as many of them are remembered as there may be keys.
    for id in [first, second] {
        bench.a.revoke_api_key(id).await.unwrap().unwrap();
        bench.pass(1);
    }
    let (fourth, added) = add(4).await;
    assert!(added);
    let (fifth, added) = add(5).await;
    assert!(added);
    let listed: Vec<_> = bench.a.api_keys(None, 9).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|key| key.id).collect();
    assert_eq!(listed, [fifth, fourth, second]);
    bench.a.revoke_api_key(fourth).await.unwrap().unwrap();
    assert!(add(6).await.1);
    let listed = bench.a.api_keys(None, 9).await.unwrap();
    assert!(listed.iter().all(|key| key.id != first));
}

async fn uses_are_noted(bench: Bench) {
    let session = bench.a.add_session([1; 32]).await.unwrap();
    let key = add(&bench, 1).await;
    bench.pass(60);
    let at = bench.clock.now();
    bench.a.note_session_used(session.id, at).await.unwrap();
    bench.a.note_api_key_used(key.id, at).await.unwrap();
    let session = bench.b.session([1; 32]).await.unwrap();
    assert_eq!(session.map(|session| session.used_at), Some(at));
    let key = bench.b.api_key([1; 32]).await.unwrap();
    assert_eq!(key.and_then(|key| key.used_at), Some(at));
    // Of what is gone there is nothing to note.
    bench
        .a
        .note_session_used(SessionId::new(at), at)
        .await
        .unwrap();
    bench
        .a
        .note_api_key_used(ApiKeyId::new(at), at)
        .await
        .unwrap();
}
