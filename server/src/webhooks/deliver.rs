//! Sends what is due. Servers claim it from the store like workers claim jobs, so that several of them send it
//! once; one that dies while sending leaves it to whoever comes after its lease.
//!
//! Servers and not workers: what is told are the interface's own views, and a receiver is to hear of a failed job
//! also where every worker is busy or gone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use retake_jobs::{
    backoff::Backoff,
    id::OwnerId,
    seams::{Parcel, StoreError},
    webhook::{Receiver, Schedule, Tried},
};
use tokio::sync::{Notify, broadcast::error::RecvError};

use super::signature::sign;
use crate::{api::WebhookMessage, app::App, config::ms};

/// What a claim leaves beyond the longest attempt, to say how it went.
const LEASE_MARGIN: Duration = Duration::from_secs(10);
/// Announcements that come together are looked after together.
const TOGETHER: Duration = Duration::from_millis(20);
const SWEEP_EVERY: Duration = Duration::from_secs(10);

struct Sender {
    app: Arc<App>,
    name: String,
    schedule: Schedule,
    /// What is being sent, by owner.
    under_way: Mutex<HashMap<OwnerId, usize>>,
    ended: Notify,
}

/// Sends for ever, or until we stop; what is under way then is waited for by whoever ends us.
pub async fn deliver(app: &Arc<App>) {
    let sender = Arc::new(Sender {
        app: Arc::clone(app),
        name: format!("server {}", std::process::id()),
        schedule: Schedule {
            lease: app.parts.outgoing.answer_max() + LEASE_MARGIN,
            pauses: app.config.webhooks.pauses(),
        },
        under_way: Mutex::default(),
        ended: Notify::new(),
    });
    tokio::join!(sender.keep_sending(), sender.keep_sweeping());
}

impl Sender {
    async fn keep_sending(self: &Arc<Self>) {
        let mut announced = self.app.parts.events.subscribe();
        let mut outage = Backoff::outage();
        let mut closed = false;
        while !self.app.stopping.is_cancelled() {
            let pause = match self.send_due().await {
                Ok(pause) => {
                    outage.reset();
                    pause
                }
                Err(error) => {
                    if outage.failures() == 0 {
                        tracing::warn!(%error, "webhooks hear nothing until this is over");
                    }
                    outage.next()
                }
            };
            tokio::select! {
                () = self.app.stopping.cancelled() => {}
                () = self.ended.notified() => {}
                () = tokio::time::sleep(pause) => {}
                heard = announced.recv(), if !closed => {
                    closed = matches!(heard, Err(RecvError::Closed));
                    tokio::time::sleep(TOGETHER).await;
                    announced = announced.resubscribe();
                }
            }
        }
    }

    /// Begins to send whatever is due and has room. Gives how long there is nothing to do.
    async fn send_due(self: &Arc<Self>) -> Result<Duration, StoreError> {
        let poll = ms(self.app.config.webhooks.poll_ms);
        let store = &self.app.parts.store;
        loop {
            let Some((limit, full)) = self.room() else {
                return Ok(poll);
            };
            let parcels = store
                .claim_deliveries(&self.name, &self.schedule, limit, &full)
                .await?;
            if parcels.is_empty() {
                break;
            }
            for parcel in parcels {
                self.begin(parcel.delivery.owner);
                let sender = Arc::clone(self);
                self.app.unbroken.spawn(async move {
                    let owner = parcel.delivery.owner;
                    sender.send(parcel).await;
                    sender.end(owner);
                });
            }
        }
        let next = store.next_delivery().await?;
        let until = |at: Timestamp| at.duration_since(self.app.parts.clock.now());
        let wait = next.map(|at| Duration::try_from(until(at)).unwrap_or_default());
        // What is due and was not claimed is an owner's who has no room: an end tells.
        let wait = wait.filter(|wait| !wait.is_zero());
        Ok(wait.map_or(poll, |wait| wait.min(poll)))
    }

    /// How many may be begun whosesoever they are, and who has no room left. `None`: nobody has.
    fn room(&self) -> Option<(usize, Vec<OwnerId>)> {
        let config = &self.app.config.webhooks;
        let under_way = self.under_way.lock().expect("no panic while held");
        let all: usize = under_way.values().sum();
        let most = config.per_owner_at_once_max;
        let (full, others): (Vec<_>, Vec<_>) = under_way.iter().partition(|(_, n)| **n >= most);
        let busiest = others.into_iter().map(|(_, n)| *n).max().unwrap_or(0);
        let limit = (most - busiest).min(config.at_once_max.saturating_sub(all));
        let full = full.into_iter().map(|(owner, _)| *owner).collect();
        (limit > 0).then_some((limit, full))
    }

