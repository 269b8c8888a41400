//! A queue that fails as it is told to.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use async_trait::async_trait;
use retake_backends::memory::MemoryQueue;
use retake_jobs::seams::{Delivery, Queue, QueueError, Topic};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing was stored.
    Refused,
    /// It was stored, and the confirm was lost.
    ConfirmLost,
    /// It was stored twice.
    Doubled,
    /// It was confirmed, and then lost with the broker's disk.
    Vanished,
    Full,
}

/// Each publish takes the next fault; when there are none left all goes well.
#[derive(Default)]
pub struct FaultyQueue {
    pub inner: MemoryQueue,
    faults: Mutex<VecDeque<Option<Fault>>>,
}

impl FaultyQueue {
    pub fn next_faults(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.faults.lock().unwrap().extend(faults);
    }

    pub fn heal(&self) {
        self.faults.lock().unwrap().clear();
    }
}

#[async_trait]
impl Queue for FaultyQueue {
    async fn publish(&self, topic: Topic, body: &[u8]) -> Result<(), QueueError> {
        let fault = self.faults.lock().unwrap().pop_front().flatten();
        let lost = || QueueError::Unavailable("a test".to_owned());
        match fault {
            None => self.inner.publish(topic, body).await,
            Some(Fault::Refused) => Err(lost()),
            Some(Fault::ConfirmLost) => {
                self.inner.publish(topic, body).await?;
                Err(lost())
            }
            Some(Fault::Doubled) => {
                self.inner.publish(topic, body).await?;
                self.inner.publish(topic, body).await
            }
            Some(Fault::Vanished) => Ok(()),
            Some(Fault::Full) => Err(QueueError::Full),
        }
    }

    async fn claim(&self, topic: Topic) -> Result<Delivery, QueueError> {
        self.inner.claim(topic).await
    }

    async fn extend(&self, delivery: &Delivery) -> Result<(), QueueError> {
        self.inner.extend(delivery).await
    }

    async fn ack(&self, delivery: Delivery) -> Result<(), QueueError> {
        self.inner.ack(delivery).await
    }

    async fn retry(&self, delivery: Delivery, delay: Duration) -> Result<(), QueueError> {
        self.inner.retry(delivery, delay).await
    }

    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<(), QueueError> {
        self.inner.bury(delivery, reason).await
    }

    async fn waiting(&self, topic: Topic) -> Result<u64, QueueError> {
        self.inner.waiting(topic).await
    }
}
