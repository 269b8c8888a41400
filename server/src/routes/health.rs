//! For whoever runs us: alive, ready, how much.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use retake_jobs::seams::{QueueError, Topic};
use warp::reply::Response;

use crate::{
    api::{Alive, Readiness},
    app::App,
    call::Call,
    http::respond::{self, Refusal},
    metrics::Gauges,
};

/// A dependency that takes longer to say that it is there is not.
const PROBE: Duration = Duration::from_secs(2);

/// Answers while the process can answer at all; says nothing about what it depends on.
pub async fn alive(_: Arc<App>, _: Call) -> Result<Response, Refusal> {
    Ok(respond::json(StatusCode::OK, &Alive { status: "alive" }))
}

/// 503 while requests would fail, so that whoever balances load looks elsewhere.
pub async fn ready(app: Arc<App>, _: Call) -> Result<Response, Refusal> {
    let (store, queue) = tokio::join!(
        probe(app.parts.store.newest_event(), |_| "unavailable"),
        probe(app.parts.queue.waiting(Topic::Jobs), |error| match error {
            QueueError::Blocked(_) => "blocked: it is short of memory or disk",
            _ => "unavailable",
        }),
    );
    let stopping = app.stopping.is_cancelled();
    let ready = store.is_none() && queue.is_none() && !stopping;
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let worker = app
        .parts
        .worker
        .as_ref()
        .map(|health| match health.ailment() {
            None => "ok".to_owned(),
            Some(ailment) => format!("takes no jobs: {}", ailment.kind.name()),
        });
    let word = |fault: Option<String>| fault.unwrap_or_else(|| "ok".to_owned());
    Ok(respond::json(
        status,
        &Readiness {
            status: if ready { "ready" } else { "not ready" },
            store: word(store),
            queue: word(queue),
            // Recordings are taken all the same, and another process may correct them.
            worker,
            stopping,
        },
    ))
}

/// What is wrong, for anybody to read; the log has the rest.
async fn probe<T, E: std::fmt::Display>(
    asked: impl Future<Output = Result<T, E>>,
    word: impl Fn(&E) -> &'static str,
) -> Option<String> {
    match tokio::time::timeout(PROBE, asked).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => {
            tracing::warn!("not ready: {error}");
            Some(word(&error).to_owned())
        }
        Err(_) => Some(format!("no answer within {} ms", PROBE.as_millis())),
    }
}

pub async fn metrics(app: Arc<App>, _: Call) -> Result<Response, Refusal> {
    let text = app.metrics.render(Gauges {
        streams_open: app.watchers.open(),
        uploads_open: app.upload_places.open(),
        answer_bytes_waiting: app.budget.taken(),
        jobs_waiting: app.queue_depth(),
        worker: app.parts.worker.as_ref(),
        // What cannot be asked is left out, not told as nothing.
        space: app.parts.store.space().await.ok(),
    });
    let mut response = Response::new(Bytes::from(text).into());
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    Ok(response)
}
