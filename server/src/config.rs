//! Every limit of the front door, with its default, in one place.
//!
//! A limit is a number with a name here or it does not exist. Milliseconds end in `_ms`, bytes in
//! `_bytes_max`. Read from TOML as it stands; unknown keys are refused.

use std::{path::PathBuf, time::Duration};

use retake_outgoing::Network;
use serde::{Deserialize, Serialize};

use crate::{
    http::place::{Origin, Place},
    webhooks,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    // What one request may be.
    /// The recording itself, without the form around it.
    pub upload_bytes_max: u64,
    /// Any other body, and any one text field of the upload form.
    pub json_bytes_max: u64,
    pub header_bytes_max: usize,
    pub headers_max: usize,
    /// The head of one part of a form, and what may stand before the first part.
    pub part_head_bytes_max: usize,
    /// Steps of one chain.
    pub chain_steps_max: usize,
    /// A plugin that is published. The workers take none above 64 MiB.
    pub plugin_bytes_max: u64,
    /// What an owner calls a recording, in characters.
    pub name_chars_max: usize,
    pub tags_per_recording_max: usize,
    pub tag_chars_max: usize,
    pub notes_chars_max: usize,
    /// Of one page of a list.
    pub page_rows_max: usize,

    // How much at once.
    pub connections_max: usize,
    /// File descriptors that connections leave to the store and to jobs; but never more than half of
    /// what the process may have.
    pub descriptors_kept: usize,
    /// Requests over HTTP/2 that are open at once, over everybody; a connection has at most 100.
    pub h2_streams_max: usize,
    /// Of them, from one network address.
    pub h2_streams_per_address_max: usize,
    /// Bytes of answers that lie in memory and wait for their clients, over everybody.
    pub answer_bytes_max: u64,
    pub uploads_max: usize,
    /// Uploads of one owner's that come in pieces and are not whole yet.
    pub resumable_uploads_per_owner_max: usize,
    pub uploads_per_owner_max: usize,
    /// Uploads from one network address (one /64 for IPv6), because sessions are free. Behind a
    /// proxy that is not among `trusted_proxies` every client has the proxy's address.
    pub uploads_per_address_max: usize,
    /// Event streams over everybody. Below `connections_max`, so that watching cannot keep
    /// everybody else out.
    pub streams_max: usize,
    /// A browser allows six connections to one place: a sixth stream would block its own page.
    pub streams_per_owner_max: usize,
    /// Jobs that may wait before uploads are turned away.
    pub queue_depth_max: u64,
    /// New sessions from one network address (one /64 for IPv6). Behind a proxy that is not among
    /// `trusted_proxies` every client has the proxy's address.
    pub sessions_per_minute_max: u32,
    /// Devices of one owner's.
    pub sessions_per_owner_max: usize,
    /// API keys that are not revoked.
    pub api_keys_max: u64,
    /// Links to corrections of one owner's that have not expired.
    pub shares_per_owner_max: u64,
    /// Names under which an owner keeps chains.
    pub presets_per_owner_max: u64,
    /// Of one owner, at one server; 0: no quota.
    pub quota_requests_per_minute: u64,
    /// Handed in by one owner in a day, in UTC; 0: no quota.
    pub quota_bytes_per_day: u64,
    /// Corrected for one owner in a day, in UTC; 0: no quota.
    pub quota_audio_s_per_day: u64,
    /// Wrong admin keys from one network address; then it is not listened to for the rest of the
    /// minute.
    pub admin_tries_per_minute_max: u32,
    /// Wrong admin keys from everybody; then each try waits before it is looked at.
    pub admin_tries_per_minute_total_max: u32,
    /// Plugins that may wait to be checked before more are turned away.
    pub plugin_submissions_max: usize,
    /// Things made of one owner's jobs on demand that may wait to be made before more are turned away.
    pub derivatives_waiting_per_owner_max: usize,

    // How long things may take.
    /// From connecting, or from the first byte of a later request, to the end of its headers; also
    /// how long a connection may idle between requests.
    pub header_ms: u64,
    /// Silence within a body.
    pub body_idle_ms: u64,
    /// A whole body that is not an upload: whoever drips bytes is turned away too.
    pub body_ms_max: u64,
    /// A whole upload: 512 MiB over a slow line is about an hour.
    pub upload_ms_max: u64,
    /// How fast an upload must come, on average over `body_idle_ms`.
    pub upload_bytes_per_s_min: u64,
    /// Finding an answer, where no upload is part of it.
    pub answer_ms_max: u64,
    /// Before a wrong admin key is answered; and, while too many come, before any is looked at.
    pub admin_try_ms: u64,
    /// A client that takes no bytes of an answer for so long is gone; a twelfth of it while more than
    /// half of `answer_bytes_max` is taken.
    pub write_stall_ms: u64,
    /// The same for one event: its place is remembered, and it may come again.
    pub event_send_ms: u64,
    /// A comment on a silent event stream, so that proxies keep it.
    pub keep_alive_ms: u64,
    /// What clients are told to wait before they connect again.
    pub event_retry_ms: u64,
    /// How often the event log is looked at, in case an announcement was lost.
    pub event_poll_ms: u64,
    /// How often the queue's depth is looked at.
    pub depth_poll_ms: u64,
    /// From the beginning of an upload that comes in pieces until what there is of it is removed.
    pub resumable_upload_ms: u64,
    /// How long a deleted recording can be restored; 0 removes it at once.
    pub restore_ms: u64,
    /// From the stop signal until open requests are cut.
    pub drain_ms: u64,

    pub webhooks: webhooks::Config,

    // What there is.
    /// The external services that chains may use; whoever wires the program knows them.
    #[serde(skip)]
    pub externals: Vec<ExternalService>,
    pub web: WebApp,
    /// Where browsers find us, `https://example.org/retake` say; empty: wherever they ask. Needed
    /// behind a proxy that asks for another host than they do, or that keeps a path for us.
    pub public_url: String,
    /// Addresses and networks (CIDR) of proxies whose `Forwarded` and `X-Forwarded-*` are believed.
    pub trusted_proxies: Vec<String>,
    /// Origins of other sites whose pages may ask, with a token or a key: `https://app.example.org` say.
    pub cors_origins: Vec<String>,
    /// Marks the session cookie `Secure`. Needed wherever the page is reached by https and neither
    /// `public_url` nor a trusted proxy says so.
    pub secure_cookies: bool,
    /// SHA-256, in lower-case hex, of each key that may publish plugins. Empty: nobody may, unless
    /// whoever wires the program makes a key.
    pub admin_key_sha256: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            upload_bytes_max: 512 * 1024 * 1024,
            json_bytes_max: 64 * 1024,
            header_bytes_max: 32 * 1024,
            headers_max: 64,
            part_head_bytes_max: 8 * 1024,
            chain_steps_max: 16,
            plugin_bytes_max: 64 * 1024 * 1024,
            name_chars_max: 255,
            tags_per_recording_max: 32,
            tag_chars_max: 64,
            notes_chars_max: 10_000,
            page_rows_max: 200,

            connections_max: 10_000,
            descriptors_kept: 256,
            h2_streams_max: 4_096,
            h2_streams_per_address_max: 1_024,
            answer_bytes_max: 64 * 1024 * 1024,
            uploads_max: 64,
            resumable_uploads_per_owner_max: 100,
            uploads_per_owner_max: 8,
            uploads_per_address_max: 32,
            streams_max: 9_000,
            streams_per_owner_max: 5,
            queue_depth_max: 10_000,
            sessions_per_minute_max: 600,
            sessions_per_owner_max: 50,
            api_keys_max: 10_000,
            shares_per_owner_max: 1_000,
            presets_per_owner_max: 200,
            quota_requests_per_minute: 0,
            quota_bytes_per_day: 0,
            quota_audio_s_per_day: 0,
            admin_tries_per_minute_max: 10,
            admin_tries_per_minute_total_max: 100,
            plugin_submissions_max: 16,
            derivatives_waiting_per_owner_max: 64,

            header_ms: 20_000,
            body_idle_ms: 30_000,
            body_ms_max: 60_000,
            upload_ms_max: 3_600_000,
            upload_bytes_per_s_min: 1024,
            answer_ms_max: 30_000,
            admin_try_ms: 1_000,
            write_stall_ms: 60_000,
            event_send_ms: 10_000,
            keep_alive_ms: 15_000,
            event_retry_ms: 1_000,
            event_poll_ms: 1_000,
            depth_poll_ms: 1_000,
            resumable_upload_ms: 43_200_000,
            restore_ms: 600_000,
            drain_ms: 10_000,

            webhooks: webhooks::Config::default(),

            externals: Vec::new(),
            web: WebApp::Embedded,
            public_url: String::new(),
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            secure_cookies: false,
            admin_key_sha256: Vec::new(),
        }
    }
}

