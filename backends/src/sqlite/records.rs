//! Recordings and their jobs, as their owner sees them.

use async_trait::async_trait;
use retake_jobs::{
    correction::Correction,
    entry::Entry,
    event::{EventKind, RecordingNews},
    id::{JobId, OwnerId, RecordingId},
    idempotency::{Added, Answered, IdempotencyKey, Once},
    job::{AlreadyEnded, Job},
    recording::Recording,
    seams::{BlobKey, JobRecord, Records, StoreError},
};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{
    SqliteStore, answered,
    changes::{add_recording_event, change, write_entailed},
    connection::{SqliteError, nanos},
    derivatives, entries, library,
    rows::{insert_job, job_by_id, json, signed},
    upload,
    writer::Durability,
};

#[async_trait]
impl Records for SqliteStore {
    async fn accept(
        &self,
        recording: &Recording,
        job: &Job,
        once: Option<&Once>,
    ) -> Result<Added, StoreError> {
        let (recording, job, once) = (recording.clone(), job.clone(), once.cloned());
        let (times, bytes_are_here) = (self.database.times(), self.database.holds_blobs());
        let key = BlobKey::Recording(recording.id);
        let staged = self.database.staged_for(key)?;
        let (owner, id) = (recording.owner, recording.id);
        let added = self
            .database
            .write_or_undo(
                move |connection| {
                    let bytes = staged.as_ref().map(|blob| &blob.bytes[..]);
                    let added = answered::once(connection, once.as_ref(), &job, times.now, || {
                        adopt_recording(connection, &recording, bytes, bytes_are_here)?;
                        entries::insert(connection, &recording)?;
                        insert_job(connection, &job)?;
                        write_entailed(connection, None, &job, times)
                    })?;
                    added.ok_or_else(|| {
                        StoreError::Broken("an accepted job must be queued".to_owned()).into()
                    })
                },
                move |connection| delete(connection, owner, id).map(drop),
            )
            .await?;
        if let Added::Now(_) = added {
            self.database.staged.remove(key);
        }
        Ok(added)
    }

    async fn add_job(&self, job: &Job, once: Option<&Once>) -> Result<Option<Added>, StoreError> {
        let (job, once, times) = (job.clone(), once.cloned(), self.database.times());
        let id = job.id;
        self.database
            .write_or_undo(
                move |connection| {
                    if !entries::is_there(connection, job.owner, job.recording_id)? {
                        return Ok(None);
                    }
                    answered::once(connection, once.as_ref(), &job, times.now, || {
                        insert_job(connection, &job)?;
                        write_entailed(connection, None, &job, times)
                    })
                },
                move |connection| delete_job(connection, id),
            )
            .await
    }

    async fn answered(
        &self,
        owner: OwnerId,
        key: &IdempotencyKey,
    ) -> Result<Option<Answered>, StoreError> {
        let key = key.clone();
        self.database
            .read(move |connection| answered::find(connection, owner, &key))
            .await
    }

    async fn recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<Entry>, StoreError> {
        self.database
            .read(move |connection| {
                let row = entries::find(connection, owner, id)?;
                row.map_or(Ok(None), |row| entries::whole(connection, row))
            })
            .await
    }

    async fn job(&self, owner: OwnerId, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        self.database
            .read(move |connection| {
                let job = job_by_id(connection, id)?.filter(|job| job.owner == owner);
                let Some(job) = job else { return Ok(None) };
                let correction = correction(connection, &job)?;
                Ok(Some(JobRecord { job, correction }))
            })
            .await
    }

    async fn cancel(
        &self,
        owner: OwnerId,
        id: JobId,
    ) -> Result<Option<Result<Job, AlreadyEnded>>, StoreError> {
        let times = self.database.times();
        self.database
            .write(move |connection| {
                if job_by_id(connection, id)?.is_none_or(|job| job.owner != owner) {
                    return Ok(None);
                }
                let cancelled = change(connection, id, times, |job| job.cancel(times.now))?;
                Ok(cancelled.map(|(job, answer)| answer.map(|()| job)))
            })
            .await
    }

    async fn delete_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<Vec<BlobKey>>, StoreError> {
        let now = self.database.clock.now();
        let deleted = self
            .database
            .write_freeing(Durability::Machine, move |connection| {
                let hidden = library::hidden_owner(connection, owner, id)?;
                let by = hidden.map_or(owner, |(hidden, _)| hidden);
                let deleted = delete(connection, by, id)?;
                if deleted.is_some() {
                    library::take_out(connection, id)?;
                    let news = RecordingNews {
                        id,
                        restorable_until: None,
                    };
                    add_recording_event(
                        connection,
                        EventKind::RecordingDeleted,
                        owner,
                        &news,
                        now,
                    )?;
                }
                Ok(deleted)
            })
            .await?;
        if deleted.is_some() {
            // What this leaves, the sweep takes.
            upload::reclaim(&self.database).await?;
        }
        Ok(deleted)
    }
}

