//! The format a correction is stored in.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// 24-bit PCM; RF64 above 4 GiB.
    Wav,
    /// 16-bit where the recording is lossy or has at most 16 bits, else 24-bit.
    #[default]
    Flac,
    /// Ogg Opus.
    Opus,
}

impl Format {
    pub const ALL: [Format; 3] = [Format::Wav, Format::Flac, Format::Opus];

    pub fn name(self) -> &'static str {
        match self {
            Format::Wav => "wav",
            Format::Flac => "flac",
            Format::Opus => "opus",
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::Wav => "audio/wav",
            Format::Flac => "audio/flac",
            Format::Opus => "audio/ogg; codecs=opus",
        }
    }

    pub fn extension(self) -> &'static str {
        match self {
            Format::Wav => "wav",
            Format::Flac => "flac",
            Format::Opus => "opus",
        }
    }

    pub fn of_content_type(content_type: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.content_type() == content_type)
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.name() == text)
    }
}
