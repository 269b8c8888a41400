//! What is made of completed jobs on demand.

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::{
    derivative::{Byproduct, Derivative, DerivativeStatus, Derived, USED_EVERY},
    event::{EventKind, Subject},
    id::{DerivativeId, JobId, OwnerId},
    job::{Job, Status, changes::snapshot},
    lease::Attempt,
    seams::{BlobKey, Derivatives, Derive, Source, Sources, StoreError},
};
use rusqlite::{Connection, Row, named_params};
use tokio::sync::Notify;

use super::{
    Database, SqliteStore,
    changes::add_event,
    connection::{SqliteError, nanos, time},
    deliveries::{self, Told},
    errands::{Bytes, Kept},
    keyed,
    news::News,
    records::correction,
    rows::{excused, job_by_id, json, lease, named, parsed, recording_by_id, signed, to_json},
    upload,
    writer::Durability,
};

const COLUMNS: &str = "id, job_id, owner, kind, status, error, file, attempt, spared, lost, \
    lease_worker, lease_until, request_id, created_at, ended_at, used_at";

/// Of all owners, so many times what one may have waiting.
const OWNERS_WAITING_MAX: usize = 64;
/// Most that are claimed or removed in one transaction.
const AT_ONCE: i64 = 64;

#[async_trait]
impl Derivatives for SqliteStore {
    async fn derive(&self, new: &Derivative, waiting_max: usize) -> Result<Derive, StoreError> {
        let now = self.database.clock.now();
        let (owner, job, kind) = (new.owner, new.job_id, new.kind.to_string());
        // Whoever waits asks often: nobody's writes wait for that.
        let is = self
            .database
            .read(move |connection| of_kind(connection, job, &kind))
            .await?;
        if let Some(is) = is.filter(|is| is.owner == owner)
            && !is_due(&is, now)
        {
            return Ok(Derive::Is(is));
        }
        let new = new.clone();
        let (derive, added) = self
            .database
            .write_lightly(move |connection| derive(connection, new, waiting_max, now))
            .await?;
        if added {
            self.database.news.derivatives_wait();
        }
        Ok(derive)
    }

    async fn reading(&self, id: DerivativeId) -> Result<bool, StoreError> {
        let now = self.database.clock.now();
        self.database
            .write_lightly(move |connection| {
                let Some(mut derivative) = Derivative::find(connection, id)? else {
                    return Ok(false);
                };
                derivative.read(now);
                derivative.write(connection)?;
                Ok(true)
            })
            .await
    }

    async fn derivatives(&self, owner: OwnerId, job: JobId) -> Result<Vec<Derivative>, StoreError> {
        self.database
            .read(move |connection| {
                let sql = format!(
                    "SELECT {COLUMNS} FROM derivatives WHERE job_id = ?1 AND owner = ?2 ORDER BY id"
                );
                let mut statement = connection.prepare_cached(&sql)?;
                let found =
                    statement.query_and_then([job.to_string(), owner.to_string()], derivative)?;
                found.collect()
            })
            .await
    }
}

#[async_trait]
impl Sources for SqliteStore {
    async fn source(&self, job: JobId) -> Result<Option<Source>, StoreError> {
        self.database
            .read(move |connection| {
                let Some(job) = job_by_id(connection, job)? else {
                    return Ok(None);
                };
                let recording = recording_by_id(connection, job.recording_id)?;
                let correction = correction(connection, &job)?;
                let found = recording.zip(correction);
                Ok(found.map(|(recording, correction)| Source {
                    recording,
                    job,
                    correction,
                }))
            })
            .await
    }
}

