//! Webhooks as clients see them, and what their receivers are sent. A secret is in the answer that made it, and
//! in no other.

use jiff::Timestamp;
use retake_jobs::{
    event::{Event, EventKind},
    id::{DeliveryId, EventId, JobId, WebhookId},
    webhook::{Delivery, DeliveryStatus, Disabled, Message, Receiver, Secrets, Tried, Webhook},
};
use retake_secrets::Secret;
use schemars::JsonSchema;
use serde::Serialize;

use super::{News, words};

const SECRET: &str = "^whsec_[A-Za-z0-9+/]{43}=$";

/// What a webhook may hear of.
#[derive(JsonSchema)]
#[allow(dead_code)] // only described
pub enum WebhookEvent {
    #[schemars(rename = "job.queued")]
    Queued,
    #[schemars(rename = "job.running")]
    Running,
    #[schemars(rename = "job.completed")]
    Completed,
    #[schemars(rename = "job.failed")]
    Failed,
    #[schemars(rename = "job.cancelled")]
    Cancelled,
    #[schemars(rename = "derivative.ready")]
    DerivativeReady,
    #[schemars(rename = "derivative.failed")]
    DerivativeFailed,
    #[schemars(rename = "recording.changed")]
    RecordingChanged,
    #[schemars(rename = "recording.deleted")]
    RecordingDeleted,
    #[schemars(rename = "recording.restored")]
    RecordingRestored,
}

/// What a test is called.
const PING: &str = "ping";

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Webhook")]
pub struct WebhookView {
    #[schemars(with = "words::Id")]
    id: WebhookId,
    #[schemars(extend("format" = "uri"))]
    url: String,
    #[schemars(with = "Vec<WebhookEvent>")]
    events: Vec<&'static str>,
    description: String,
    enabled: bool,
    /// Why and since when it hears nothing.
    disabled: Option<DisabledView>,
    #[schemars(with = "words::Time")]
    created_at: Timestamp,
    /// When a delivery last got through.
    #[schemars(with = "Option<words::Time>")]
    last_delivered_at: Option<Timestamp>,
    /// Until then messages are signed with the secret before, too.
    #[schemars(with = "Option<words::Time>")]
    previous_secret_until: Option<Timestamp>,
    /// Only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("pattern" = SECRET))]
    secret: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WebhookDisabled")]
struct DisabledView {
    /// `owner`: who has it said so; `gone`: the receiver answered 410; `failing`: a delivery failed at every attempt,
    /// and meanwhile no other got through; `crowded`: too many deliveries waited.
    #[schemars(with = "String", extend("enum" = ["owner", "gone", "failing", "crowded"]))]
    why: &'static str,
    #[schemars(with = "words::Time")]
    at: Timestamp,
}

impl WebhookView {
    pub fn new(webhook: &Webhook) -> Self {
        Self {
            id: webhook.id,
            url: webhook.url.expose().to_owned(),
            events: webhook.events.iter().map(|kind| kind.name()).collect(),
            description: webhook.description.clone(),
            enabled: webhook.disabled.is_none(),
            disabled: webhook.disabled.map(|Disabled { why, at }| DisabledView {
                why: why.name(),
                at,
            }),
            created_at: webhook.created_at,
            last_delivered_at: webhook.delivered_at,
            previous_secret_until: previous_until(&webhook.secrets),
            secret: None,
        }
    }

