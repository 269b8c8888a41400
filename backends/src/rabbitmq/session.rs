//! One connection's channels and the deliveries in hand. When anything in it fails it is broken as a
//! whole.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use lapin::{
    Acker, BasicProperties, Channel, Confirmation, Connection, ConnectionStatus,
    options::{
        BasicAckOptions, BasicNackOptions, BasicPublishOptions, ConfirmSelectOptions,
        QueueDeclareOptions,
    },
    types::FieldTable,
};
use retake_jobs::seams::QueueError;
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    consumer::{self, Arrived},
    link::{self, Run, timed_out},
    topology::Names,
};

/// An ack is only written to the socket; one that takes longer means that the socket is stuck.
const ACK_TIMEOUT: Duration = Duration::from_secs(5);
/// How often to look whether the broker has said that it takes nothing, while it is asked something.
const LOOK: Duration = Duration::from_millis(10);

pub(super) struct Session {
    pub number: u64,
    /// Knows whether the broker takes anything from us. A broker that is short of memory or disk says
    /// so to whoever publishes, and stops reading what it sends: nothing of this session gets there
    /// until it says that it is over, and nothing is lost.
    connection: ConnectionStatus,
    publisher: Channel,
    /// For questions: the broker closes a channel that asked for what is not there.
    inquirer: Channel,
    held: Mutex<HashMap<u64, Acker>>,
    next_delivery: AtomicU64,
    broken: CancellationToken,
}

/// Starts sessions for [`super::link`].
pub(super) struct Starter {
    pub names: Names,
    pub prefetch: u16,
    pub arrived: Arc<Arrived>,
    pub up: watch::Sender<Option<Arc<Session>>>,
}

#[async_trait]
impl Run for Starter {
    async fn run(
        &mut self,
        connection: &Connection,
        number: u64,
        ready: &mut (dyn FnMut() + Send),
    ) -> Result<(), lapin::Error> {
        let (publisher, inquirer) = link::set_up(async {
            let publisher = self.names.ensure(connection).await?;
            publisher
                .confirm_select(ConfirmSelectOptions::default())
                .await?;
            Ok((publisher, connection.create_channel().await?))
        })
        .await?;
        let session = Arc::new(Session {
            number,
            connection: connection.status().clone(),
            publisher,
            inquirer,
            held: Mutex::default(),
            next_delivery: AtomicU64::new(0),
            broken: CancellationToken::new(),
        });
        self.up.send_replace(Some(Arc::clone(&session)));
        ready();
        let consuming = consumer::consume(
            connection,
            &self.names,
            self.prefetch,
            &session,
            &self.arrived,
        );
        tokio::select! {
            () = session.broken.cancelled() => Err(timed_out("a call")),
            error = consuming => Err(error),
        }
    }

    fn ended(&mut self) {
        self.up.send_replace(None);
        // The broker gives them out again.
        self.arrived.clear();
    }
}

impl Session {
    /// Publishes and waits until the broker has stored it.
    pub async fn publish(
        &self,
        exchange: &str,
        routing_key: &str,
        body: &[u8],
        properties: BasicProperties,
        within: Duration,
    ) -> Result<(), QueueError> {
        self.check_blocked()?;
        // Mandatory: a message for which there is no queue comes back instead of vanishing.
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let publish = async {
            let publisher = &self.publisher;
            let confirm = publisher
                .basic_publish(
                    exchange.into(),
                    routing_key.into(),
                    options,
                    body,
                    properties,
                )
                .await?;
            confirm.await
        };
        match timeout(within, publish).await {
            Ok(Ok(Confirmation::Ack(None))) => Ok(()),
            Ok(Ok(Confirmation::Nack(_))) => Err(QueueError::Full),
            // The next session declares the queues again.
            Ok(Ok(Confirmation::Ack(Some(_)))) => Err(self.break_off("no queue takes the message")),
            Ok(Ok(Confirmation::NotRequested)) => Err(self.break_off("there was no confirm")),
            Ok(Err(error)) => Err(self.break_off(&error.to_string())),
            Err(_) => {
                self.check_blocked()?;
                Err(self.break_off("the confirm did not come in time"))
            }
        }
    }

