//! Webhooks: whom to tell. What is on its way to them is in `deliveries`.

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::{
    event::EventKind,
    id::{DeliveryId, OwnerId, WebhookId},
    lease::{Attempt, LeaseLost},
    seams::{Parcel, Settled, StoreError, Webhooks},
    webhook::{
        Change, Delivery, Disabled, DisabledWhy, Keeping, Message, Previous, Receiver, Schedule,
        Secrets, Tried, Webhook,
    },
};
use retake_secrets::Secret;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::{
    SqliteStore,
    connection::{SqliteError, nanos, time},
    deliveries,
    rows::{named, parsed, signed},
};

const COLUMNS: &str = "id, owner, url, events, description, secret, previous_secret, \
    previous_until, created_at, disabled_why, disabled_at, delivered_at";

#[async_trait]
impl Webhooks for SqliteStore {
    async fn add_webhook(
        &self,
        webhook: &Webhook,
        webhooks_max: usize,
    ) -> Result<bool, StoreError> {
        let webhook = webhook.clone();
        self.database
            .write(move |connection| {
                let there: i64 = connection
                    .prepare_cached("SELECT count(*) FROM webhooks WHERE owner = ?1")?
                    .query_row([webhook.owner.to_string()], |row| row.get(0))?;
                if there >= signed(webhooks_max as u64) {
                    return Ok(false);
                }
                insert(connection, &webhook)?;
                Ok(true)
            })
            .await
    }

    async fn webhooks(&self, owner: OwnerId) -> Result<Vec<Webhook>, StoreError> {
        self.database
            .read(move |connection| of_owner(connection, owner))
            .await
    }

    async fn webhook(&self, owner: OwnerId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        self.database
            .read(move |connection| find(connection, owner, id))
            .await
    }

    async fn change_webhook(
        &self,
        owner: OwnerId,
        id: WebhookId,
        change: Change,
    ) -> Result<Option<Webhook>, StoreError> {
        let now = self.database.clock.now();
        self.database
            .write(move |connection| {
                let Some(mut webhook) = find(connection, owner, id)? else {
                    return Ok(None);
                };
                webhook.change(change, now);
                write(connection, &webhook)?;
                if webhook.disabled.is_some() {
                    deliveries::give_up(connection, id, now)?;
                }
                Ok(Some(webhook))
            })
            .await
    }

    async fn remove_webhook(&self, owner: OwnerId, id: WebhookId) -> Result<bool, StoreError> {
        self.database
            .write(move |connection| {
                let removed = connection
                    .prepare_cached("DELETE FROM webhooks WHERE id = ?1 AND owner = ?2")?
                    .execute((id.to_string(), owner.to_string()))?;
                Ok(removed == 1)
            })
            .await
    }

    async fn callback_secrets(&self, owner: OwnerId) -> Result<Option<Secrets>, StoreError> {
        self.database
            .read(move |connection| callback_secrets(connection, owner))
            .await
    }

    async fn rotate_callback_secret(
        &self,
        owner: OwnerId,
        next: Secret,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.database
            .write(move |connection| {
                let secrets = match callback_secrets(connection, owner)? {
                    None => Secrets::new(next),
                    Some(mut secrets) => {
                        secrets.rotate(next, until);
                        secrets
                    }
                };
                let previous = secrets.previous.as_ref();
                connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO callback_secrets
                             (owner, secret, previous_secret, previous_until)
                         VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute((
                        owner.to_string(),
                        secrets.current.expose(),
                        previous.map(|it| it.secret.expose()),
                        previous.map(|it| nanos(it.until)),
                    ))?;
                Ok(())
            })
            .await
    }

