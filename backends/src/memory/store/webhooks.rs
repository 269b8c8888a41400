//! Webhooks and what is on its way to them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::{
    event::Event,
    id::{DeliveryId, EventId, OwnerId, WebhookId},
    lease::{Attempt, LeaseLost},
    seams::{Parcel, Settled, StoreError, Webhooks},
    webhook::{
        Change, Delivery, DeliveryStatus, DisabledWhy, Keeping, Message, Receiver, Schedule,
        Secrets, Tried, Verdict, Webhook, ends_a_job, may_be_told,
    },
};
use retake_secrets::{Secret, SecretUrl};

use super::{MemoryStore, Tables};

#[derive(Default)]
pub(super) struct Hooks {
    webhooks: BTreeMap<WebhookId, Webhook>,
    callback_secrets: BTreeMap<OwnerId, Secrets>,
    /// Those of callbacks with their addresses.
    deliveries: BTreeMap<DeliveryId, (Delivery, Option<SecretUrl>)>,
}

impl Tables {
    /// Whoever wants to hear of the event will.
    pub(super) fn tell(&mut self, event: EventId, now: Timestamp) {
        let Some(event) = self.events.get(&event) else {
            return;
        };
        if may_be_told(event.kind) {
            let job = event.job().and_then(|job| self.jobs.get(&job.id));
            let callback_url = job.and_then(|row| row.job.callback_url.clone());
            self.hooks.tell(event, callback_url, now);
        }
    }
}

impl Hooks {
    fn tell(&mut self, event: &Event, callback_url: Option<SecretUrl>, now: Timestamp) {
        let owner = event.owner;
        let new = |to| Delivery::new(owner, to, Message::Event(event.clone()), now);
        let wanting = self.webhooks.values();
        let wanting = wanting.filter(|it| it.owner == owner && it.wants(event.kind));
        let mut all: Vec<_> = wanting
            .map(|it| (new(Receiver::Webhook(it.id)), None))
            .collect();
        if let (Some(url), Some(job), true) = (callback_url, event.job(), ends_a_job(event.kind)) {
            all.push((new(Receiver::Callback(job.id)), Some(url)));
        }
        let all = all.into_iter().map(|it| (it.0.id, it));
        self.deliveries.extend(all);
    }

    fn mine(&self, owner: OwnerId, id: WebhookId) -> Option<&Webhook> {
        self.webhooks.get(&id).filter(|it| it.owner == owner)
    }

    fn give_up(&mut self, id: WebhookId, now: Timestamp) {
        for (delivery, _) in self.deliveries.values_mut() {
            // Tests come through.
            if delivery.to == Receiver::Webhook(id) && delivery.message != Message::Ping {
                delivery.give_up(now);
            }
        }
    }

    fn disable(&mut self, id: WebhookId, why: DisabledWhy, now: Timestamp) -> bool {
        let Some(webhook) = self.webhooks.get_mut(&id) else {
            return false;
        };
        let was = webhook.disabled.is_some();
        webhook.disable(why, now);
        self.give_up(id, now);
        !was
    }

    fn waiting(&self, id: WebhookId) -> u64 {
        let all = self.deliveries.values();
        let waiting = all.filter(|(it, _)| {
            it.to == Receiver::Webhook(id) && it.status == DeliveryStatus::Waiting
        });
        waiting.count() as u64
    }

    fn parcel(
        &self,
        attempt: Attempt<Delivery>,
        delivery: &Delivery,
        callback_url: Option<&SecretUrl>,
        now: Timestamp,
    ) -> Option<Parcel> {
        let (url, secrets) = match delivery.to {
            Receiver::Webhook(id) => {
                let webhook = self.webhooks.get(&id)?;
                (&webhook.url, &webhook.secrets)
            }
            Receiver::Callback(_) => (callback_url?, self.callback_secrets.get(&delivery.owner)?),
        };
        Some(Parcel {
            attempt,
            delivery: delivery.clone(),
            url: url.clone(),
            secrets: secrets.good(now).into_iter().cloned().collect(),
        })
    }
}

