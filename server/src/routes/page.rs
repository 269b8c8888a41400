//! The page: every address that is not the API's.

use std::sync::Arc;

use http::HeaderMap;
use warp::{Filter, filters::BoxedFilter, path::FullPath};

use super::Answer;
use crate::app::App;

/// The API's addresses never answer with a page, however wrong they are: a client that misspells
/// one must get a problem, not 200 and HTML.
const NOT_OURS: [&str; 5] = ["api", "healthz", "readyz", "metrics", "problems"];

pub fn is_of_page(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    !NOT_OURS.contains(&first)
}

pub fn filter(app: Arc<App>) -> BoxedFilter<(Answer,)> {
    warp::path::full()
        .and_then(|path: FullPath| async move {
            if is_of_page(path.as_str()) {
                Ok(path)
            } else {
                Err(warp::reject::not_found())
            }
        })
        .and(warp::header::headers_cloned())
        .and(warp::get().or(warp::head()).unify())
        .map(move |path: FullPath, headers: HeaderMap| app.web.answer(path.as_str(), &headers))
        .boxed()
}
