//! Routes, and answers that are not audio. Errors are `application/problem+json` (RFC 9457).

use std::{convert::Infallible, io, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use serde::Serialize;

use crate::{Service, faults::Script, rest, stream};

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A script of faults longer than this is a mistake.
const SCRIPT_BYTES_MAX: usize = 1 << 20;

/// What is answered instead of a correction.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    type_: &'static str,
    title: &'static str,
    pub status: u16,
    detail: String,
    #[serde(skip)]
    pub retry_after_s: Option<u64>,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            type_: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            retry_after_s: None,
        }
    }

    pub fn response(&self) -> Response<Body> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, self);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

pub(crate) async fn answer(
    service: Arc<Service>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let response = match (method, path.as_str()) {
        (Method::POST, "/v1/correct") => rest::correct(&service, request).await,
        (Method::GET, "/v1/stream") => stream::upgrade(service, request),
        (Method::GET, "/v1/health") => {
            Ok(json(StatusCode::OK, &serde_json::json!({ "status": "ok" })))
        }
        (Method::POST, "/v1/faults") => script(&service, request).await,
        (Method::GET, "/v1/requests") => Ok(json(StatusCode::OK, &service.faults.requests())),
        (_, "/v1/correct" | "/v1/stream" | "/v1/health" | "/v1/faults" | "/v1/requests") => {
            Err(Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                format!("{path} does not take {}", request.method()),
            ))
        }
        _ => Err(Problem::new(
            StatusCode::NOT_FOUND,
            format!("there is no {path}"),
        )),
    };
    Ok(response.unwrap_or_else(|problem| problem.response()))
}

async fn script(service: &Service, request: Request<Incoming>) -> Result<Response<Body>, Problem> {
    let refused = |detail: String| Problem::new(StatusCode::BAD_REQUEST, detail);
    let body = Limited::new(request.into_body(), SCRIPT_BYTES_MAX)
        .collect()
        .await
        .map_err(|error| refused(format!("the script cannot be read: {error}")))?
        .to_bytes();
    let script: Script = serde_json::from_slice(&body)
        .map_err(|error| refused(format!("the script cannot be read: {error}")))?;
    service.faults.write(script);
    Ok(json(StatusCode::OK, &serde_json::json!({})))
}

pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let bytes = serde_json::to_vec(value).expect("plain values");
    let mut response = Response::new(
        Full::from(bytes)
            .map_err(|never| match never {})
            .boxed_unsync(),
    );
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