#[async_trait]
impl Webhooks for MemoryStore {
    async fn add_webhook(
        &self,
        webhook: &Webhook,
        webhooks_max: usize,
    ) -> Result<bool, StoreError> {
        let there = &mut self.tables().hooks.webhooks;
        let mine = there.values().filter(|it| it.owner == webhook.owner);
        if mine.count() >= webhooks_max {
            return Ok(false);
        }
        there.insert(webhook.id, webhook.clone());
        Ok(true)
    }

    async fn webhooks(&self, owner: OwnerId) -> Result<Vec<Webhook>, StoreError> {
        let tables = self.tables();
        let all = tables.hooks.webhooks.values();
        Ok(all.filter(|it| it.owner == owner).cloned().collect())
    }

    async fn webhook(&self, owner: OwnerId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        Ok(self.tables().hooks.mine(owner, id).cloned())
    }

    async fn change_webhook(
        &self,
        owner: OwnerId,
        id: WebhookId,
        change: Change,
    ) -> Result<Option<Webhook>, StoreError> {
        let now = self.clock.now();
        let hooks = &mut self.tables().hooks;
        let there = hooks.webhooks.get_mut(&id);
        let Some(webhook) = there.filter(|it| it.owner == owner) else {
            return Ok(None);
        };
        webhook.change(change, now);
        let changed = webhook.clone();
        if changed.disabled.is_some() {
            hooks.give_up(id, now);
        }
        Ok(Some(changed))
    }

    async fn remove_webhook(&self, owner: OwnerId, id: WebhookId) -> Result<bool, StoreError> {
        let hooks = &mut self.tables().hooks;
        if hooks.mine(owner, id).is_none() {
            return Ok(false);
        }
        hooks.webhooks.remove(&id);
        let to = Receiver::Webhook(id);
        hooks.deliveries.retain(|_, (it, _)| it.to != to);
        Ok(true)
    }

    async fn callback_secrets(&self, owner: OwnerId) -> Result<Option<Secrets>, StoreError> {
        Ok(self.tables().hooks.callback_secrets.get(&owner).cloned())
    }

    async fn rotate_callback_secret(
        &self,
        owner: OwnerId,
        next: Secret,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let secrets = &mut self.tables().hooks.callback_secrets;
        match secrets.get_mut(&owner) {
            Some(there) => there.rotate(next, until),
            None => {
                secrets.insert(owner, Secrets::new(next));
            }
        }
        Ok(())
    }

