//! What is made of a completed job when it is asked for: the correction in other formats, pictures of it,
//! the stream to compare by.
//!
//! Asking makes it. Whoever asks waits a while for it; then they are told to ask again, and it goes on being made.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use retake_chain::problem::ProblemKind;
use retake_jobs::{
    derivative::{Derivative, DerivativeStatus, DerivedFile, Kind, PeaksForm},
    id::OwnerId,
    seams::Derive,
};
use tokio::time::{Instant, sleep};
use warp::reply::Response;

use super::jobs::TheirJob;
use crate::{
    api::{DerivativeView, Page, download_stem},
    app::App,
    call::Call,
    http::{
        prefer,
        range::{Portion, portion},
        respond::{self, Answer, Refusal, shorten},
    },
    routes::download::{CHUNK_BYTES, Download, Hold, Keep},
};

/// How long is waited for it where the request does not say (RFC 7240, `wait`).
const WAIT: Duration = Duration::from_secs(10);
/// Between two looks: from the first to the second, twice as long each time.
const LOOK: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(160));

pub async fn rendition(app: Arc<App>, call: Call) -> Answer {
    render(&app, &call, TheirJob::asked_for(&app, &call).await?).await
}

pub async fn render(app: &App, call: &Call, theirs: TheirJob) -> Answer {
    let text = decoded(call.segment(1));
    match text.parse() {
        Ok(rendition) => answer(app, call, theirs, Kind::Rendition(rendition)).await,
        Err(error) => {
            // What is not there, or another's, is told first.
            theirs.correction(app).await?;
            let detail = format!("the rendition \"{}\": {error}", shorten(&text));
            let wrong = Refusal::field(ProblemKind::InvalidField, "/rendition", detail);
            Err(wrong)
        }
    }
}

pub async fn compare(app: Arc<App>, call: Call) -> Answer {
    let theirs = TheirJob::asked_for(&app, &call).await?;
    answer(&app, &call, theirs, Kind::Compare).await
}

pub async fn compare_tracks(app: Arc<App>, call: Call) -> Answer {
    let theirs = TheirJob::asked_for(&app, &call).await?;
    answer(&app, &call, theirs, Kind::CompareTracks).await
}

pub async fn peaks(app: Arc<App>, call: Call) -> Answer {
    draw_peaks(&app, &call, TheirJob::asked_for(&app, &call).await?).await
}

pub async fn draw_peaks(app: &App, call: &Call, theirs: TheirJob) -> Answer {
    let kind = Kind::parse_peaks(call.segment(1)).ok_or_else(Refusal::not_found)?;
    answer(app, call, theirs, kind).await
}

pub async fn spectrogram(app: Arc<App>, call: Call) -> Answer {
    draw_spectrogram(&app, &call, TheirJob::asked_for(&app, &call).await?).await
}

pub async fn draw_spectrogram(app: &App, call: &Call, theirs: TheirJob) -> Answer {
    let kind = format!(
        "spectrogram/{}/{}/{}",
        call.segment(1),
        call.segment(2),
        call.segment(3)
    );
    let kind = kind.parse().map_err(|_| Refusal::not_found())?;
    answer(app, call, theirs, kind).await
}

/// All that were made of a job, and those that wait.
pub async fn list(app: Arc<App>, call: Call) -> Answer {
    let theirs = TheirJob::asked_for(&app, &call).await?;
    let (job, _) = theirs.correction(&app).await?;
    let all = app.parts.store.derivatives(job.owner, job.id).await?;
    let base = app.place.base();
    let page = Page {
        items: all.iter().map(|it| DerivativeView::new(base, it)).collect(),
        next_page_token: None,
    };
    Ok(respond::json(StatusCode::OK, &page))
}

/// A client may escape the colon and the comma.
fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment)
        .decode_utf8_lossy()
        .into_owned()
}