    /// Takes a delivery in hand and gives it a number.
    pub fn hold(&self, acker: Acker) -> u64 {
        let number = self.next_delivery.fetch_add(1, Ordering::Relaxed);
        self.held().insert(number, acker);
        number
    }

    pub fn holds(&self, number: u64) -> bool {
        self.held().get(&number).is_some_and(Acker::usable)
    }

    pub async fn ack(&self, number: u64) -> Result<(), QueueError> {
        let acker = self.held().remove(&number).ok_or(QueueError::Stale)?;
        match timeout(ACK_TIMEOUT, acker.ack(BasicAckOptions::default())).await {
            Ok(Ok(true)) => Ok(()),
            // It is on its way; should the connection end before, it comes again.
            Err(_) if self.connection.blocked() => Ok(()),
            // lapin's word for an ack that comes too late is Ok(false).
            Ok(Ok(false) | Err(_)) | Err(_) => {
                self.break_off("an ack was not taken");
                Err(QueueError::Stale)
            }
        }
    }

    /// Back to the queue, for others to take.
    pub async fn give_back(&self, number: u64) {
        let Some(acker) = self.held().remove(&number) else {
            return;
        };
        let options = BasicNackOptions {
            requeue: true,
            ..BasicNackOptions::default()
        };
        match timeout(ACK_TIMEOUT, acker.nack(options)).await {
            Ok(Ok(true)) => {}
            Err(_) if self.connection.blocked() => {}
            Ok(Ok(false) | Err(_)) | Err(_) => {
                self.break_off("a message could not be given back");
            }
        }
    }

    /// Fails too while the broker takes no messages. It tells only those who publish, so that a message
    /// goes before the question, to no queue: the broker drops it, or says why it does not even do that.
    pub async fn waiting(&self, queue: &str) -> Result<u64, QueueError> {
        self.check_blocked()?;
        let asked = async {
            let nowhere = format!("{queue}.nowhere");
            let options = BasicPublishOptions::default();
            self.inquirer
                .basic_publish(
                    "".into(),
                    nowhere.into(),
                    options,
                    &[],
                    BasicProperties::default(),
                )
                .await?;
            let options = QueueDeclareOptions {
                passive: true,
                ..QueueDeclareOptions::durable()
            };
            self.inquirer
                .queue_declare(queue.into(), options, FieldTable::default())
                .await
        };
        let answer = tokio::select! {
            answer = timeout(ACK_TIMEOUT, asked) => answer,
            () = self.blocked() => Ok(Err(timed_out("the question"))),
        };
        self.check_blocked()?;
        match answer {
            Ok(Ok(queue)) => Ok(queue.message_count().into()),
            Ok(Err(error)) => Err(self.break_off(&error.to_string())),
            Err(_) => Err(self.break_off("the broker does not answer")),
        }
    }

    async fn blocked(&self) {
        while !self.connection.blocked() {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn check_blocked(&self) -> Result<(), QueueError> {
        if self.connection.blocked() {
            let why = "the broker is short of memory or disk";
            return Err(QueueError::Blocked(why.to_owned()));
        }
        Ok(())
    }

    pub async fn delete_topology(&self, names: &Names) -> Result<(), QueueError> {
        names
            .delete(&self.inquirer)
            .await
            .map_err(|error| self.break_off(&error.to_string()))
    }

    fn break_off(&self, why: &str) -> QueueError {
        self.broken.cancel();
        QueueError::Unavailable(why.to_owned())
    }

    fn held(&self) -> MutexGuard<'_, HashMap<u64, Acker>> {
        self.held.lock().expect("no panic while held")
    }
}