    async fn deliveries(
        &self,
        owner: OwnerId,
        to: Receiver,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Option<Vec<Delivery>>, StoreError> {
        let tables = self.tables();
        let is_there = match to {
            Receiver::Webhook(id) => tables.hooks.mine(owner, id).is_some(),
            Receiver::Callback(id) => {
                let job = tables.jobs.get(&id);
                job.is_some_and(|row| row.job.owner == owner)
            }
        };
        let all = tables.hooks.deliveries.values().rev().map(|(it, _)| it);
        let found = all.filter(|it| it.to == to && before.is_none_or(|before| it.id < before));
        Ok(is_there.then(|| found.take(limit).cloned().collect()))
    }

    async fn delivery(
        &self,
        owner: OwnerId,
        to: Receiver,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError> {
        let tables = self.tables();
        let found = tables.hooks.deliveries.get(&id).map(|(it, _)| it);
        Ok(found.filter(|it| it.owner == owner && it.to == to).cloned())
    }

    async fn ping(&self, owner: OwnerId, id: WebhookId) -> Result<Option<Delivery>, StoreError> {
        let now = self.clock.now();
        let hooks = &mut self.tables().hooks;
        if hooks.mine(owner, id).is_none() {
            return Ok(None);
        }
        let ping = Delivery::new(owner, Receiver::Webhook(id), Message::Ping, now);
        hooks.deliveries.insert(ping.id, (ping.clone(), None));
        Ok(Some(ping))
    }

    async fn replay(
        &self,
        owner: OwnerId,
        to: Receiver,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError> {
        let now = self.clock.now();
        let there = &mut self.tables().hooks.deliveries;
        let found = there.get_mut(&id).map(|(it, _)| it);
        let found = found.filter(|it| it.owner == owner && it.to == to);
        Ok(found.map(|it| {
            it.replay(now);
            it.clone()
        }))
    }

    async fn claim_deliveries(
        &self,
        server: &str,
        schedule: &Schedule,
        limit: usize,
        not_of: &[OwnerId],
    ) -> Result<Vec<Parcel>, StoreError> {
        let now = self.clock.now();
        let hooks = &mut self.tables().hooks;
        let mut due: Vec<_> = hooks
            .deliveries
            .values()
            .map(|(it, _)| it)
            .filter(|it| it.status == DeliveryStatus::Waiting && it.due_at <= now)
            .filter(|it| !not_of.contains(&it.owner))
            .map(|it| (it.due_at, it.id))
            .collect();
        due.sort_unstable();
        let mut parcels = Vec::new();
        for (_, id) in due.into_iter().take(limit) {
            let Some((delivery, url)) = hooks.deliveries.get_mut(&id) else {
                continue;
            };
            let Some(attempt) = delivery.claim(server, now, schedule) else {
                continue;
            };
            let (delivery, url) = (delivery.clone(), url.clone());
            parcels.extend(hooks.parcel(attempt, &delivery, url.as_ref(), now));
        }
        Ok(parcels)
    }

    async fn settle_delivery(
        &self,
        attempt: Attempt<Delivery>,
        tried: Tried,
        schedule: &Schedule,
    ) -> Result<Result<Settled, LeaseLost>, StoreError> {
        let now = self.clock.now();
        let hooks = &mut self.tables().hooks;
        let Some((delivery, _)) = hooks.deliveries.get_mut(&attempt.id) else {
            return Ok(Err(LeaseLost));
        };
        let verdict = match delivery.settle(attempt, tried, now, schedule) {
            Ok(verdict) => verdict,
            Err(lost) => return Ok(Err(lost)),
        };
        let delivery = delivery.clone();
        let mut disabled = false;
        if let Receiver::Webhook(id) = delivery.to
            && let Some(webhook) = hooks.webhooks.get_mut(&id)
        {
            match verdict {
                Verdict::Delivered => webhook.delivered_at = Some(now),
                Verdict::Failed {
                    disable: Some(why),
                    tried_since,
                } => {
                    let others = webhook.delivered_at.is_some_and(|at| at >= tried_since);
                    if why == DisabledWhy::Gone || !others {
                        disabled = hooks.disable(id, why, now);
                    }
                }
                Verdict::Again | Verdict::Failed { disable: None, .. } => {}
            }
        }
        Ok(Ok(Settled { delivery, disabled }))
    }

    async fn next_delivery(&self) -> Result<Option<Timestamp>, StoreError> {
        let tables = self.tables();
        let all = tables.hooks.deliveries.values().map(|(it, _)| it);
        let waiting = all.filter(|it| it.status == DeliveryStatus::Waiting);
        Ok(waiting.map(|it| it.due_at).min())
    }

    async fn sweep_deliveries(&self, keeping: Keeping) -> Result<Vec<WebhookId>, StoreError> {
        let now = self.clock.now();
        let hooks = &mut self.tables().hooks;
        let is_old = |at: Timestamp| now.duration_since(at) >= keeping.lifetime;
        hooks
            .deliveries
            .retain(|_, (it, _)| !it.ended_at.is_some_and(is_old));
        let enabled = hooks.webhooks.values().filter(|it| it.disabled.is_none());
        let crowded: Vec<_> = enabled
            .map(|it| it.id)
            .filter(|id| hooks.waiting(*id) > keeping.waiting_max)
            .collect();
        for id in &crowded {
            hooks.disable(*id, DisabledWhy::Crowded, now);
        }
        Ok(crowded)
    }
}
