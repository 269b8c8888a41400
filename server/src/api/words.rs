//! The words that answers and requests share with other programs: chains, findings, problems, reports,
//! what the conformance kit writes. They are no rows of ours: the command line prints the same, and
//! whoever writes them decides what they hold. Here stands what clients are told of them, and every
//! answer of the tests is held against it, so that nothing is answered that does not stand here.

#![allow(dead_code)] // never made: only described

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

/// RFC 3339, in UTC.
pub struct Time;

/// Lower-case hex of a SHA-256.
pub struct Sha256;

/// An address below ours.
pub struct Address;

/// A UUID.
pub struct Id;

macro_rules! text {
    ($name:ident, $schema:tt) => {
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

text!(Time, { "type": "string", "format": "date-time", "examples": ["2026-11-28T09:30:00.25Z"] });
text!(Sha256, { "type": "string", "pattern": "^[0-9a-f]{64}$" });
text!(Address, { "type": "string", "format": "uri-reference" });
text!(Id, { "type": "string", "format": "uuid", "examples": ["019a0b5c-6f1e-7c3a-9d42-1b2c3d4e5f60"] });

/// RFC 9457. docs/problems.md explains each `type`.
#[derive(JsonSchema)]
pub struct Problem {
    /// `/problems/…`, one stable address per case; it answers what it means.
    #[schemars(extend("format" = "uri-reference"))]
    r#type: String,
    title: String,
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// What happened this time, with the value and the allowed range.
    detail: String,
    #[schemars(skip_serializing_if = "left_out")]
    errors: Vec<FieldError>,
    /// Of a step that failed: the plugins that were running.
    #[schemars(skip_serializing_if = "left_out")]
    plugins: Vec<PluginRef>,
    /// Finds the request in the server's log. In every answer, and not in a job's error.
    #[schemars(skip_serializing_if = "left_out")]
    request_id: String,
    /// In a job's error: the last lines that the failed step's plugin logged, a panic's message among
    /// them.
    #[schemars(skip_serializing_if = "left_out")]
    log: Vec<String>,
}

/// One thing wrong with one field.
#[derive(JsonSchema)]
pub struct FieldError {
    detail: String,
    /// RFC 6901, into the request; for form and query fields the field's name behind a slash.
    #[schemars(extend("format" = "json-pointer"))]
    pointer: String,
}

/// auto: what is natural for the recording, which is flac for what came without loss, else the codec that
/// it came in where that is Opus, AAC or MP3, and mp3 for the others; opus for lossy recordings of more than
/// two channels. wav: 24-bit PCM. flac: 16-bit where the recording is lossy or has at most 16 bits, else 24-bit.
/// opus: Ogg Opus. mp3: 96 or 160 kbit/s, gapless. m4a: AAC-LC, 128 or 192 kbit/s. mp3 and m4a have
/// two channels at most: more are mixed down, and a warning says so.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Format {
    Auto,
    Wav,
    Flac,
    Opus,
    Mp3,
    M4a,
}

/// What an API key opens.
#[derive(JsonSchema)]
pub enum Scope {
    #[schemars(rename = "recordings")]
    Recordings,
    #[schemars(rename = "plugins:publish")]
    PluginsPublish,
    #[schemars(rename = "admin")]
    Admin,
}

/// The ordered steps that a recording goes through.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(example = example_chain())]
pub struct Chain {
    #[schemars(length(min = 1, max = 16))]
    steps: Vec<Step>,
}

fn example_chain() -> Value {
    serde_json::json!({"steps": [{"plugin": "denoise", "params": {"strength": 0.8}}, {"plugin": "loudness", "mix": 1.0}]})
}

#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Step {
    Plugin(PluginStep),
    External(ExternalStep),
}

