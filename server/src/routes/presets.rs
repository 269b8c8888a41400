//! Chains that have a name: the built-in ones, for everybody, and those that an owner saved.

use std::sync::Arc;

use http::StatusCode;
use retake_chain::{
    Chain,
    preset::{self, Preset},
    problem::ProblemKind,
};
use retake_jobs::{
    id::OwnerId,
    saved_preset::{PresetName, Saved, SavedPreset, Summary},
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    api::{Page, PresetView},
    app::App,
    call::Call,
    http::{
        conditions::{self, Verdict, judge},
        respond::{self, Answer, Refusal, shorten},
    },
    routes::order::{Fault, refuse_all},
    session::auth,
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    summary: String,
    #[serde(default)]
    chain: Value,
}

/// What an order's preset means that is not built in.
pub async fn saved(
    app: &App,
    owner: OwnerId,
    name: Option<&str>,
) -> Result<Option<SavedPreset>, Refusal> {
    let Some(name) = name.filter(|name| preset::find(name).is_none()) else {
        return Ok(None);
    };
    let Some(name) = PresetName::parse(name) else {
        return Ok(None);
    };
    Ok(app.parts.store.preset(owner, &name, None).await?)
}

/// Their plugins by the shortest names that mean them here, for people to read.
async fn built_in(app: &App) -> Result<Vec<Preset>, Refusal> {
    let names = app.vocabulary().await?.short_names;
    let all = preset::built_in().iter();
    Ok(all.map(|preset| preset.named(&names)).collect())
}

pub async fn list(app: Arc<App>, call: Call) -> Answer {
    call.only_query(&[])?;
    let base = app.place.base();
    let ours = built_in(&app).await?;
    let theirs = match auth::owner_if_any(&app, &call).await? {
        Some(owner) => app.parts.store.presets(owner).await?,
        None => Vec::new(),
    };
    let ours = ours.iter().map(|it| PresetView::built_in(base, it));
    let theirs = theirs.iter().map(|it| PresetView::saved(base, it));
    let page = Page {
        items: ours.chain(theirs).collect(),
        next_page_token: None,
    };
    Ok(respond::json(StatusCode::OK, &page))
}

pub async fn get(app: Arc<App>, call: Call) -> Answer {
    call.only_query(&["version"])?;
    let name = call.segment(0);
    let base = app.place.base();
    if preset::find(name).is_some() {
        let ours = built_in(&app).await?;
        let found = ours.iter().find(|preset| preset.name == name);
        let found = found.ok_or_else(Refusal::not_found)?;
        let view = PresetView::built_in(base, found);
        return respond::tagged(Some(&call.headers), &view, "built-in");
    }
    let owner = auth::owner(&app, &call).await?;
    let name = PresetName::parse(name).ok_or_else(Refusal::not_found)?;
    let version = call.query("version").map(|text| {
        text.parse().map_err(|_| {
            let detail = format!(
                "version is \"{}\"; it must be a number from 1",
                shorten(&text)
            );
            Refusal::field(ProblemKind::InvalidField, "/version", detail)
        })
    });
    let found = app
        .parts
        .store
        .preset(owner, &name, version.transpose()?)
        .await?;
    let found = found.ok_or_else(Refusal::not_found)?;
    let view = PresetView::saved(base, &found);
    respond::tagged_as(Some(&call.headers), &view, &etag(found.version))
}

