//! What a client may refer to: this interface, its limits, and what problems mean. The same for
//! everybody, so no session is needed.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use retake_chain::problem::ProblemKind;
use warp::reply::Response;

use crate::{
    api::{ExternalView, LimitsView, Page, Version},
    app::App,
    call::Call,
    http::respond::{self, Refusal},
};

pub static PROBLEMS: &str = include_str!("../../../docs/problems.md");

/// Where chains may send audio.
pub async fn externals(app: Arc<App>, _: Call) -> Result<Response, Refusal> {
    let items = app.config.externals.iter().map(|it| ExternalView {
        name: &it.name,
        description: &it.description,
        runs: "remote",
        host: &it.host,
    });
    let page = Page {
        items: items.collect(),
        next_page_token: None,
    };
    Ok(respond::json(StatusCode::OK, &page))
}

/// Made of the route table when the server starts.
pub async fn openapi(app: Arc<App>, _: Call) -> Result<Response, Refusal> {
    let description = app.description.get().cloned().unwrap_or_default();
    Ok(text(description, "application/json"))
}

pub async fn limits(app: Arc<App>, _: Call) -> Result<Response, Refusal> {
    let config = &app.config;
    let limits = LimitsView {
        upload_bytes_max: config.upload_bytes_max,
        upload_ms_max: config.upload_ms_max,
        upload_bytes_per_s_min: config.upload_bytes_per_s_min,
        uploads_per_owner_max: config.uploads_per_owner_max,
        uploads_per_address_max: config.uploads_per_address_max,
        uploads_max: config.uploads_max,
        json_bytes_max: config.json_bytes_max,
        chain_steps_max: config.chain_steps_max,
        name_chars_max: config.name_chars_max,
        tags_per_recording_max: config.tags_per_recording_max,
        tag_chars_max: config.tag_chars_max,
        notes_chars_max: config.notes_chars_max,
        page_rows_max: config.page_rows_max,
        restore_ms: config.restore_ms,
        queue_depth_max: config.queue_depth_max,
        sessions_per_minute_max: config.sessions_per_minute_max,
        sessions_per_owner_max: config.sessions_per_owner_max,
        streams_per_owner_max: config.streams_per_owner_max,
        derivatives_waiting_per_owner_max: config.derivatives_waiting_per_owner_max,
        plugin_bytes_max: config.plugin_bytes_max,
    };
    Ok(respond::json(StatusCode::OK, &limits))
}

pub async fn version(_: Arc<App>, _: Call) -> Result<Response, Refusal> {
    let version = Version {
        version: env!("CARGO_PKG_VERSION"),
        api: "1",
        commit: option_env!("RETAKE_COMMIT"),
    };
    Ok(respond::json(StatusCode::OK, &version))
}

/// The section of docs/problems.md that explains one kind: where a problem's `type` leads.
pub async fn problem(_: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let known = ProblemKind::ALL
        .iter()
        .any(|kind| kind.slug() == call.segment(0));
    let section = known.then(|| section(call.segment(0))).flatten();
    section
        .map(|section| Bytes::from_static(section.as_bytes()))
        .map(|section| text(section, "text/markdown; charset=utf-8"))
        .ok_or_else(Refusal::not_found)
}

fn section(slug: &str) -> Option<&'static str> {
    let heading = format!("## {slug}\n");
    let start = PROBLEMS.find(&heading)?;
    let rest = &PROBLEMS[start..];
    Some(rest[2..].find("\n## ").map_or(rest, |end| &rest[..end + 3]))
}

fn text(body: Bytes, content_type: &'static str) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_problem_has_a_section_that_states_its_status_and_title() {
        for kind in ProblemKind::ALL {
            let section = section(kind.slug()).unwrap_or_else(|| panic!("{}", kind.slug()));
            assert!(
                section.contains(kind.title()),
                "{}: {}",
                kind.slug(),
                kind.title()
            );
            assert!(
                section.contains(&format!("{}", kind.status())),
                "{}",
                kind.slug()
            );
        }
    }

    #[test]
    fn no_section_explains_a_problem_that_does_not_exist() {
        for heading in PROBLEMS.lines().filter_map(|line| line.strip_prefix("## ")) {
            assert!(
                ProblemKind::ALL.iter().any(|kind| kind.slug() == heading),
                "{heading}"
            );
        }
    }
}
