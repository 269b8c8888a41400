//! A recording that lies elsewhere: fetched within the request that names it, as if it had come with it.
//!
//! It goes on where the client goes away, like every upload that has come whole; and one that is sent again under its
//! `Idempotency-Key` is answered as the first time without fetching anything. So nobody need be told of a
//! recording that is only promised, and what can go wrong is the request's answer.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use retake_chain::problem::ProblemKind;
use retake_outgoing::{Answer, Failed, shown};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{FormError, TEXTS, Upload, form::Form, form::display_name, too_large};
use crate::{
    config::ms,
    http::{
        body::RequestBody,
        multipart::Chunks,
        parameters::Disposition,
        respond::{Refusal, shorten},
    },
    routes::{order::field_pointer, presets, webhooks::check_callback},
    session::auth,
};

const URL: &str = "url";
const NAME: &str = "name";

/// What is fetched, with the time that is left for it.
struct Fetched {
    answer: Answer,
    until: Instant,
    limit: Duration,
}

impl Chunks for Fetched {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FormError> {
        let next = tokio::time::timeout_at(self.until, self.answer.chunk()).await;
        let limit_ms = self.limit.as_millis();
        let late = |_| FormError::Fetch(format!("it did not end within {limit_ms} ms"));
        next.map_err(late)?
            .map_err(|failed| FormError::Fetch(failed.to_string()))
    }
}

impl Upload {
    pub(super) async fn read_link(
        &self,
        form: &mut Form,
        body: RequestBody,
    ) -> Result<(), Refusal> {
        let config = &self.app.config;
        let bytes = body.read_all(config.json_bytes_max).await?;
        let unread = |error: serde_json::Error| {
            let detail = format!("the body cannot be read as a JSON object: {error}");
            Refusal::new(ProblemKind::InvalidRequest, detail)
        };
        let fields: Map<String, Value> = serde_json::from_slice(&bytes).map_err(unread)?;
        let name = read_fields(form, fields);
        form.recording_seen = true;
        if self.ordering.came_before() || !self.would_be_taken(form).await? {
            return Ok(());
        }
        let Some(link) = form.link.clone() else {
            let detail = "url is missing; it must say where the recording lies";
            form.fault(ProblemKind::InvalidField, "/url", detail);
            return Ok(());
        };
        let outgoing = &self.app.parts.outgoing;
        let url = match outgoing.judge(&link) {
            Ok(url) => url,
            Err(refused) => {
                let shown = retake_secrets::SecretUrl::from(&link);
                let detail = format!("url is \"{shown}\"; {refused}");
                form.fault(ProblemKind::AddressRefused, "/url", detail);
                return Ok(());
            }
        };
        let mut headers = HeaderMap::new();
        let accept =
            HeaderValue::from_static("audio/*, video/*, application/octet-stream;q=0.9, */*;q=0.1");
        headers.insert(header::ACCEPT, accept);
        let limit = ms(config.upload_ms_max);
        let until = Instant::now() + limit;
        let answer = match outgoing.get(&url, headers).await {
            Ok(answer) => answer,
            Err(failed) => {
                let kind = match failed {
                    Failed::Refused(_) => ProblemKind::AddressRefused,
                    _ => ProblemKind::FetchFailed,
                };
                let detail = format!("url is \"{}\"; {failed}", shown(&url));
                form.fault(kind, "/url", detail);
                return Ok(());
            }
        };
        if let Some(why) = unusable(&answer) {
            let detail = format!("url is \"{}\"; {why}", shown(&url));
            form.fault(ProblemKind::FetchFailed, "/url", detail);
            return Ok(());
        }
        if answer
            .length()
            .is_some_and(|bytes| bytes > config.upload_bytes_max)
        {
            return Err(too_large(&self.app));
        }
        // Without a length any recording fits that begins within the quota.
        let length = answer.length().unwrap_or(1);
        auth::check_usage(&self.app, (self.owner, &self.told), Some(length)).await?;
        let told = answer.headers().get(header::CONTENT_DISPOSITION);
        let told = told.map(|value| Disposition::parse(value.as_bytes()));
        let told = told.and_then(|it| it.file_name);
        let last = url.path_segments().and_then(|mut all| all.next_back());
        let last = last.map(|text| percent_encoding::percent_decode_str(text).decode_utf8_lossy());
        let name = name
            .or_else(|| told.as_deref().and_then(display_name))
            .or_else(|| last.as_deref().and_then(display_name));
        form.recording_seen = false;
        let mut fetched = Fetched {
            answer,
            until,
            limit,
        };
        self.read_recording(form, &mut fetched, name).await?;
        Ok(())
    }

    /// Whether the fields alone are no reason to refuse it: nothing is fetched for nothing.
    async fn would_be_taken(&self, form: &Form) -> Result<bool, Refusal> {
        let mut fields = Form {
            texts: form.texts.clone(),
            ..Form::default()
        };
        let email = fields.email();
        let wanted = fields.wanted();
        let callback = wanted.callback_url.as_deref();
        let callback = check_callback(&self.app, self.owner, callback).await?;
        let preset = wanted.preset.as_deref();
        let saved = presets::saved(&self.app, self.owner, preset).await?;
        let order = wanted.check(&self.app.vocabulary().await?, saved.as_ref());
        Ok(form.faults.is_empty() && email.is_some() && callback.is_ok() && order.is_ok())
    }
}

/// Gives the name.
fn read_fields(form: &mut Form, fields: Map<String, Value>) -> Option<String> {
    let mut name = None;
    for (key, value) in fields {
        let known = TEXTS.into_iter().find(|text| *text == key);
        let text = match value {
            Value::String(text) => text,
            // In a form they are text, too.
            other if matches!(known, Some("chain" | "track")) => other.to_string(),
            Value::Null => continue,
            other => {
                let detail = format!(
                    "{} is {}; it must be text",
                    shorten(&key),
                    shorten(&other.to_string())
                );
                form.fault(ProblemKind::InvalidField, &field_pointer(&key), detail);
                continue;
            }
        };
        match known {
            Some(known) => {
                form.texts.insert(known, Some(text));
            }
            None if key == URL => form.link = Some(text),
            None if key == NAME => name = display_name(&text),
            None => form.unknown(
                &key,
                &format!("there is: {URL}, {NAME}, {}", TEXTS.join(", ")),
            ),
        }
    }
    name
}

/// Why what was answered is no recording.
fn unusable(answer: &Answer) -> Option<String> {
    let status = answer.status();
    if status != StatusCode::OK {
        return Some(format!(
            "it answered {}; it must answer 200",
            status.as_u16()
        ));
    }
    let encoding = answer.headers().get(header::CONTENT_ENCODING)?;
    (encoding != "identity")
        .then(|| format!("its content-encoding is {encoding:?}; it must be sent as it is"))
}
