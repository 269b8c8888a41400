//! What a worker may do to a job. Each call is one transition in one transaction.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use retake_chain::problem::Problem;
use retake_jobs::{
    correction::Correction,
    derivative::Byproduct,
    event::EventKind,
    id::JobId,
    job::{ClaimRefused, Job, Outcome},
    lease::{Attempt, Blame, LeaseLost, LeaseTerms},
    seams::{BlobKey, Claim, Heartbeat, JobLeases, Leases, Progress, StoreError, Sweep},
};
use rusqlite::Connection;

use super::{
    SqliteStore, answered,
    changes::{Times, add_event, change},
    connection::{SqliteError, nanos},
    derivatives, entries,
    errands::Bytes,
    forget, library,
    rows::{recording_by_id, signed, to_json},
    sweep, turns, upload, usage,
};

#[async_trait]
impl JobLeases for SqliteStore {
    async fn claim(&self, id: JobId, worker: &str, terms: LeaseTerms) -> Result<Claim, StoreError> {
        let (worker, times) = (worker.to_owned(), self.database.times());
        self.database
            .write_lightly(move |connection| claim(connection, id, &worker, times, terms))
            .await
    }

    async fn claim_next(
        &self,
        hint: Option<JobId>,
        worker: &str,
        terms: LeaseTerms,
        running_max: u32,
    ) -> Result<Claim, StoreError> {
        let (worker, times) = (worker.to_owned(), self.database.times());
        let claimed = self
            .database
            .write_lightly(move |connection| {
                match (turns::next(connection, times.now, running_max)?, hint) {
                    (Some(id), _) => claim(connection, id, &worker, times, terms),
                    (None, Some(hint)) if turns::waits(connection, hint)? => {
                        Ok(Claim::Refused(ClaimRefused::NotNow))
                    }
                    (None, Some(hint)) => claim(connection, hint, &worker, times, terms),
                    (None, None) => Ok(Claim::Gone),
                }
            })
            .await?;
        if let Claim::Won { .. } = claimed {
            // Where one job waited there may be two.
            self.database.news.jobs.notify_one();
        }
        Ok(claimed)
    }

    async fn release(
        &self,
        attempt: Attempt<Job>,
        terms: LeaseTerms,
        pause: Duration,
        blame: Blame,
        reason: Problem,
    ) -> Result<Result<Job, LeaseLost>, StoreError> {
        let now = self.database.clock.now();
        let due = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        let times = self.database.times_due(now, due);
        self.database
            .write(move |connection| {
                let released = change(connection, attempt.id, times, |job| {
                    job.release(attempt, now, terms, blame, reason)
                })?;
                let Some((job, Ok(()))) = released else {
                    return Ok(Err(LeaseLost));
                };
                Ok(Ok(job))
            })
            .await
    }
}

#[async_trait]
impl Leases<Job> for SqliteStore {
    async fn extend(
        &self,
        attempt: Attempt<Job>,
        terms: LeaseTerms,
        progress: &Progress,
        event: bool,
    ) -> Result<Result<Heartbeat, LeaseLost>, StoreError> {
        let (progress, times) = (progress.clone(), self.database.times());
        self.database
            .write_lightly(move |connection| {
                let extended = change(connection, attempt.id, times, |job| {
                    job.extend(
                        attempt,
                        times.now,
                        terms,
                        progress.fraction,
                        progress.step.as_deref(),
                    )
                })?;
                let Some((job, Ok(()))) = extended else {
                    return Ok(Err(LeaseLost));
                };
                if event {
                    add_event(connection, EventKind::Progress, &job)?;
                }
                Ok(Ok(Heartbeat {
                    cancel_requested: job.cancel_requested,
                    news_of: event.then_some(job.owner),
                }))
            })
            .await
    }

