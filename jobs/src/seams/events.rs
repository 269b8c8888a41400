//! News for whoever is watching. Lossy on purpose: it only says that the event log has grown.

use std::sync::Arc;

use async_trait::async_trait;

use crate::id::OwnerId;

pub type SharedEvents = Arc<dyn Events>;

/// Somebody's event log may have grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    Owner(OwnerId),
    /// Something may have been missed; everybody looks.
    All,
}

#[async_trait]
pub trait Events: Send + Sync {
    /// Tells every process's subscribers. Never fails and never waits: what cannot be told is found
    /// by the subscribers' own safety poll.
    async fn announce(&self, owner: OwnerId);

    /// Hears what is announced from now on. A receiver that lags gets `Lagged` and then looks for
    /// itself, as for [`Wake::All`].
    fn subscribe(&self) -> tokio::sync::broadcast::Receiver<Wake>;
}