    async fn deliveries(
        &self,
        owner: OwnerId,
        to: Receiver,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Option<Vec<Delivery>>, StoreError> {
        self.database
            .read(move |connection| deliveries::list(connection, owner, to, before, limit))
            .await
    }

    async fn delivery(
        &self,
        owner: OwnerId,
        to: Receiver,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError> {
        self.database
            .read(move |connection| deliveries::of_receiver(connection, owner, to, id))
            .await
    }

    async fn ping(&self, owner: OwnerId, id: WebhookId) -> Result<Option<Delivery>, StoreError> {
        let now = self.database.clock.now();
        self.database
            .write(move |connection| {
                if find(connection, owner, id)?.is_none() {
                    return Ok(None);
                }
                let to = Receiver::Webhook(id);
                let ping = Delivery::new(owner, to, Message::Ping, now);
                deliveries::insert(connection, &ping, None)?;
                Ok(Some(ping))
            })
            .await
    }

    async fn replay(
        &self,
        owner: OwnerId,
        to: Receiver,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError> {
        let now = self.database.clock.now();
        self.database
            .write(move |connection| {
                let found = deliveries::of_receiver(connection, owner, to, id)?;
                let Some(mut delivery) = found else {
                    return Ok(None);
                };
                delivery.replay(now);
                deliveries::write(connection, &delivery)?;
                Ok(Some(delivery))
            })
            .await
    }

    async fn claim_deliveries(
        &self,
        server: &str,
        schedule: &Schedule,
        limit: usize,
        not_of: &[OwnerId],
    ) -> Result<Vec<Parcel>, StoreError> {
        let now = self.database.clock.now();
        let not_of: Vec<_> = not_of.iter().map(ToString::to_string).collect();
        let not_of = format!("[\"{}\"]", not_of.join("\",\""));
        let (server, schedule) = (server.to_owned(), schedule.clone());
        // Nearly always there is nothing: nobody's writes wait for that.
        let asked = not_of.clone();
        let due = self
            .database
            .read(move |connection| deliveries::due(connection, now, 1, &asked))
            .await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        self.database
            .write_lightly(move |connection| {
                let mut parcels = Vec::new();
                for mut delivery in deliveries::due(connection, now, limit, &not_of)? {
                    let Some(attempt) = delivery.claim(&server, now, &schedule) else {
                        continue;
                    };
                    deliveries::write(connection, &delivery)?;
                    parcels.push(parcel(connection, attempt, delivery, now)?);
                }
                Ok(parcels)
            })
            .await
    }

    async fn settle_delivery(
        &self,
        attempt: Attempt<Delivery>,
        tried: Tried,
        schedule: &Schedule,
    ) -> Result<Result<Settled, LeaseLost>, StoreError> {
        let (now, schedule) = (self.database.clock.now(), schedule.clone());
        self.database
            .write(move |connection| deliveries::settle(connection, attempt, tried, now, &schedule))
            .await
    }

    async fn next_delivery(&self) -> Result<Option<Timestamp>, StoreError> {
        self.database.read(deliveries::next).await
    }

    async fn sweep_deliveries(&self, keeping: Keeping) -> Result<Vec<WebhookId>, StoreError> {
        let now = self.database.clock.now();
        let due = self
            .database
            .read(move |connection| {
                Ok(!crowded(connection, keeping.waiting_max)?.is_empty()
                    || deliveries::is_old(connection, keeping, now)?)
            })
            .await?;
        if !due {
            return Ok(Vec::new());
        }
        self.database
            .write_lightly(move |connection| {
                deliveries::forget(connection, keeping, now)?;
                let crowded = crowded(connection, keeping.waiting_max)?;
                for webhook in &crowded {
                    disable(connection, *webhook, DisabledWhy::Crowded, now)?;
                }
                Ok(crowded)
            })
            .await
    }
}

fn parcel(
    connection: &Connection,
    attempt: Attempt<Delivery>,
    delivery: Delivery,
    now: Timestamp,
) -> Result<Parcel, SqliteError> {
    let gone = || StoreError::Broken(format!("delivery {} goes nowhere", delivery.id));
    let (url, secrets) = match delivery.to {
        Receiver::Webhook(id) => {
            let webhook = find(connection, delivery.owner, id)?.ok_or_else(gone)?;
            (webhook.url, webhook.secrets)
        }
        Receiver::Callback(_) => (
            deliveries::callback_url(connection, delivery.id)?,
            callback_secrets(connection, delivery.owner)?.ok_or_else(gone)?,
        ),
    };
    Ok(Parcel {
        attempt,
        delivery,
        url,
        secrets: secrets.good(now).into_iter().cloned().collect(),
    })
}

/// Those of an owner's that want to hear of it.
pub(super) fn wanting(
    connection: &Connection,
    owner: OwnerId,
    kind: EventKind,
) -> Result<Vec<WebhookId>, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM webhooks
         WHERE owner = ?1 AND disabled_at IS NULL AND instr(events, ' ' || ?2 || ' ') > 0",
    )?;
    let found = statement.query_and_then((owner.to_string(), kind.name()), |row| {
        parsed(row.get_ref(0)?)
    })?;
    found.collect()
}

/// Gives up what waits for it. False: it is disabled already, or gone.
pub(super) fn disable(
    connection: &Connection,
    id: WebhookId,
    why: DisabledWhy,
    now: Timestamp,
) -> Result<bool, SqliteError> {
    let changed = connection
        .prepare_cached(
            "UPDATE webhooks SET disabled_why = ?2, disabled_at = ?3
             WHERE id = ?1 AND disabled_at IS NULL",
        )?
        .execute((id.to_string(), why.name(), nanos(now)))?;
    deliveries::give_up(connection, id, now)?;
    Ok(changed == 1)
}

pub(super) fn note_delivered(
    connection: &Connection,
    id: WebhookId,
    now: Timestamp,
) -> Result<(), SqliteError> {
    connection
        .prepare_cached("UPDATE webhooks SET delivered_at = ?2 WHERE id = ?1")?
        .execute((id.to_string(), nanos(now)))?;
    Ok(())
}

pub(super) fn delivered_at(
    connection: &Connection,
    id: WebhookId,
) -> Result<Option<Timestamp>, SqliteError> {
    let at: Option<Option<i64>> = connection
        .prepare_cached("SELECT delivered_at FROM webhooks WHERE id = ?1")?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?;
    Ok(at.flatten().map(time))
}

pub(super) fn is_there(
    connection: &Connection,
    owner: OwnerId,
    id: WebhookId,
) -> Result<bool, SqliteError> {
    Ok(find(connection, owner, id)?.is_some())
}

fn crowded(connection: &Connection, waiting_max: u64) -> Result<Vec<WebhookId>, SqliteError> {
    let mut statement = connection
        .prepare_cached("SELECT id FROM webhooks WHERE disabled_at IS NULL AND waiting > ?1")?;
    let found = statement.query_and_then([signed(waiting_max)], |row| parsed(row.get_ref(0)?))?;
    found.collect()
}

fn find(
    connection: &Connection,
    owner: OwnerId,
    id: WebhookId,
) -> Result<Option<Webhook>, SqliteError> {
    let sql = format!("SELECT {COLUMNS} FROM webhooks WHERE id = ?1 AND owner = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query_and_then((id.to_string(), owner.to_string()), webhook)?;
    rows.next().transpose()
}

fn of_owner(connection: &Connection, owner: OwnerId) -> Result<Vec<Webhook>, SqliteError> {
    let sql = format!("SELECT {COLUMNS} FROM webhooks WHERE owner = ?1 ORDER BY id");
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_and_then([owner.to_string()], webhook)?;
    found.collect()
}

fn insert(connection: &Connection, webhook: &Webhook) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "INSERT INTO webhooks (id, owner, url, events, description, secret, created_at)
             VALUES (?1, ?2, '', '', '', '', ?3)",
        )?
        .execute((
            webhook.id.to_string(),
            webhook.owner.to_string(),
            nanos(webhook.created_at),
        ))?;
    write(connection, webhook)
}