pub async fn answer(app: &App, call: &Call, theirs: TheirJob, kind: Kind) -> Answer {
    let TheirJob { owner, job } = theirs;
    let mut wanted = Derivative::new(owner, job, kind, app.parts.clock.now());
    wanted.request_id = Some(call.request_id.as_str().to_owned());
    let until = Instant::now() + wait(app, &call.headers);
    let mut pause = LOOK.0;
    loop {
        let derivative = match app
            .parts
            .store
            .derive(&wanted, app.config.derivatives_waiting_per_owner_max)
            .await?
        {
            Derive::Is(derivative) => derivative,
            Derive::TooMany => return Err(too_many(app)),
            // Of a job that is there, the reason.
            Derive::Gone => {
                theirs.correction(app).await?;
                return Err(Refusal::not_found());
            }
        };
        match (derivative.status, &derivative.file) {
            (DerivativeStatus::Ready, Some(file)) => {
                // What one read takes cannot be forgotten in between.
                let hold = if takes_long(call, file) {
                    let hold = Hold::begin(&app.parts.store, derivative.id).await?;
                    if hold.is_none() {
                        continue;
                    }
                    hold
                } else {
                    None
                };
                return download(app, call, owner, (&derivative, file), hold).await;
            }
            (DerivativeStatus::Failed, _) => return Err(failed(derivative)),
            _ if Instant::now() + pause >= until => return Ok(wait_for_it(app, &derivative)),
            _ => {}
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = app.stopping.cancelled() => return Ok(wait_for_it(app, &derivative)),
        }
        pause = (pause * 2).min(LOOK.1);
    }
}

/// Whether more of it is asked for than is read at once.
fn takes_long(call: &Call, file: &DerivedFile) -> bool {
    let etag = format!("\"{}\"", file.sha256);
    let bytes = match portion(&call.method, &call.headers, &etag, file.size_bytes) {
        Portion::Whole => file.size_bytes,
        Portion::Part { first, end } => end - first,
        Portion::Unsatisfiable => 0,
    };
    call.method == Method::GET && bytes > CHUNK_BYTES as u64
}

/// Within what an answer may take.
fn wait(app: &App, headers: &HeaderMap) -> Duration {
    prefer::wait(headers)
        .unwrap_or(WAIT)
        .min(app.config.wait_max())
}

async fn download(
    app: &App,
    call: &Call,
    owner: OwnerId,
    (derivative, file): (&Derivative, &DerivedFile),
    hold: Option<Hold>,
) -> Answer {
    let record = app.parts.store.job(owner, derivative.job_id).await?;
    let job = record.ok_or_else(Refusal::not_found)?.job;
    let recording = app.parts.store.recording(owner, job.recording_id).await?;
    let original = recording.and_then(|found| found.recording.file_name);
    let stem = download_stem(original.as_deref(), &job);
    let download = Download {
        key: derivative.key(),
        size_bytes: file.size_bytes,
        file_name: file_name(&stem, derivative.kind),
        content_type: file.content_type.clone(),
        tag: file.sha256.clone(),
        keep: Keep::ForGood,
        hold,
    };
    download.answer(app, call)
}

fn file_name(stem: &str, kind: Kind) -> String {
    match kind {
        Kind::Rendition(rendition) => format!("{stem}.{}", rendition.format.extension()),
        Kind::Compare => format!("{stem}-compare.webm"),
        Kind::CompareTracks => format!("{stem}-compare.m4a"),
        Kind::Peaks(side, form) => {
            let ending = match form {
                PeaksForm::Pyramid => ".peaks",
                PeaksForm::Dat | PeaksForm::Json => form.ending(),
            };
            format!("{stem}-{}{ending}", side.name())
        }
        Kind::Spectrogram {
            side,
            columns_per_second,
            tile,
        } => format!("{stem}-{}-{columns_per_second}-{tile}.png", side.name()),
    }
}

/// It is being made: 202, and when to ask again.
fn wait_for_it(app: &App, derivative: &Derivative) -> Response {
    let view = DerivativeView::new(app.place.base(), derivative);
    let mut response = respond::json(StatusCode::ACCEPTED, &view);
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn failed(derivative: Derivative) -> Refusal {
    let unknown =
        || retake_chain::problem::Problem::new(ProblemKind::Internal, "it could not be made");
    Refusal::of(derivative.error.unwrap_or_else(unknown))
}

fn too_many(app: &App) -> Refusal {
    let most = app.config.derivatives_waiting_per_owner_max;
    let detail = format!(
        "{most} of yours wait to be made, or very many of everybody's; ask again when some are ready"
    );
    Refusal::new(ProblemKind::TooManyRequests, detail)
}