/// Where a chain's step may send the recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExternalService {
    /// As chains call it.
    pub name: String,
    pub description: String,
    pub host: String,
}

/// Where the page comes from: `"embedded"`, or a folder's path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum WebApp {
    /// What `web/out` held when the program was built (debug builds: holds when it starts).
    #[default]
    Embedded,
    /// Read once, at start.
    Folder(PathBuf),
}

impl From<String> for WebApp {
    fn from(text: String) -> Self {
        if text == "embedded" {
            Self::Embedded
        } else {
            Self::Folder(text.into())
        }
    }
}

impl From<WebApp> for String {
    fn from(web: WebApp) -> Self {
        match web {
            WebApp::Embedded => "embedded".to_owned(),
            WebApp::Folder(path) => path.display().to_string(),
        }
    }
}

impl Config {
    /// What cannot work, all of it, as sentences that name the key.
    /// What is found at the end of waiting must still be answered in time.
    pub fn wait_max(&self) -> Duration {
        Duration::from_millis(self.answer_ms_max * 9 / 10)
    }

    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut at_least = |key: &str, value: u64, min: u64| {
            if value < min {
                problems.push(format!("{key} is {value}; it must be at least {min}"));
            }
        };
        at_least("upload_bytes_max", self.upload_bytes_max, 1024);
        at_least("json_bytes_max", self.json_bytes_max, 1024);
        // hyper's smallest buffer.
        at_least("header_bytes_max", self.header_bytes_max as u64, 8192);
        at_least("headers_max", self.headers_max as u64, 16);
        at_least("chain_steps_max", self.chain_steps_max as u64, 1);
        at_least("plugin_bytes_max", self.plugin_bytes_max, 1024);
        for (key, value) in [
            ("name_chars_max", self.name_chars_max),
            ("tags_per_recording_max", self.tags_per_recording_max),
            ("tag_chars_max", self.tag_chars_max),
            ("notes_chars_max", self.notes_chars_max),
            ("page_rows_max", self.page_rows_max),
            (
                "resumable_uploads_per_owner_max",
                self.resumable_uploads_per_owner_max,
            ),
        ] {
            at_least(key, value as u64, 1);
        }
        at_least(
            "plugin_submissions_max",
            self.plugin_submissions_max as u64,
            1,
        );
        at_least(
            "derivatives_waiting_per_owner_max",
            self.derivatives_waiting_per_owner_max as u64,
            1,
        );
        at_least("connections_max", self.connections_max as u64, 1);
        at_least("h2_streams_max", self.h2_streams_max as u64, 1);
        at_least(
            "h2_streams_per_address_max",
            self.h2_streams_per_address_max as u64,
            1,
        );
        // Four pieces of a recording.
        at_least("answer_bytes_max", self.answer_bytes_max, 1024 * 1024);
        at_least("uploads_max", self.uploads_max as u64, 1);
        at_least(
            "uploads_per_owner_max",
            self.uploads_per_owner_max as u64,
            1,
        );
        at_least(
            "uploads_per_address_max",
            self.uploads_per_address_max as u64,
            1,
        );
        at_least("upload_bytes_per_s_min", self.upload_bytes_per_s_min, 1);
        at_least("part_head_bytes_max", self.part_head_bytes_max as u64, 1024);
        at_least("streams_max", self.streams_max as u64, 1);
        at_least(
            "streams_per_owner_max",
            self.streams_per_owner_max as u64,
            1,
        );
        at_least("queue_depth_max", self.queue_depth_max, 1);
        at_least(
            "sessions_per_minute_max",
            u64::from(self.sessions_per_minute_max),
            1,
        );
        at_least(
            "sessions_per_owner_max",
            self.sessions_per_owner_max as u64,
            1,
        );
        at_least("api_keys_max", self.api_keys_max, 1);
        at_least("presets_per_owner_max", self.presets_per_owner_max, 1);
        at_least("shares_per_owner_max", self.shares_per_owner_max, 1);
        at_least(
            "admin_tries_per_minute_max",
            u64::from(self.admin_tries_per_minute_max),
            1,
        );
        at_least(
            "admin_tries_per_minute_total_max",
            u64::from(self.admin_tries_per_minute_total_max),
            1,
        );
        for (key, value) in [
            ("header_ms", self.header_ms),
            ("body_idle_ms", self.body_idle_ms),
            ("body_ms_max", self.body_ms_max),
            ("upload_ms_max", self.upload_ms_max),
            ("answer_ms_max", self.answer_ms_max),
            ("admin_try_ms", self.admin_try_ms),
            ("write_stall_ms", self.write_stall_ms),
            ("event_send_ms", self.event_send_ms),
            ("keep_alive_ms", self.keep_alive_ms),
            ("event_retry_ms", self.event_retry_ms),
            ("event_poll_ms", self.event_poll_ms),
            ("depth_poll_ms", self.depth_poll_ms),
            ("drain_ms", self.drain_ms),
            ("resumable_upload_ms", self.resumable_upload_ms),
        ] {
            at_least(key, value, 1);
        }
        let told = self.webhooks.problems().into_iter();
        problems.extend(told.map(|problem| format!("webhooks.{problem}")));
        let is_digest = |text: &str| {
            text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        for (index, digest) in self.admin_key_sha256.iter().enumerate() {
            if !is_digest(digest) {
                // Not shown: it may be the key itself.
                let bytes = digest.len();
                problems.push(format!(
                    "admin_key_sha256 has {bytes} bytes at place {index} that are none; it must be the \
                     SHA-256 of an admin key, 64 lower-case hexadecimal digits"
                ));
            }
        }
        if let Err(why) = Place::parse(&self.public_url) {
            problems.push(format!("public_url is \"{}\"; {why}", self.public_url));
        }
        for (index, text) in self.cors_origins.iter().enumerate() {
            if Origin::parse(text).is_none() {
                problems.push(format!(
                    "cors_origins has \"{text}\" at place {index}; it must be a scheme and a host, \
                     \"https://app.example.org\" say, and nothing behind it"
                ));
            }
        }
        for (index, text) in self.trusted_proxies.iter().enumerate() {
            if let Err(why) = text.parse::<Network>() {
                problems.push(format!(
                    "trusted_proxies has \"{text}\" at place {index}; {why}"
                ));
            }
        }
        if let WebApp::Folder(path) = &self.web
            && !path.is_dir()
        {
            problems.push(format!(
                "web is \"{}\", which is not a folder",
                path.display()
            ));
        }
        problems
    }

