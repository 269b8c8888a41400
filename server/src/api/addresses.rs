//! Addresses begin with the path under which we are reached, `base`: empty at the root.

use std::borrow::Cow;

use retake_jobs::id::{JobId, RecordingId, ShareId, SubmissionId};

pub fn job_address(base: &str, id: JobId) -> String {
    format!("{base}/api/v1/jobs/{id}")
}

pub fn job_audio_address(base: &str, id: JobId) -> String {
    format!("{base}/api/v1/jobs/{id}/audio")
}

pub fn recording_address(base: &str, id: RecordingId) -> String {
    format!("{base}/api/v1/recordings/{id}")
}

pub fn submission_address(base: &str, id: SubmissionId) -> String {
    format!("{base}/api/v1/plugin-submissions/{id}")
}

pub fn preset_address(base: &str, name: &str) -> String {
    format!("{base}/api/v1/presets/{name}")
}

pub fn share_address(base: &str, id: ShareId) -> String {
    format!("{base}/api/v1/shares/{id}")
}

pub fn shared_address(base: &str, token: &str) -> String {
    format!("{base}{SHARED}/{token}")
}

/// Where a person listens: `page::addresses`.
pub fn shared_page_address(base: &str, token: &str) -> String {
    format!("{base}{SHARED_PAGE}/{token}")
}

/// A path without the token in it, as it may stand in a log.
pub fn without_token(path: &str) -> Cow<'_, str> {
    for before in [SHARED, SHARED_PAGE] {
        let behind = path.strip_prefix(before).and_then(|p| p.strip_prefix('/'));
        if let Some(behind) = behind {
            let rest = behind.find('/').map_or("", |slash| &behind[slash..]);
            return format!("{before}/***{rest}").into();
        }
    }
    path.into()
}

const SHARED: &str = "/api/v1/shared";
const SHARED_PAGE: &str = "/s";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_does_not_hold_what_opens_a_correction() {
        for (path, shown) in [
            ("/api/v1/shared/rts_a", "/api/v1/shared/***"),
            ("/api/v1/shared/rts_a/peaks/x", "/api/v1/shared/***/peaks/x"),
            ("/s/rts_a", "/s/***"),
            ("/s", "/s"),
            ("/settings", "/settings"),
            ("/api/v1/jobs/7", "/api/v1/jobs/7"),
        ] {
            assert_eq!(without_token(path), shown);
        }
    }
}
