//! Jobs: another one for a recording, list, look, cancel, and what came of it.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use retake_chain::{format::Format, problem::ProblemKind};
use retake_jobs::{
    correction::Correction,
    entry::JobQuery,
    id::{JobId, OwnerId, RecordingId},
    idempotency::Added,
    job::{Job, Status},
    seams::{BlobKey, JobRecord},
};
use tokio::time::{Instant, sleep};
use warp::reply::Response;

use crate::{
    api::{Accepted, JobView, ReportView, download_stem},
    app::App,
    call::Call,
    http::{
        prefer,
        respond::{self, Refusal},
    },
    routes::{
        download::{Download, Keep},
        list_query,
        once::{Ordering, replay},
        order::{Wanted, refuse_all},
        paging, presets,
        webhooks::check_callback,
    },
    session::auth,
};

/// Between two looks at a job that somebody waits for: from the first to the second, twice as long each time.
const LOOK: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(640));

pub async fn create(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let recording: RecordingId = call.id()?;
    let ordering = Ordering::begin(&app, owner, &call.headers).await?;
    if !ordering.came_before() {
        auth::check_usage(&app, (owner, &call.told), None).await?;
    }
    let (request_id, trace) = (call.request_id.clone(), call.trace);
    let wanted: Wanted = call.json(app.config.json_bytes_max).await?;
    // A recording that is not there is 404, whatever else is wrong.
    if app.parts.store.recording(owner, recording).await?.is_none() {
        return Err(Refusal::not_found());
    }
    let once = ordering.once(wanted.fingerprint(recording));
    if let Some(replayed) = ordering.replay(&app, once.as_ref()) {
        return replayed;
    }
    let saved = presets::saved(&app, owner, wanted.preset.as_deref()).await?;
    let callback = check_callback(&app, owner, wanted.callback_url.as_deref()).await?;
    let order = wanted.check(&app.vocabulary().await?, saved.as_ref());
    let (callback_url, order) = match (callback, order) {
        (Ok(callback_url), Ok(order)) => (callback_url, order),
        (callback, order) => {
            let faults = callback.err().into_iter();
            let faults = faults.chain(order.err().into_iter().flatten());
            return Err(refuse_all(faults.collect()));
        }
    };
    let asked = (request_id.as_str(), trace);
    let mut job = order.into_job(&app, recording, owner, asked);
    job.callback_url = callback_url;
    let added = app
        .parts
        .store
        .add_job(&job, once.as_ref())
        .await?
        .ok_or_else(Refusal::not_found)?;
    let event = match added {
        Added::Now(event) => event,
        Added::Before(before) => return replay(&app, &before, once.as_ref()),
    };
    app.metrics.job(Status::Queued);
    tracing::info!(job.id = %job.id, recording.id = %recording, request.id = request_id.as_str(), trace.id = trace.trace_id(), "job queued");
    Ok(Accepted::new(app.place.base(), &job, event).into_response())
}

/// The owner's, of all recordings.
pub async fn list(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let query = list_query::jobs(&app, &call, None)?;
    page(&app, owner, &query).await
}

pub async fn list_of_recording(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let id: RecordingId = call.id()?;
    let query = list_query::jobs(&app, &call, Some(id))?;
    if app.parts.store.recording(owner, id).await?.is_none() {
        return Err(Refusal::not_found());
    }
    page(&app, owner, &query).await
}

async fn page(app: &App, owner: OwnerId, query: &JobQuery) -> Result<Response, Refusal> {
    let found = app.parts.store.jobs(owner, query).await?;
    let page = paging::found(&found.items, found.next.as_ref(), |job| {
        JobView::new(app.place.base(), job)
    });
    Ok(respond::json(StatusCode::OK, &page))
}

/// A job, and whose it is: whoever asks, or whoever shares it.
#[derive(Debug, Clone, Copy)]
pub struct TheirJob {
    pub owner: OwnerId,
    pub job: JobId,
}

impl TheirJob {
    /// The one in the address, of whoever asks.
    pub async fn asked_for(app: &App, call: &Call) -> Result<Self, Refusal> {
        let owner = auth::owner(app, call).await?;
        let job = call.id()?;
        Ok(Self { owner, job })
    }

    pub async fn find(self, app: &App) -> Result<JobRecord, Refusal> {
        let found = app.parts.store.job(self.owner, self.job).await?;
        found.ok_or_else(Refusal::not_found)
    }

