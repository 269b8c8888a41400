//! What is done for every request, whatever it asks: a request id, problems as JSON, no panic past
//! here, headers that are safe by default, the count.

use std::{
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body::Body;
use retake_chain::problem::ProblemKind;
use retake_jobs::trace::TraceContext;
use tower::Service;
use warp::{filters::BoxedFilter, reply::Response};

use crate::{
    api::addresses::without_token,
    app::App,
    http::{
        cors::Page,
        request_id::{Peer, RequestId, X_REQUEST_ID},
        respond::Refusal,
        streamed::Endless,
        target,
    },
    limits::quotas::Told,
    routes,
};

const TRACEPARENT: &str = "traceparent";

/// An answer this small costs no more than its connection or stream does anyway.
const SMALL_BYTES: u64 = 16 * 1024;

/// For an answer that is ready, until others have made room.
const ROOM_WAIT: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct Front {
    pub app: Arc<App>,
    routes: BoxedFilter<(Response,)>,
}

impl Front {
    pub fn new(app: Arc<App>) -> Self {
        let (routes, _) = routes::all(&app);
        Self { app, routes }
    }

    /// Answers one request. Never fails: what goes wrong is an answer too.
    pub async fn answer<B>(&self, mut request: Request<B>, peer: Option<SocketAddr>) -> Response
    where
        B: Body + Send + Sync + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let started = Instant::now();
        let request_id = RequestId::of(request.headers());
        let trace = trace_of(request.headers());
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let their_page = Page::of(&self.app.cors_origins, &method, request.headers());
        let preflight = their_page.as_ref().and_then(Page::preflight);
        let told = Told::default();
        let mut response = match (self.settle(&mut request, peer), preflight) {
            (Err(refusal), _) => refusal.into_response(&request_id),
            (Ok(()), Some(preflight)) => preflight,
            (Ok(()), None) => {
                request.extensions_mut().insert(request_id.clone());
                request.extensions_mut().insert(trace);
                request.extensions_mut().insert(told.clone());
                let mut service = warp::service(self.routes.clone());
                match AssertUnwindSafe(service.call(request)).catch_unwind().await {
                    Ok(Ok(response)) => response,
                    Ok(Err(never)) => match never {},
                    // The panic's own words are in the log by the panic hook.
                    Err(_) => Refusal::internal(format!(
                        "a handler panicked: {method} {}",
                        without_token(&path)
                    ))
                    .into_response(&request_id),
                }
            }
        };

        if method == Method::HEAD {
            response = without_body(response);
        }
        if let Err(refusal) = self.take_room(&mut response).await {
            response = refusal.into_response(&request_id);
        }
        add_headers(&mut response, &request_id);
        told.add_to(response.headers_mut());
        if let Some(page) = their_page {
            page.let_read(&mut response);
        }
        if !self.app.cors_origins.is_empty() {
            // Whatever is kept on the way is kept for that page alone.
            let vary = HeaderValue::from_static("origin");
            response.headers_mut().append(header::VARY, vary);
        }
        self.app.metrics.answered(response.status());
        tracing::debug!(
            request.id = request_id.as_str(),
            trace.id = trace.trace_id(),
            http.method = method.as_str(),
            http.path = %without_token(&path),
            http.status = response.status().as_u16(),
            elapsed_ms = started.elapsed().as_millis() as u64,
            "request answered"
        );
        response
    }
}

impl Front {
    /// What is asked for, where and by whom, in the form that routes know.
    fn settle<B>(&self, request: &mut Request<B>, peer: Option<SocketAddr>) -> Result<(), Refusal> {
        let host = target::settle(request)?;
        if let Some(inside) = self.app.place.inside(request.uri()) {
            *request.uri_mut() = inside;
        }
        let way = self.app.proxies.way(peer, host, request.headers());
        if let Some(client) = way.client {
            request.extensions_mut().insert(Peer(client));
        }
        request.extensions_mut().insert(way);
        Ok(())
    }

    /// An answer that lies in memory takes room there; one that is read piece by piece takes it for
    /// each piece.
    async fn take_room(&self, response: &mut Response) -> Result<(), Refusal> {
        let length = response.body().size_hint().exact().unwrap_or_default();
        if length <= SMALL_BYTES {
            return Ok(());
        }
        let room = self.app.budget.take(length as usize);
        let room = tokio::time::timeout(ROOM_WAIT, room).await.map_err(|_| {
            let detail = "too many answers wait for clients that do not read them; try again";
            Refusal::new(ProblemKind::Unavailable, detail)
        })?;
        response.extensions_mut().insert(room);
        Ok(())
    }
}

/// RFC 9110 9.3.2: HEAD has the headers of GET, its length included.
fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact()
        && !parts.headers.contains_key(header::CONTENT_LENGTH)
        && parts.status != StatusCode::NO_CONTENT
    {
        parts.headers.insert(header::CONTENT_LENGTH, length.into());
    }
    // What would have gone on without end ends here.
    parts.extensions.remove::<Endless>();
    Response::from_parts(parts, Bytes::new().into())
}

/// The request's own trace, a step further; a new one where it has none that is whole, or several
/// (Trace Context 3.2 and 4.3).
fn trace_of(headers: &HeaderMap) -> TraceContext {
    let mut given = headers.get_all(TRACEPARENT).iter();
    match (
        given.next().and_then(|value| value.to_str().ok()),
        given.next(),
    ) {
        (Some(text), None) => text
            .trim_matches([' ', '\t'])
            .parse()
            .map_or_else(|_| TraceContext::begin(), TraceContext::onward),
        _ => TraceContext::begin(),
    }
}

fn add_headers(response: &mut Response, request_id: &RequestId) {
    let headers = response.headers_mut();
    let id = HeaderValue::from_str(request_id.as_str()).expect("checked or made by us");
    headers.insert(X_REQUEST_ID.clone(), id);
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Pages bring their own, with the hashes of their scripts.
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'; sandbox",
        ));
}