    async fn settle(
        &self,
        attempt: Attempt<Job>,
        outcome: Outcome,
    ) -> Result<Result<Job, LeaseLost>, StoreError> {
        let (correction, byproducts) = match &outcome {
            Outcome::Completed {
                correction,
                byproducts,
                ..
            } => (Some(correction.clone()), byproducts.clone()),
            Outcome::Failed { .. } | Outcome::Cancelled => (None, Vec::new()),
        };
        let times = self.database.times();
        let key = BlobKey::Correction {
            job: attempt.id,
            attempt: attempt.attempt,
        };
        let keys = byproducts.iter().map(Byproduct::key);
        let keys: Vec<_> = keys.chain(correction.is_some().then_some(key)).collect();
        let bytes = Bytes::of(&self.database, keys.iter().copied())?;
        let settled = self
            .database
            .write(move |connection| {
                let settled = change(connection, attempt.id, times, |job| {
                    job.settle(attempt, outcome, times.now)
                })?;
                let Some((job, Ok(()))) = settled else {
                    return Ok(Err(LeaseLost));
                };
                if let Some(correction) = correction {
                    let duration_ms = correction.report.input.duration_ms;
                    entries::set_duration(connection, &job, duration_ms)?;
                    let staged = bytes.staged(key).map(|blob| &blob.bytes[..]);
                    adopt_correction(
                        connection,
                        &job,
                        (&correction, staged),
                        bytes.are_here,
                        times,
                    )?;
                    let audio_ms = correction.report.input.duration_ms;
                    usage::note_audio(connection, job.owner, times.now, audio_ms)?;
                }
                for byproduct in byproducts {
                    derivatives::adopt(connection, &job, byproduct, &bytes, times.now)?;
                }
                Ok(Ok(job))
            })
            .await?;
        // Of a lost lease, whoever held it takes it away.
        if settled.is_ok() {
            self.database.staged.remove_all(keys);
        }
        Ok(settled)
    }
}

#[async_trait]
impl Sweep for SqliteStore {
    async fn sweep(&self, terms: LeaseTerms) -> Result<usize, StoreError> {
        sweep::sweep(&self.database, terms).await
    }

    async fn forget_derivatives(&self, bytes_max: u64) -> Result<Vec<BlobKey>, StoreError> {
        derivatives::forget(&self.database, bytes_max).await
    }

    async fn empty_trash(&self) -> Result<Vec<BlobKey>, StoreError> {
        library::empty_trash(&self.database).await
    }

    async fn forget_events(&self, lifetime: SignedDuration) -> Result<usize, StoreError> {
        forget::forget(&self.database, lifetime).await
    }

    async fn forget_answered(&self, lifetime: SignedDuration) -> Result<usize, StoreError> {
        let before = self.database.clock.now().checked_sub(lifetime);
        answered::forget(&self.database, before.unwrap_or(Timestamp::MIN)).await
    }
}

fn claim(
    connection: &Connection,
    id: JobId,
    worker: &str,
    times: Times,
    terms: LeaseTerms,
) -> Result<Claim, SqliteError> {
    let claimed = change(connection, id, times, |job| {
        job.claim(worker, times.now, terms)
    })?;
    let (job, attempt) = match claimed {
        None => return Ok(Claim::Gone),
        Some((_, Err(refused))) => return Ok(Claim::Refused(refused)),
        Some((job, Ok(attempt))) => (job, attempt),
    };
    turns::served(connection, job.owner, times.now)?;
    Ok(match recording_by_id(connection, job.recording_id)? {
        Some(recording) => Claim::Won {
            attempt,
            job,
            recording,
        },
        None => Claim::Gone,
    })
}

/// Turns the drafts that `put` left into the job's correction and its deltas. `bytes` are the correction's, where
/// no draft has them.
fn adopt_correction(
    connection: &Connection,
    job: &Job,
    (correction, bytes): (&Correction, Option<&[u8]>),
    bytes_are_here: bool,
    times: Times,
) -> Result<(), SqliteError> {
    let id = job.id.to_string();
    if bytes.is_some() {
        let (job, attempt) = (job.id, correction.attempt);
        upload::remove_row(connection, BlobKey::Correction { job, attempt })?;
    } else if bytes_are_here {
        let found: bool = connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM corrections
                 WHERE job_id = ?1 AND attempt = ?2 AND correction IS NOT NULL)",
            )?
            .query_row((&id, correction.attempt), |row| row.get(0))?;
        if !found {
            let attempt = correction.attempt;
            return Err(StoreError::Broken(format!(
                "the bytes of job {id}'s correction of attempt {attempt} are not there"
            ))
            .into());
        }
    }
    connection
        .prepare_cached(
            "INSERT INTO corrections (job_id, attempt, content_type, size_bytes, sha256, created_at,
                 report, correction)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (job_id, attempt) DO UPDATE SET content_type = excluded.content_type,
                 report = excluded.report",
        )?
        .execute((
            &id,
            correction.attempt,
            &correction.content_type,
            signed(correction.size_bytes),
            &correction.sha256,
            nanos(times.now),
            to_json(&correction.report),
            bytes,
        ))?;
    connection
        .prepare_cached("UPDATE deltas SET kept = 1 WHERE job_id = ?1 AND attempt = ?2")?
        .execute((&id, correction.attempt))?;
    Ok(())
}
