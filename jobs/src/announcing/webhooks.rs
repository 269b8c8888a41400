//! Webhooks as they are: what is to be sent is found by those who send it, who hear of the events.

use async_trait::async_trait;
use jiff::Timestamp;
use retake_secrets::Secret;

use super::Announcing;
use crate::{
    id::{DeliveryId, OwnerId, WebhookId},
    lease::{Attempt, LeaseLost},
    seams::{Parcel, Settled, StoreError, Webhooks},
    webhook::{Change, Delivery, Keeping, Receiver, Schedule, Secrets, Tried, Webhook},
};

#[async_trait]
impl<S: Webhooks + ?Sized> Webhooks for Announcing<S> {
    async fn add_webhook(
        &self,
        webhook: &Webhook,
        webhooks_max: usize,
    ) -> Result<bool, StoreError> {
        self.store.add_webhook(webhook, webhooks_max).await
    }

    async fn webhooks(&self, owner: OwnerId) -> Result<Vec<Webhook>, StoreError> {
        self.store.webhooks(owner).await
    }

    async fn webhook(&self, owner: OwnerId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        self.store.webhook(owner, id).await
    }

    async fn change_webhook(
        &self,
        owner: OwnerId,
        id: WebhookId,
        change: Change,
    ) -> Result<Option<Webhook>, StoreError> {
        self.store.change_webhook(owner, id, change).await
    }

    async fn remove_webhook(&self, owner: OwnerId, id: WebhookId) -> Result<bool, StoreError> {
        self.store.remove_webhook(owner, id).await
    }

    async fn callback_secrets(&self, owner: OwnerId) -> Result<Option<Secrets>, StoreError> {
        self.store.callback_secrets(owner).await
    }

    async fn rotate_callback_secret(
        &self,
        owner: OwnerId,
        next: Secret,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.rotate_callback_secret(owner, next, until).await
    }

    async fn deliveries(
        &self,
        owner: OwnerId,
        to: Receiver,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Option<Vec<Delivery>>, StoreError> {
        self.store.deliveries(owner, to, before, limit).await
    }

    async fn delivery(
        &self,
        owner: OwnerId,
        to: Receiver,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError> {
        self.store.delivery(owner, to, id).await
    }

    async fn ping(&self, owner: OwnerId, id: WebhookId) -> Result<Option<Delivery>, StoreError> {
        let ping = self.store.ping(owner, id).await?;
        self.events.announce(owner).await;
        Ok(ping)
    }

    async fn replay(
        &self,
        owner: OwnerId,
        to: Receiver,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError> {
        let replayed = self.store.replay(owner, to, id).await?;
        self.events.announce(owner).await;
        Ok(replayed)
    }

    async fn claim_deliveries(
        &self,
        server: &str,
        schedule: &Schedule,
        limit: usize,
        not_of: &[OwnerId],
    ) -> Result<Vec<Parcel>, StoreError> {
        self.store
            .claim_deliveries(server, schedule, limit, not_of)
            .await
    }

    async fn settle_delivery(
        &self,
        attempt: Attempt<Delivery>,
        tried: Tried,
        schedule: &Schedule,
    ) -> Result<Result<Settled, LeaseLost>, StoreError> {
        self.store.settle_delivery(attempt, tried, schedule).await
    }

    async fn next_delivery(&self) -> Result<Option<Timestamp>, StoreError> {
        self.store.next_delivery().await
    }

    async fn sweep_deliveries(&self, keeping: Keeping) -> Result<Vec<WebhookId>, StoreError> {
        self.store.sweep_deliveries(keeping).await
    }
}
