//! The formats that a correction can be written in.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// 24-bit PCM; RF64 above 4 GiB.
    Wav,
    /// 16-bit where the recording is lossy or has at most 16 bits, else 24-bit.
    #[default]
    Flac,
    /// Ogg Opus.
    Opus,
    /// MPEG layer III with a gapless tag.
    Mp3,
    /// AAC-LC in MP4.
    M4a,
}

impl Format {
    pub const ALL: [Format; 5] = [
        Format::Wav,
        Format::Flac,
        Format::Opus,
        Format::Mp3,
        Format::M4a,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Format::Wav => "wav",
            Format::Flac => "flac",
            Format::Opus => "opus",
            Format::Mp3 => "mp3",
            Format::M4a => "m4a",
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::Wav => "audio/wav",
            Format::Flac => "audio/flac",
            Format::Opus => "audio/ogg; codecs=opus",
            Format::Mp3 => "audio/mpeg",
            Format::M4a => "audio/mp4",
        }
    }

    /// Of a file's name; the formats are called as people call their files.
    pub fn extension(self) -> &'static str {
        self.name()
    }

    pub fn is_lossless(self) -> bool {
        matches!(self, Format::Wav | Format::Flac)
    }

    /// What a recording is given back in where nothing is asked for: FLAC for what came without loss, for
    /// the rest the codec that it came in, or else MP3, which everything plays. `codec` is as the decoder
    /// calls it. More channels than MP3 and M4A hold go into Opus, so that none is lost.
    pub fn natural(is_lossless: bool, codec: &str, channels: u32) -> Self {
        match codec {
            _ if is_lossless => Format::Flac,
            "Opus" => Format::Opus,
            _ if channels > 2 => Format::Opus,
            "AAC" => Format::M4a,
            _ => Format::Mp3,
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

/// What is asked for where a format may be left open: `None` is [`Format::natural`] for the recording.
pub mod asked {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::Format;

    pub const AUTO: &str = "auto";

    pub fn name(asked: Option<Format>) -> &'static str {
        asked.map_or(AUTO, Format::name)
    }

    /// The outer `None`: there is no such format.
    pub fn parse(text: &str) -> Option<Option<Format>> {
        match text {
            AUTO => Some(None),
            text => Format::parse(text).map(Some),
        }
    }

    pub fn serialize<S: Serializer>(asked: &Option<Format>, to: S) -> Result<S::Ok, S::Error> {
        name(*asked).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Format>, D::Error> {
        let text = String::deserialize(from)?;
        parse(&text).ok_or_else(|| D::Error::custom(format!("\"{text}\" is no format")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_comes_back_as_it_came_where_nothing_is_asked_for() {
        for (is_lossless, codec, channels, expected) in [
            (true, "PCM", 2, Format::Flac),
            (true, "ALAC", 6, Format::Flac),
            (false, "MP3", 2, Format::Mp3),
            (false, "AAC", 1, Format::M4a),
            (false, "AAC", 6, Format::Opus),
            (false, "Opus", 2, Format::Opus),
            (false, "Vorbis", 2, Format::Mp3),
            (false, "AC-3", 6, Format::Opus),
        ] {
            let natural = Format::natural(is_lossless, codec, channels);
            assert_eq!(natural, expected, "{codec}, {channels} channels");
        }
    }

    #[test]
    fn what_is_asked_for_has_a_name_even_where_it_is_left_open() {
        for format in Format::ALL.map(Some).into_iter().chain([None]) {
            assert_eq!(asked::parse(asked::name(format)), Some(format));
        }
        assert_eq!(asked::parse("auto"), Some(None));
        assert_eq!(asked::parse("AUTO"), None);
    }
}
