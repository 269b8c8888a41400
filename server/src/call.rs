//! A request as a handler sees it.

use std::str::FromStr;

use http::{HeaderMap, Method, header};
use retake_chain::problem::{ProblemKind, below};
use retake_jobs::trace::TraceContext;
use serde::de::DeserializeOwned;

use crate::{
    http::{
        body::RequestBody,
        proxies::Way,
        request_id::{Peer, RequestId},
        respond::{Refusal, shorten},
    },
    limits::quotas::Told,
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
    /// What the answer is to say of quotas.
    pub told: Told,
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
        let mut fields = self.query_fields().into_iter();
        fields.find_map(|(key, value)| (key == name).then_some(value))
    }

    /// All query parameters, percent-decoded. A plus is a plus.
    pub fn query_fields(&self) -> Vec<(String, String)> {
        let decoded = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8_lossy()
                .into_owned()
        };
        let pairs = self.query.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect()
    }

    /// Refuses a query parameter that the address does not know: one that is ignored would be believed.
    pub fn only_query(&self, known: &[&str]) -> Result<(), Refusal> {
        let fields = self.query_fields();
        let Some((name, _)) = fields
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()))
        else {
            return Ok(());
        };
        let name = shorten(name);
        let detail = match known {
            [] => format!("there is no query parameter \"{name}\" here, and no other"),
            _ => format!(
                "there is no query parameter \"{name}\" here; there is: {}",
                known.join(", ")
            ),
        };
        let pointer = below("", &name);
        Err(Refusal::field(ProblemKind::InvalidField, &pointer, detail))
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
                let essence = text.split(';').next().unwrap_or_default().trim();
                // RFC 7396, where a part is changed.
                ["application/json", "application/merge-patch+json"]
                    .iter()
                    .any(|taken| essence.eq_ignore_ascii_case(taken))
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
