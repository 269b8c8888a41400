//! The catalogue of plugins. Reading it needs no session; taking a version out needs the admin key.

use std::sync::Arc;

use http::StatusCode;
use retake_chain::{ShortNames, find_plugin, problem::ProblemKind};
use retake_jobs::{
    credential::Scope,
    plugin::{PluginVersion, short_names},
    seams::Removal,
};
use warp::reply::Response;

use crate::{
    api::{Admin, History, Names, Page, PluginView, VersionView},
    app::App,
    call::Call,
    http::{
        conditions,
        respond::{self, Refusal, shorten},
    },
    session::auth,
};

/// Of each plugin the version that a chain gets which names none.
pub async fn list(app: Arc<App>, _: Call) -> Result<Response, Refusal> {
    let mut rows = app.parts.store.plugins().await?;
    let names = short_names(&rows);
    rows.retain(|row| row.removed_at.is_none());
    let same = |a: &PluginVersion, b: &PluginVersion| id(a) == id(b);
    let views = rows.chunk_by(same).map(|versions| {
        let texts: Vec<_> = versions.iter().map(version_text).collect();
        PluginView::new(&versions[0], &names, Names(texts))
    });
    Ok(respond::json(
        StatusCode::OK,
        &Page {
            items: views.collect(),
            next_page_token: None,
        },
    ))
}

/// Also one whose versions were all removed: what old jobs ran can be read.
pub async fn get(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let (rows, names) = versions_of(&app, call.segment(0)).await?;
    let newest = rows.iter().find(|row| row.removed_at.is_none());
    let newest = newest.unwrap_or(&rows[0]);
    let versions: Vec<_> = rows.iter().map(VersionView::new).collect();
    Ok(respond::json(
        StatusCode::OK,
        &PluginView::new(newest, &names, History(versions)),
    ))
}

pub async fn version(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let (rows, names) = versions_of(&app, call.segment(0)).await?;
    let row = one_of(&rows, call.segment(1))?;
    let check = app
        .parts
        .store
        .check_report(id(row), version_text(row))
        .await?;
    let in_use = rows.iter().filter(|row| row.removed_at.is_none());
    let texts: Vec<_> = in_use.map(version_text).collect();
    let view = PluginView::new(row, &names, Names(texts)).with_check(check);
    Ok(respond::json(StatusCode::OK, &view))
}

pub async fn remove(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    auth::check_admin(&app, &call, Scope::PluginsPublish).await?;
    let (rows, _) = versions_of(&app, call.segment(0)).await?;
    let row = one_of(&rows, call.segment(1))?;
    let (id, version) = (id(row), version_text(row));
    conditions::of_untagged(&call.headers)?;
    match app.parts.store.remove_plugin(id, version).await? {
        Removal::Removed => {
            tracing::info!(plugin.id = id, plugin.version = version, "plugin removed");
            Ok(respond::empty(StatusCode::NO_CONTENT))
        }
        Removal::Gone => Err(Refusal::new(
            ProblemKind::NotFound,
            format!("{id} {version} was removed before"),
        )),
        Removal::BuiltIn => Err(Refusal::new(
            ProblemKind::PluginBuiltIn,
            format!("{id} {version} comes with the program, which would bring it back"),
        )),
    }
}

/// For the page: whether a typed key is one.
pub async fn admin(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    auth::check_admin(&app, &call, Scope::PluginsPublish).await?;
    Ok(respond::json(StatusCode::OK, &Admin { admin: true }))
}

/// The newest first; at least one.
async fn versions_of(app: &App, name: &str) -> Result<(Vec<PluginVersion>, ShortNames), Refusal> {
    let name = &percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    let mut rows = app.parts.store.plugins().await?;
    let names = short_names(&rows);
    let id = match find_plugin(&rows, |row| &row.plugin.manifest, &names, name, None) {
        Ok(row) => id(row).to_owned(),
        Err(error) => return Err(Refusal::new(ProblemKind::NotFound, error.to_string())),
    };
    rows.retain(|row| row.plugin.manifest.id == id);
    Ok((rows, names))
}

fn one_of<'a>(rows: &'a [PluginVersion], version: &str) -> Result<&'a PluginVersion, Refusal> {
    let version = &percent_encoding::percent_decode_str(version).decode_utf8_lossy();
    rows.iter()
        .find(|row| version_text(row) == version)
        .ok_or_else(|| {
            let known: Vec<_> = rows.iter().map(version_text).collect();
            let (id, version, known) = (id(&rows[0]), shorten(version), known.join(", "));
            let detail = format!("{id} has no version \"{version}\"; it has: {known}");
            Refusal::new(ProblemKind::NotFound, detail)
        })
}

fn id(row: &PluginVersion) -> &str {
    &row.plugin.manifest.id
}

fn version_text(row: &PluginVersion) -> &str {
    &row.plugin.manifest.version
}