    fn begin(&self, owner: OwnerId) {
        let mut under_way = self.under_way.lock().expect("no panic while held");
        *under_way.entry(owner).or_default() += 1;
    }

    fn end(&self, owner: OwnerId) {
        let mut under_way = self.under_way.lock().expect("no panic while held");
        if let Some(count) = under_way.get_mut(&owner) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&owner);
            }
        }
        self.ended.notify_one();
    }

    async fn send(&self, parcel: Parcel) {
        let tried = self.attempt(&parcel).await;
        self.app.metrics.webhook_tried(tried.is_delivered());
        let delivery = &parcel.delivery;
        tracing::info!(
            delivery.id = %delivery.id,
            delivery.to = %parcel.url,
            delivery.attempt = parcel.attempt.attempt,
            status = tried.status,
            error = tried.error,
            elapsed_ms = tried.took_ms,
            "a webhook was called"
        );
        let store = &self.app.parts.store;
        let mut outage = Backoff::outage();
        let heard_by = Instant::now() + LEASE_MARGIN;
        loop {
            let settled = store.settle_delivery(parcel.attempt, tried.clone(), &self.schedule);
            match settled.await {
                Ok(Ok(settled)) => {
                    if let (true, Receiver::Webhook(id)) = (settled.disabled, delivery.to) {
                        tracing::warn!(webhook.id = %id, "a webhook was disabled: its receiver does not take what it is sent");
                    }
                    return;
                }
                Ok(Err(lost)) => {
                    tracing::info!(delivery.id = %delivery.id, "{lost}: it is another's, or nobody's any more");
                    return;
                }
                Err(error) if Instant::now() >= heard_by => {
                    // Whoever claims it next sends it again.
                    tracing::error!(delivery.id = %delivery.id, %error, "it is not written down how a delivery went");
                    return;
                }
                Err(_) => tokio::time::sleep(outage.next()).await,
            }
        }
    }

    async fn attempt(&self, parcel: &Parcel) -> Tried {
        let began = Instant::now();
        let mut tried = Tried {
            at: self.app.parts.clock.now(),
            status: None,
            error: None,
            took_ms: 0,
            retry_after: None,
        };
        match self.post(parcel).await {
            Ok((status, retry_after)) => {
                tried.status = Some(status);
                tried.retry_after = retry_after;
            }
            Err(detail) => tried.error = Some(detail),
        }
        tried.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tried
    }

    /// The status that came, and how long its sender wants to be left alone.
    async fn post(&self, parcel: &Parcel) -> Result<(u16, Option<Duration>), String> {
        let message = WebhookMessage::new(self.app.place.base(), &parcel.delivery);
        let body = serde_json::to_vec(&message).expect("plain data");
        let id = parcel.delivery.id.to_string();
        // Compared with the receiver's wall clock, and with nothing of ours.
        let at_s = Timestamp::now().as_second();
        let signature = sign(&parcel.secrets, &id, at_s, &body).map_err(|e| e.to_string())?;
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        for (name, text) in [
            ("webhook-id", id),
            ("webhook-timestamp", at_s.to_string()),
            ("webhook-signature", signature),
        ] {
            let text = HeaderValue::try_from(text).expect("visible ASCII");
            headers.insert(name, text);
        }
        let outgoing = &self.app.parts.outgoing;
        // Judged when it was named; what is allowed may be other by now.
        let url = outgoing.judge(parcel.url.expose());
        let url = url.map_err(|refused| format!("the address must not be spoken to: {refused}"))?;
        let answer = outgoing.post(&url, headers, Bytes::from(body)).await;
        let answer = answer.map_err(|failed| failed.to_string())?;
        let retry_after = answer.headers().get(header::RETRY_AFTER);
        let seconds = retry_after.and_then(|text| text.to_str().ok()?.trim().parse().ok());
        Ok((answer.status().as_u16(), seconds.map(Duration::from_secs)))
    }

    async fn keep_sweeping(&self) {
        let keeping = self.app.config.webhooks.keeping();
        loop {
            tokio::select! {
                () = self.app.stopping.cancelled() => return,
                () = tokio::time::sleep(SWEEP_EVERY) => {}
            }
            match self.app.parts.store.sweep_deliveries(keeping).await {
                Ok(crowded) => {
                    for id in crowded {
                        let most = keeping.waiting_max;
                        tracing::warn!(webhook.id = %id, waiting_max = most, "a webhook was disabled: too much waits for it");
                    }
                }
                Err(error) => tracing::debug!(%error, "old deliveries were not swept"),
            }
        }
    }
}
