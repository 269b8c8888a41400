//! What is on its way to webhooks and callbacks. Written with the event that it tells of.

use jiff::Timestamp;
use retake_jobs::{
    event::{Event, EventKind, Subject},
    id::{DeliveryId, EventId, OwnerId, WebhookId},
    job::Job,
    lease::{Attempt, LeaseLost},
    seams::Settled,
    webhook::{
        Delivery, DeliveryStatus, DisabledWhy, Keeping, Message, Receiver, Schedule, Tried,
        Verdict, ends_a_job, may_be_told,
    },
};
use retake_secrets::SecretUrl;
use rusqlite::{Connection, Row, named_params};

use super::{
    connection::{SqliteError, nanos, time},
    log::subject,
    rows::{job_by_id, json, lease, named, parsed, signed, to_json},
    webhooks,
};

const COLUMNS: &str = "id, owner, webhook_id, callback_job, event, kind, job, derivative, recording, status, \
    attempt, lease_worker, lease_until, tries, due_at, attempts, created_at, ended_at";

/// Removed in one transaction, so that nobody waits long.
const FORGOTTEN_MAX: i64 = 1_000;

/// An event that was just written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    pub id: EventId,
    pub owner: OwnerId,
    pub kind: EventKind,
    /// Whose job it is of.
    pub job: Option<&'a Job>,
}

/// Whoever wants to hear of the event will.
pub(super) fn tell(
    connection: &Connection,
    told: Told<'_>,
    subject: impl Fn() -> Subject,
    now: Timestamp,
) -> Result<(), SqliteError> {
    let (owner, kind) = (told.owner, told.kind);
    if !may_be_told(kind) {
        return Ok(());
    }
    let message = || {
        Message::Event(Event {
            id: told.id,
            owner,
            kind,
            subject: subject(),
        })
    };
    for webhook in webhooks::wanting(connection, owner, kind)? {
        let to = Receiver::Webhook(webhook);
        insert(connection, &Delivery::new(owner, to, message(), now), None)?;
    }
    let job = told.job.filter(|_| ends_a_job(kind));
    if let Some((job, url)) = job.and_then(|job| Some((job.id, job.callback_url.as_ref()?))) {
        let to = Receiver::Callback(job);
        insert(
            connection,
            &Delivery::new(owner, to, message(), now),
            Some(url),
        )?;
    }
    Ok(())
}

pub(super) fn insert(
    connection: &Connection,
    delivery: &Delivery,
    callback_url: Option<&SecretUrl>,
) -> Result<(), SqliteError> {
    let (webhook, callback) = columns(delivery.to);
    let event = match &delivery.message {
        Message::Event(event) => Some(event),
        Message::Ping => None,
    };
    let recording = match event.map(|event| &event.subject) {
        Some(Subject::Recording(news)) => Some(news),
        _ => None,
    };
    connection
        .prepare_cached(
            "INSERT INTO webhook_deliveries (id, owner, webhook_id, callback_job, callback_url, event,
                 kind, job, derivative, recording, status, attempt, tries, due_at, attempts, created_at)
             VALUES (:id, :owner, :webhook_id, :callback_job, :callback_url, :event,
                 :kind, :job, :derivative, :recording, 'waiting', 0, 0, :due_at, '[]', :created_at)",
        )?
        .execute(named_params! {
            ":id": delivery.id.to_string(),
            ":owner": delivery.owner.to_string(),
            ":webhook_id": webhook,
            ":callback_job": callback,
            ":callback_url": callback_url.map(SecretUrl::expose),
            ":event": event.map(|event| event.id.0),
            ":kind": event.map(|event| event.kind.name()),
            ":job": event.and_then(Event::job).map(to_json),
            ":derivative": event.and_then(Event::derivative).map(to_json),
            ":recording": recording.map(to_json),
            ":due_at": nanos(delivery.due_at),
            ":created_at": nanos(delivery.created_at),
        })?;
    Ok(())
}

