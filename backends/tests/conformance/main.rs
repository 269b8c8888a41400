//! What every backend of a trait must do: one list of claims per trait, run on each of them.

#![allow(clippy::unwrap_used)]

mod blobs;
#[path = "../broker/mod.rs"]
mod broker;
mod events;
mod made;
mod queue;
mod store;

use std::{future::Future, time::Duration};

/// Long enough for a slow machine; nothing waits for it when all is well.
const DEADLINE: Duration = Duration::from_secs(30);

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not happen within {DEADLINE:?}"))
}

/// Asks again and again until the answer is yes.
async fn eventually<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    soon(what, async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Makes a test of each claim for each backend.
macro_rules! claims {
    ($bench:ident on $($backend:ident)+ ; $list:tt) => {
        $(claims!(@backend $bench $backend $list);)+
    };
    (@backend $bench:ident $backend:ident [$($claim:ident)+]) => {
        mod $backend {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $claim() {
                    super::$claim(super::$bench::$backend().await).await;
                }
            )+
        }
    };
}
pub(crate) use claims;