    /// As it is when it has ended, or when the time is over.
    async fn ended_within(self, app: &App, wait: Duration) -> Result<JobRecord, Refusal> {
        let until = Instant::now() + wait;
        let mut pause = LOOK.0;
        loop {
            let record = self.find(app).await?;
            let left = until.saturating_duration_since(Instant::now());
            if record.job.status.is_ended() || left.is_zero() {
                return Ok(record);
            }
            tokio::select! {
                () = sleep(pause.min(left)) => {}
                () = app.stopping.cancelled() => return Ok(record),
            }
            pause = (pause * 2).min(LOOK.1);
        }
    }

    /// The correction, or why there is none: not yet, or never.
    pub async fn correction(self, app: &App) -> Result<(Job, Correction), Refusal> {
        let JobRecord { job, correction } = self.find(app).await?;
        match correction {
            Some(correction) if job.status == Status::Completed => Ok((job, correction)),
            _ => Err(Refusal::new(
                ProblemKind::NotReady,
                format!(
                    "the job is {}; there is a correction once it is completed",
                    job.status.name()
                ),
            )),
        }
    }
}

pub async fn get(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let theirs = TheirJob::asked_for(&app, &call).await?;
    let wait = prefer::wait(&call.headers).map(|wait| wait.min(app.config.wait_max()));
    let record = match wait {
        Some(wait) => theirs.ended_within(&app, wait).await?,
        None => theirs.find(&app).await?,
    };
    let view = JobView::of_record(app.place.base(), &record);
    let mut response = respond::json(StatusCode::OK, &view);
    if let Some(wait) = wait {
        prefer::applied(&mut response, wait);
    }
    Ok(response)
}

pub async fn cancel(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let id: JobId = call.id()?;
    let cancelled = app
        .parts
        .store
        .cancel(owner, id)
        .await?
        .ok_or_else(Refusal::not_found)?;
    let job =
        cancelled.map_err(|ended| Refusal::new(ProblemKind::AlreadyEnded, ended.to_string()))?;
    tracing::info!(job.id = %id, job.status = job.status.name(), "cancel asked for");
    Ok(respond::json(
        StatusCode::ACCEPTED,
        &JobView::new(app.place.base(), &job),
    ))
}

pub async fn audio(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let theirs = TheirJob::asked_for(&app, &call).await?;
    download(&app, &call, theirs).await
}

pub async fn download(app: &App, call: &Call, theirs: TheirJob) -> Result<Response, Refusal> {
    let (job, correction) = theirs.correction(app).await?;
    let recording = app
        .parts
        .store
        .recording(job.owner, job.recording_id)
        .await?;
    let original = recording.and_then(|found| found.recording.file_name);
    let download = Download {
        key: BlobKey::Correction {
            job: job.id,
            attempt: correction.attempt,
        },
        size_bytes: correction.size_bytes,
        file_name: format!(
            "{}.{}",
            download_stem(original.as_deref(), &job),
            extension(&job, &correction)
        ),
        content_type: correction.content_type,
        tag: correction.sha256,
        keep: Keep::Asking,
        hold: None,
    };
    download.answer(app, call)
}

/// What one step took away, where the chain asked to keep it.
pub async fn delta(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let theirs = TheirJob::asked_for(&app, &call).await?;
    let (job, correction) = theirs.correction(&app).await?;
    let step: u32 = call.segment(1).parse().map_err(|_| Refusal::not_found())?;
    let steps = &correction.report.steps;
    let kept = steps.get(step as usize).filter(|step| step.delta);
    let name = &kept.ok_or_else(Refusal::not_found)?.step;
    let key = BlobKey::Delta {
        job: job.id,
        attempt: correction.attempt,
        step,
    };
    let download = Download {
        key,
        size_bytes: app.parts.blobs.size(key).await?,
        file_name: format!("delta-{step}-{name}.{}", extension(&job, &correction)),
        content_type: correction.content_type,
        // The same recording, chain and plugins give the same correction and the same deltas.
        tag: format!("{}-{step}", correction.sha256),
        keep: Keep::Asking,
        hold: None,
    };
    download.answer(&app, &call)
}

/// The correction is not always what was asked for.
fn extension(job: &Job, correction: &Correction) -> &'static str {
    let written = Format::of_content_type(&correction.content_type);
    written.or(job.format).unwrap_or_default().extension()
}

pub async fn report(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    reported(&app, TheirJob::asked_for(&app, &call).await?).await
}

pub async fn reported(app: &App, theirs: TheirJob) -> Result<Response, Refusal> {
    let (job, correction) = theirs.correction(app).await?;
    Ok(respond::json(
        StatusCode::OK,
        &ReportView::new(job.id, &correction),
    ))
}
