//! What a link to a correction opens, to whoever has it: no session, no account. A link that was
//! revoked, has expired or never was answers 404, as what is not there.

use std::sync::Arc;

use http::StatusCode;
use retake_jobs::{derivative::Kind, share::Share};

use super::{derivatives, jobs, jobs::TheirJob, recordings};
use crate::{
    api::SharedView,
    app::App,
    call::Call,
    http::respond::{self, Answer, Refusal},
    session::token::ShareToken,
};

async fn open(app: &App, call: &Call) -> Result<Share, Refusal> {
    let token = ShareToken::parse(call.segment(0)).ok_or_else(Refusal::not_found)?;
    let share = app.parts.store.share(token.sha256()).await?;
    let share = share.filter(|share| share.opens(app.parts.clock.now()));
    share.ok_or_else(Refusal::not_found)
}

async fn listen(app: &App, call: &Call) -> Result<TheirJob, Refusal> {
    let share = open(app, call).await?;
    Ok(TheirJob {
        owner: share.owner,
        job: share.job,
    })
}

/// What may only be listened to has no files.
async fn take_away(app: &App, call: &Call) -> Result<(Share, TheirJob), Refusal> {
    let share = open(app, call).await?;
    if !share.may_download {
        return Err(Refusal::not_found());
    }
    let theirs = TheirJob {
        owner: share.owner,
        job: share.job,
    };
    Ok((share, theirs))
}

pub async fn get(app: Arc<App>, call: Call) -> Answer {
    let share = open(&app, &call).await?;
    let found = app
        .parts
        .store
        .recording(share.owner, share.recording)
        .await?;
    let found = found.ok_or_else(Refusal::not_found)?;
    let base = app.place.base();
    let view = SharedView::new(base, call.segment(0), &share, &found.recording);
    Ok(respond::json(StatusCode::OK, &view))
}

pub async fn report(app: Arc<App>, call: Call) -> Answer {
    jobs::reported(&app, listen(&app, &call).await?).await
}

pub async fn compare(app: Arc<App>, call: Call) -> Answer {
    let theirs = listen(&app, &call).await?;
    derivatives::answer(&app, &call, theirs, Kind::Compare).await
}

pub async fn compare_tracks(app: Arc<App>, call: Call) -> Answer {
    let theirs = listen(&app, &call).await?;
    derivatives::answer(&app, &call, theirs, Kind::CompareTracks).await
}

pub async fn peaks(app: Arc<App>, call: Call) -> Answer {
    let theirs = listen(&app, &call).await?;
    derivatives::draw_peaks(&app, &call, theirs).await
}

pub async fn spectrogram(app: Arc<App>, call: Call) -> Answer {
    let theirs = listen(&app, &call).await?;
    derivatives::draw_spectrogram(&app, &call, theirs).await
}

pub async fn original(app: Arc<App>, call: Call) -> Answer {
    let (share, _) = take_away(&app, &call).await?;
    let store = &app.parts.store;
    let found = store.recording(share.owner, share.recording).await?;
    let found = found.ok_or_else(Refusal::not_found)?;
    recordings::download(&app, &call, found.recording)
}

pub async fn audio(app: Arc<App>, call: Call) -> Answer {
    let (_, theirs) = take_away(&app, &call).await?;
    jobs::download(&app, &call, theirs).await
}

pub async fn rendition(app: Arc<App>, call: Call) -> Answer {
    let (_, theirs) = take_away(&app, &call).await?;
    derivatives::render(&app, &call, theirs).await
}
