//! News over RabbitMQ: every process has a queue of its own on a fan-out of hints, which go unconfirmed
//! and may be lost.
//!
//! Whoever sends a completion announces its owner, so that these hints say for each completion whose
//! it is. The completions themselves do not, and waking everybody for each would cost more.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection,
    message::Delivery,
    options::{BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use retake_jobs::{
    id::OwnerId,
    seams::{Events, Wake},
};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, broadcast, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::{
    RabbitAddress, RabbitOptions,
    link::{self, Run, timed_out},
    topology::{Names, is_refused},
};
use crate::memory::LocalEvents;

/// Announcements on their way out, and in a process's own queue; beyond them they are dropped.
const BACKLOG_MAX: usize = 4096;

pub struct RabbitEvents {
    local: LocalEvents,
    outgoing: mpsc::Sender<OwnerId>,
    _stop: DropGuard,
}

/// What is sent to the other processes.
#[derive(Debug, Serialize, Deserialize)]
struct Hint {
    owner: OwnerId,
    /// The process that announced it and has told its own subscribers already.
    from: Uuid,
}

impl RabbitEvents {
    /// Starts connecting and returns: a broker that is down is waited for. Needs a tokio runtime.
    pub fn connect(address: RabbitAddress, options: RabbitOptions) -> Self {
        let local = LocalEvents::new();
        let (outgoing, to_send) = mpsc::channel(BACKLOG_MAX);
        let stop = CancellationToken::new();
        let hints = Hints {
            names: Names::new(&options.prefix),
            local: local.clone(),
            to_send: Arc::new(Mutex::new(to_send)),
            process: Uuid::new_v4(),
        };
        let name = format!("{} events", options.connection_name);
        let tls = link::tls(&options.ca_pem);
        tokio::spawn(link::keep(address, tls, name, stop.clone(), hints));
        Self {
            local,
            outgoing,
            _stop: stop.drop_guard(),
        }
    }
}

#[async_trait]
impl Events for RabbitEvents {
    async fn announce(&self, owner: OwnerId) {
        self.local.wake(Wake::Owner(owner));
        let _ = self.outgoing.try_send(owner);
    }

    fn subscribe(&self) -> broadcast::Receiver<Wake> {
        self.local.subscribe()
    }
}

struct Hints {
    names: Names,
    local: LocalEvents,
    to_send: Arc<Mutex<mpsc::Receiver<OwnerId>>>,
    process: Uuid,
}

#[async_trait]
impl Run for Hints {
    async fn run(
        &mut self,
        connection: &Connection,
        _number: u64,
        ready: &mut (dyn FnMut() + Send),
    ) -> Result<(), lapin::Error> {
        let (channel, mut hints) = link::set_up(async {
            let channel = self.names.ensure_events(connection).await?;
            match self.own_queue(&channel).await {
                Ok(hints) => Ok((channel, Some(hints))),
                Err(error) if is_refused(&error) => {
                    tracing::warn!(
                        %error,
                        "the broker's user may have no queue of its own (configure ^amq\\.gen.*): \
                         news of other processes come only when the event log is looked at"
                    );
                    Ok((self.names.ensure_events(connection).await?, None))
                }
                Err(error) => Err(error),
            }
        })
        .await?;
        ready();
        // What was announced in the meantime went past us.
        self.local.wake(Wake::All);
        let mut to_send = self.to_send.lock().await;
        loop {
            tokio::select! {
                hint = next(&mut hints) => match hint {
                    Some(hint) => self.hear(&hint?.data),
                    None => return Err(timed_out("the consumer")),
                },
                Some(owner) = to_send.recv() => self.tell(&channel, owner).await?,
            }
        }
    }

    fn ended(&mut self) {}
}

/// Never, without a queue to hear.
async fn next(hints: &mut Option<lapin::Consumer>) -> Option<lapin::Result<Delivery>> {
    match hints {
        Some(hints) => hints.next().await,
        None => std::future::pending().await,
    }
}

impl Hints {
    async fn own_queue(&self, channel: &Channel) -> Result<lapin::Consumer, lapin::Error> {
        let mut arguments = FieldTable::default();
        let length_max = i32::try_from(BACKLOG_MAX).expect("a few thousand");
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(length_max));
        let options = QueueDeclareOptions {
            exclusive: true,
            ..QueueDeclareOptions::default()
        };
        let queue = channel.queue_declare("".into(), options, arguments).await?;
        let name = queue.name().clone();
        let exchange = self.names.events.as_str();
        channel
            .queue_bind(
                name.clone(),
                exchange.into(),
                "".into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await?;
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        channel
            .basic_consume(name, "".into(), options, FieldTable::default())
            .await
    }

    /// What does not parse is somebody else's.
    fn hear(&self, body: &[u8]) {
        match serde_json::from_slice::<Hint>(body) {
            Ok(hint) if hint.from != self.process => self.local.wake(Wake::Owner(hint.owner)),
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "a hint does not parse"),
        }
    }

    async fn tell(&self, channel: &Channel, owner: OwnerId) -> Result<(), lapin::Error> {
        let hint = Hint {
            owner,
            from: self.process,
        };
        let body = serde_json::to_vec(&hint).expect("plain data");
        channel
            .basic_publish(
                self.names.events.as_str().into(),
                "".into(),
                BasicPublishOptions::default(),
                &body,
                BasicProperties::default(),
            )
            .await?;
        Ok(())
    }
}
