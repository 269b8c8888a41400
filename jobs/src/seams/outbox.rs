//! What the relay sends.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{StoreError, Topic};
use crate::id::OwnerId;

/// Messages written with the rows they belong to, waiting to be sent. Sending twice is harmless.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Unsent messages that are due and were written before `written_before`, oldest first.
    async fn unsent(
        &self,
        written_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError>;

    async fn sent(&self, ids: &[i64]) -> Result<(), StoreError>;

    /// How many waiting jobs' messages were sent and due before then: so many the queue should hold.
    async fn sent_and_waiting(&self, due_before: Timestamp) -> Result<u64, StoreError>;

    /// Writes the messages of the oldest `count` of those again. Returns how many there were.
    async fn send_again(&self, count: u64, due_before: Timestamp) -> Result<usize, StoreError>;
}

#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    pub id: i64,
    pub topic: Topic,
    pub owner: OwnerId,
    pub body: Vec<u8>,
}
