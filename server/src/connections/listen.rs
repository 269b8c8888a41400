//! The accept loop: who gets a place, and who is told that there is none.
//!
//! Needs a bound listener; leaves nothing running when it returns. Stops when told: takes no new
//! connections, lets open requests end (event streams say goodbye by themselves), cuts those on which
//! nothing moves, and all that is left when the drain time is over.

use std::{sync::Arc, time::Duration};

use rustix::process::{Resource, getrlimit};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, ms},
    connections::{
        connection::{Door, note_panic},
        ebb::{self, Ebb},
    },
    front::Front,
};

/// After an accept failed (no file descriptors left, mostly) nothing gets better by asking at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// So many are told at once that they find no place; the others are closed without a word.
const REFUSALS_MAX: usize = 64;

pub async fn listen(listener: TcpListener, front: Front, stop: CancellationToken) {
    let door = Arc::new(Door::new(front));
    let places = Arc::new(Semaphore::new(places(&door.config)));
    let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
    let mut connections = JoinSet::new();
    let mut ebb = Ebb::default();

    loop {
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = connections.join_next(), if !connections.is_empty() => {
                note_panic(ended);
                if ebb.has_come(connections.len()) {
                    tokio::task::spawn_blocking(ebb::give_back);
                }
                continue;
            }
            accepted = listener.accept() => match accepted {
                Ok(connection) => connection,
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        if let Ok(place) = places.clone().try_acquire_owned() {
            let (door, stop) = (door.clone(), stop.clone());
            connections.spawn(async move {
                // Made in here: a future that is moved in lies in its task twice.
                door.serve(stream, peer, stop).await;
                drop(place);
            });
            ebb.has_come(connections.len());
            continue;
        }
        door.front.app.metrics.connection_refused();
        if let Ok(turn) = refusals.clone().try_acquire_owned() {
            let door = door.clone();
            connections.spawn(async move {
                door.refuse(stream).await;
                drop(turn);
            });
        }
    }

    drop(listener);
    tracing::info!(
        connections = connections.len(),
        "no longer listening; waiting for open requests"
    );
    let ended = async {
        while let Some(ended) = connections.join_next().await {
            note_panic(ended);
        }
    };
    let drain_ms = door.config.drain_ms;
    if tokio::time::timeout(ms(drain_ms), ended).await.is_err() {
        tracing::warn!(drain_ms, "some requests did not end in time and are cut");
    }
    connections.shutdown().await;
}

/// As many as are configured, if there are descriptors for them: whoever accepts all that come has
/// none left for the store and for the jobs of the same process.
fn places(config: &Config) -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let places = places_within(config, limit);
    if places < config.connections_max {
        tracing::warn!(
            descriptors = limit,
            connections_max = config.connections_max,
            "the process may have too few file descriptors; at most {places} connections are served"
        );
    }
    places
}

fn places_within(config: &Config, descriptors: usize) -> usize {
    let kept = config.descriptors_kept.min(descriptors / 2);
    let room = (descriptors - kept).max(1);
    config.connections_max.min(room).min(Semaphore::MAX_PERMITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_to_the_others() {
        let config = Config {
            connections_max: 1000,
            descriptors_kept: 256,
            ..Config::default()
        };
        for (descriptors, places) in [
            (usize::MAX, 1000),
            (1256, 1000),
            (1024, 768),
            (512, 256),
            (256, 128),
            (2, 1),
        ] {
            assert_eq!(places_within(&config, descriptors), places, "{descriptors}");
        }
    }
}
