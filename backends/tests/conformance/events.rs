//! The claims of `Events`.

use std::{any::Any, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use retake_backends::{
    memory::LocalEvents,
    sqlite::{SqliteEvents, SqliteStore},
};
use retake_jobs::{
    clock::SystemClock,
    id::OwnerId,
    seams::{Records, SharedEvents, Wake},
};
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{claims, made, soon};

/// `a` and `b` are two processes' handles, where the backend can do that.
struct Bench {
    a: SharedEvents,
    b: SharedEvents,
    /// Makes something happen to an owner's job in `a`'s process, and announces it.
    happen: Box<dyn Fn(OwnerId) -> BoxFuture<'static, ()> + Send + Sync>,
    _keep: Box<dyn Any + Send + Sync>,
}

impl Bench {
    async fn local() -> Self {
        let events: SharedEvents = Arc::new(LocalEvents::new());
        let announcing = events.clone();
        let happen = move |owner| -> BoxFuture<'static, ()> {
            let events = announcing.clone();
            Box::pin(async move { events.announce(owner).await })
        };
        Self {
            a: events.clone(),
            b: events,
            happen: Box::new(happen),
            _keep: Box::new(()),
        }
    }

    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("retake.db");
        let store = SqliteStore::open(&path, Arc::new(SystemClock)).unwrap();
        let other = SqliteStore::open(&path, Arc::new(SystemClock)).unwrap();
        let a: SharedEvents = Arc::new(SqliteEvents::new(&store));
        let announcing = a.clone();
        let happen = move |owner| -> BoxFuture<'static, ()> {
            let (store, events) = (store.clone(), announcing.clone());
            Box::pin(async move {
                let recording = made::recording(owner, Timestamp::now());
                let job = made::job(&recording, Timestamp::now());
                store.accept(&recording, &job, None).await.unwrap();
                events.announce(owner).await;
            })
        };
        let b = Arc::new(SqliteEvents::new(&other));
        Self {
            a,
            b,
            happen: Box::new(happen),
            _keep: Box::new((folder, other)),
        }
    }
}

claims! { Bench on local sqlite; [
    what_happens_is_heard_in_the_same_process
    what_happens_is_heard_in_another_process
    a_subscriber_hears_only_what_comes_after
    a_subscriber_that_lags_is_told_so
] }

async fn hears(receiver: &mut broadcast::Receiver<Wake>, owner: OwnerId) {
    soon("the wake", async {
        loop {
            match receiver.recv().await.unwrap() {
                Wake::Owner(other) if other != owner => {}
                Wake::Owner(_) | Wake::All => return,
            }
        }
    })
    .await;
}

/// News may be lost, so a claim about hearing is one about hearing sooner or later.
async fn happens_until_heard(bench: &Bench, receiver: &mut broadcast::Receiver<Wake>) {
    let owner = OwnerId::new();
    soon("the wake", async {
        loop {
            (bench.happen)(owner).await;
            let heard = hears(receiver, owner);
            if tokio::time::timeout(Duration::from_secs(1), heard)
                .await
                .is_ok()
            {
                return;
            }
        }
    })
    .await;
}

async fn what_happens_is_heard_in_the_same_process(bench: Bench) {
    let mut receiver = bench.a.subscribe();
    let owner = OwnerId::new();
    (bench.happen)(owner).await;
    hears(&mut receiver, owner).await;
}

async fn what_happens_is_heard_in_another_process(bench: Bench) {
    let mut receiver = bench.b.subscribe();
    happens_until_heard(&bench, &mut receiver).await;
}

async fn a_subscriber_hears_only_what_comes_after(bench: Bench) {
    let before = OwnerId::new();
    bench.a.announce(before).await;
    let mut receiver = bench.a.subscribe();
    let after = OwnerId::new();
    bench.a.announce(after).await;
    assert_eq!(receiver.recv().await.unwrap(), Wake::Owner(after));
}

async fn a_subscriber_that_lags_is_told_so(bench: Bench) {
    let mut receiver = bench.a.subscribe();
    for _ in 0..5_000 {
        bench.a.announce(OwnerId::new()).await;
    }
    assert!(matches!(receiver.recv().await, Err(RecvError::Lagged(_))));
}
