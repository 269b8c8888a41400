//! The page and its files: what no address of the API is.

use std::sync::Arc;

use http::{HeaderMap, Method};
use warp::{Filter, filters::BoxedFilter, path::FullPath};

use crate::{
    app::App,
    http::respond::{Answer, Refusal},
    page::assets::takes_html,
};

/// Below these nothing answers with a page, however wrong the address and whoever asks: a client
/// that misspells one must get a problem.
const NOT_OURS: [&str; 5] = ["api", "healthz", "readyz", "metrics", "problems"];

pub fn filter(app: Arc<App>) -> BoxedFilter<(Answer,)> {
    let served = app.clone();
    let found = warp::path::full()
        .and_then(move |path: FullPath| {
            let found = served.web.has(path.as_str());
            async move {
                if found {
                    Ok(path)
                } else {
                    Err(warp::reject::not_found())
                }
            }
        })
        .and(warp::method())
        .and(warp::get().or(warp::head()).unify())
        .and(warp::header::headers_cloned());
    found
        .map(move |path: FullPath, method: Method, headers: HeaderMap| {
            app.web.answer(path.as_str(), &method, &headers)
        })
        .boxed()
}

/// What to say to somebody who asks for what is not there: a person at a browser gets a page.
pub fn missing(app: &App, path: &str, headers: &HeaderMap) -> Answer {
    let first = path.split('/').nth(1).unwrap_or_default();
    if NOT_OURS.contains(&first) || !takes_html(headers) {
        return Err(Refusal::not_found());
    }
    app.web.missing().ok_or_else(Refusal::not_found)
}
