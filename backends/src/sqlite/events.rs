//! News across the processes that share the file: the writer's thread tells what was committed,
//! here or elsewhere, so that an announcement is only needed for what no event was written about.

use std::sync::Arc;

use async_trait::async_trait;
use retake_jobs::{
    id::OwnerId,
    seams::{Events, Wake},
};
use tokio::sync::broadcast;

use super::{Database, SqliteStore};

#[derive(Clone)]
pub struct SqliteEvents {
    database: Arc<Database>,
}

impl SqliteEvents {
    pub fn new(store: &SqliteStore) -> Self {
        Self {
            database: Arc::clone(&store.database),
        }
    }
}

#[async_trait]
impl Events for SqliteEvents {
    async fn announce(&self, owner: OwnerId) {
        self.database.news.events.wake(Wake::Owner(owner));
    }

    fn subscribe(&self) -> broadcast::Receiver<Wake> {
        self.database.news.events.subscribe()
    }
}