impl Kept for Derivative {
    /// Of each owner in turn: whoever has the fewest being made comes first.
    fn claimable(connection: &Connection, now: Timestamp) -> Result<Vec<Self>, SqliteError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM derivatives
             WHERE status = 'waiting' AND (lease_until IS NULL OR lease_until <= ?1)
             ORDER BY (SELECT count(*) FROM derivatives AS made
                 WHERE made.status = 'waiting' AND made.owner = derivatives.owner
                     AND made.lease_until > ?1), id
             LIMIT ?2"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let found = statement.query_and_then((nanos(now), AT_ONCE), derivative)?;
        found.collect()
    }

    fn find(connection: &Connection, id: DerivativeId) -> Result<Option<Self>, SqliteError> {
        let sql = format!("SELECT {COLUMNS} FROM derivatives WHERE id = ?1");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([id.to_string()])?;
        rows.next()?.map(derivative).transpose()
    }

    fn write(&self, connection: &Connection) -> Result<(), SqliteError> {
        let mut statement = connection.prepare_cached(
            "INSERT INTO derivatives (id, job_id, owner, kind, status, error, file, attempt, spared,
                 lost, lease_worker, lease_until, request_id, created_at, ended_at, used_at,
                 weight_bytes)
             VALUES (:id, :job_id, :owner, :kind, :status, :error, :file, :attempt, :spared, :lost,
                 :lease_worker, :lease_until, :request_id, :created_at, :ended_at, :used_at,
                 :weight_bytes)
             ON CONFLICT (id) DO UPDATE SET status = excluded.status, error = excluded.error,
                 file = excluded.file, attempt = excluded.attempt, spared = excluded.spared,
                 lost = excluded.lost, lease_worker = excluded.lease_worker,
                 lease_until = excluded.lease_until, ended_at = excluded.ended_at,
                 used_at = excluded.used_at, weight_bytes = excluded.weight_bytes",
        )?;
        let lease = self.lease.as_ref();
        statement.execute(named_params! {
            ":id": self.id.to_string(),
            ":job_id": self.job_id.to_string(),
            ":owner": self.owner.to_string(),
            ":kind": self.kind.to_string(),
            ":status": self.status.name(),
            ":error": self.error.as_ref().map(to_json),
            ":file": self.file.as_ref().map(to_json),
            ":attempt": self.attempt,
            ":spared": self.excused.spared,
            ":lost": self.excused.lost,
            ":lease_worker": lease.map(|lease| &lease.worker),
            ":lease_until": lease.map(|lease| nanos(lease.until)),
            ":request_id": self.request_id,
            ":created_at": nanos(self.created_at),
            ":ended_at": self.ended_at.map(nanos),
            ":used_at": nanos(self.used_at),
            ":weight_bytes": signed(self.weight_bytes()),
        })?;
        Ok(())
    }

    fn told(news: &News) -> &Notify {
        &news.derivatives
    }

    fn ended(&self, connection: &Connection) -> Result<(), SqliteError> {
        let kind = EventKind::of_derivative(self.status);
        let Some((kind, job)) = kind.zip(job_by_id(connection, self.job_id)?) else {
            return Ok(());
        };
        let event = add_event(connection, kind, &job)?;
        connection
            .prepare_cached("UPDATE events SET derivative = ?2 WHERE id = ?1")?
            .execute((event.0, to_json(self)))?;
        let at = self.ended_at.unwrap_or(self.created_at);
        let told = Told {
            id: event,
            owner: job.owner,
            kind,
            job: Some(&job),
        };
        let subject = || Subject::Derivative(snapshot(&job), self.clone());
        deliveries::tell(connection, told, subject, at)
    }

    fn bytes(attempt: Attempt<Self>, derived: &Derived) -> Vec<BlobKey> {
        let besides = match derived {
            Derived::Ready { byproducts, .. } => &byproducts[..],
            Derived::Failed(_) => &[],
        };
        let besides = besides.iter().map(Byproduct::key);
        std::iter::once(attempt.key()).chain(besides).collect()
    }

    fn end(
        &mut self,
        connection: &Connection,
        derived: Derived,
        now: Timestamp,
        bytes: &Bytes,
    ) -> Result<(), SqliteError> {
        let byproducts = match &derived {
            Derived::Ready { byproducts, .. } => byproducts.clone(),
            Derived::Failed(_) => Vec::new(),
        };
        self.settle(derived, now);
        if self.status != DerivativeStatus::Ready {
            return Ok(());
        }
        keep(connection, self.key(), bytes, now)?;
        let Some(job) = job_by_id(connection, self.job_id)? else {
            return Ok(());
        };
        for byproduct in byproducts {
            adopt(connection, &job, byproduct, bytes, now)?;
        }
        Ok(())
    }
}

