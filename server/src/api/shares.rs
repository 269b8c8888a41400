//! Links to corrections, as their owners see them, and what whoever has one sees.

use jiff::Timestamp;
use retake_jobs::{
    id::{JobId, RecordingId, ShareId},
    recording::Recording,
    share::Share,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    addresses::{job_address, share_address, shared_address, shared_page_address},
    words,
};

/// A link that opens one correction, with the recording that it was made of.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Share")]
pub struct ShareView {
    #[schemars(with = "words::Id")]
    id: ShareId,
    #[schemars(with = "words::Id")]
    recording_id: RecordingId,
    #[schemars(with = "words::Id")]
    job_id: JobId,
    /// Whether the files may be taken away, or only be listened to.
    may_download: bool,
    #[schemars(with = "words::Time")]
    created_at: Timestamp,
    #[schemars(with = "words::Time")]
    expires_at: Timestamp,
    /// It opens nothing any more, and is forgotten when the next one is made.
    expired: bool,
    /// What opens it, only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("pattern" = "^rts_[A-Za-z0-9_-]{43}$"))]
    token: Option<String>,
    links: ShareLinks,
}

#[derive(Serialize, JsonSchema)]
struct ShareLinks {
    #[serde(rename = "self")]
    #[schemars(with = "words::Address")]
    itself: String,
    #[schemars(with = "words::Address")]
    job: String,
    /// What to hand on: a page to listen. Only in the answer that makes it, as what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "words::Address")]
    page: Option<String>,
    /// The same for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "words::Address")]
    shared: Option<String>,
}

impl ShareView {
    pub fn new(base: &str, share: &Share, now: Timestamp) -> Self {
        Self {
            id: share.id,
            recording_id: share.recording,
            job_id: share.job,
            may_download: share.may_download,
            created_at: share.created_at,
            expires_at: share.expires_at,
            expired: !share.opens(now),
            token: None,
            links: ShareLinks {
                itself: share_address(base, share.id),
                job: job_address(base, share.job),
                page: None,
                shared: None,
            },
        }
    }

    /// Once: nobody can say it again.
    #[must_use]
    pub fn with_token(mut self, base: &str, token: &str) -> Self {
        self.links.page = Some(shared_page_address(base, token));
        self.links.shared = Some(shared_address(base, token));
        self.token = Some(token.to_owned());
        self
    }

    pub fn address(&self) -> &str {
        &self.links.itself
    }
}

/// What a link opens. Nothing in it says who shares it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Shared")]
pub struct SharedView<'a> {
    /// What the recording is called.
    file_name: Option<&'a str>,
    #[schemars(with = "words::Time")]
    created_at: Timestamp,
    #[schemars(with = "words::Time")]
    expires_at: Timestamp,
    may_download: bool,
    links: SharedLinks,
}

#[derive(Serialize, JsonSchema)]
struct SharedLinks {
    #[serde(rename = "self")]
    #[schemars(with = "words::Address")]
    itself: String,
    #[schemars(with = "words::Address")]
    report: String,
    #[schemars(with = "words::Address")]
    compare: String,
    /// The same as two tracks.
    #[schemars(with = "words::Address")]
    compare_tracks: String,
    /// With `original` or `corrected` behind it.
    #[schemars(with = "words::Address")]
    peaks: String,
    /// With side, columns per second and tile behind it.
    #[schemars(with = "words::Address")]
    spectrograms: String,
    /// The recording itself; only where files may be taken away, as what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "words::Address")]
    original: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "words::Address")]
    audio: Option<String>,
    /// With a rendition behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "words::Address")]
    renditions: Option<String>,
}

impl<'a> SharedView<'a> {
    pub fn new(base: &str, token: &str, share: &Share, recording: &'a Recording) -> Self {
        let itself = shared_address(base, token);
        let under = |name: &str| format!("{itself}/{name}");
        let file = |name: &str| share.may_download.then(|| under(name));
        Self {
            file_name: recording.file_name.as_deref(),
            created_at: recording.created_at,
            expires_at: share.expires_at,
            may_download: share.may_download,
            links: SharedLinks {
                report: under("report"),
                compare: under("compare"),
                compare_tracks: under("compare.m4a"),
                peaks: under("peaks"),
                spectrograms: under("spectrograms"),
                original: file("original"),
                audio: file("audio"),
                renditions: file("renditions"),
                itself,
            },
        }
    }
}
