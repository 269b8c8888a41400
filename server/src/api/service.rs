//! Short answers, and pages of longer ones.

use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    pub items: Vec<T>,
    /// For `page_token`, where there is more.
    pub next_page_token: Option<String>,
}

/// An external service: whoever names it in a chain has the recording leave this installation.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "External")]
pub struct ExternalView<'a> {
    /// For a step: `{"external": "default"}`.
    pub name: &'a str,
    pub description: &'a str,
    /// Plugins run here, and `local` is what would be said of them.
    #[schemars(extend("const" = "remote"))]
    pub runs: &'static str,
    /// Where the audio goes.
    pub host: &'a str,
}

/// A session for a program.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Session")]
pub struct TokenMade<'a> {
    /// Left out where the session is a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("pattern" = "^rt_[A-Za-z0-9_-]{43}$"))]
    pub token: Option<&'a str>,
}

/// It is an admin key.
#[derive(Serialize, JsonSchema)]
pub struct Admin {
    #[schemars(extend("const" = true))]
    pub admin: bool,
}

#[derive(Serialize, JsonSchema)]
pub struct Alive {
    #[schemars(extend("const" = "alive"))]
    pub status: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub struct Readiness {
    #[schemars(extend("enum" = ["ready", "not ready"]))]
    pub status: &'static str,
    /// `ok`, or what is wrong.
    pub store: String,
    /// `ok`, or what is wrong.
    pub queue: String,
    /// The worker in this process: `ok`, or what it waits for before it takes jobs again. Null where
    /// another process corrects.
    pub worker: Option<String>,
    pub stopping: bool,
}

/// What this server takes. Where more is asked for, the answer is 413, 422, 429 or 503, and names the limit.
#[derive(Serialize, JsonSchema)]
pub struct LimitsView {
    /// A recording.
    pub upload_bytes_max: u64,
    /// How long an upload may take, and how fast it must come.
    pub upload_ms_max: u64,
    pub upload_bytes_per_s_min: u64,
    /// Uploads at once: of one owner's, from one network address, and over everybody.
    pub uploads_per_owner_max: usize,
    pub uploads_per_address_max: usize,
    pub uploads_max: usize,
    /// Any other body, and any text field of a form.
    pub json_bytes_max: u64,
    pub chain_steps_max: usize,
    /// What a recording is called by its owner.
    pub name_chars_max: usize,
    pub tags_per_recording_max: usize,
    pub tag_chars_max: usize,
    pub notes_chars_max: usize,
    /// Of one page of a list.
    pub page_rows_max: usize,
    /// How long a deleted recording can be restored.
    pub restore_ms: u64,
    /// Jobs that may wait, over everybody.
    pub queue_depth_max: u64,
    /// New sessions from one network address.
    pub sessions_per_minute_max: u32,
    pub sessions_per_owner_max: usize,
    /// Event streams of one owner's.
    pub streams_per_owner_max: usize,
    /// Renditions, pictures and the like of one owner's that may wait to be made.
    pub derivatives_waiting_per_owner_max: usize,
    pub plugin_bytes_max: u64,
}

/// What answers.
#[derive(Serialize, JsonSchema)]
pub struct Version {
    /// Of the program.
    #[schemars(example = "0.1.0")]
    pub version: &'static str,
    /// Of this interface: the number in its addresses.
    #[schemars(extend("const" = "1"))]
    pub api: &'static str,
    /// What it was built from, where that was known.
    pub commit: Option<&'static str>,
}