/// A plugin's.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PluginStep {
    /// The plugin's id or short name.
    plugin: String,
    /// Exactly this version of the plugin; else the newest when the job is accepted.
    #[schemars(skip_serializing_if = "left_out")]
    version: String,
    /// By parameter id; what is left out has its default. See params_schema of the plugin.
    #[schemars(skip_serializing_if = "left_out")]
    params: Map<String, Value>,
    #[schemars(skip_serializing_if = "left_out")]
    mix: Mix,
    #[schemars(skip_serializing_if = "left_out")]
    on_failure: OnFailure,
    #[schemars(skip_serializing_if = "left_out")]
    delta: KeepDelta,
    /// The steps that the plugin's report recommends (a measurement with the id recommended-chain)
    /// run next, in its place.
    #[schemars(skip_serializing_if = "left_out")]
    follow: bool,
    /// What of the step's input stays as it is where an earlier step has found something: by the id
    /// of the measurements whose spans are meant, the part that stays. {"music": 1} leaves the music
    /// alone that segment has found.
    #[schemars(skip_serializing_if = "left_out")]
    #[schemars(extend("maxProperties" = 8, "propertyNames" = {"maxLength": 64}))]
    spare: BTreeMap<String, Part>,
}

/// An external service's.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ExternalStep {
    /// The name of a configured external service.
    external: String,
    #[schemars(skip_serializing_if = "left_out")]
    mix: Mix,
    #[schemars(skip_serializing_if = "left_out")]
    on_failure: OnFailure,
    #[schemars(skip_serializing_if = "left_out")]
    delta: KeepDelta,
}

pub struct Mix;
text!(Mix, { "type": "number", "minimum": 0, "maximum": 1, "default": 1, "description": "1 is only the corrected signal, 0 only the original." });
pub struct OnFailure;
text!(OnFailure, { "enum": ["fail", "skip"], "type": "string", "default": "fail", "description": "fail: the job fails. skip: the chain goes on without the step, and the job carries a warning." });
pub struct KeepDelta;
text!(KeepDelta, { "type": "boolean", "default": false, "description": "Keep what the step takes away, its input less its output after mix: GET /api/v1/jobs/{id}/steps/{index}/delta." });
pub struct Part;
text!(Part, { "type": "number", "minimum": 0, "maximum": 1 });

