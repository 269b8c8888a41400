//! The page: every address that is not the API's.

use std::{convert::Infallible, sync::Arc};

use http::HeaderMap;
use warp::{Filter, filters::BoxedFilter, path::FullPath, reply::Response};

use crate::app::App;

/// The API's addresses never answer with a page, however wrong they are: a client that misspells
/// one must get a problem, not 200 and HTML.
const NOT_OURS: [&str; 5] = ["api", "healthz", "readyz", "metrics", "problems"];

pub fn filter(app: Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path::full()
        .and_then(|path: FullPath| async move {
            let first = path.as_str().split('/').nth(1).unwrap_or_default();
            if NOT_OURS.contains(&first) {
                Err(warp::reject::not_found())
            } else {
                Ok(path)
            }
        })
        .and(warp::header::headers_cloned())
        .and(warp::get().or(warp::head()).unify())
        .and_then(move |path: FullPath, headers: HeaderMap| {
            let app = app.clone();
            async move {
                let answered = app.web.answer(path.as_str(), &headers);
                Ok::<_, Infallible>(answered.unwrap_or_else(super::carry))
            }
        })
        .boxed()
}
