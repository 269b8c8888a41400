//! What each format can hold, and what it cannot.

use retake_findings::{Code, Finding};

use super::{Format, flac, opus};
use crate::{
    CHANNELS_MAX, Picture, Spec, Tags,
    tags::{vorbis, write_mp4},
};

/// ID3v2's number.
const FRONT_COVER: u8 = 3;

impl Format {
    /// As people call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Wav { .. } => "WAV",
            Self::Flac { .. } => "FLAC",
            Self::OggOpus { .. } => "Opus",
            Self::Mp3 { .. } => "MP3",
            Self::M4a { .. } => "M4A",
        }
    }

    /// Of a recording; MP3 and M4A have two and take others mixed down.
    pub fn channels_max(&self) -> u32 {
        match self {
            Self::Flac { .. } => flac::CHANNELS_MAX,
            Self::Wav { .. } | Self::OggOpus { .. } | Self::Mp3 { .. } | Self::M4a { .. } => {
                CHANNELS_MAX
            }
        }
    }

    /// What of a recording would be lost in this format, beside the samples.
    pub fn cannot_keep(&self, tags: &Tags, spec: Spec) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut names: Vec<String> = Vec::new();
        if !matches!(self, Self::Wav { .. } | Self::Flac { .. }) {
            for (id, _) in &tags.chunks {
                names.push(match id {
                    b"bext" => "bext (its texts are kept as comments)".to_owned(),
                    other => String::from_utf8_lossy(other).into_owned(),
                });
            }
        }
        if let Self::OggOpus { .. } = self {
            let kept = opus::speakers(spec);
            if kept != spec.mask {
                findings.push(Finding::new(
                    Code::MaskLost,
                    [
                        ("mask", format!("{:#x}", spec.mask.bits()).into()),
                        ("format", self.name().into()),
                    ],
                ));
            }
        }
        if let Self::M4a { .. } = self {
            names.extend(lost_pictures(&tags.pictures));
        }
        if let Self::Flac { .. } | Self::OggOpus { .. } = self {
            let renamed = tags.fields.iter().filter_map(|(name, _)| {
                let other = vorbis::comment_name(name);
                (other != *name).then(|| format!("{name} (kept as {other})"))
            });
            names.extend(renamed);
        }
        if !matches!(self, Self::Wav { .. } | Self::Mp3 { .. })
            && tags
                .chapters
                .windows(2)
                .any(|pair| has_gap(&pair[0], &pair[1]))
        {
            names.push("the ends of chapters".to_owned());
        }
        if !names.is_empty() {
            findings.push(Finding::new(Code::TagsLost, [("names", names.into())]));
        }
        findings
    }
}

/// MP4 has covers alone, and no more than three kinds of pictures.
fn lost_pictures(pictures: &[Picture]) -> impl Iterator<Item = String> {
    pictures.iter().filter_map(|picture| {
        if !write_mp4::is_kept(picture) {
            return Some(format!("a picture of {}", picture.mime));
        }
        let is_other = picture.kind != FRONT_COVER || !picture.description.is_empty();
        is_other.then(|| "what a picture is of (kept as a cover)".to_owned())
    })
}

/// Vorbis comments and MP4 say only where a chapter starts: the next one ends it.
fn has_gap(chapter: &crate::Chapter, next: &crate::Chapter) -> bool {
    const ROUNDING_NS: u64 = 50_000_000;
    let end = chapter.end_ns.unwrap_or(next.start_ns);
    end.abs_diff(next.start_ns) > ROUNDING_NS
}
