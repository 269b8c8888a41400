//! Webhooks: whom to tell of what, and what each telling came to, as pure state machines. Whoever stores them
//! calls these within its transactions.
//!
//! A delivery is written in the transaction of its event, so that none is lost, and is leased while it is
//! being sent, so that of several servers one sends it. It may come twice all the same, when a server dies
//! after sending and before saying so: its id is what a receiver knows it by.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use retake_secrets::{Secret, SecretUrl};
use serde::{Deserialize, Serialize};

use crate::{
    event::{Event, EventKind},
    id::{DeliveryId, JobId, OwnerId, WebhookId},
    lease::{Attempt, Lease, LeaseLost, Leased},
};

/// Of a delivery's attempts, so many are remembered.
const ATTEMPTS_KEPT: usize = 20;
/// A receiver that asks for a longer pause is asked again after this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// A subscription: an address that hears of its owner's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub owner: OwnerId,
    /// What stands behind its host may be what opens the door there.
    pub url: SecretUrl,
    pub events: Vec<EventKind>,
    pub description: String,
    pub secrets: Secrets,
    pub created_at: Timestamp,
    pub disabled: Option<Disabled>,
    /// When a delivery last got through.
    pub delivered_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disabled {
    pub why: DisabledWhy,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledWhy {
    /// Its owner said so.
    Owner,
    /// The receiver answered 410.
    Gone,
    /// A delivery failed as often as it was tried, and meanwhile no other got through.
    Failing,
    /// Too many deliveries waited.
    Crowded,
}

impl DisabledWhy {
    pub const ALL: [Self; 4] = [Self::Owner, Self::Gone, Self::Failing, Self::Crowded];

    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Gone => "gone",
            Self::Failing => "failing",
            Self::Crowded => "crowded",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.name() == name)
    }
}

/// What a receiver knows us by. For a while after a change both are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    pub current: Secret,
    pub previous: Option<Previous>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    pub secret: Secret,
    pub until: Timestamp,
}

impl Secrets {
    pub fn new(current: Secret) -> Self {
        Self {
            current,
            previous: None,
        }
    }

    /// The one before is good until then. One before that is good no more.
    pub fn rotate(&mut self, next: Secret, until: Timestamp) {
        let secret = std::mem::replace(&mut self.current, next);
        self.previous = Some(Previous { secret, until });
    }

    /// Those to sign with, the newest first.
    pub fn good(&self, now: Timestamp) -> Vec<&Secret> {
        let previous = self.previous.as_ref().filter(|it| now < it.until);
        let previous = previous.map(|it| &it.secret);
        std::iter::once(&self.current).chain(previous).collect()
    }
}

/// What is to be different about a webhook.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub url: Option<SecretUrl>,
    pub events: Option<Vec<EventKind>>,
    pub description: Option<String>,
    pub enabled: Option<bool>,
    /// The next secret, and until when that of now is good.
    pub secret: Option<(Secret, Timestamp)>,
}

impl Webhook {
    pub fn change(&mut self, change: Change, now: Timestamp) {
        self.url = change.url.unwrap_or_else(|| self.url.clone());
        self.events = change.events.unwrap_or_else(|| self.events.clone());
        if let Some(description) = change.description {
            self.description = description;
        }
        if let Some((next, until)) = change.secret {
            self.secrets.rotate(next, until);
        }
        match change.enabled {
            Some(true) => self.disabled = None,
            Some(false) => self.disable(DisabledWhy::Owner, now),
            None => {}
        }
    }

    /// The first reason counts.
    pub fn disable(&mut self, why: DisabledWhy, at: Timestamp) {
        self.disabled.get_or_insert(Disabled { why, at });
    }

    pub fn wants(&self, kind: EventKind) -> bool {
        self.disabled.is_none() && self.events.contains(&kind)
    }
}

/// What webhooks may hear of: an event that every running job has every second is for whoever watches.
pub fn may_be_told(kind: EventKind) -> bool {
    kind != EventKind::Progress
}

/// What a job's own address hears of: its end.
pub fn ends_a_job(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Completed | EventKind::Failed | EventKind::Cancelled
    )
}

/// Whom a delivery goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Receiver {
    Webhook(WebhookId),
    /// The `callback_url` of a job.
    Callback(JobId),
}

#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // there are few at a time
pub enum Message {
    Event(Event),
    /// A test.
    Ping,
}

/// One message on its way to one receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The message's, the same each time it is sent.
    pub id: DeliveryId,
    pub owner: OwnerId,
    pub to: Receiver,
    pub message: Message,
    pub status: DeliveryStatus,
    /// Which attempt is under way or was last; 0 before the first.
    pub attempt: u32,
    pub lease: Option<Lease>,
    /// Those of the schedule that were made, since it was last begun.
    pub tries: u32,
    /// When it is to be sent; while it is being sent, when somebody else may.
    pub due_at: Timestamp,
    /// The newest last.
    pub attempts: Vec<Tried>,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    Waiting,
    Delivered,
    Failed,
}

