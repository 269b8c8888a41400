//! RabbitMQ: quorum queues, publisher confirms, manual acks, a delivery limit with a dead-letter queue.
//!
//! lapin's own recovery is not used: it can hang after a channel was closed by the broker. Instead a
//! [`link`] makes a session of connection and channels, and whatever goes wrong in it, an error, a
//! confirm that does not come, an ack that was not taken, ends the session as a whole; the next one
//! starts after a pause. Deliveries of an ended session are stale, and the broker gives them out again.

mod address;
mod consumer;
mod link;
mod session;
mod topology;

pub use address::{BadAddress, RabbitAddress};

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use retake_jobs::seams::{Delivery, Queue, QueueError, Tag, Topic};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::{consumer::Arrived, session::Session, topology::Names};

/// Everything about publishing, waiting for a connection included, is over by then.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RabbitOptions {
    /// Stands before the name of every queue and exchange.
    pub prefix: String,
    /// Messages of each topic that this process holds at once. A worker's is its number of jobs at a
    /// time: more would wait here while other workers are free.
    pub prefetch: u16,
    /// How the connection is called in the broker's lists.
    pub connection_name: String,
    /// Certificates (PEM) that are trusted beside the system's; empty for none.
    pub ca_pem: String,
}

impl Default for RabbitOptions {
    fn default() -> Self {
        Self {
            prefix: "retake".to_owned(),
            prefetch: 4,
            connection_name: "retake".to_owned(),
            ca_pem: String::new(),
        }
    }
}

pub struct RabbitQueue {
    names: Names,
    link: watch::Receiver<Option<Arc<Session>>>,
    arrived: Arc<Arrived>,
    _stop: DropGuard,
}

impl RabbitQueue {
    /// Starts connecting and returns: a broker that is down is waited for. Needs a tokio runtime.
    pub fn connect(address: RabbitAddress, options: RabbitOptions) -> Self {
        let names = Names::new(&options.prefix);
        let arrived = Arc::new(Arrived::default());
        let (up, link) = watch::channel(None);
        let stop = CancellationToken::new();
        let starter = session::Starter {
            names: names.clone(),
            prefetch: options.prefetch,
            arrived: Arc::clone(&arrived),
            up,
        };
        tokio::spawn(link::keep(
            address,
            link::tls(&options.ca_pem),
            options.connection_name,
            stop.clone(),
            starter,
        ));
        Self {
            names,
            link,
            arrived,
            _stop: stop.drop_guard(),
        }
    }

    /// Removes every queue and exchange of this prefix: for tests.
    pub async fn delete_topology(&self) -> Result<(), QueueError> {
        self.session()?.delete_topology(&self.names).await
    }

    fn session(&self) -> Result<Arc<Session>, QueueError> {
        self.link.borrow().clone().ok_or_else(no_connection)
    }

    /// The session a delivery came from, if it is still the current one.
    fn session_of(&self, delivery: &Delivery) -> Result<(Arc<Session>, u64), QueueError> {
        let Tag::Amqp {
            session: number,
            delivery: in_hand,
        } = delivery.tag
        else {
            return Err(QueueError::Stale);
        };
        match self.link.borrow().as_ref() {
            Some(session) if session.number == number => Ok((Arc::clone(session), in_hand)),
            _ => Err(QueueError::Stale),
        }
    }
}

fn no_connection() -> QueueError {
    QueueError::Unavailable("there is no connection to the broker".to_owned())
}

#[async_trait]
impl Queue for RabbitQueue {
    async fn publish(&self, topic: Topic, body: &[u8]) -> Result<(), QueueError> {
        let mut link = self.link.clone();
        let connected = async {
            let session = link.wait_for(Option::is_some).await.ok()?;
            session.clone()
        };
        let start = tokio::time::Instant::now();
        let session = match tokio::time::timeout(PUBLISH_TIMEOUT, connected).await {
            Ok(Some(session)) => session,
            Ok(None) | Err(_) => return Err(no_connection()),
        };
        let (exchange, routing_key) = self.names.route(topic);
        let left = PUBLISH_TIMEOUT
            .saturating_sub(start.elapsed())
            .max(PUBLISH_TIMEOUT / 5);
        session
            .publish(exchange, routing_key, body, topology::fresh(), left)
            .await
    }

    async fn claim(&self, topic: Topic) -> Result<Delivery, QueueError> {
        self.arrived.claim(topic).await
    }

    /// A delivery stays ours as long as the connection lives; the broker's consumer timeout cannot
    /// be extended. A job that outlives it is given out again, and its lease then keeps it ours.
    async fn extend(&self, delivery: &Delivery) -> Result<(), QueueError> {
        let (session, in_hand) = self.session_of(delivery)?;
        if session.holds(in_hand) {
            Ok(())
        } else {
            Err(QueueError::Stale)
        }
    }

    async fn ack(&self, delivery: Delivery) -> Result<(), QueueError> {
        let (session, in_hand) = self.session_of(&delivery)?;
        session.ack(in_hand).await
    }

    /// To a queue that nobody reads, from which the broker moves it back when its time has run out.
    /// There is one such queue for each of a few delays; the nearest is taken.
    async fn retry(&self, delivery: Delivery, delay: Duration) -> Result<(), QueueError> {
        let (session, in_hand) = self.session_of(&delivery)?;
        let queue = self.names.delayed(delivery.topic, delay);
        let headers = topology::again(delivery.redeliveries + 1);
        session
            .publish("", &queue, &delivery.body, headers, PUBLISH_TIMEOUT)
            .await?;
        // If this fails it comes twice, which is harmless.
        session.ack(in_hand).await
    }

    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<(), QueueError> {
        let (session, in_hand) = self.session_of(&delivery)?;
        let headers = topology::buried(delivery.topic, reason);
        let exchange = &self.names.dead;
        session
            .publish(exchange, "", &delivery.body, headers, PUBLISH_TIMEOUT)
            .await?;
        session.ack(in_hand).await
    }

    async fn waiting(&self, topic: Topic) -> Result<u64, QueueError> {
        self.session()?.waiting(self.names.queue(topic)).await
    }
}