/// What may change.
pub(super) fn write(connection: &Connection, delivery: &Delivery) -> Result<(), SqliteError> {
    let lease = delivery.lease.as_ref();
    connection
        .prepare_cached(
            "UPDATE webhook_deliveries SET status = :status, attempt = :attempt,
                 lease_worker = :lease_worker, lease_until = :lease_until, tries = :tries,
                 due_at = :due_at, attempts = :attempts, ended_at = :ended_at
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": delivery.id.to_string(),
            ":status": delivery.status.name(),
            ":attempt": delivery.attempt,
            ":lease_worker": lease.map(|lease| &lease.worker),
            ":lease_until": lease.map(|lease| nanos(lease.until)),
            ":tries": delivery.tries,
            ":due_at": nanos(delivery.due_at),
            ":attempts": to_json(&delivery.attempts),
            ":ended_at": delivery.ended_at.map(nanos),
        })?;
    Ok(())
}

pub(super) fn settle(
    connection: &Connection,
    attempt: Attempt<Delivery>,
    tried: Tried,
    now: Timestamp,
    schedule: &Schedule,
) -> Result<Result<Settled, LeaseLost>, SqliteError> {
    // Gone with its webhook, perhaps.
    let Some(mut delivery) = find(connection, attempt.id)? else {
        return Ok(Err(LeaseLost));
    };
    let verdict = match delivery.settle(attempt, tried, now, schedule) {
        Ok(verdict) => verdict,
        Err(lost) => return Ok(Err(lost)),
    };
    write(connection, &delivery)?;
    let mut disabled = false;
    if let Receiver::Webhook(id) = delivery.to {
        match verdict {
            Verdict::Delivered => webhooks::note_delivered(connection, id, now)?,
            Verdict::Failed {
                disable: Some(why),
                tried_since,
            } => {
                let others = webhooks::delivered_at(connection, id)?;
                if why == DisabledWhy::Gone || others.is_none_or(|at| at < tried_since) {
                    disabled = webhooks::disable(connection, id, why, now)?;
                }
            }
            Verdict::Again | Verdict::Failed { disable: None, .. } => {}
        }
    }
    Ok(Ok(Settled { delivery, disabled }))
}

/// Of what waits for a webhook that hears nothing more.
pub(super) fn give_up(
    connection: &Connection,
    webhook: WebhookId,
    now: Timestamp,
) -> Result<(), SqliteError> {
    // Tests come through.
    connection
        .prepare_cached(
            "UPDATE webhook_deliveries
             SET status = 'failed', ended_at = ?2, lease_worker = NULL, lease_until = NULL
             WHERE webhook_id = ?1 AND status = 'waiting' AND event IS NOT NULL",
        )?
        .execute((webhook.to_string(), nanos(now)))?;
    Ok(())
}

/// The longest due first. `not_of` is a JSON list of owners.
pub(super) fn due(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
    not_of: &str,
) -> Result<Vec<Delivery>, SqliteError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM webhook_deliveries
         WHERE status = 'waiting' AND due_at <= ?1
             AND owner NOT IN (SELECT value FROM json_each(?3))
         ORDER BY due_at LIMIT ?2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_and_then((nanos(now), signed(limit as u64), not_of), delivery)?;
    found.collect()
}

pub(super) fn next(connection: &Connection) -> Result<Option<Timestamp>, SqliteError> {
    let mut statement = connection
        .prepare_cached("SELECT min(due_at) FROM webhook_deliveries WHERE status = 'waiting'")?;
    let at: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(at.map(time))
}

pub(super) fn list(
    connection: &Connection,
    owner: OwnerId,
    to: Receiver,
    before: Option<DeliveryId>,
    limit: usize,
) -> Result<Option<Vec<Delivery>>, SqliteError> {
    let (is_there, column) = match to {
        Receiver::Webhook(id) => (webhooks::is_there(connection, owner, id)?, "webhook_id"),
        Receiver::Callback(id) => {
            let job = job_by_id(connection, id)?;
            (job.is_some_and(|job| job.owner == owner), "callback_job")
        }
    };
    if !is_there {
        return Ok(None);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM webhook_deliveries WHERE {column} = ?1 AND id < ?2
         ORDER BY id DESC LIMIT ?3"
    );
    let (webhook, callback) = columns(to);
    // Sorts behind every id.
    let before = before.map_or("~".to_owned(), |id| id.to_string());
    let mut statement = connection.prepare_cached(&sql)?;
    let key = (webhook.or(callback), before, signed(limit as u64));
    let found = statement.query_and_then(key, delivery)?;
    found.collect::<Result<_, _>>().map(Some)
}

