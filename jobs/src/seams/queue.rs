//! Messages between server and worker. A message is only a hint: lost and doubled ones are harmless,
//! because the job's row is the truth.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreError;

pub type SharedQueue = Arc<dyn Queue>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    Jobs,
    Completions,
}

impl Topic {
    pub fn name(self) -> &'static str {
        match self {
            Topic::Jobs => "jobs",
            Topic::Completions => "completions",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Topic::Jobs, Topic::Completions]
            .into_iter()
            .find(|topic| topic.name() == name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// Out of reach for now; the message may or may not have been stored. Try again.
    #[error("the queue is out of reach: {0}")]
    Unavailable(String),
    /// The backend can be reached and takes nothing in until it has memory or disk again. Whatever
    /// was under way may still be stored. Try again.
    #[error("the queue takes no messages: {0}")]
    Blocked(String),
    /// The delivery is no longer ours (connection lost, time ran out): it will come again, to
    /// whomever. Nothing to do.
    #[error("the delivery is stale")]
    Stale,
    /// More messages wait than the limit allows.
    #[error("the queue is full")]
    Full,
}

impl From<StoreError> for QueueError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// A message in hand. Dropping it without `ack`, `retry` or `bury` lets it come again once the
/// process or its connection is gone, or the delivery's own time is up.
#[derive(Debug)]
pub struct Delivery {
    pub topic: Topic,
    pub body: Vec<u8>,
    /// How often it was delivered before.
    pub redeliveries: u32,
    pub tag: Tag,
}

/// The backend's name for a delivery. Only the backend that made it takes it apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    Memory {
        id: u64,
        claim: u64,
    },
    Row {
        id: i64,
        claim: i64,
    },
    Amqp {
        session: u64,
        delivery: u64,
    },
    /// No message, and no body: the store says that some job waits.
    Waiting,
}

/// Of the queues that live in our own process or database; RabbitMQ's are the broker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// How long a delivery stays its claimant's without `extend`.
    pub visibility: Duration,
    /// Most messages of one topic, those in hand or delayed included.
    pub messages_max: u64,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            visibility: Duration::from_secs(60),
            messages_max: 1_000_000,
        }
    }
}

#[async_trait]
pub trait Queue: Send + Sync {
    /// Returns once the message is stored as safely as the backend can (RabbitMQ: publisher confirm
    /// of a quorum queue). Bounded in time.
    async fn publish(&self, topic: Topic, body: &[u8]) -> Result<(), QueueError>;

    /// Waits for the next message. Each goes to one claimant at a time. Survives a lost connection:
    /// it waits until there is one again. Cancel-safe: dropping the future loses no message.
    async fn claim(&self, topic: Topic) -> Result<Delivery, QueueError>;

    /// Keeps a delivery ours while the work goes on.
    async fn extend(&self, delivery: &Delivery) -> Result<(), QueueError>;

    /// Done with it.
    async fn ack(&self, delivery: Delivery) -> Result<(), QueueError>;

    /// Not now: it comes again after about `delay`.
    async fn retry(&self, delivery: Delivery, delay: Duration) -> Result<(), QueueError>;

    /// Never again: to the dead letters, for a person to look at.
    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<(), QueueError>;

    /// Whether the backend is reachable now, and how many messages wait.
    async fn waiting(&self, topic: Topic) -> Result<u64, QueueError>;
}