/// What may change.
fn write(connection: &Connection, webhook: &Webhook) -> Result<(), SqliteError> {
    let names: Vec<_> = webhook.events.iter().map(|kind| kind.name()).collect();
    let (secrets, disabled) = (&webhook.secrets, webhook.disabled.as_ref());
    let previous = secrets.previous.as_ref();
    connection
        .prepare_cached(
            "UPDATE webhooks SET url = :url, events = :events, description = :description,
                 secret = :secret, previous_secret = :previous_secret,
                 previous_until = :previous_until, disabled_why = :disabled_why,
                 disabled_at = :disabled_at, delivered_at = :delivered_at
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": webhook.id.to_string(),
            ":url": webhook.url.expose(),
            ":events": format!(" {} ", names.join(" ")),
            ":description": webhook.description,
            ":secret": secrets.current.expose(),
            ":previous_secret": previous.map(|it| it.secret.expose()),
            ":previous_until": previous.map(|it| nanos(it.until)),
            ":disabled_why": disabled.map(|it| it.why.name()),
            ":disabled_at": disabled.map(|it| nanos(it.at)),
            ":delivered_at": webhook.delivered_at.map(nanos),
        })?;
    Ok(())
}

fn callback_secrets(
    connection: &Connection,
    owner: OwnerId,
) -> Result<Option<Secrets>, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT secret, previous_secret, previous_until FROM callback_secrets WHERE owner = ?1",
    )?;
    let mut rows = statement.query_and_then([owner.to_string()], secrets)?;
    rows.next().transpose()
}

fn secrets(row: &Row<'_>) -> Result<Secrets, SqliteError> {
    let previous: Option<String> = row.get("previous_secret")?;
    let until: Option<i64> = row.get("previous_until")?;
    Ok(Secrets {
        current: Secret::from(row.get::<_, String>("secret")?),
        previous: previous.zip(until).map(|(secret, until)| Previous {
            secret: secret.into(),
            until: time(until),
        }),
    })
}

fn webhook(row: &Row<'_>) -> Result<Webhook, SqliteError> {
    let events: String = row.get("events")?;
    let events = events.split_whitespace();
    let disabled: Option<String> = row.get("disabled_why")?;
    let at: Option<i64> = row.get("disabled_at")?;
    let disabled = disabled.zip(at).map(|(why, at)| {
        Ok::<_, SqliteError>(Disabled {
            why: named(&why, DisabledWhy::parse)?,
            at: time(at),
        })
    });
    Ok(Webhook {
        id: parsed(row.get_ref("id")?)?,
        owner: parsed(row.get_ref("owner")?)?,
        url: row.get::<_, String>("url")?.into(),
        events: events
            .map(|name| named(name, EventKind::parse))
            .collect::<Result<_, _>>()?,
        description: row.get("description")?,
        secrets: secrets(row)?,
        created_at: time(row.get("created_at")?),
        disabled: disabled.transpose()?,
        delivered_at: row.get::<_, Option<i64>>("delivered_at")?.map(time),
    })
}