    pub(crate) fn proxies(&self) -> Vec<Network> {
        self.trusted_proxies
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect()
    }
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_defaults_have_no_problems() {
        assert_eq!(Config::default().problems(), Vec::<String>::new());
    }

    #[test]
    fn every_problem_is_told_at_once_and_names_its_key() {
        let config = Config {
            uploads_max: 0,
            drain_ms: 0,
            web: WebApp::Folder("no/such/folder".into()),
            admin_key_sha256: vec!["ab".repeat(32), "rtadm_key".to_owned()],
            public_url: "retake.example".to_owned(),
            cors_origins: vec!["https://a.example".to_owned(), "*".to_owned()],
            trusted_proxies: vec!["10.0.0.0/8".to_owned(), "proxy.example".to_owned()],
            ..Config::default()
        };
        let problems = config.problems();
        assert_eq!(problems.len(), 7, "{problems:?}");
        for key in [
            "uploads_max",
            "drain_ms",
            "web",
            "admin_key_sha256",
            "public_url",
            "cors_origins",
            "trusted_proxies",
        ] {
            assert!(
                problems.iter().any(|p| p.starts_with(key)),
                "{key} in {problems:?}"
            );
        }
        assert!(!problems.join(" ").contains("rtadm_key"), "{problems:?}");
    }

    #[test]
    fn unknown_keys_are_refused_and_missing_ones_take_their_default() {
        let config: Config = serde_json::from_str(r#"{"uploads_max": 3, "web": "out"}"#).unwrap();
        assert_eq!(config.uploads_max, 3);
        assert_eq!(config.web, WebApp::Folder("out".into()));
        assert_eq!(config.drain_ms, Config::default().drain_ms);
        assert!(serde_json::from_str::<Config>(r#"{"upload_max": 3}"#).is_err());
    }
}
