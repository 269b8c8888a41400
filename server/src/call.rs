//! A request as a handler sees it.

use std::str::FromStr;

use http::{HeaderMap, Method, header};
use retake_chain::problem::ProblemKind;
use retake_jobs::trace::TraceContext;
use serde::de::DeserializeOwned;

use crate::{
    http::{
        body::RequestBody,
        proxies::Way,
        request_id::{Peer, RequestId},
        respond::Refusal,
    },
    live::telling::Direct,
};

pub struct Call {
    pub method: Method,
    /// What stands in the address's `{…}`, in order.
    pub segments: Vec<String>,
    pub query: String,
    pub headers: HeaderMap,
    pub request_id: RequestId,
    pub trace: TraceContext,
    /// Who asks, as far as proxies are believed.
    pub peer: Option<Peer>,
    /// There, if whoever asks can be told events without a body of ours.
    pub direct: Option<Direct>,
    pub way: Way,
    pub body: RequestBody,
}

impl Call {
    /// The id in the address. What is no id names nothing.
    pub fn id<Id: FromStr>(&self) -> Result<Id, Refusal> {
        self.segment(0).parse().map_err(|_| Refusal::not_found())
    }

    /// What stands in the address's `{…}` of that place, from 0, as it was sent.
    pub fn segment(&self, place: usize) -> &str {
        self.segments.get(place).map_or("", String::as_str)
    }

    /// A query parameter, percent-decoded; the first one counts.
    pub fn query(&self, name: &str) -> Option<String> {
        let pair = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        let value = pair
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value)
            .next()?;
        Some(
            percent_encoding::percent_decode_str(value)
                .decode_utf8_lossy()
                .into_owned(),
        )
    }

    /// A JSON body, or the default where there is none.
    pub async fn json<T: DeserializeOwned + Default>(self, limit_bytes: u64) -> Result<T, Refusal> {
        let content_type = self.headers.get(header::CONTENT_TYPE).cloned();
        let body = self.body.read_all(limit_bytes).await?;
        if body.is_empty() {
            return Ok(T::default());
        }
        // A type a plain HTML form cannot send: one more thing another site cannot do.
        let is_json = content_type
            .as_ref()
            .and_then(|value| value.to_str().ok())
            .is_some_and(|text| {
                text.split(';')
                    .next()
                    .is_some_and(|t| t.trim().eq_ignore_ascii_case("application/json"))
            });
        if !is_json {
            return Err(Refusal::new(
                ProblemKind::InvalidRequest,
                format!("content-type is {content_type:?}; it must be application/json"),
            ));
        }
        serde_json::from_slice(&body).map_err(|error| {
            let kind = if error.is_data() {
                ProblemKind::InvalidField
            } else {
                ProblemKind::InvalidRequest
            };
            Refusal::new(kind, format!("the body cannot be read: {error}"))
        })
    }
}
