//! RFC 9457 problem details: what an HTTP error answers, and, the same object, what stands in
//! `job.error` when a job fails.

use serde::{Deserialize, Serialize};

use crate::report::PluginRef;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `/problems/<kind>`, one stable address per case; docs/problems.md explains each.
    #[serde(rename = "type")]
    pub type_: String,
    pub title: String,
    pub status: u16,
    /// What happened this time, with the value and the allowed range.
    pub detail: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Of a failed step: the plugins that were running, so that its author finds the very bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<PluginRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The last lines that the failed step's plugin logged, for its author. An extension member.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

/// One thing wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub detail: String,
    /// RFC 6901 JSON pointer into the request; for form fields the field's name behind a slash.
    pub pointer: String,
}

macro_rules! kinds {
    ($($kind:ident $slug:literal $status:literal $title:literal;)*) => {
        /// Every case there is. The status is what HTTP answers where it is found before acceptance.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemKind { $($kind),* }

        impl ProblemKind {
            pub const ALL: &[ProblemKind] = &[$(ProblemKind::$kind),*];
            pub fn slug(self) -> &'static str { match self { $(Self::$kind => $slug),* } }
            pub fn status(self) -> u16 { match self { $(Self::$kind => $status),* } }
            pub fn title(self) -> &'static str { match self { $(Self::$kind => $title),* } }
        }
    };
}

kinds! {
    // The request
    InvalidRequest "invalid-request" 400 "The request cannot be read";
    InvalidField "invalid-field" 422 "A field's value is not allowed";
    InvalidChain "invalid-chain" 422 "The chain cannot be run";
    UnknownPreset "unknown-preset" 422 "There is no such preset";
    Unauthenticated "unauthenticated" 401 "A session is needed";
    AdminKeyNeeded "admin-key-needed" 401 "An admin key is needed";
    InsufficientScope "insufficient-scope" 403 "The API key does not open this";
    TooManyKeys "too-many-keys" 409 "There are as many as there may be";
    TooManyWebhooks "too-many-webhooks" 409 "There are as many webhooks as there may be";
    EgressForbidden "egress-forbidden" 422 "The recording would leave this installation";
    AddressRefused "address-refused" 422 "The address must not be spoken to";
    ForeignOrigin "foreign-origin" 403 "The request comes from another site";
    NotFound "not-found" 404 "There is nothing here";
    MethodNotAllowed "method-not-allowed" 405 "This address does not take that method";
    RequestTimeout "request-timeout" 408 "The request stopped arriving";
    AlreadyEnded "already-ended" 409 "The job has already ended";
    NotReady "not-ready" 409 "The correction is not there yet";
    RequestUnderWay "request-under-way" 409 "The same request is being answered";
    IdempotencyKeyReused "idempotency-key-reused" 422 "The key named another request";
    UploadLocked "upload-locked" 423 "The upload is being worked on";
    OffsetMismatch "offset-mismatch" 409 "The piece does not begin where the upload ends";
    ChecksumMismatch "checksum-mismatch" 460 "The piece is not what it should be";
    PreconditionFailed "precondition-failed" 412 "It is not the one that was meant";
    TooLarge "too-large" 413 "The upload is too large";
    RangeNotSatisfiable "range-not-satisfiable" 416 "The range lies outside the audio";
    TooManyRequests "too-many-requests" 429 "Too much at once";
    QuotaExceeded "quota-exceeded" 429 "A quota is used up";
    // The audio
    FetchFailed "fetch-failed" 422 "The recording could not be fetched";
    NotAudio "not-audio" 415 "This is not audio that can be read";
    UnknownCodec "unknown-codec" 415 "The audio's codec is not supported";
    EmptyAudio "empty-audio" 422 "The recording holds no audio";
    TooLong "too-long" 422 "The recording is too long";
    UnsupportedStream "unsupported-stream" 422 "The audio's rate or channel count is not supported";
    NoSuchTrack "no-such-track" 422 "The recording has no such track";
    TooMuchScratch "too-much-scratch" 422 "The audio needs more room than a job has";
    DamagedAudio "damaged-audio" 422 "The audio is damaged";
    // The plugin
    PluginRefused "plugin-refused" 422 "The plugin was not published";
    PluginVersionExists "plugin-version-exists" 409 "That version was published with other bytes";
    PluginBuiltIn "plugin-built-in" 409 "A built-in plugin cannot be removed";
    // The steps
    StepFailed "step-failed" 422 "A correction step failed";
    StepCrashed "step-crashed" 422 "A correction step crashed";
    StepOverBudget "step-over-budget" 422 "A correction step took far longer than its plugin's check";
    StepHarmful "step-harmful" 422 "A correction step would have done harm";
    DeadlineExceeded "deadline-exceeded" 422 "The job took longer than it may";
    ExternalUnavailable "external-unavailable" 502 "The external service did not answer as it should";
    ExternalRefused "external-refused" 502 "The external service refused the recording";
    ExternalInvalid "external-invalid" 502 "The external service's answer cannot be used";
    TooManyAttempts "too-many-attempts" 500 "The job was tried too often";
    // Us
    Unavailable "unavailable" 503 "The service cannot do this just now";
    StorageFull "storage-full" 507 "There is no room left";
    Internal "internal" 500 "Something went wrong here";
}

impl Problem {
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            type_: format!("/problems/{}", kind.slug()),
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: detail.into(),
            errors: Vec::new(),
            plugins: Vec::new(),
            request_id: None,
            log: Vec::new(),
        }
    }

    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    #[must_use]
    pub fn with_log(mut self, log: Vec<String>) -> Self {
        self.log = log;
        self
    }

    pub fn kind(&self) -> Option<ProblemKind> {
        let slug = self.type_.strip_prefix("/problems/")?;
        ProblemKind::ALL.iter().copied().find(|k| k.slug() == slug)
    }
}

/// The pointer of a field's own field. RFC 6901: `~` and `/` in a key are escaped.
pub fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}