/// What came with the job or with another derivative of it is there from now on. Where one is ready it stays; one
/// that waits need not be made any more.
pub(super) fn adopt(
    connection: &Connection,
    job: &Job,
    byproduct: Byproduct,
    bytes: &Bytes,
    now: Timestamp,
) -> Result<(), SqliteError> {
    let there = of_kind(connection, job.id, &byproduct.kind.to_string())?;
    let ready = Derivative::besides(job, byproduct, now);
    if let Some(there) = &there {
        if there.status == DerivativeStatus::Ready {
            return upload::remove_row(connection, ready.key());
        }
        remove(connection, there)?;
    }
    keep(connection, ready.key(), bytes, now)?;
    ready.write(connection)?;
    match there {
        Some(_) => ready.ended(connection),
        None => Ok(()),
    }
}

/// Its bytes are no draft any more.
fn keep(
    connection: &Connection,
    key: BlobKey,
    bytes: &Bytes,
    now: Timestamp,
) -> Result<(), SqliteError> {
    if let Some(blob) = bytes.staged(key) {
        upload::remove_row(connection, key)?;
        keyed::put(connection, key, None, &blob.info, &blob.bytes, now)?;
    } else if bytes.are_here && !keyed::is_there(connection, key)? {
        return Err(StoreError::Broken(format!("the bytes of {key} are not there")).into());
    }
    connection
        .prepare_cached("UPDATE derivative_files SET kept = 1 WHERE key = ?1")?
        .execute([key.to_string()])?;
    Ok(())
}

/// Whether something is to be written for whoever asks.
fn is_due(is: &Derivative, now: Timestamp) -> bool {
    match is.status {
        DerivativeStatus::Waiting => false,
        DerivativeStatus::Ready => now.duration_since(is.used_at) >= USED_EVERY,
        DerivativeStatus::Failed => is.is_over(now),
    }
}

/// True where it was added.
fn derive(
    connection: &Connection,
    new: Derivative,
    waiting_max: usize,
    now: Timestamp,
) -> Result<(Derive, bool), SqliteError> {
    let job = job_by_id(connection, new.job_id)?;
    if job.is_none_or(|job| job.owner != new.owner || job.status != Status::Completed) {
        return Ok((Derive::Gone, false));
    }
    if let Some(mut is) = of_kind(connection, new.job_id, &new.kind.to_string())? {
        if is.is_over(now) {
            remove(connection, &is)?;
        } else {
            is.used(now);
            is.write(connection)?;
            return Ok((Derive::Is(is), false));
        }
    }
    let count = |sql: &str, owner: Option<String>| -> Result<usize, SqliteError> {
        let mut statement = connection.prepare_cached(sql)?;
        let waiting: i64 =
            statement.query_row(rusqlite::params_from_iter(owner), |row| row.get(0))?;
        Ok(usize::try_from(waiting).unwrap_or(0))
    };
    let of_owner = count(
        "SELECT count(*) FROM derivatives WHERE status = 'waiting' AND owner = ?1",
        Some(new.owner.to_string()),
    )?;
    let of_all = count(
        "SELECT count(*) FROM derivatives WHERE status = 'waiting'",
        None,
    )?;
    if of_owner >= waiting_max || of_all >= waiting_max.saturating_mul(OWNERS_WAITING_MAX) {
        return Ok((Derive::TooMany, false));
    }
    new.write(connection)?;
    Ok((Derive::Is(new), true))
}

