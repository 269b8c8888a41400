//! The names of queues and exchanges, how they are declared, and the headers of messages.
//!
//! ```text
//! publish(Jobs) ─────────────────────────▶ queue jobs ─────┬─ claim
//! publish(Completions) ▶ fanout completions ▶ queue completions ┘
//! retry ▶ queue <topic>.retry.<delay>, which expires back into the topic's queue
//! bury, or delivered more than 20 times ▶ fanout dead ▶ queue dead
//! ```
//!
//! A queue that exists with other arguments cannot be declared again: new arguments need new names.
//!
//! A user who may not configure anything is content with what somebody else has declared: then each
//! name is only asked for, and bindings are taken for made. A message that no queue takes comes back.

use std::time::Duration;

use lapin::{
    BasicProperties, Channel, Connection, Error, ErrorKind, ExchangeKind, Result,
    message::Delivery,
    options::{
        ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions,
        QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};
use retake_jobs::seams::Topic;

/// Restarts of workers and of the broker count as deliveries too, so that it is generous: how often a
/// job is attempted is counted in its row.
const DELIVERIES_MAX: i32 = 20;
/// One queue each, because a queue's messages expire in order only.
const DELAYS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_secs(60),
];

/// Deliveries before the message was last published.
const REDELIVERIES: &str = "x-retake-redeliveries";
const TOPIC: &str = "x-retake-topic";
const REASON: &str = "x-retake-reason";
/// RabbitMQ's own, on quorum queues.
const DELIVERY_COUNT: &str = "x-delivery-count";

#[derive(Debug, Clone)]
pub(super) struct Names {
    jobs: String,
    pub completions: String,
    pub dead: String,
}

impl Names {
    pub fn new(prefix: &str) -> Self {
        Self {
            jobs: format!("{prefix}.jobs"),
            completions: format!("{prefix}.completions"),
            dead: format!("{prefix}.dead"),
        }
    }

    pub fn queue(&self, topic: Topic) -> &str {
        match topic {
            Topic::Jobs => &self.jobs,
            Topic::Completions => &self.completions,
        }
    }

    /// Exchange and routing key.
    pub fn route(&self, topic: Topic) -> (&str, &str) {
        match topic {
            Topic::Jobs => ("", &self.jobs),
            Topic::Completions => (&self.completions, ""),
        }
    }

    /// The queue whose delay is nearest.
    pub fn delayed(&self, topic: Topic, delay: Duration) -> String {
        let nearest = DELAYS.into_iter().min_by_key(|step| step.abs_diff(delay));
        self.delayed_by(topic, nearest.unwrap_or(DELAYS[0]))
    }

    fn delayed_by(&self, topic: Topic, delay: Duration) -> String {
        format!("{}.retry.{}s", self.queue(topic), delay.as_secs())
    }

    /// A channel on a connection where everything is there.
    pub async fn ensure(&self, connection: &Connection) -> Result<Channel> {
        let channel = connection.create_channel().await?;
        match self.declare(&channel).await {
            Ok(()) => Ok(channel),
            // The broker has closed the channel with its refusal.
            Err(error) if is_refused(&error) => {
                tracing::debug!(%error, "nothing may be declared; looking whether it is there");
                let channel = connection.create_channel().await?;
                self.find(&channel).await?;
                Ok(channel)
            }
            Err(error) => Err(error),
        }
    }

    async fn declare(&self, channel: &Channel) -> Result<()> {
        self.declare_fanout(channel, &self.dead).await?;
        declare_queue(channel, &self.dead, FieldTable::default()).await?;
        bind(channel, &self.dead, &self.dead).await?;
        self.declare_fanout(channel, &self.completions).await?;
        for topic in [Topic::Jobs, Topic::Completions] {
            let mut arguments = FieldTable::default();
            arguments.insert(
                "x-delivery-limit".into(),
                AMQPValue::LongInt(DELIVERIES_MAX),
            );
            arguments.insert("x-dead-letter-exchange".into(), text(&self.dead));
            declare_queue(channel, self.queue(topic), arguments).await?;
            for delay in DELAYS {
                self.declare_delayed(channel, topic, delay).await?;
            }
        }
        bind(channel, &self.completions, &self.completions).await
    }

    /// An error if something is not there.
    async fn find(&self, channel: &Channel) -> Result<()> {
        for exchange in [&self.dead, &self.completions] {
            find_fanout(channel, exchange).await?;
        }
        for queue in self.queues() {
            find_queue(channel, &queue).await?;
        }
        Ok(())
    }

    fn queues(&self) -> Vec<String> {
        let mut queues = vec![self.dead.clone()];
        for topic in [Topic::Jobs, Topic::Completions] {
            queues.push(self.queue(topic).to_owned());
            queues.extend(DELAYS.map(|delay| self.delayed_by(topic, delay)));
        }
        queues
    }

