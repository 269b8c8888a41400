//! What bodies of requests hold. Who reads one stands in `routes`; a form has no type of its own there,
//! so it is only described here.

#![allow(dead_code)] // the forms

use schemars::JsonSchema;

use super::{WebhookEvent, words};

/// A recording and what is to be done with it, the fields in any order.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NewRecording {
    /// WebM, Matroska, Ogg, MP4, M4A, QuickTime, WAV, FLAC, MP3, AAC, AIFF or CAF, by its bytes; at
    /// most 512 MiB unless configured otherwise.
    #[schemars(extend("format" = "binary"))]
    recording: String,
    #[schemars(extend("format" = "email"), length(max = 254))]
    user_email: String,
    /// A preset's name. Without it and `chain` it is `auto`; both must not be given.
    #[schemars(skip_serializing_if = "left_out")]
    preset: String,
    #[schemars(skip_serializing_if = "left_out")]
    chain: words::Chain,
    #[schemars(skip_serializing_if = "left_out")]
    format: words::Format,
    /// Which of the recording's audio tracks; else the one that the file itself chooses.
    #[schemars(skip_serializing_if = "left_out", range(min = 1, max = 10_000))]
    track: u32,
    /// `forbid`: the recording must not leave this installation, and a chain with an external service is refused.
    #[schemars(skip_serializing_if = "left_out", extend("enum" = ["allow", "forbid"]))]
    egress: String,
    /// Hears of the job's end, signed with the secret from `POST /api/v1/callback-secret`; as a webhook's `url`.
    #[schemars(skip_serializing_if = "left_out", extend("format" = "uri"), length(max = 2048))]
    callback_url: String,
}

/// A recording that lies elsewhere, and what is to be done with it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LinkedRecording {
    /// https or http, port 80, 443 or from 1024 on, and no address of a private network. Fetched while you wait.
    #[schemars(extend("format" = "uri"), length(max = 2048))]
    url: String,
    /// What a person calls it. Left out: as the other site says, or as the address ends.
    #[schemars(skip_serializing_if = "left_out")]
    name: Option<String>,
    #[schemars(extend("format" = "email"), length(max = 254))]
    user_email: String,
    /// A preset's name. Without it and `chain` it is `auto`; both must not be given.
    #[schemars(skip_serializing_if = "left_out")]
    preset: Option<String>,
    #[schemars(skip_serializing_if = "left_out")]
    chain: Option<words::Chain>,
    #[schemars(skip_serializing_if = "left_out")]
    format: Option<words::Format>,
    /// Which of the recording's audio tracks; else the one that the file itself chooses.
    #[schemars(skip_serializing_if = "left_out", range(min = 1, max = 10_000))]
    track: Option<u32>,
    /// `forbid`: the recording must not leave this installation, and a chain with an external service is refused.
    #[schemars(skip_serializing_if = "left_out", extend("enum" = ["allow", "forbid"]))]
    egress: Option<String>,
    /// Hears of the job's end, as in a form.
    #[schemars(skip_serializing_if = "left_out", extend("format" = "uri"), length(max = 2048))]
    callback_url: Option<String>,
}

/// What is to be done with a recording that is there.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NewJob {
    /// A preset's name; not together with `chain`. Without either it is `auto`.
    #[schemars(skip_serializing_if = "left_out")]
    preset: Option<String>,
    #[schemars(skip_serializing_if = "left_out")]
    chain: Option<words::Chain>,
    #[schemars(skip_serializing_if = "left_out")]
    format: Option<words::Format>,
    /// Which of the recording's audio tracks; else the one that the file itself chooses.
    #[schemars(skip_serializing_if = "left_out", range(min = 1, max = 10_000))]
    track: Option<u32>,
    /// `forbid`: the recording must not leave this installation, and a chain with an external service is refused.
    #[schemars(skip_serializing_if = "left_out", extend("enum" = ["allow", "forbid"]))]
    egress: Option<String>,
    /// Hears of the job's end, signed with the secret from `POST /api/v1/callback-secret`; as a webhook's `url`.
    #[schemars(skip_serializing_if = "left_out", extend("format" = "uri"), length(max = 2048))]
    callback_url: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NewWebhook {
    /// https or http, port 80, 443 or from 1024 on, and no address of a private network.
    #[schemars(extend("format" = "uri"), length(max = 2048))]
    url: String,
    /// Left out: all of them.
    #[schemars(skip_serializing_if = "left_out", length(min = 1), extend("uniqueItems" = true))]
    events: Option<Vec<WebhookEvent>>,
    /// On one line.
    #[schemars(skip_serializing_if = "left_out", length(max = 200))]
    description: Option<String>,
    #[schemars(skip_serializing_if = "left_out")]
    enabled: Option<bool>,
}

/// What is to be different; what is left out stays.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WebhookChange {
    #[schemars(skip_serializing_if = "left_out", extend("format" = "uri"), length(max = 2048))]
    url: Option<String>,
    #[schemars(skip_serializing_if = "left_out", length(min = 1), extend("uniqueItems" = true))]
    events: Option<Vec<WebhookEvent>>,
    #[schemars(skip_serializing_if = "left_out", length(max = 200))]
    description: Option<String>,
    /// False: what waits for it is given up, and it hears nothing until true.
    #[schemars(skip_serializing_if = "left_out")]
    enabled: Option<bool>,
}

/// A chain to be kept under a name.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NewPreset {
    /// On one line.
    #[schemars(skip_serializing_if = "left_out", length(max = 200))]
    summary: String,
    chain: words::Chain,
}

/// Who may do what with the link, and for how long.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NewShare {
    /// Whether the files may be taken away, or only be listened to.
    #[schemars(skip_serializing_if = "left_out")]
    may_download: bool,
    /// Left out, it is 30 days.
    #[schemars(skip_serializing_if = "left_out", range(min = 60, max = 31_622_400))]
    expires_in_s: u64,
}

/// What is to be changed of a recording; null takes a text away, what is left out stays.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RecordingEdit {
    /// On one line.
    #[schemars(skip_serializing_if = "left_out", length(min = 1, max = 255))]
    name: Option<String>,
    /// Instead of those that are there.
    #[schemars(skip_serializing_if = "left_out", length(max = 32), inner(length(min = 1, max = 64)), extend("uniqueItems" = true))]
    tags: Vec<String>,
    #[schemars(skip_serializing_if = "left_out", length(max = 10_000))]
    notes: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NewSession {
    /// As an HttpOnly cookie; the token is then not in the body, where a script could read it.
    #[schemars(skip_serializing_if = "left_out")]
    cookie: bool,
    /// From `POST /api/v1/session-codes` of another session, whose owner this one then has.
    #[schemars(skip_serializing_if = "left_out")]
    code: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NewApiKey {
    /// What it is for, on one line.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    scopes: Vec<words::Scope>,
    /// Left out, it does not expire.
    #[schemars(skip_serializing_if = "left_out", range(min = 60, max = 315_360_000))]
    expires_in_s: Option<u64>,
    /// The id of a key, revoked or not, whose recordings this one opens.
    #[schemars(skip_serializing_if = "left_out")]
    same_owner_as: Option<String>,
}