/// What was found: docs/findings.md lists all.
#[derive(JsonSchema)]
pub struct Finding {
    /// Stable. Newer versions may add codes.
    code: String,
    severity: Severity,
    /// The values that the sentence of the code names; `step` is a step's place in the report.
    params: Map<String, Value>,
    /// The sentence, in English.
    message: String,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Severity {
    Info,
    Warning,
}

/// The very bytes of a plugin.
#[derive(JsonSchema)]
pub struct PluginRef {
    id: String,
    version: String,
    #[schemars(with = "Sha256")]
    digest: String,
}

/// Levels are null where there is no signal to measure. What follows `channel_mask` is null in old reports,
/// too.
#[derive(JsonSchema)]
pub struct Measurement {
    /// Hz
    sample_rate: u32,
    channels: u32,
    frames: u64,
    duration_ms: u64,
    /// ITU-R BS.1770, EBU R128
    integrated_lufs: Option<f64>,
    /// EBU Tech 3342
    loudness_range_lu: Option<f64>,
    true_peak_dbtp: Option<f64>,
    sample_peak_dbfs: Option<f64>,
    /// WAVE's dwChannelMask; 0 where the channels are for no speakers.
    channel_mask: Option<u32>,
    /// EBU Tech 3341, 400 ms
    momentary_max_lufs: Option<f64>,
    /// EBU Tech 3341, 3 s
    short_term_max_lufs: Option<f64>,
    /// What the quietest tenth stays under.
    noise_floor_dbfs: Option<f64>,
    voice_above_noise_db: Option<f64>,
    /// 50 or 60, where the mains hums.
    hum_hz: Option<u32>,
    hum_dbfs: Option<f64>,
    /// Where the spectrum ends.
    bandwidth_hz: Option<u32>,
    loudness_curve: Option<LoudnessCurve>,
}

/// The momentary loudness.
#[derive(JsonSchema)]
pub struct LoudnessCurve {
    interval_ms: u32,
    lowest_lufs: f64,
    step_lu: f64,
    /// One byte per interval: 0 is below the lowest, n is lowest_lufs + (n - 1) * step_lu.
    #[schemars(extend("contentEncoding" = "base64"))]
    values: String,
}

/// An audio track of the recording's file.
#[derive(JsonSchema)]
pub struct Track {
    #[schemars(range(min = 1))]
    track: u32,
    codec: String,
    channels: Option<u32>,
    /// Hz
    sample_rate: Option<u32>,
    name: Option<String>,
    language: Option<String>,
    /// The file names it as the one to play.
    default: bool,
    /// The one that was corrected.
    used: bool,
}

/// What the chain aims at, and what came of it.
#[derive(JsonSchema)]
pub struct Target {
    #[schemars(extend("enum" = ["loudness", "true_peak"]))]
    what: String,
    #[schemars(extend("enum" = ["LUFS", "dBTP"]))]
    unit: String,
    target: f64,
    /// Measured in the correction; null where there is nothing to measure.
    reached: Option<f64>,
    /// Within 0.5 LU of a loudness; no more than 0.05 dB over a true peak.
    met: bool,
    /// A code and a sentence, `max-gain: …` say.
    why_not: Option<String>,
}

/// What a step did.
#[derive(JsonSchema)]
pub struct StepReport {
    step: String,
    /// The plugin that ran; null for an external service.
    plugin: Option<PluginRef>,
    skipped: bool,
    /// Why it was left out, where it was.
    #[schemars(skip_serializing_if = "left_out")]
    error: Problem,
    /// By how much the step changed the level of what can be heard in its input, in dB; -120 is
    /// silence. Null where nothing can be heard, and for a step that was left out.
    level_change_db: Option<f64>,
    /// Whether what the step took away was kept.
    delta: bool,
    /// An analyser recommended it: it stands after that analyser, and not in the chain.
    recommended: bool,
    /// Every parameter of the plugin; those that the chain left out with their defaults.
    params: Map<String, Value>,
    latency_frames: u32,
    cpu_ms: u64,
    /// What the plugin's own `report` says, as JSON of the contract's `report` record.
    measurements: Value,
    /// What a step that shortens took out, in order: its output is its input without these. Left out
    /// where there are none.
    #[schemars(skip_serializing_if = "left_out")]
    cuts: Vec<Cut>,
    /// What the plugin logged, cut to 64 KiB; of a step that was left out the last lines.
    #[schemars(skip_serializing_if = "left_out")]
    log: Vec<String>,
}

/// Frames of the step's input, at the recording's rate.
#[derive(JsonSchema)]
pub struct Cut {
    start: u64,
    frames: u64,
}

/// What a plugin lets be set.
#[derive(JsonSchema)]
pub struct Param {
    /// Stable for ever.
    id: String,
    label: String,
    help: String,
    /// "dB", "Hz", "ms", "s", "%", "LUFS", "dBTP", "st", "" or the author's own.
    unit: String,
    group: String,
    #[schemars(flatten)]
    kind: ParamKind,
}

#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case")]
pub enum ParamKind {
    Float {
        min: f64,
        max: f64,
        default: f64,
        #[schemars(skip_serializing_if = "left_out")]
        step: f64,
        scale: Scale,
    },
    Int {
        min: i64,
        max: i64,
        default: i64,
    },
    Toggle {
        default: bool,
    },
    Choice {
        choices: Vec<Choice>,
        default: String,
    },
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub enum Scale {
    Linear,
    Logarithmic,
}

#[derive(JsonSchema)]
#[schemars(inline)]
pub struct Choice {
    id: String,
    label: String,
}

#[derive(JsonSchema)]
#[schemars(inline)]
pub struct Passes {
    /// Sees the whole before it changes anything.
    analyze: bool,
    /// Changes audio.
    process: bool,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub enum ChannelUse {
    Independent,
    Linked,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub enum Origin {
    BuiltIn,
    Published,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub enum SubmissionStatus {
    Checking,
    Published,
    Refused,
}

#[derive(JsonSchema)]
#[schemars(inline)]
pub struct PluginName {
    id: String,
    version: String,
}

/// What the conformance kit found; docs/plugin-check.md lists the checks.
#[derive(JsonSchema)]
pub struct CheckReport {
    digest: String,
    passed: bool,
    manifest: Option<Map<String, Value>>,
    checks: Vec<Check>,
    /// Of a second of audio at 48 kHz, mono.
    cost: Option<Cost>,
}

#[derive(JsonSchema)]
#[schemars(inline)]
pub struct Check {
    id: String,
    title: String,
    outcome: CheckOutcome,
    detail: String,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[schemars(inline)]
pub enum CheckOutcome {
    Passed,
    Warned,
    Failed,
    Skipped,
}

#[derive(JsonSchema)]
#[schemars(inline)]
pub struct Cost {
    realtime_factor: f64,
    memory_bytes: u64,
}
