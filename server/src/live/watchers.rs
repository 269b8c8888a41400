//! Who watches events, and waking exactly them.
//!
//! One subscriber hears every announcement and wakes the streams of the owner it names: ten
//! thousand streams do not all wake for one event. A wake only says "look at the log"; several may
//! come as one, and none is lost, because a stream subscribes before it looks.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use retake_jobs::{
    id::{EventId, OwnerId},
    seams::{EventLog, Events, Wake},
};
use tokio::sync::{broadcast::error::RecvError, watch};

#[derive(Debug)]
pub struct Watchers {
    streams_max: usize,
    streams_per_owner_max: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    streams: usize,
    owners: HashMap<OwnerId, Owner>,
}

#[derive(Debug)]
struct Owner {
    streams: usize,
    wake: watch::Sender<()>,
}

/// One stream's place. Dropping it gives the place back.
#[derive(Debug)]
pub struct Watcher {
    watchers: Arc<Watchers>,
    owner: OwnerId,
    woken: watch::Receiver<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Crowded {
    #[error("you have {0} event streams open, and no more are allowed; close one")]
    Owner(usize),
    #[error("{0} event streams are open, and no more are allowed; try again later")]
    Everybody(usize),
}

impl Watchers {
    pub fn new(streams_max: usize, streams_per_owner_max: usize) -> Self {
        Self {
            streams_max,
            streams_per_owner_max,
            open: Mutex::default(),
        }
    }

    pub fn open(&self) -> usize {
        self.open.lock().expect("no panic while held").streams
    }

    /// From now on the watcher is woken; look at the log after this, not before.
    pub fn join(self: &Arc<Self>, owner: OwnerId) -> Result<Watcher, Crowded> {
        let mut open = self.open.lock().expect("no panic while held");
        if open.streams >= self.streams_max {
            return Err(Crowded::Everybody(self.streams_max));
        }
        let entry = open.owners.entry(owner).or_insert_with(|| Owner {
            streams: 0,
            wake: watch::Sender::new(()),
        });
        if entry.streams >= self.streams_per_owner_max {
            return Err(Crowded::Owner(self.streams_per_owner_max));
        }
        entry.streams += 1;
        let woken = entry.wake.subscribe();
        open.streams += 1;
        Ok(Watcher {
            watchers: self.clone(),
            owner,
            woken,
        })
    }

    fn wake(&self, whom: Wake) {
        let open = self.open.lock().expect("no panic while held");
        match whom {
            Wake::Owner(owner) => {
                if let Some(owner) = open.owners.get(&owner) {
                    owner.wake.send_replace(());
                }
            }
            Wake::All => open.owners.values().for_each(|owner| {
                owner.wake.send_replace(());
            }),
        }
    }

    /// Hears announcements for ever. Announcements may be lost: when the log has grown since it was
    /// last looked at, everybody is woken.
    pub async fn hear(&self, events: &dyn Events, log: &dyn EventLog, poll: Duration) {
        let mut announced = events.subscribe();
        let mut ticks = tokio::time::interval(poll);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut seen: Option<EventId> = None;
        // A closed channel is ready at once, for ever; from then on only the poll counts.
        let mut closed = false;
        loop {
            tokio::select! {
                wake = announced.recv(), if !closed => match wake {
                    Ok(wake) => self.wake(wake),
                    Err(RecvError::Lagged(_)) => self.wake(Wake::All),
                    Err(RecvError::Closed) => closed = true,
                },
                _ = ticks.tick() => match log.newest_event().await {
                    Ok(newest) => {
                        if seen.replace(newest) != Some(newest) {
                            self.wake(Wake::All);
                        }
                    }
                    Err(error) => {
                        tracing::warn!("cannot look at the event log: {error}");
                        seen = None;
                    }
                },
            }
        }
    }
}

impl Watcher {
    pub fn owner(&self) -> OwnerId {
        self.owner
    }

    /// Returns once woken since the last return.
    pub async fn woken(&mut self) {
        // Our own place keeps the sender.
        let _ = self.woken.changed().await;
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut open = self.watchers.open.lock().expect("no panic while held");
        open.streams -= 1;
        if let Some(owner) = open.owners.get_mut(&self.owner) {
            owner.streams -= 1;
            if owner.streams == 0 {
                open.owners.remove(&self.owner);
                if open.owners.len() < open.owners.capacity() / 8 {
                    open.owners.shrink_to_fit();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn both_limits_hold_and_a_dropped_watcher_gives_its_place_back() {
        let watchers = Arc::new(Watchers::new(3, 2));
        let (a, b) = (OwnerId::new(), OwnerId::new());
        let first = watchers.join(a).unwrap();
        let _second = watchers.join(a).unwrap();
        assert_eq!(watchers.join(a).unwrap_err(), Crowded::Owner(2));
        let _third = watchers.join(b).unwrap();
        assert_eq!(watchers.join(b).unwrap_err(), Crowded::Everybody(3));
        drop(first);
        assert!(watchers.join(a).is_ok());
        assert_eq!(watchers.open(), 2);
    }

    #[test]
    fn only_the_owner_named_is_woken_and_all_means_all() {
        let watchers = Arc::new(Watchers::new(9, 9));
        let (a, b) = (OwnerId::new(), OwnerId::new());
        let (mut for_a, mut for_b) = (watchers.join(a).unwrap(), watchers.join(b).unwrap());
        watchers.wake(Wake::Owner(a));
        watchers.wake(Wake::Owner(a));
        assert!(for_a.woken().now_or_never().is_some());
        assert!(
            for_a.woken().now_or_never().is_none(),
            "two wakes may come as one"
        );
        assert!(for_b.woken().now_or_never().is_none());
        watchers.wake(Wake::All);
        assert!(for_a.woken().now_or_never().is_some());
        assert!(for_b.woken().now_or_never().is_some());
    }
}