    /// Everything at once, for tests.
    pub async fn delete(&self, channel: &Channel) -> Result<()> {
        for queue in self.queues() {
            channel
                .queue_delete(queue.as_str().into(), QueueDeleteOptions::default())
                .await?;
        }
        for exchange in [&self.dead, &self.completions] {
            let options = ExchangeDeleteOptions::default();
            channel
                .exchange_delete(exchange.as_str().into(), options)
                .await?;
        }
        Ok(())
    }

    async fn declare_fanout(&self, channel: &Channel, name: &str) -> Result<()> {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        channel
            .exchange_declare(
                name.into(),
                ExchangeKind::Fanout,
                options,
                FieldTable::default(),
            )
            .await
    }

    async fn declare_delayed(
        &self,
        channel: &Channel,
        topic: Topic,
        delay: Duration,
    ) -> Result<()> {
        let millis = i32::try_from(delay.as_millis()).expect("delays are minutes at most");
        let mut arguments = FieldTable::default();
        arguments.insert("x-message-ttl".into(), AMQPValue::LongInt(millis));
        arguments.insert("x-dead-letter-exchange".into(), text(""));
        arguments.insert("x-dead-letter-routing-key".into(), text(self.queue(topic)));
        declare_queue(channel, &self.delayed_by(topic, delay), arguments).await
    }
}

/// Whether the broker's user may not do that.
pub(super) fn is_refused(error: &Error) -> bool {
    const ACCESS_REFUSED: u16 = 403;
    matches!(error.kind(), ErrorKind::ProtocolError(error) if error.get_id() == ACCESS_REFUSED)
}

async fn find_fanout(channel: &Channel, name: &str) -> Result<()> {
    let options = ExchangeDeclareOptions {
        passive: true,
        ..ExchangeDeclareOptions::default()
    };
    let kind = ExchangeKind::Fanout;
    channel
        .exchange_declare(name.into(), kind, options, FieldTable::default())
        .await
}

async fn find_queue(channel: &Channel, name: &str) -> Result<()> {
    let options = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::durable()
    };
    channel
        .queue_declare(name.into(), options, FieldTable::default())
        .await?;
    Ok(())
}

async fn declare_queue(channel: &Channel, name: &str, mut arguments: FieldTable) -> Result<()> {
    arguments.insert("x-queue-type".into(), text("quorum"));
    channel
        .queue_declare(name.into(), QueueDeclareOptions::durable(), arguments)
        .await?;
    Ok(())
}

async fn bind(channel: &Channel, queue: &str, exchange: &str) -> Result<()> {
    let options = QueueBindOptions::default();
    channel
        .queue_bind(
            queue.into(),
            exchange.into(),
            "".into(),
            options,
            FieldTable::default(),
        )
        .await
}

/// How often a message was delivered before, over all its stays in queues.
pub(super) fn redeliveries(delivery: &Delivery) -> u32 {
    let Some(headers) = delivery.properties.headers() else {
        return 0;
    };
    let count = |name: &str| match headers.inner().get(name) {
        Some(AMQPValue::LongLongInt(n)) => u32::try_from(*n).unwrap_or(0),
        Some(AMQPValue::LongInt(n)) => u32::try_from(*n).unwrap_or(0),
        Some(AMQPValue::LongUInt(n)) => *n,
        _ => 0,
    };
    count(REDELIVERIES).saturating_add(count(DELIVERY_COUNT))
}

pub(super) fn fresh() -> BasicProperties {
    with_headers(FieldTable::default())
}

pub(super) fn again(redeliveries: u32) -> BasicProperties {
    let mut headers = FieldTable::default();
    headers.insert(REDELIVERIES.into(), AMQPValue::LongUInt(redeliveries));
    with_headers(headers)
}

pub(super) fn buried(topic: Topic, reason: &str) -> BasicProperties {
    let mut headers = FieldTable::default();
    headers.insert(TOPIC.into(), text(topic.name()));
    headers.insert(REASON.into(), text(reason));
    with_headers(headers)
}

fn with_headers(headers: FieldTable) -> BasicProperties {
    const PERSISTENT: u8 = 2;
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/json".into())
        .with_headers(headers)
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_takes_the_nearest_delay() {
        let names = Names::new("p");
        for (millis, queue) in [
            (0, "p.jobs.retry.1s"),
            (1_200, "p.jobs.retry.1s"),
            (8_000, "p.jobs.retry.10s"),
            (50_000, "p.jobs.retry.60s"),
            (3_600_000, "p.jobs.retry.60s"),
        ] {
            assert_eq!(
                names.delayed(Topic::Jobs, Duration::from_millis(millis)),
                queue
            );
        }
    }
}
