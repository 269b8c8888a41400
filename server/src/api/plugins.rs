//! Plugins and submissions as clients see them.

use http::StatusCode;
use jiff::Timestamp;
use retake_chain::ShortNames;
use retake_jobs::{
    id::SubmissionId,
    plugin::{Origin, PluginVersion},
    submission::Submission,
};
use retake_plugin_manifest::{Manifest, Param, ParamKind};
use serde::Serialize;
use serde_json::{Value, json};
use warp::reply::Response;

fn submission_address(base: &str, id: SubmissionId) -> String {
    format!("{base}/api/v1/plugin-submissions/{id}")
}

/// One version of a plugin. `V` says what versions there are beside it, more or less fully.
#[derive(Serialize)]
pub struct PluginView<'a, V> {
    #[serde(flatten)]
    manifest: &'a Manifest,
    /// The shortest name that means it in a chain.
    short_name: &'a str,
    digest: &'a str,
    size_bytes: u64,
    /// JSON Schema 2020-12 of a step's `params`.
    params_schema: Value,
    origin: Origin,
    published_at: Timestamp,
    removed_at: Option<Timestamp>,
    versions: V,
    /// What the conformance kit found; only where one version is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<Value>,
}

#[derive(Serialize)]
pub struct VersionView<'a> {
    version: &'a str,
    digest: &'a str,
    published_at: Timestamp,
    removed_at: Option<Timestamp>,
}

impl<'a, V> PluginView<'a, V> {
    pub fn new(row: &'a PluginVersion, names: &ShortNames, versions: V) -> Self {
        let manifest = &row.plugin.manifest;
        Self {
            manifest,
            short_name: names.shortest(&manifest.id),
            digest: &row.plugin.digest,
            size_bytes: row.size_bytes,
            params_schema: params_schema(manifest),
            origin: row.origin,
            published_at: row.published_at,
            removed_at: row.removed_at,
            versions,
            check: None,
        }
    }

    /// `null` where there was no check: the field is there all the same.
    #[must_use]
    pub fn with_check(mut self, check: Option<Value>) -> Self {
        self.check = Some(check.unwrap_or_default());
        self
    }
}

impl<'a> VersionView<'a> {
    pub fn new(row: &'a PluginVersion) -> Self {
        Self {
            version: &row.plugin.manifest.version,
            digest: &row.plugin.digest,
            published_at: row.published_at,
            removed_at: row.removed_at,
        }
    }
}

/// What an accepted submission answers.
pub fn accepted(base: &str, submission: &Submission) -> Response {
    let mut response = crate::http::respond::json(StatusCode::ACCEPTED, submission);
    let address = submission_address(base, submission.id);
    let address = address.try_into().expect("a path of ASCII");
    response
        .headers_mut()
        .insert(http::header::LOCATION, address);
    response
}

fn params_schema(manifest: &Manifest) -> Value {
    let properties: serde_json::Map<String, Value> = manifest
        .params
        .iter()
        .map(|param| (param.id.clone(), param_schema(param)))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": manifest.name,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn param_schema(param: &Param) -> Value {
    let mut schema = match &param.kind {
        ParamKind::Float {
            min, max, default, ..
        } => {
            json!({"type": "number", "minimum": min, "maximum": max, "default": default})
        }
        ParamKind::Int { min, max, default } => {
            json!({"type": "integer", "minimum": min, "maximum": max, "default": default})
        }
        ParamKind::Toggle { default } => json!({"type": "boolean", "default": default}),
        ParamKind::Choice { choices, default } => {
            let ids: Vec<_> = choices.iter().map(|choice| choice.id.as_str()).collect();
            json!({"type": "string", "enum": ids, "default": default})
        }
    };
    schema["title"] = json!(param.label);
    schema["description"] = json!(param.help);
    if !param.unit.is_empty() {
        schema["x-unit"] = json!(param.unit);
    }
    schema
}