    /// Once: nobody can say it again.
    #[must_use]
    pub fn with_secret(mut self, secret: &Secret) -> Self {
        self.secret = Some(secret.expose().to_owned());
        self
    }
}

fn previous_until(secrets: &Secrets) -> Option<Timestamp> {
    secrets.previous.as_ref().map(|previous| previous.until)
}

/// What messages to jobs' `callback_url`s are signed with.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CallbackSecret")]
pub struct CallbackSecretView {
    /// In no other answer.
    #[schemars(with = "String", extend("pattern" = SECRET))]
    secret: String,
    /// Until then messages are signed with the secret before, too.
    #[schemars(with = "Option<words::Time>")]
    previous_secret_until: Option<Timestamp>,
}

impl CallbackSecretView {
    pub fn new(secret: &Secret, previous_secret_until: Option<Timestamp>) -> Self {
        Self {
            secret: secret.expose().to_owned(),
            previous_secret_until,
        }
    }
}

/// One message on its way to one receiver.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WebhookDelivery")]
pub struct DeliveryView {
    /// The message's `webhook-id`, the same at each attempt.
    #[schemars(with = "words::Id")]
    id: DeliveryId,
    /// The event's, or `ping`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Its place in the event stream; null for a test.
    #[schemars(with = "Option<i64>")]
    event_id: Option<EventId>,
    #[schemars(with = "Option<words::Id>")]
    job_id: Option<JobId>,
    #[schemars(with = "String", extend("enum" = ["waiting", "delivered", "failed"]))]
    status: &'static str,
    #[schemars(with = "words::Time")]
    created_at: Timestamp,
    #[schemars(with = "Option<words::Time>")]
    ended_at: Option<Timestamp>,
    /// While it waits.
    #[schemars(with = "Option<words::Time>")]
    next_attempt_at: Option<Timestamp>,
    /// The last 20, the newest last.
    attempts: Vec<AttemptView>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WebhookAttempt")]
struct AttemptView {
    #[schemars(with = "words::Time")]
    at: Timestamp,
    /// What the receiver answered; 2xx is a success, and a redirect is none.
    #[schemars(range(min = 100, max = 999))]
    status: Option<u16>,
    /// Why there was no answer.
    error: Option<String>,
    took_ms: u64,
}

impl DeliveryView {
    pub fn new(delivery: &Delivery) -> Self {
        let event = match &delivery.message {
            Message::Event(event) => Some(event),
            Message::Ping => None,
        };
        let waits = delivery.status == DeliveryStatus::Waiting;
        Self {
            id: delivery.id,
            kind: event.map_or(PING, |event| event.kind.name()),
            event_id: event.map(|event| event.id),
            job_id: event.and_then(Event::job).map(|job| job.id),
            status: delivery.status.name(),
            created_at: delivery.created_at,
            ended_at: delivery.ended_at,
            next_attempt_at: waits.then_some(delivery.due_at),
            attempts: delivery.attempts.iter().map(AttemptView::new).collect(),
        }
    }
}

impl AttemptView {
    fn new(tried: &Tried) -> Self {
        Self {
            at: tried.at,
            status: tried.status,
            error: tried.error.clone(),
            took_ms: tried.took_ms,
        }
    }
}

/// What a receiver is sent.
#[derive(Serialize, JsonSchema)]
pub struct WebhookMessage<'a> {
    /// The event's, or `ping`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// When it happened.
    #[schemars(with = "words::Time")]
    timestamp: Timestamp,
    data: MessageData<'a>,
}

/// As `data` in the event stream; of a test, what is tested.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant)] // there is one at a time
enum MessageData<'a> {
    News(News<'a>),
    Ping(PingData),
}

#[derive(Serialize, JsonSchema)]
struct PingData {
    #[schemars(with = "Option<words::Id>")]
    webhook_id: Option<WebhookId>,
}

impl<'a> WebhookMessage<'a> {
    pub fn new(base: &str, delivery: &'a Delivery) -> Self {
        let (kind, data) = match &delivery.message {
            Message::Event(event) => {
                let news = News::new(base, event);
                (event.kind.name(), MessageData::News(news))
            }
            Message::Ping => {
                let webhook_id = match delivery.to {
                    Receiver::Webhook(id) => Some(id),
                    Receiver::Callback(_) => None,
                };
                (PING, MessageData::Ping(PingData { webhook_id }))
            }
        };
        Self {
            kind,
            timestamp: delivery.created_at,
            data,
        }
    }
}

/// Those that a webhook may hear of.
pub fn told() -> impl Iterator<Item = EventKind> {
    let all = EventKind::ALL.into_iter();
    all.filter(|kind| retake_jobs::webhook::may_be_told(*kind))
}