pub(super) fn of_receiver(
    connection: &Connection,
    owner: OwnerId,
    to: Receiver,
    id: DeliveryId,
) -> Result<Option<Delivery>, SqliteError> {
    let found = find(connection, id)?;
    Ok(found.filter(|it| it.owner == owner && it.to == to))
}

pub(super) fn callback_url(
    connection: &Connection,
    id: DeliveryId,
) -> Result<SecretUrl, SqliteError> {
    let url: Option<String> = connection
        .prepare_cached("SELECT callback_url FROM webhook_deliveries WHERE id = ?1")?
        .query_row([id.to_string()], |row| row.get(0))?;
    Ok(url.unwrap_or_default().into())
}

pub(super) fn is_old(
    connection: &Connection,
    keeping: Keeping,
    now: Timestamp,
) -> Result<bool, SqliteError> {
    let mut statement = connection
        .prepare_cached("SELECT min(ended_at) FROM webhook_deliveries WHERE status <> 'waiting'")?;
    let oldest: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(oldest.is_some_and(|at| time(at) <= before(keeping, now)))
}

pub(super) fn forget(
    connection: &Connection,
    keeping: Keeping,
    now: Timestamp,
) -> Result<(), SqliteError> {
    connection
        .prepare_cached(
            "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries
             WHERE status <> 'waiting' AND ended_at <= ?1 ORDER BY ended_at LIMIT ?2)",
        )?
        .execute((nanos(before(keeping, now)), FORGOTTEN_MAX))?;
    Ok(())
}

fn before(keeping: Keeping, now: Timestamp) -> Timestamp {
    let before = now.checked_sub(keeping.lifetime);
    before.unwrap_or(Timestamp::MIN)
}

fn find(connection: &Connection, id: DeliveryId) -> Result<Option<Delivery>, SqliteError> {
    let sql = format!("SELECT {COLUMNS} FROM webhook_deliveries WHERE id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query_and_then([id.to_string()], delivery)?;
    rows.next().transpose()
}

fn columns(to: Receiver) -> (Option<String>, Option<String>) {
    match to {
        Receiver::Webhook(id) => (Some(id.to_string()), None),
        Receiver::Callback(job) => (None, Some(job.to_string())),
    }
}

fn delivery(row: &Row<'_>) -> Result<Delivery, SqliteError> {
    let owner: OwnerId = parsed(row.get_ref("owner")?)?;
    let text = |column: &str| row.get::<_, Option<String>>(column);
    let message = match row.get::<_, Option<i64>>("event")? {
        None => Message::Ping,
        Some(id) => Message::Event(Event {
            id: EventId(id),
            owner,
            kind: named(&text("kind")?.unwrap_or_default(), EventKind::parse)?,
            subject: subject(row, owner)?,
        }),
    };
    let to = match text("webhook_id")? {
        Some(_) => Receiver::Webhook(parsed(row.get_ref("webhook_id")?)?),
        None => Receiver::Callback(parsed(row.get_ref("callback_job")?)?),
    };
    Ok(Delivery {
        id: parsed(row.get_ref("id")?)?,
        owner,
        to,
        message,
        status: named(&row.get::<_, String>("status")?, DeliveryStatus::parse)?,
        attempt: row.get("attempt")?,
        lease: lease(row)?,
        tries: row.get("tries")?,
        due_at: time(row.get("due_at")?),
        attempts: json(&row.get::<_, String>("attempts")?)?,
        created_at: time(row.get("created_at")?),
        ended_at: row.get::<_, Option<i64>>("ended_at")?.map(time),
    })
}
