//! A worker's process has no server of ours in it: this answers for it, to whoever runs it.

use http::{StatusCode, header};
use retake_jobs::health::Health;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use warp::{Filter, reply::Response};

use crate::{http::respond, metrics::of_worker};

/// `/readyz`, 503 while the worker takes no jobs, and `/metrics`. Ends at `shutdown`.
pub async fn serve_worker_health(
    listener: TcpListener,
    health: Health,
    shutdown: CancellationToken,
) -> Result<(), std::io::Error> {
    let of_readiness = health.clone();
    let ready = warp::path!("readyz").map(move || readiness(&of_readiness));
    let metrics = warp::path!("metrics").map(move || {
        let text = of_worker(&health);
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        warp::reply::with_header(text, header::CONTENT_TYPE, kind)
    });
    let serving = warp::serve(warp::get().and(ready.or(metrics)))
        .incoming(listener)
        .graceful(shutdown.cancelled_owned())
        .run();
    serving.await;
    Ok(())
}

fn readiness(health: &Health) -> Response {
    match health.ailment() {
        None => respond::json(StatusCode::OK, &json!({"status": "ready"})),
        Some(ailment) => respond::json(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({
                "status": "not ready",
                "missing": ailment.kind.name(),
                "since": ailment.since,
            }),
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::Timestamp;
    use retake_jobs::health::{Ailment, AilmentKind};

    use super::*;

    #[tokio::test]
    async fn a_worker_that_takes_no_jobs_is_not_ready_and_says_what_is_missing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (health, stop) = (Health::default(), CancellationToken::new());
        let serving = tokio::spawn(serve_worker_health(listener, health.clone(), stop.clone()));
        let ask = async |path: &str| {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        };
        assert!(ask("/readyz").await.starts_with("HTTP/1.1 200"));
        health.set(Some(Ailment {
            kind: AilmentKind::Scratch,
            detail: "/secret/folder is full".to_owned(),
            since: Timestamp::UNIX_EPOCH,
        }));
        let answer = ask("/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("\"missing\":\"scratch\""), "{answer}");
        assert!(!answer.contains("secret"), "{answer}");
        assert!(ask("/metrics").await.contains("retake_worker_well 0"));
        stop.cancel();
        serving.await.unwrap().unwrap();
    }
}
