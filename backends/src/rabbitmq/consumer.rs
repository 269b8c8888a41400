//! Deliveries on their way from the broker to whoever claims.
//!
//! The broker pushes, our callers pull. A process therefore consumes only while somebody claims, and
//! gives back what came for nobody: messages must not lie here while others wait for them.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use futures_util::StreamExt;
use lapin::{
    Channel, Connection, Consumer, Error,
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use retake_jobs::seams::{Delivery, QueueError, Tag, Topic};
use tokio::{sync::Notify, time::Instant};

use super::{
    link::timed_out,
    session::Session,
    topology::{Names, redeliveries},
};

/// Goes on consuming for this long after the last claim, because the next is probably near.
const LINGER: Duration = Duration::from_millis(100);
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

/// What has come in and is not claimed yet; it outlives the sessions.
pub(super) struct Arrived {
    topics: Mutex<[Waiting; 2]>,
    came: Notify,
    /// The number of claimants became zero, or was.
    interest: Notify,
}

struct Waiting {
    deliveries: VecDeque<Delivery>,
    claimants: usize,
    deserted_since: Instant,
}

impl Default for Arrived {
    fn default() -> Self {
        let waiting = || Waiting {
            deliveries: VecDeque::new(),
            claimants: 0,
            deserted_since: Instant::now(),
        };
        Self {
            topics: Mutex::new([waiting(), waiting()]),
            came: Notify::new(),
            interest: Notify::new(),
        }
    }
}

impl Arrived {
    /// Cancel-safe: a delivery is taken only together with returning it.
    pub async fn claim(&self, topic: Topic) -> Result<Delivery, QueueError> {
        let _claimant = Claimant::new(self, topic);
        loop {
            // Listen before looking.
            let came = self.came.notified();
            if let Some(delivery) = self.topics()[topic as usize].deliveries.pop_front() {
                return Ok(delivery);
            }
            came.await;
        }
    }

    pub fn clear(&self) {
        self.topics()
            .iter_mut()
            .for_each(|waiting| waiting.deliveries.clear());
    }

    fn push(&self, delivery: Delivery) {
        self.topics()[delivery.topic as usize]
            .deliveries
            .push_back(delivery);
        self.came.notify_waiters();
    }

    fn take_all(&self, topic: Topic) -> VecDeque<Delivery> {
        std::mem::take(&mut self.topics()[topic as usize].deliveries)
    }

    /// Somebody claims.
    async fn wanted(&self, topic: Topic) {
        loop {
            let interest = self.interest.notified();
            if self.topics()[topic as usize].claimants > 0 {
                return;
            }
            interest.await;
        }
    }

    /// Nobody has claimed for a while.
    async fn deserted(&self, topic: Topic) {
        loop {
            let interest = self.interest.notified();
            let (claimants, since) = {
                let topics = self.topics();
                let waiting = &topics[topic as usize];
                (waiting.claimants, waiting.deserted_since)
            };
            if claimants > 0 {
                interest.await;
            } else if since.elapsed() >= LINGER {
                return;
            } else {
                tokio::time::sleep_until(since + LINGER).await;
            }
        }
    }

    fn topics(&self) -> MutexGuard<'_, [Waiting; 2]> {
        self.topics.lock().expect("no panic while held")
    }
}

struct Claimant<'a> {
    arrived: &'a Arrived,
    topic: Topic,
}

impl<'a> Claimant<'a> {
    fn new(arrived: &'a Arrived, topic: Topic) -> Self {
        arrived.topics()[topic as usize].claimants += 1;
        arrived.interest.notify_waiters();
        Self { arrived, topic }
    }
}

impl Drop for Claimant<'_> {
    fn drop(&mut self) {
        let mut topics = self.arrived.topics();
        let waiting = &mut topics[self.topic as usize];
        waiting.claimants -= 1;
        if waiting.claimants == 0 {
            waiting.deserted_since = Instant::now();
            self.arrived.interest.notify_waiters();
        }
    }
}

/// Consumes both topics while they are wanted; ends with the first that fails.
pub(super) async fn consume(
    connection: &Connection,
    names: &Names,
    prefetch: u16,
    session: &Session,
    arrived: &Arrived,
) -> Error {
    let consume = async |topic| {
        let consumed = async {
            arrived.wanted(topic).await;
            let channel = connection.create_channel().await?;
            channel
                .basic_qos(prefetch, BasicQosOptions::default())
                .await?;
            loop {
                arrived.wanted(topic).await;
                consume_for_a_while(&channel, names.queue(topic), topic, session, arrived).await?;
            }
        };
        let Err::<std::convert::Infallible, Error>(error) = consumed.await;
        error
    };
    tokio::select! {
        error = consume(Topic::Jobs) => error,
        error = consume(Topic::Completions) => error,
    }
}

async fn consume_for_a_while(
    channel: &Channel,
    queue: &str,
    topic: Topic,
    session: &Session,
    arrived: &Arrived,
) -> Result<(), Error> {
    let options = BasicConsumeOptions::default();
    let mut consumer = channel
        .basic_consume(queue.into(), "".into(), options, FieldTable::default())
        .await?;
    loop {
        tokio::select! {
            delivery = consumer.next() => match delivery {
                Some(delivery) => arrived.push(in_hand(delivery?, topic, session)),
                // The broker ended it: the queue was deleted, or the channel timed out.
                None => return Err(timed_out("the consumer")),
            },
            () = arrived.deserted(topic) => break,
        }
    }
    let stopped = tokio::time::timeout(CANCEL_TIMEOUT, stop(channel, &mut consumer)).await;
    let late = stopped.unwrap_or_else(|_| Err(timed_out("a consumer's cancel")))?;
    let unclaimed = late
        .into_iter()
        .map(|delivery| in_hand(delivery, topic, session));
    for delivery in arrived.take_all(topic).into_iter().chain(unclaimed) {
        if let Tag::Amqp { delivery, .. } = delivery.tag {
            session.give_back(delivery).await;
        }
    }
    Ok(())
}

/// Ends the consumer, and returns what came until it did.
async fn stop(
    channel: &Channel,
    consumer: &mut Consumer,
) -> Result<Vec<lapin::message::Delivery>, Error> {
    channel
        .basic_cancel(consumer.tag(), BasicCancelOptions::default())
        .await?;
    let mut late = Vec::new();
    while let Some(delivery) = consumer.next().await {
        late.push(delivery?);
    }
    Ok(late)
}

fn in_hand(delivery: lapin::message::Delivery, topic: Topic, session: &Session) -> Delivery {
    let redeliveries = redeliveries(&delivery);
    let in_hand = session.hold(delivery.acker);
    Delivery {
        topic,
        body: delivery.data,
        redeliveries,
        tag: Tag::Amqp {
            session: session.number,
            delivery: in_hand,
        },
    }
}
