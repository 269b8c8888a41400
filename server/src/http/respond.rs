//! Answers: JSON for what went well, `application/problem+json` (RFC 9457) for what did not.
//!
//! A handler returns `Result<Response, Refusal>`. A refusal carries what the client may read and,
//! apart from it, the private cause, which is logged once with the request id and never sent.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use retake_chain::problem::{FieldError, Problem, ProblemKind};
use retake_jobs::{
    digest::hex,
    seams::{BlobError, StoreError},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use warp::reply::Response;

use crate::http::{
    conditions::{self, Verdict},
    request_id::RequestId,
};

/// Seconds told to a client that comes while we are busy.
const RETRY_AFTER_S: &str = "1";

/// What a handler returns.
pub type Answer = Result<Response, Refusal>;

#[derive(Debug, Clone)]
pub struct Refusal {
    pub problem: Box<Problem>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<String>,
}

impl Refusal {
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        let refusal = Self::of(Problem::new(kind, detail));
        match kind {
            ProblemKind::Unauthenticated | ProblemKind::AdminKeyNeeded => {
                refusal.with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"retake\"")
            }
            ProblemKind::TooManyRequests | ProblemKind::Unavailable => {
                refusal.with_header(header::RETRY_AFTER, RETRY_AFTER_S)
            }
            _ => refusal,
        }
    }

    /// What somebody else has said already.
    pub fn of(problem: Problem) -> Self {
        Self {
            problem: Box::new(problem),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// One field is wrong, and nothing else.
    pub fn field(kind: ProblemKind, pointer: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut refusal = Self::new(kind, detail.clone());
        refusal.problem.errors.push(FieldError {
            detail,
            pointer: pointer.to_owned(),
        });
        refusal
    }

    /// The one answer to what is not there and to what is not yours.
    pub fn not_found() -> Self {
        Self::new(
            ProblemKind::NotFound,
            "there is nothing at this address, or it is not yours",
        )
    }

    /// Our fault; `cause` is for the log.
    pub fn internal(cause: impl Into<String>) -> Self {
        let mut refusal = Self::new(
            ProblemKind::Internal,
            "the request could not be answered; the request id finds the reason in our log",
        );
        refusal.cause = Some(cause.into());
        refusal
    }

    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("only visible ASCII is passed in");
        self.headers.push((name, value));
        self
    }

    pub fn into_response(mut self, request_id: &RequestId) -> Response {
        if let Some(cause) = self.cause {
            tracing::error!(
                request.id = request_id.as_str(),
                problem = self.problem.type_,
                "request refused: {cause}"
            );
        }
        self.problem.request_id = Some(request_id.as_str().to_owned());
        let status = StatusCode::from_u16(self.problem.status)
            .expect("every problem kind has a valid status");
        let mut response = json(status, &self.problem);
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let mut refusal = match &error {
            StoreError::Busy(_) => {
                Self::new(ProblemKind::Unavailable, "the store is busy; try again")
            }
            StoreError::Full(_) => Self::new(
                ProblemKind::StorageFull,
                "the store is full; what is stored can still be read",
            ),
            StoreError::Broken(_) => return Self::internal(error.to_string()),
        };
        refusal.cause = Some(error.to_string());
        refusal
    }
}

/// For reads; `put` maps its own errors, which may be the client's.
impl From<BlobError> for Refusal {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::NotFound => Self::not_found(),
            BlobError::Full(_) => {
                let mut refusal = Self::new(
                    ProblemKind::StorageFull,
                    "there is no room left, so the upload was not kept",
                );
                refusal.cause = Some(error.to_string());
                refusal
            }
            BlobError::Busy(_) => {
                let mut refusal =
                    Self::new(ProblemKind::Unavailable, "the store is busy; try again");
                refusal.cause = Some(error.to_string());
                refusal
            }
            BlobError::TooLarge { .. } | BlobError::Body(_) | BlobError::Broken(_) => {
                Self::internal(error.to_string())
            }
        }
    }
}

/// Answers are a person's own: nothing between us and them keeps a copy.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    json_of(status, to_bytes(body))
}

fn to_bytes(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("our views are plain data with string keys")
}

fn json_of(status: StatusCode, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(bytes.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// JSON with an ETag that begins with `version`. Whoever asks by GET, with `headers`, and has it gets 304.
pub fn tagged(headers: Option<&HeaderMap>, body: &impl Serialize, version: &str) -> Answer {
    let bytes = to_bytes(body);
    let digest = hex(&Sha256::digest(&bytes)[..12]);
    tagged_bytes(headers, bytes, &format!("\"{version}.{digest}\""))
}

/// The same with an ETag that the caller knows, in its quotes.
pub fn tagged_as(headers: Option<&HeaderMap>, body: &impl Serialize, etag: &str) -> Answer {
    tagged_bytes(headers, to_bytes(body), etag)
}

fn tagged_bytes(headers: Option<&HeaderMap>, bytes: Vec<u8>, etag: &str) -> Answer {
    let verdict = headers.map_or(Verdict::Go, |headers| {
        conditions::judge(&Method::GET, headers, etag)
    });
    let mut response = match verdict {
        Verdict::Failed => return Err(conditions::failed(etag)),
        Verdict::NotModified => empty(StatusCode::NOT_MODIFIED),
        Verdict::Go => json_of(StatusCode::OK, bytes),
    };
    let etag = HeaderValue::from_str(etag).expect("versions and hex are ASCII");
    response.headers_mut().insert(header::ETAG, etag);
    Ok(response)
}

pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(bytes::Bytes::new().into());
    *response.status_mut() = status;
    response
}

/// Enough of a client's text to recognise it by.
pub fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}
