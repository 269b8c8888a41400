//! Webhooks and what is on its way to them.

use async_trait::async_trait;
use jiff::Timestamp;
use retake_secrets::{Secret, SecretUrl};

use super::StoreError;
use crate::{
    id::{DeliveryId, OwnerId, WebhookId},
    lease::{Attempt, LeaseLost},
    webhook::{Change, Delivery, Keeping, Receiver, Schedule, Secrets, Tried, Webhook},
};

/// What is not the owner's is not there. Whatever writes an event writes the deliveries of it in the same
/// transaction, one for each of the owner's webhooks that wants it, and at a job's end one for its
/// `callback_url`.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// False: the owner has `webhooks_max`.
    async fn add_webhook(&self, webhook: &Webhook, webhooks_max: usize)
    -> Result<bool, StoreError>;

    /// Oldest first.
    async fn webhooks(&self, owner: OwnerId) -> Result<Vec<Webhook>, StoreError>;

    async fn webhook(&self, owner: OwnerId, id: WebhookId) -> Result<Option<Webhook>, StoreError>;

    /// Where that disables it, what waits for it is given up. `None`: no such webhook.
    async fn change_webhook(
        &self,
        owner: OwnerId,
        id: WebhookId,
        change: Change,
    ) -> Result<Option<Webhook>, StoreError>;

    /// With its deliveries. False: no such webhook.
    async fn remove_webhook(&self, owner: OwnerId, id: WebhookId) -> Result<bool, StoreError>;

    /// What the owner's `callback_url`s are signed with.
    async fn callback_secrets(&self, owner: OwnerId) -> Result<Option<Secrets>, StoreError>;

    /// The next one; the one before is good until then.
    async fn rotate_callback_secret(
        &self,
        owner: OwnerId,
        next: Secret,
        until: Timestamp,
    ) -> Result<(), StoreError>;

    /// Newest first, those before `before`, at most `limit`. `None`: the owner has no such webhook or job.
    async fn deliveries(
        &self,
        owner: OwnerId,
        to: Receiver,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Option<Vec<Delivery>>, StoreError>;

    async fn delivery(
        &self,
        owner: OwnerId,
        to: Receiver,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError>;

    /// A test for that webhook, also where it is disabled. `None`: no such webhook.
    async fn ping(&self, owner: OwnerId, id: WebhookId) -> Result<Option<Delivery>, StoreError>;

    /// The same message once more. `None`: no such delivery.
    async fn replay(
        &self,
        owner: OwnerId,
        to: Receiver,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError>;

    /// The right to send what is due, at most `limit`, the longest due first, and none of these owners'.
    async fn claim_deliveries(
        &self,
        server: &str,
        schedule: &Schedule,
        limit: usize,
        not_of: &[OwnerId],
    ) -> Result<Vec<Parcel>, StoreError>;

    /// Writes how it went, and does to the webhook what that means for it.
    async fn settle_delivery(
        &self,
        attempt: Attempt<Delivery>,
        tried: Tried,
        schedule: &Schedule,
    ) -> Result<Result<Settled, LeaseLost>, StoreError>;

    /// When the next one is due.
    async fn next_delivery(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Forgets what has ended long ago, and disables webhooks for which too much waits. Gives those.
    async fn sweep_deliveries(&self, keeping: Keeping) -> Result<Vec<WebhookId>, StoreError>;
}

/// What is to be sent, and where to.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    pub attempt: Attempt<Delivery>,
    pub delivery: Delivery,
    pub url: SecretUrl,
    /// Those to sign with, the newest first.
    pub secrets: Vec<Secret>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    pub delivery: Delivery,
    /// The webhook hears nothing more: it is disabled, just now.
    pub disabled: bool,
}
