//! News within one process.

use async_trait::async_trait;
use retake_jobs::{
    id::OwnerId,
    seams::{Events, Wake},
};
use tokio::sync::broadcast;

/// A subscriber that is this many wakes behind looks for itself instead.
const BACKLOG_MAX: usize = 1024;

#[derive(Clone)]
pub struct LocalEvents(broadcast::Sender<Wake>);

impl LocalEvents {
    pub fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG_MAX))
    }

    /// Nobody listening is no error.
    pub(crate) fn wake(&self, wake: Wake) {
        let _ = self.0.send(wake);
    }
}

impl Default for LocalEvents {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Events for LocalEvents {
    async fn announce(&self, owner: OwnerId) {
        self.wake(Wake::Owner(owner));
    }

    fn subscribe(&self) -> broadcast::Receiver<Wake> {
        self.0.subscribe()
    }
}
