//! Every address there is, in one list.
//!
//! The list (`table`) makes the warp filters, the `Allow` header of a 405, and the OpenAPI document. A handler gets a [`Call`] and returns an answer or a
//! [`Refusal`], and that is what its filter gives: only the end of [`all`] makes a response of a
//! refusal. It is never a warp rejection, so no other route is tried after it.

mod catalogue;
mod derivatives;
mod download;
mod events;
mod health;
mod jobs;
mod keys;
mod list_query;
mod metadata;
mod once;
mod order;
mod page;
mod paging;
mod plugins;
mod presets;
mod recordings;
mod sessions;
mod shared;
mod shares;
mod submissions;
mod table;
mod upload;
mod uploads;
mod webhooks;

use std::{sync::Arc, time::Duration};

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, Method, header};
use retake_chain::problem::ProblemKind;
use retake_jobs::trace::TraceContext;
use warp::{Filter, filters::BoxedFilter, path::FullPath, reply::Response};

use crate::{
    api::{openapi, operation::Operation},
    app::App,
    call::Call,
    config::ms,
    http::{
        body::RequestBody,
        proxies::Way,
        request_id::{Peer, RequestId},
        respond::{Answer, Refusal},
    },
    limits::quotas::Told,
    live::telling::Direct,
};

/// What every address does.
#[derive(Debug, Default)]
pub struct Table(Vec<Operation>);

pub fn all(app: &Arc<App>) -> (BoxedFilter<(Response,)>, Arc<Table>) {
    let mut routes = Routes::new(app.clone());
    table::fill(&mut routes);
    let (answers, table) = routes.finish();
    let responses = answers
        .and(warp::ext::get::<RequestId>())
        .map(|answer: Answer, id: RequestId| answer.unwrap_or_else(|no| no.into_response(&id)));
    (responses.boxed(), table)
}

impl Table {
    #[cfg(test)]
    pub fn operations(&self) -> &[Operation] {
        &self.0
    }

    #[cfg(test)]
    pub fn entries(&self) -> Vec<(Method, &'static str)> {
        let entry = |it: &Operation| (it.method.clone(), it.address);
        self.0.iter().map(entry).collect()
    }

    /// For `Allow`: what a path takes, empty if it is no address of this list.
    fn allowed(&self, path: &str) -> String {
        let mut methods: Vec<&str> = Vec::new();
        for operation in &self.0 {
            if matches(operation.address, path) {
                methods.push(operation.method.as_str());
                if operation.method == Method::GET {
                    methods.push("HEAD");
                }
            }
        }
        methods.join(", ")
    }
}

pub fn matches(template: &str, path: &str) -> bool {
    let mut segments = path.trim_end_matches('/').split('/');
    let fits = template.split('/').all(|wanted| {
        segments
            .next()
            .is_some_and(|segment| wanted.starts_with('{') || wanted == segment)
    });
    fits && segments.next().is_none()
}

struct Routes {
    app: Arc<App>,
    table: Table,
    filter: Option<BoxedFilter<(Answer,)>>,
}

impl Routes {
    fn new(app: Arc<App>) -> Self {
        Self {
            app,
            table: Table::default(),
            filter: None,
        }
    }

    /// An address whose answer is found within `answer_ms_max`.
    fn on<H, F>(&mut self, operation: Operation, handler: H)
    where
        H: Fn(Arc<App>, Call) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let limit = ms(self.app.config.answer_ms_max);
        self.on_slow(operation, move |app, call| {
            in_time(limit, handler(app, call))
        });
    }

    /// An address that limits its own time.
    fn on_slow<H, F>(&mut self, operation: Operation, handler: H)
    where
        H: Fn(Arc<App>, Call) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let app = self.app.clone();
        let route = address(operation.address)
            .and(taken(&operation.method))
            .and(call(app.clone()))
            .then(move |segments, call: Call| handler(app.clone(), Call { segments, ..call }))
            .boxed();
        self.table.0.push(operation);
        self.filter = Some(match self.filter.take() {
            None => route,
            Some(before) => before.or(route).unify().boxed(),
        });
    }

    fn finish(self) -> (BoxedFilter<(Answer,)>, Arc<Table>) {
        let page = page::filter(self.app.clone());
        let api = self.filter.expect("there are routes");
        let description = openapi::document(&self.table.0, self.app.place.base());
        let text = serde_json::to_string_pretty(&description).expect("plain data");
        // A second table of the same app says the same.
        let _ = self.app.description.set((text + "\n").into());
        let table = Arc::new(self.table);
        let all = api
            .or(page)
            .unify()
            .or(nothing(self.app, table.clone()))
            .unify();
        (all.boxed(), table)
    }
}