/// Saves a version; the first makes the preset.
pub async fn save(app: Arc<App>, call: Call) -> Answer {
    let owner = auth::owner(&app, &call).await?;
    let (name, method, headers) = (
        call.segment(0).to_owned(),
        call.method.clone(),
        call.headers.clone(),
    );
    let wanted: Wanted = call.json(app.config.json_bytes_max).await?;
    let (name, summary, chain) = check(&app, &name, wanted).await?;
    loop {
        let before = app.parts.store.preset(owner, &name, None).await?;
        let before = before.map_or(0, |preset| preset.version);
        match before {
            0 => conditions::of_absent(&headers)?,
            _ if judge(&method, &headers, &etag(before)) == Verdict::Go => {}
            _ => return Err(conditions::failed(&etag(before))),
        }
        let preset = SavedPreset {
            name: name.clone(),
            version: before + 1,
            summary: summary.clone(),
            chain: chain.clone(),
            saved_at: app.parts.clock.now(),
        };
        let most = app.config.presets_per_owner_max;
        match app.parts.store.save_preset(owner, &preset, most).await? {
            Saved::Done => {
                let status = match before {
                    0 => StatusCode::CREATED,
                    _ => StatusCode::OK,
                };
                let view = PresetView::saved(app.place.base(), &preset);
                let mut answer = respond::tagged_as(None, &view, &etag(preset.version))?;
                *answer.status_mut() = status;
                return Ok(answer);
            }
            // Whoever said no condition saves behind whoever was there meanwhile.
            Saved::Changed => {}
            Saved::TooMany => {
                let detail =
                    format!("there are {most} presets of yours, which is the limit; remove one");
                return Err(Refusal::new(ProblemKind::TooManyKeys, detail));
            }
        }
    }
}

/// Every fault at once.
async fn check(
    app: &App,
    name: &str,
    wanted: Wanted,
) -> Result<(PresetName, Summary, Value), Refusal> {
    let mut faults = Vec::new();
    let mut wrong = |pointer: &str, detail: String| {
        faults.push(Fault::new(ProblemKind::InvalidField, pointer, detail));
    };
    let parsed = PresetName::parse(name).filter(|name| preset::find(name.as_str()).is_none());
    if parsed.is_none() {
        let (given, most) = (shorten(name), PresetName::CHARS_MAX);
        let detail = if preset::find(name).is_some() {
            format!("the preset \"{given}\" is built in and cannot be changed; choose another name")
        } else {
            format!(
                "name is \"{given}\"; it must be 1 to {most} small letters, digits and hyphens, \
                 with none of these at its ends"
            )
        };
        wrong("/name", detail);
    }
    let summary = Summary::parse(&wanted.summary);
    if summary.is_none() {
        let (given, most) = (shorten(&wanted.summary), Summary::CHARS_MAX);
        let detail =
            format!("summary is \"{given}\"; it must be one line of up to {most} characters");
        wrong("/summary", detail);
    }
    let vocabulary = app.vocabulary().await?;
    if let Err(errors) = Chain::parse(&wanted.chain, "/chain", &vocabulary) {
        let fault = |error| Fault {
            kind: ProblemKind::InvalidChain,
            error,
        };
        faults.extend(errors.into_iter().map(fault));
    }
    match (parsed, summary) {
        (Some(name), Some(summary)) if faults.is_empty() => Ok((name, summary, wanted.chain)),
        _ => Err(refuse_all(faults)),
    }
}

pub async fn remove(app: Arc<App>, call: Call) -> Answer {
    let owner = auth::owner(&app, &call).await?;
    let name = call.segment(0);
    if preset::find(name).is_some() {
        let detail = format!("the preset \"{name}\" is built in and cannot be removed");
        return Err(Refusal::field(ProblemKind::InvalidField, "/name", detail));
    }
    let name = PresetName::parse(name).ok_or_else(Refusal::not_found)?;
    loop {
        let found = app.parts.store.preset(owner, &name, None).await?;
        let newest = found.ok_or_else(Refusal::not_found)?.version;
        if judge(&call.method, &call.headers, &etag(newest)) != Verdict::Go {
            return Err(conditions::failed(&etag(newest)));
        }
        if app.parts.store.remove_preset(owner, &name, newest).await? {
            return Ok(respond::empty(StatusCode::NO_CONTENT));
        }
    }
}

fn etag(version: u64) -> String {
    format!("\"{version}\"")
}
