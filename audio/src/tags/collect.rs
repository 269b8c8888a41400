//! Where the readers put what they find: bounds it, leaves out what would lie, and says what is lost.
//!
//! A file may say the same several times, in tags of several kinds: each is a *layer*. The first one
//! that says something is believed; what a later one says differently is lost, and said.

use std::collections::BTreeSet;

use retake_findings::{Code, Finding};

use super::{Chapter, Picture, Tags, broadcast, limits::*};

#[derive(Default)]
pub(super) struct Collector {
    pub tags: Tags,
    lost: BTreeSet<String>,
    gains: BTreeSet<String>,
    /// What the layers before this one gave.
    fields_before: usize,
    has_chapters: bool,
    text_bytes: usize,
    picture_bytes: usize,
    /// Of ID3 tags, which a file can name at many places.
    pub id3_bytes: usize,
}

/// So many names are listed in a finding.
const NAMES_MAX: usize = 40;
const NAME_CHARS_MAX: usize = 80;
/// Of all ID3 tags together, so much is read.
const ID3_BYTES_SUM_MAX: usize = 4 * TAG_BYTES_MAX;

impl Collector {
    /// What follows is said by another tag.
    pub(super) fn layer(&mut self) {
        self.fields_before = self.tags.fields.len();
        self.has_chapters = !self.tags.chapters.is_empty();
    }

    pub(super) fn lost(&mut self, name: impl Into<String>) {
        if self.lost.len() < NAMES_MAX {
            let name: String = name.into();
            self.lost
                .insert(name.chars().take(NAME_CHARS_MAX).collect());
        }
    }

    /// Whether so many bytes of another ID3 tag are still to be read.
    pub(super) fn takes_id3(&mut self, bytes: usize) -> bool {
        let sum = self.id3_bytes.saturating_add(bytes);
        if sum > ID3_BYTES_SUM_MAX {
            self.lost("more ID3 tags");
            return false;
        }
        self.id3_bytes = sum;
        true
    }

    /// A gain by which players would change a loudness that is no longer this one.
    pub(super) fn gain(&mut self, name: &str) {
        if self.gains.len() < NAMES_MAX {
            self.gains
                .insert(name.chars().take(NAME_CHARS_MAX).collect());
        }
    }

    pub(super) fn text(&mut self, name: &str, value: &str) {
        let name = name.trim().to_ascii_uppercase();
        let value = value.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        if name.is_empty() || value.is_empty() {
            return;
        }
        let name = match fate(&name) {
            Fate::Kept => name,
            Fate::Renamed(other) => other.to_owned(),
            Fate::Gain => return self.gain(&name),
            Fate::Untrue => return,
        };
        if name == ORIGINAL_ENCODER && value.starts_with("retake-audio ") {
            return;
        }
        if self.tags.fields.len() >= FIELDS_MAX {
            return self.lost(name);
        }
        let (before, own) = self.tags.fields.split_at(self.fields_before);
        let earlier: Vec<&str> = before
            .iter()
            .filter(|(own, _)| *own == name)
            .map(|(_, value)| value.as_str())
            .collect();
        if !earlier.is_empty() {
            // RIFF knows only the year, and one value.
            let is_said =
                earlier.iter().any(|said| said.starts_with(value)) || is_joined(&earlier, value);
            return if !is_said {
                self.lost(format!("another {name}"))
            };
        }
        if own.iter().any(|(n, v)| *n == name && v == value) {
            return;
        }
        let is_too_much = value.len() > TEXT_BYTES_MAX
            || name.len() > NAME_BYTES_MAX
            || self.text_bytes + value.len() + name.len() > TEXT_BYTES_SUM_MAX;
        if is_too_much {
            return self.lost(format!("{name} ({} bytes)", value.len()));
        }
        self.text_bytes += value.len() + name.len();
        self.tags.fields.push((name, value.to_owned()));
    }

    /// "3/12": a number and of how many.
    pub(super) fn numbered(&mut self, number: &str, total: &str, value: &str) {
        let (n, of) = value.split_once('/').unwrap_or((value, ""));
        self.text(number, n);
        self.text(total, of);
    }

    pub(super) fn picture(&mut self, mut picture: Picture) {
        if picture.mime == "-->" {
            return self.lost("a picture's link");
        }
        let is_there = self.tags.pictures.iter().any(|p| p.bytes == picture.bytes);
        if picture.bytes.is_empty() || is_there {
            return;
        }
        let bytes = picture.bytes.len();
        let is_too_much = bytes > PICTURE_BYTES_MAX
            || self.picture_bytes + bytes > PICTURE_BYTES_SUM_MAX
            || self.tags.pictures.len() >= PICTURES_MAX;
        if is_too_much {
            return self.picture_lost(bytes as u64);
        }
        self.picture_bytes += bytes;
        picture.mime = mime(&picture.bytes).map_or(picture.mime, str::to_owned);
        picture.mime.retain(|c| c.is_ascii_graphic());
        picture.mime.truncate(100);
        shorten(&mut picture.description, NAME_BYTES_MAX);
        self.tags.pictures.push(picture);
    }

    pub(super) fn picture_lost(&mut self, bytes: u64) {
        self.lost(format!("a picture of {bytes} bytes"));
    }

