//! What the form held: texts, the stored recording, and what is wrong with them.

use std::collections::BTreeMap;

use retake_chain::problem::ProblemKind;
use retake_jobs::{email::Email, seams::BlobInfo};

use crate::{
    http::respond::shorten,
    routes::{
        once::Fingerprint,
        order::{Fault, Wanted, field_pointer},
    },
};

const FILE_NAME_CHARS_MAX: usize = 255;

/// What the form held.
#[derive(Default)]
pub struct Form {
    /// `None` stands for one that is no text.
    pub texts: BTreeMap<&'static str, Option<String>>,
    pub recording: Option<Stored>,
    /// Where it lies, if it did not come along.
    pub link: Option<String>,
    pub recording_seen: bool,
    pub faults: Vec<Fault>,
}

pub struct Stored {
    pub info: BlobInfo,
    pub content_type: &'static str,
    pub file_name: Option<String>,
}

impl Form {
    pub fn of(texts: &BTreeMap<&'static str, String>) -> Self {
        let texts = texts.iter();
        Self {
            texts: texts
                .map(|(name, text)| (*name, Some(text.clone())))
                .collect(),
            ..Self::default()
        }
    }

    pub fn fault(&mut self, kind: ProblemKind, pointer: &str, detail: impl Into<String>) {
        self.faults.push(Fault::new(kind, pointer, detail));
    }

    pub fn unknown(&mut self, name: &str, known: &str) {
        let name = shorten(name);
        let detail = format!("there is no field \"{name}\"; {known}");
        self.fault(ProblemKind::InvalidField, &field_pointer(&name), detail);
    }

    pub fn twice(&mut self, name: &str) {
        let detail = format!("{name} is given twice; give it once");
        self.fault(ProblemKind::InvalidField, &field_pointer(name), detail);
    }

    /// Of all that it says.
    pub fn fingerprint(&self) -> [u8; 32] {
        let texts = self.texts.iter();
        let mut fingerprint = texts.fold(Fingerprint::default(), |all, (name, text)| {
            all.with(name, text.as_deref().unwrap_or_default().as_bytes())
        });
        if let Some(link) = &self.link {
            // What lies there may be other by now; what was asked for is the same.
            fingerprint = fingerprint.with("url", link.as_bytes());
        } else if let Some(stored) = &self.recording {
            let name = stored.file_name.as_deref().unwrap_or_default();
            fingerprint = fingerprint
                .with("recording", stored.info.sha256.as_bytes())
                .with("file_name", name.as_bytes());
        }
        fingerprint.finish()
    }

    pub fn email(&mut self) -> Option<Email> {
        let parsed = match self.texts.get("user_email") {
            Some(Some(text)) => text.parse::<Email>().map_err(|error| error.to_string()),
            // Told already.
            Some(None) => return None,
            None => Err("user_email is missing: say who sends the recording".to_owned()),
        };
        parsed
            .map_err(|detail| self.fault(ProblemKind::InvalidField, "/user_email", detail))
            .ok()
    }

    pub fn wanted(&mut self) -> Wanted {
        // An untouched field of an HTML form is sent empty.
        let mut text = |name| {
            let text = self.texts.remove(name).flatten();
            text.filter(|text| !text.trim().is_empty())
        };
        let (preset, chain, format) = (text("preset"), text("chain"), text("format"));
        let (egress, callback_url) = (text("egress"), text("callback_url"));
        let track = text("track").map(|text| match text.trim().parse::<u64>() {
            Ok(track) => track.into(),
            Err(_) => serde_json::Value::String(shorten(&text)),
        });
        let chain = chain.map(|text| match serde_json::from_str(&text) {
            Ok(chain) => chain,
            // `Chain::parse` says what it must be, and this is no object either.
            Err(_) => serde_json::Value::String(shorten(&text)),
        });
        Wanted {
            preset,
            chain,
            format,
            track,
            egress,
            callback_url,
        }
    }
}

/// A client's file name, for display only: no folders, nothing that does not print.
pub fn display_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = last
        .chars()
        .filter(|c| !retake_words::is_hidden(*c))
        .take(FILE_NAME_CHARS_MAX)
        .collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_only_its_last_part_and_prints() {
        for (name, shown) in [
            ("take.webm", Some("take.webm")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Users\\ann\\take 1.wav", Some("take 1.wav")),
            ("a\u{0}b\n.wav", Some("ab.wav")),
            ("take \u{202e}vaw.exe", Some("take vaw.exe")),
            ("\u{2066}<b>take</i>\u{2069}.wav", Some("i>.wav")),
            ("صوت.wav", Some("صوت.wav")),
            ("\u{200b}\u{feff}", None),
            ("  ", None),
            ("x/", None),
        ] {
            assert_eq!(display_name(name).as_deref(), shown, "{name:?}");
        }
        assert_eq!(
            display_name(&"ä".repeat(400)).map(|n| n.chars().count()),
            Some(255)
        );
    }
}
