//! Plugins and submissions as clients see them.

use http::StatusCode;
use jiff::Timestamp;
use retake_chain::{ShortNames, problem::Problem};
use retake_jobs::{
    id::SubmissionId,
    plugin::{Origin, PluginVersion},
    submission::{PluginName, Submission, SubmissionStatus},
};
use retake_plugin_manifest::{ChannelUse, Manifest, Param, ParamKind, Passes};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use warp::reply::Response;

use super::{addresses::submission_address, words};

/// One version of a plugin. `V` says what versions there are beside it, more or less fully.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{V}")]
pub struct PluginView<'a, V> {
    /// Reverse DNS, stable for ever.
    id: &'a str,
    /// The shortest name that means it in a chain.
    short_name: &'a str,
    name: &'a str,
    version: &'a str,
    vendor: &'a str,
    summary: &'a str,
    /// An SPDX expression.
    license: &'a str,
    #[schemars(with = "Vec<words::Param>")]
    params: &'a [Param],
    /// JSON Schema 2020-12 of a step's `params`.
    #[schemars(with = "Map<String, Value>")]
    params_schema: Value,
    #[schemars(with = "words::Passes")]
    passes: Passes,
    /// Whether it sees each channel alone, or all.
    #[schemars(with = "words::ChannelUse")]
    channels: ChannelUse,
    /// 0 means any number.
    max_channels: u32,
    /// In Hz; empty means any.
    sample_rates: &'a [u32],
    /// In frames.
    block_quantum: u32,
    /// Pairs of key and value.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    extras: &'a [(String, String)],
    /// SHA-256 of the component.
    #[schemars(with = "words::Sha256")]
    digest: &'a str,
    size_bytes: u64,
    #[schemars(with = "words::Origin")]
    origin: Origin,
    #[schemars(with = "words::Time")]
    published_at: Timestamp,
    #[schemars(with = "Option<words::Time>")]
    removed_at: Option<Timestamp>,
    /// The newest first. Pre-releases come after every release.
    versions: V,
    /// What the conformance kit found; only where one version is asked for, and null where it came
    /// with the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<words::CheckReport>", skip_serializing_if = "left_out")]
    check: Option<Value>,
}

/// Those that a chain may name, by their names.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "Plugin", inline)]
pub struct Names<'a>(pub Vec<&'a str>);

/// All there are and were.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "PluginHistory", inline)]
pub struct History<'a>(pub Vec<VersionView<'a>>);

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PluginVersion")]
pub struct VersionView<'a> {
    version: &'a str,
    #[schemars(with = "words::Sha256")]
    digest: &'a str,
    #[schemars(with = "words::Time")]
    published_at: Timestamp,
    #[schemars(with = "Option<words::Time>")]
    removed_at: Option<Timestamp>,
}

/// A plugin on its way into the catalogue.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Submission")]
pub struct SubmissionView<'a> {
    #[schemars(with = "words::Id")]
    id: SubmissionId,
    #[schemars(with = "words::SubmissionStatus")]
    status: SubmissionStatus,
    /// Of the file.
    #[schemars(with = "words::Sha256")]
    digest: &'a str,
    size_bytes: u64,
    /// What the file says it is, once that is known.
    #[schemars(with = "Option<words::PluginName>")]
    plugin: Option<&'a PluginName>,
    /// Why it was refused.
    #[schemars(with = "Option<words::Problem>")]
    error: Option<&'a Problem>,
    /// What the conformance kit found.
    #[schemars(with = "Option<words::CheckReport>")]
    check: Option<&'a Value>,
    request_id: Option<&'a str>,
    #[schemars(with = "words::Time")]
    created_at: Timestamp,
    #[schemars(with = "Option<words::Time>")]
    ended_at: Option<Timestamp>,
}

impl<'a, V> PluginView<'a, V> {
    pub fn new(row: &'a PluginVersion, names: &'a ShortNames, versions: V) -> Self {
        let manifest = &row.plugin.manifest;
        Self {
            id: &manifest.id,
            short_name: names.shortest(&manifest.id),
            name: &manifest.name,
            version: &manifest.version,
            vendor: &manifest.vendor,
            summary: &manifest.summary,
            license: &manifest.license,
            params: &manifest.params,
            params_schema: params_schema(manifest),
            passes: manifest.passes,
            channels: manifest.channels,
            max_channels: manifest.max_channels,
            sample_rates: &manifest.sample_rates,
            block_quantum: manifest.block_quantum,
            extras: &manifest.extras,
            digest: &row.plugin.digest,
            size_bytes: row.size_bytes,
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

impl<'a> SubmissionView<'a> {
    pub fn new(row: &'a Submission) -> Self {
        Self {
            id: row.id,
            status: row.status,
            digest: &row.digest,
            size_bytes: row.size_bytes,
            plugin: row.plugin.as_ref(),
            error: row.error.as_ref(),
            check: row.check.as_ref(),
            request_id: row.request_id.as_deref(),
            created_at: row.created_at,
            ended_at: row.ended_at,
        }
    }
}

/// What an accepted submission answers.
pub fn accepted(base: &str, submission: &Submission) -> Response {
    let view = SubmissionView::new(submission);
    let mut response = crate::http::respond::json(StatusCode::ACCEPTED, &view);
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