    pub(super) fn chapter(&mut self, start_ns: u64, end_ns: Option<u64>, title: &str) {
        if self.has_chapters {
            return;
        }
        if self.tags.chapters.len() >= CHAPTERS_MAX {
            return self.lost(format!("chapters beyond {CHAPTERS_MAX}"));
        }
        let mut title = title.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        if title.len() > TEXT_BYTES_MAX || self.text_bytes + title.len() > TEXT_BYTES_SUM_MAX {
            self.lost(format!("a chapter's title of {} bytes", title.len()));
            title = "";
        }
        self.text_bytes += title.len();
        self.tags.chapters.push(Chapter {
            start_ns,
            end_ns: end_ns.filter(|end| *end > start_ns),
            title: title.to_owned(),
        });
    }

    /// A chunk of a WAVE file that is kept as it is.
    pub(super) fn chunk(&mut self, id: [u8; 4], body: Vec<u8>) {
        if self.tags.chunk(&id).is_some() {
            return self.lost(format!("another {}", String::from_utf8_lossy(&id)));
        }
        self.tags.chunks.push((id, body));
    }

    /// What was said of another part of the file and not of all of it.
    pub(super) fn lost_of(&mut self, other: Self, of_what: &str) {
        for field in &other.tags.fields {
            if !self.tags.fields.contains(field) && field.0 != ORIGINAL_ENCODER {
                self.lost(format!("{} {of_what}", field.0));
            }
        }
        if other
            .tags
            .pictures
            .iter()
            .any(|p| !self.tags.pictures.contains(p))
        {
            self.lost(format!("a picture {of_what}"));
        }
        if other
            .tags
            .chapters
            .iter()
            .any(|c| !self.tags.chapters.contains(c))
        {
            self.lost(format!("chapters {of_what}"));
        }
        for name in other.lost {
            self.lost(name);
        }
        for name in other.gains {
            self.gain(&name);
        }
    }

    pub(super) fn finish(mut self) -> (Tags, Vec<Finding>) {
        self.tags.chapters.sort_by_key(|chapter| chapter.start_ns);
        broadcast::forget_repeated(&mut self.tags);
        broadcast::forget_loudness(&mut self.tags.chunks);
        let mut findings = Vec::new();
        if !self.lost.is_empty() {
            let names: Vec<_> = self.lost.into_iter().collect();
            findings.push(Finding::new(Code::TagsLost, [("names", names.into())]));
        }
        if !self.gains.is_empty() {
            let names: Vec<_> = self.gains.into_iter().collect();
            findings.push(Finding::new(
                Code::ReplayGainRemoved,
                [("names", names.into())],
            ));
        }
        (self.tags, findings)
    }
}

/// Whether a text is several others in a row. It is not put together where lengths tell: a file may
/// ask for it a million times.
fn is_joined(parts: &[&str], whole: &str) -> bool {
    const BETWEEN: &str = "; ";
    let bytes: usize = parts.iter().map(|part| part.len() + BETWEEN.len()).sum();
    bytes == whole.len() + BETWEEN.len() && parts.join(BETWEEN) == whole
}

/// What made the file that was brought: of ours it would be untrue under its usual name.
pub(super) const ORIGINAL_ENCODER: &str = "ORIGINALENCODER";

enum Fate {
    Kept,
    Renamed(&'static str),
    /// Players would apply it.
    Gain,
    /// About the coded audio, which is another now.
    Untrue,
}

fn fate(name: &str) -> Fate {
    const GAINS: [&str; 4] = ["REPLAYGAIN_", "R128_", "MP3GAIN_", "RVA2"];
    const UNTRUE: [&str; 30] = [
        "ITUNSMPB",
        "ITUNPGAP",
        "TLEN",
        "LENGTH",
        "TSIZ",
        "TFLT",
        "TDLY",
        "MD5",
        "MD5SUM",
        "BPS",
        "BITRATE",
        "DURATION",
        "NUMBER_OF_FRAMES",
        "NUMBER_OF_BYTES",
        "SOURCE_ID",
        "ENCODING PARAMS",
        "CDET",
        "WAVEFORMATEXTENSIBLE_CHANNEL_MASK",
        "MAJOR_BRAND",
        "MINOR_VERSION",
        "COMPATIBLE_BRANDS",
        "VENDOR_ID",
        "HANDLER_NAME",
        "CHANNEL LAYOUT",
        "CHANNELS",
        "SAMPLE RATE",
        "SOURCE BIT DEPTH",
        "NOMINAL BIT RATE",
        "APPROXIMATE DURATION IN SECONDS",
        "PEAK_LEVEL",
    ];
    const ENCODERS: [&str; 5] = [
        "ENCODER",
        "ENCODERSETTINGS",
        "ENCODER_OPTIONS",
        "ENCODING APPLICATION",
        "SOFTWARE",
    ];
    if GAINS.iter().any(|prefix| name.starts_with(prefix)) || name == "ITUNNORM" {
        Fate::Gain
    } else if UNTRUE.contains(&name) || name.starts_with("_STATISTICS_") {
        Fate::Untrue
    } else if ENCODERS.contains(&name) {
        Fate::Renamed(ORIGINAL_ENCODER)
    } else {
        Fate::Kept
    }
}

/// What a picture is by its first bytes: files are often wrong about it.
fn mime(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'B', b'M', ..] => Some("image/bmp"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}

fn shorten(text: &mut String, bytes_max: usize) {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}