fn of_kind(
    connection: &Connection,
    job: JobId,
    kind: &str,
) -> Result<Option<Derivative>, SqliteError> {
    let sql = format!("SELECT {COLUMNS} FROM derivatives WHERE job_id = ?1 AND kind = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((job.to_string(), kind))?;
    rows.next()?.map(derivative).transpose()
}

/// All that a recording's jobs were made into.
pub(super) fn keys_of_recording(
    connection: &Connection,
    recording: &str,
) -> Result<Vec<BlobKey>, SqliteError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM derivatives
         WHERE job_id IN (SELECT id FROM jobs WHERE recording_id = ?1)"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_and_then([recording], derivative)?;
    let found: Vec<_> = found.collect::<Result<_, SqliteError>>()?;
    Ok(found.iter().flat_map(Derivative::keys).collect())
}

fn remove(connection: &Connection, derivative: &Derivative) -> Result<Vec<BlobKey>, SqliteError> {
    let keys: Vec<_> = derivative.keys().collect();
    for key in &keys {
        upload::remove_row(connection, *key)?;
    }
    connection
        .prepare_cached("DELETE FROM derivatives WHERE id = ?1")?
        .execute([derivative.id.to_string()])?;
    Ok(keys)
}

pub(super) async fn forget(
    database: &Database,
    bytes_max: u64,
) -> Result<Vec<BlobKey>, StoreError> {
    let now = database.clock.now();
    let mut forgotten = Vec::new();
    loop {
        let due = database
            .read(move |connection| Ok(!over(connection, bytes_max, now)?.is_empty()))
            .await?;
        if !due {
            return Ok(forgotten);
        }
        let some = database
            .write_freeing(Durability::Process, move |connection| {
                let mut keys = Vec::new();
                for derivative in over(connection, bytes_max, now)? {
                    keys.extend(remove(connection, &derivative)?);
                }
                Ok(keys)
            })
            .await?;
        if some.is_empty() {
            return Ok(forgotten);
        }
        forgotten.extend(some);
    }
}

/// Some of those that are to go.
fn over(
    connection: &Connection,
    bytes_max: u64,
    now: Timestamp,
) -> Result<Vec<Derivative>, SqliteError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM derivatives WHERE status = 'failed' AND ended_at <= ?1 LIMIT ?2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let failed_before = nanos(now - retake_jobs::derivative::FAILED_LIFETIME);
    let found = statement.query_and_then((failed_before, AT_ONCE), derivative)?;
    let mut over: Vec<_> = found.collect::<Result<_, SqliteError>>()?;

    let weight: i64 = connection
        .prepare_cached("SELECT bytes FROM derivatives_weight")?
        .query_row([], |row| row.get(0))?;
    let mut too_much = weight.saturating_sub(signed(bytes_max));
    if too_much <= 0 {
        return Ok(over);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM derivatives WHERE status = 'ready' AND used_at <= ?2 ORDER BY used_at LIMIT ?1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let oldest = statement.query_and_then((AT_ONCE, nanos(now)), derivative)?;
    for derivative in oldest {
        if too_much <= 0 {
            break;
        }
        let derivative = derivative?;
        too_much -= signed(derivative.weight_bytes());
        over.push(derivative);
    }
    Ok(over)
}

fn derivative(row: &Row<'_>) -> Result<Derivative, SqliteError> {
    let optional_json = |column: &str| row.get::<_, Option<String>>(column);
    Ok(Derivative {
        id: parsed(row.get_ref("id")?)?,
        job_id: parsed(row.get_ref("job_id")?)?,
        owner: parsed(row.get_ref("owner")?)?,
        kind: parsed(row.get_ref("kind")?)?,
        status: named(&row.get::<_, String>("status")?, DerivativeStatus::parse)?,
        error: optional_json("error")?.as_deref().map(json).transpose()?,
        file: optional_json("file")?.as_deref().map(json).transpose()?,
        attempt: row.get("attempt")?,
        excused: excused(row)?,
        lease: lease(row)?,
        request_id: row.get("request_id")?,
        created_at: time(row.get("created_at")?),
        ended_at: row.get::<_, Option<i64>>("ended_at")?.map(time),
        used_at: time(row.get("used_at")?),
    })
}