async fn in_time<F>(limit: Duration, answer: F) -> Result<Response, Refusal>
where
    F: Future<Output = Answer>,
{
    tokio::time::timeout(limit, answer)
        .await
        .unwrap_or_else(|_| {
            Err(Refusal::new(
                ProblemKind::Unavailable,
                format!(
                    "no answer was found within {} ms; try again",
                    limit.as_millis()
                ),
            ))
        })
}

/// What no route takes.
fn nothing(app: Arc<App>, table: Arc<Table>) -> BoxedFilter<(Answer,)> {
    warp::method()
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .map(move |method: Method, path: FullPath, headers: HeaderMap| {
            let mut allowed = table.allowed(path.as_str());
            if allowed.is_empty() {
                if !app.web.has(path.as_str()) {
                    return page::missing(&app, path.as_str(), &headers);
                }
                allowed = "GET, HEAD".to_owned();
            }
            let detail = format!("{method} is not taken here; {allowed} is");
            Err(Refusal::new(ProblemKind::MethodNotAllowed, detail)
                .with_header(header::ALLOW, &allowed))
        })
        .boxed()
}

fn address(template: &'static str) -> BoxedFilter<(Vec<String>,)> {
    let start = warp::any().map(Vec::new).boxed();
    let segments = template.split('/').skip(1);
    let path = segments.fold(start, |filter: BoxedFilter<(Vec<String>,)>, segment| {
        if segment.starts_with('{') {
            filter
                .and(warp::path::param::<String>())
                .map(|mut segments: Vec<String>, segment| {
                    segments.push(segment);
                    segments
                })
                .boxed()
        } else {
            filter.and(warp::path(segment)).boxed()
        }
    });
    path.and(warp::path::end()).boxed()
}

/// GET takes HEAD too; `Front` drops the body.
fn taken(method: &Method) -> BoxedFilter<()> {
    match *method {
        Method::GET => warp::get().or(warp::head()).unify().boxed(),
        Method::POST => warp::post().boxed(),
        Method::PUT => warp::put().boxed(),
        Method::PATCH => warp::patch().boxed(),
        Method::OPTIONS => warp::options().boxed(),
        Method::DELETE => warp::delete().boxed(),
        _ => unreachable!("no address is listed with {method}"),
    }
}

fn call(app: Arc<App>) -> BoxedFilter<(Call,)> {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::method()
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::get::<RequestId>())
        .and(warp::ext::get::<TraceContext>())
        .and(warp::ext::optional::<Peer>())
        .and(warp::ext::optional::<Direct>())
        .and(warp::ext::get::<Way>())
        .and(warp::ext::get::<Told>())
        .and(warp::body::stream())
        .map(
            move |method, query, headers, request_id, trace, peer, direct, way, told, body| Call {
                method,
                segments: Vec::new(),
                query,
                headers,
                request_id,
                trace,
                peer,
                direct,
                way,
                told,
                body: RequestBody::new(
                    bytes_of(body),
                    ms(app.config.body_idle_ms),
                    ms(app.config.body_ms_max),
                ),
            },
        )
        .boxed()
}

fn bytes_of(
    body: impl Stream<Item = Result<impl Buf, warp::Error>> + Send + Sync + 'static,
) -> impl Stream<Item = Result<Bytes, warp::Error>> + Send + Sync + 'static {
    body.map(|chunk| chunk.map(|mut buffer| buffer.copy_to_bytes(buffer.remaining())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_match_whole_paths_only() {
        for (path, fits) in [
            ("/api/v1/jobs/7", true),
            ("/api/v1/jobs/7/", true),
            ("/api/v1/jobs", false),
            ("/api/v1/jobs/7/audio", false),
            ("/api/v1/recordings/7", false),
        ] {
            assert_eq!(matches("/api/v1/jobs/{id}", path), fits, "{path}");
        }
    }
}
