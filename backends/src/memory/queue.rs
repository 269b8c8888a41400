//! A queue in one process's memory, for tests and simulations.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use retake_jobs::seams::{Delivery, Queue, QueueError, QueueLimits, Tag, Topic};
use tokio::{sync::Notify, time::Instant};

#[derive(Default)]
pub struct MemoryQueue {
    limits: QueueLimits,
    messages: Mutex<Messages>,
    changed: Notify,
}

#[derive(Default)]
struct Messages {
    by_id: BTreeMap<u64, Message>,
    buried: Vec<(Topic, Vec<u8>, String)>,
    newest: u64,
}

struct Message {
    topic: Topic,
    body: Vec<u8>,
    /// In somebody's hands, or delayed, until then.
    visible_at: Instant,
    claim: u64,
    in_hand: bool,
    deliveries: u32,
}

impl MemoryQueue {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn with_limits(limits: QueueLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// The dead letters, oldest first: topic, body, reason.
    pub fn buried(&self) -> Vec<(Topic, Vec<u8>, String)> {
        self.messages().buried.clone()
    }

    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().expect("no panic while held")
    }

    /// The next message, or when to look again.
    fn try_claim(&self, topic: Topic) -> Result<Delivery, Option<Instant>> {
        let now = Instant::now();
        let mut messages = self.messages();
        let mine = messages
            .by_id
            .iter_mut()
            .filter(|(_, message)| message.topic == topic);
        let Some((id, message)) = mine.min_by_key(|(id, message)| (message.visible_at, **id))
        else {
            return Err(None);
        };
        if message.visible_at > now {
            return Err(Some(message.visible_at));
        }
        message.visible_at = now + self.limits.visibility;
        message.claim += 1;
        message.in_hand = true;
        message.deliveries += 1;
        Ok(Delivery {
            topic,
            body: message.body.clone(),
            redeliveries: message.deliveries - 1,
            tag: Tag::Memory {
                id: *id,
                claim: message.claim,
            },
        })
    }

    /// The message of a delivery that is still ours.
    fn held<T>(
        &self,
        delivery: &Delivery,
        then: impl FnOnce(&mut Messages, u64) -> T,
    ) -> Result<T, QueueError> {
        let Tag::Memory { id, claim } = delivery.tag else {
            return Err(QueueError::Stale);
        };
        let mut messages = self.messages();
        let ours = messages
            .by_id
            .get(&id)
            .is_some_and(|m| m.in_hand && m.claim == claim);
        if ours {
            Ok(then(&mut messages, id))
        } else {
            Err(QueueError::Stale)
        }
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn publish(&self, topic: Topic, body: &[u8]) -> Result<(), QueueError> {
        let mut messages = self.messages();
        let waiting = messages.by_id.values().filter(|m| m.topic == topic).count();
        if waiting as u64 >= self.limits.messages_max {
            return Err(QueueError::Full);
        }
        messages.newest += 1;
        let id = messages.newest;
        let message = Message {
            topic,
            body: body.to_vec(),
            visible_at: Instant::now(),
            claim: 0,
            in_hand: false,
            deliveries: 0,
        };
        messages.by_id.insert(id, message);
        drop(messages);
        self.changed.notify_waiters();
        Ok(())
    }

    async fn claim(&self, topic: Topic) -> Result<Delivery, QueueError> {
        loop {
            // Listen before looking.
            let changed = self.changed.notified();
            match self.try_claim(topic) {
                Ok(delivery) => return Ok(delivery),
                Err(None) => changed.await,
                Err(Some(then)) => {
                    let _ = tokio::time::timeout_at(then, changed).await;
                }
            }
        }
    }

    async fn extend(&self, delivery: &Delivery) -> Result<(), QueueError> {
        let until = Instant::now() + self.limits.visibility;
        self.held(delivery, |messages, id| {
            if let Some(message) = messages.by_id.get_mut(&id) {
                message.visible_at = until;
            }
        })
    }

    async fn ack(&self, delivery: Delivery) -> Result<(), QueueError> {
        self.held(&delivery, |messages, id| {
            messages.by_id.remove(&id);
        })
    }

    async fn retry(&self, delivery: Delivery, delay: Duration) -> Result<(), QueueError> {
        self.held(&delivery, |messages, id| {
            if let Some(message) = messages.by_id.get_mut(&id) {
                message.visible_at = Instant::now() + delay;
                message.in_hand = false;
            }
        })?;
        self.changed.notify_waiters();
        Ok(())
    }

    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<(), QueueError> {
        self.held(&delivery, |messages, id| {
            if let Some(message) = messages.by_id.remove(&id) {
                messages
                    .buried
                    .push((message.topic, message.body, reason.to_owned()));
            }
        })
    }

    async fn waiting(&self, topic: Topic) -> Result<u64, QueueError> {
        let now = Instant::now();
        let messages = self.messages();
        let ready = messages
            .by_id
            .values()
            .filter(|m| m.topic == topic && m.visible_at <= now);
        Ok(ready.count() as u64)
    }
}