/// Turns the draft that `put` left into the recording, or makes the row: with the `bytes`, or where they are
/// elsewhere.
fn adopt_recording(
    connection: &Connection,
    recording: &Recording,
    bytes: Option<&[u8]>,
    bytes_are_here: bool,
) -> Result<(), SqliteError> {
    let id = recording.id.to_string();
    let draft: Option<bool> = connection
        .prepare_cached(
            "SELECT recording IS NOT NULL AND owner IS NULL FROM recordings WHERE id = ?1",
        )?
        .query_row([&id], |row| row.get(0))
        .optional()?;
    match draft {
        Some(false) => {
            return Err(StoreError::Broken(format!("recording {id} is there already")).into());
        }
        None if bytes_are_here && bytes.is_none() => {
            return Err(
                StoreError::Broken(format!("the bytes of recording {id} are not there")).into(),
            );
        }
        Some(true) if bytes.is_some() => {
            upload::remove_row(connection, BlobKey::Recording(recording.id))?
        }
        Some(true) | None => {}
    }
    connection
        .prepare_cached(
            "INSERT INTO recordings (id, owner, user_email, file_name, content_type, size_bytes,
                 sha256, created_at, recording)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (id) DO UPDATE SET owner = excluded.owner,
                 user_email = excluded.user_email, file_name = excluded.file_name,
                 content_type = excluded.content_type, created_at = excluded.created_at",
        )?
        .execute((
            &id,
            recording.owner.to_string(),
            recording.user_email.as_str(),
            &recording.file_name,
            &recording.content_type,
            signed(recording.size_bytes),
            &recording.sha256,
            nanos(recording.created_at),
            bytes,
        ))?;
    Ok(())
}

pub(super) fn correction(
    connection: &Connection,
    job: &Job,
) -> Result<Option<Correction>, SqliteError> {
    let mut statement = connection.prepare_cached(
        "SELECT attempt, content_type, size_bytes, sha256, report
         FROM corrections WHERE job_id = ?1 AND attempt = ?2 AND content_type IS NOT NULL",
    )?;
    let read = |row: &Row<'_>| {
        Ok(Correction {
            attempt: row.get(0)?,
            content_type: row.get(1)?,
            size_bytes: row.get::<_, i64>(2)?.unsigned_abs(),
            sha256: row.get(3)?,
            report: json(&row.get::<_, String>(4)?)?,
        })
    };
    let mut rows = statement.query((job.id.to_string(), job.attempt))?;
    rows.next()?.map(read).transpose()
}

/// One that is new: it has hardly begun. With it, by their foreign keys: attempts, events and what waits
/// in the outbox.
fn delete_job(connection: &Connection, id: JobId) -> Result<(), SqliteError> {
    connection
        .prepare_cached("DELETE FROM jobs WHERE id = ?1")?
        .execute([id.to_string()])?;
    Ok(())
}

/// The rows go at once. The chunks of long blobs are only marked here: freeing them takes long, and
/// everybody's writes would wait.
pub(super) fn delete(
    connection: &Connection,
    owner: OwnerId,
    id: RecordingId,
) -> Result<Option<Vec<BlobKey>>, SqliteError> {
    let text = id.to_string();
    let entries = connection
        .prepare_cached("DELETE FROM entries WHERE owner = ?1 AND recording_id = ?2")?
        .execute([&owner.to_string(), &text])?;
    if entries == 0 {
        return Ok(None);
    }
    let mut blobs = vec![BlobKey::Recording(id)];
    let mut jobs =
        connection.prepare_cached("SELECT id, attempt FROM jobs WHERE recording_id = ?1")?;
    let mut rows = jobs.query([&text])?;
    while let Some(row) = rows.next()? {
        let (job, attempts): (JobId, u32) = (super::rows::parsed(row.get_ref(0)?)?, row.get(1)?);
        blobs.extend((1..=attempts).map(|attempt| BlobKey::Correction { job, attempt }));
    }
    let mut deltas = connection.prepare_cached(
        "SELECT job_id, attempt, step FROM deltas
         WHERE job_id IN (SELECT id FROM jobs WHERE recording_id = ?1)",
    )?;
    let mut rows = deltas.query([&text])?;
    while let Some(row) = rows.next()? {
        blobs.push(BlobKey::Delta {
            job: super::rows::parsed(row.get_ref(0)?)?,
            attempt: row.get(1)?,
            step: row.get(2)?,
        });
    }
    blobs.extend(derivatives::keys_of_recording(connection, &text)?);
    for key in &blobs {
        upload::remove_row(connection, *key)?;
    }
    connection
        .prepare_cached(
            "DELETE FROM corrections WHERE job_id IN (SELECT id FROM jobs WHERE recording_id = ?1)",
        )?
        .execute([&text])?;
    // With it, by their foreign keys: jobs, attempts, events and what waits in the outbox.
    connection
        .prepare_cached("DELETE FROM recordings WHERE id = ?1")?
        .execute([&text])?;
    Ok(Some(blobs))
}