impl DeliveryStatus {
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Failed];

    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    pub at: Timestamp,
    /// What the receiver answered, if it did.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
    pub took_ms: u64,
    /// What the receiver asked for.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

impl Tried {
    pub fn is_delivered(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }

    fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

/// When a delivery is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Longer than any attempt takes.
    pub lease: Duration,
    /// After each attempt but the last.
    pub pauses: Vec<Duration>,
}

/// What an attempt's end means for whom it was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    Again,
    /// It is not tried any more; the webhook should hear nothing more for that reason, unless another delivery
    /// got through since `tried_since`.
    Failed {
        disable: Option<DisabledWhy>,
        tried_since: Timestamp,
    },
}

impl Delivery {
    pub fn new(owner: OwnerId, to: Receiver, message: Message, now: Timestamp) -> Self {
        Self {
            id: DeliveryId::new(now),
            owner,
            to,
            message,
            status: DeliveryStatus::Waiting,
            attempt: 0,
            lease: None,
            tries: 0,
            due_at: now,
            attempts: Vec::new(),
            created_at: now,
            ended_at: None,
        }
    }

    /// The right to send it, if it is due and nobody sends it.
    pub fn claim(
        &mut self,
        server: &str,
        now: Timestamp,
        schedule: &Schedule,
    ) -> Option<Attempt<Self>> {
        if self.status != DeliveryStatus::Waiting || now < self.due_at {
            return None;
        }
        self.attempt += 1;
        let until = now.saturating_add(schedule.lease).unwrap_or(Timestamp::MAX);
        self.due_at = until;
        self.lease = Some(Lease {
            worker: server.to_owned(),
            until,
        });
        Some(Attempt {
            id: self.id,
            attempt: self.attempt,
        })
    }

    pub fn settle(
        &mut self,
        attempt: Attempt<Self>,
        tried: Tried,
        now: Timestamp,
        schedule: &Schedule,
    ) -> Result<Verdict, LeaseLost> {
        self.lease_of(attempt)?;
        self.lease = None;
        self.tries += 1;
        let first = self.attempts.len() + 1 - (self.tries as usize).min(self.attempts.len() + 1);
        let tried_since = self.attempts.get(first).unwrap_or(&tried).at;
        let verdict = match () {
            () if tried.is_delivered() => Verdict::Delivered,
            () if tried.is_gone() => Verdict::Failed {
                disable: Some(DisabledWhy::Gone),
                tried_since: now,
            },
            () => match self.pause(schedule, tried.retry_after) {
                Some(pause) => {
                    self.due_at = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
                    Verdict::Again
                }
                None => Verdict::Failed {
                    disable: (self.message != Message::Ping).then_some(DisabledWhy::Failing),
                    tried_since,
                },
            },
        };
        match verdict {
            Verdict::Delivered => self.end(DeliveryStatus::Delivered, now),
            Verdict::Failed { .. } => self.end(DeliveryStatus::Failed, now),
            Verdict::Again => {}
        }
        self.attempts.push(tried);
        let too_many = self.attempts.len().saturating_sub(ATTEMPTS_KEPT);
        self.attempts.drain(..too_many);
        Ok(verdict)
    }

    /// Before the next attempt, a little longer than said, so that many do not come at once; `None` if there
    /// is none. A test is not tried again: somebody waits for what comes of it.
    fn pause(&self, schedule: &Schedule, asked: Option<Duration>) -> Option<Duration> {
        if self.message == Message::Ping {
            return None;
        }
        let pause = schedule.pauses.get(self.tries as usize - 1)?;
        let pause = pause.mul_f64(rand::rng().random_range(1.0..=1.1));
        Some(pause.max(asked.unwrap_or_default().min(RETRY_AFTER_MAX)))
    }

    /// Nobody hears it any more: its webhook was disabled.
    pub fn give_up(&mut self, now: Timestamp) {
        if self.status == DeliveryStatus::Waiting {
            self.lease = None;
            self.end(DeliveryStatus::Failed, now);
        }
    }

    /// The same message again, from the schedule's beginning. Whoever sends it now sends it for nothing.
    pub fn replay(&mut self, now: Timestamp) {
        self.status = DeliveryStatus::Waiting;
        self.lease = None;
        self.tries = 0;
        self.due_at = now;
        self.ended_at = None;
    }

    fn end(&mut self, status: DeliveryStatus, now: Timestamp) {
        self.status = status;
        self.ended_at = Some(now);
    }
}

impl Leased for Delivery {
    type Id = DeliveryId;
    type Outcome = Tried;

    fn id(&self) -> DeliveryId {
        self.id
    }

    fn held(&mut self) -> (&mut u32, &mut Option<Lease>) {
        (&mut self.attempt, &mut self.lease)
    }
}

/// How long what has ended is remembered, and how many may wait for one webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    pub lifetime: SignedDuration,
    pub waiting_max: u64,
}

#[cfg(test)]
mod tests;
