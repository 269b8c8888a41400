//! What can be made of a completed job. Each kind has one text, which names it in the store.

use std::{fmt, str::FromStr};

use retake_chain::{Rendition, rendition_limits};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Kind {
    /// The correction in another format, or encoded otherwise.
    Rendition(Rendition),
    /// Original and correction in one stream, in channels of their own.
    Compare,
    /// The same as two tracks of an M4A, for players that cannot do that.
    CompareTracks,
    /// The lowest and highest sample of each stretch.
    Peaks(Side, PeaksForm),
    /// A piece of the spectrogram, which begins at column 1,024 × `tile`.
    Spectrogram {
        side: Side,
        /// Within `rendition_limits::COLUMNS_PER_SECOND`.
        columns_per_second: u16,
        tile: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeaksForm {
    /// At several resolutions: docs/renditions.md.
    Pyramid,
    /// As BBC's audiowaveform writes them.
    Dat,
    Json,
}

/// Of the two that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    Original,
    Corrected,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAKind(String);

impl Side {
    pub fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Corrected => "corrected",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Original, Self::Corrected]
            .into_iter()
            .find(|side| side.name() == name)
    }
}

impl PeaksForm {
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Pyramid | Self::Dat => "application/octet-stream",
            Self::Json => "application/json",
        }
    }

    /// Behind the side's name.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Pyramid => "",
            Self::Dat => ".dat",
            Self::Json => ".json",
        }
    }
}

impl Kind {
    /// "original", "corrected.dat".
    pub fn parse_peaks(name: &str) -> Option<Self> {
        let forms = [PeaksForm::Dat, PeaksForm::Json, PeaksForm::Pyramid];
        forms.into_iter().find_map(|form| {
            let side = Side::parse(name.strip_suffix(form.ending())?)?;
            Some(Self::Peaks(side, form))
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rendition(rendition) => write!(f, "rendition/{rendition}"),
            Self::Compare => f.write_str("compare"),
            Self::CompareTracks => f.write_str("compare.m4a"),
            Self::Peaks(side, form) => write!(f, "peaks/{}{}", side.name(), form.ending()),
            Self::Spectrogram {
                side,
                columns_per_second,
                tile,
            } => write!(f, "spectrogram/{}/{columns_per_second}/{tile}", side.name()),
        }
    }
}

impl FromStr for Kind {
    type Err = NotAKind;

    fn from_str(text: &str) -> Result<Self, NotAKind> {
        let unknown = || NotAKind(format!("\"{text}\" is nothing that can be made of a job"));
        let parts: Vec<_> = text.split('/').collect();
        Ok(match parts[..] {
            ["rendition", rendition] => {
                let parsed = rendition.parse::<Rendition>();
                Self::Rendition(parsed.map_err(|error| NotAKind(error.to_string()))?)
            }
            ["compare"] => Self::Compare,
            ["compare.m4a"] => Self::CompareTracks,
            ["peaks", name] => Self::parse_peaks(name).ok_or_else(unknown)?,
            ["spectrogram", name, columns, tile] => Self::Spectrogram {
                side: Side::parse(name).ok_or_else(unknown)?,
                columns_per_second: number(columns)
                    .filter(|columns| rendition_limits::COLUMNS_PER_SECOND.contains(columns))
                    .ok_or_else(unknown)?,
                tile: number(tile).ok_or_else(unknown)?,
            },
            _ => return Err(unknown()),
        })
    }
}

impl TryFrom<String> for Kind {
    type Error = NotAKind;

    fn try_from(text: String) -> Result<Self, NotAKind> {
        text.parse()
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.to_string()
    }
}

/// Only one text for each number: texts are keys.
fn number<T: FromStr + ToString>(text: &str) -> Option<T> {
    text.parse()
        .ok()
        .filter(|number: &T| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn texts_stay_as_they_were_when_things_were_stored_under_them() {
        for text in [
            "rendition/mp3:bitrate=64,mono",
            "compare",
            "compare.m4a",
            "peaks/original",
            "peaks/corrected.dat",
            "peaks/original.json",
            "spectrogram/corrected/100/12",
        ] {
            let kind: Kind = text.parse().unwrap();
            assert_eq!(kind.to_string(), text);
        }
        for text in [
            "",
            "compare/x",
            "peaks/both",
            "rendition/mp4",
            "spectrogram/original/1001/0",
            "spectrogram/original/0/0",
            "spectrogram/original/1/01",
        ] {
            assert!(text.parse::<Kind>().is_err(), "{text}");
        }
    }
}
