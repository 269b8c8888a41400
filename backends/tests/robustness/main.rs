//! What holds when things break: the broker, the process, the network between, the clock's patience.

#![allow(clippy::unwrap_used)]

mod announcing;
#[path = "../broker/mod.rs"]
mod broker;
mod durability;
mod faulty;
#[path = "../conformance/made.rs"]
mod made;
mod rabbitmq;
mod relay;
mod simulation;

use std::{future::Future, time::Duration};

/// Long enough for a slow machine; nothing waits for it when all is well.
const DEADLINE: Duration = Duration::from_secs(90);

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not happen within {DEADLINE:?}"))
}
