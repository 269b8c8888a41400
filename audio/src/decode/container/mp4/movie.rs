//! The movie header: what tracks there are, and what it says about their samples.

use std::collections::HashMap;

use retake_formats::Codec;

use super::{
    boxes::{child, children, find, u16_at, u32_at, u64_at},
    entry::{Entry, entries},
    table::Tables,
};
use crate::AudioError;

/// Edit lists of editors have hundreds.
const EDITS_MAX: usize = 20_000;
/// Clocks that are slower than this are refined, so that a packet's length can be said exactly.
const TIMESCALE_MIN: u64 = 8_000;
const TIMESCALE_FINE: u64 = 192_000;
const TRACKS_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Movie {
    pub timescale: u64,
    /// Audio tracks only.
    pub tracks: Vec<Track>,
    /// What fragments leave out, by track.
    pub defaults: HashMap<u32, Defaults>,
    pub is_fragmented: bool,
    /// Where the fragments are, and how long.
    pub fragments: Vec<(u64, u64)>,
    /// Delay and length in frames, from a comment of iTunes.
    pub itunes: Option<(u64, u64)>,
    /// Offsets count from here: another file may stand before it.
    pub base: u64,
}

#[derive(Debug)]
pub(super) struct Track {
    pub id: u32,
    pub is_enabled: bool,
    pub name: Option<String>,
    pub language: Option<String>,
    /// Ticks per second, of all times but the edits' durations. A multiple of what the file says.
    pub timescale: u64,
    pub scale: i64,
    pub entries: Vec<Entry>,
    pub tables: Tables,
    pub edits: Edits,
}

#[derive(Debug, PartialEq)]
pub(super) enum Edits {
    None,
    List(Vec<Edit>),
    /// Why it cannot be followed.
    Ignored(String),
}

/// Plays `duration` (in the movie's ticks) from `media_time` (in the track's); `None` stands for a gap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edit {
    pub duration: u64,
    pub media_time: Option<i64>,
}

/// What samples of a fragment are if it does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Defaults {
    pub description: u32,
    pub duration: u32,
    pub size: u32,
}

impl Movie {
    /// From the body of `moov`.
    pub(super) fn parse(moov: &[u8], base: u64, file_len: u64) -> Result<Self, AudioError> {
        if child(moov, *b"cmov").is_some() {
            return Err(AudioError::UnknownCodec {
                codec: "a QuickTime movie with a compressed header (cmov)".to_owned(),
            });
        }
        let (timescale, _) = child(moov, *b"mvhd")
            .and_then(time_header)
            .unwrap_or((1, 0));
        let extends = child(moov, *b"mvex");
        let defaults = children(extends.unwrap_or_default())
            .filter(|(kind, _)| kind == b"trex")
            .filter_map(|(_, body)| defaults(body))
            .take(TRACKS_MAX)
            .collect();
        Ok(Self {
            timescale: timescale.max(1),
            tracks: children(moov)
                .filter(|(kind, _)| kind == b"trak")
                .filter_map(|(_, body)| Track::parse(body, base, file_len))
                .take(TRACKS_MAX)
                .collect(),
            defaults,
            is_fragmented: extends.is_some(),
            fragments: Vec::new(),
            itunes: child(moov, *b"udta").and_then(itunes_gapless),
            base,
        })
    }

    /// A header with nothing behind it, as some recorders write one at the beginning and another at
    /// the end.
    pub(super) fn is_empty(&self) -> bool {
        self.fragments.is_empty() && self.tracks.iter().all(|track| track.tables.is_empty())
    }
}

impl Track {
    /// `None`: it is no audio.
    fn parse(trak: &[u8], base: u64, file_len: u64) -> Option<Self> {
        let mdia = child(trak, *b"mdia")?;
        let minf = child(mdia, *b"minf")?;
        let is_audio = match child(mdia, *b"hdlr").and_then(|body| body.get(8..12)) {
            Some(handler) => handler == b"soun",
            None => child(minf, *b"smhd").is_some(),
        };
        if !is_audio {
            return None;
        }
        let stbl = child(minf, *b"stbl")?;
        let mdhd = child(mdia, *b"mdhd")?;
        let (stated, _) = time_header(mdhd)?;
        let stated = stated.max(1);
        let scale = if stated < TIMESCALE_MIN {
            TIMESCALE_FINE.div_ceil(stated)
        } else {
            1
        };
        let tables = Tables::parse(stbl, scale as i64, base, file_len);
        let stsd = child(stbl, *b"stsd").unwrap_or_default();
        let header = child(trak, *b"tkhd").unwrap_or_default();
        let is_long = header.first() == Some(&1);
        let udta = child(trak, *b"udta").unwrap_or_default();
        let elng = child(mdia, *b"elng").and_then(|body| text(body.get(4..)?));
        Some(Self {
            id: u32_at(header, if is_long { 20 } else { 12 }).unwrap_or(0),
            is_enabled: header.get(3).is_some_and(|flags| flags & 1 != 0),
            name: child(udta, *b"name").and_then(text),
            language: elng.or_else(|| language(mdhd)),
            timescale: stated * scale,
            scale: scale as i64,
            entries: entries(
                stsd,
                stated,
                tables.constant_size(),
                tables.samples_are_frames(),
            ),
            tables,
            edits: find(trak, &[b"edts", b"elst"]).map_or(Edits::None, edits),
        })
    }

    pub(super) fn codec(&self) -> Option<&Codec> {
        self.entries.first().map(|entry| &entry.params.codec)
    }
}

/// Timescale and duration: the same place in movie and media headers.
fn time_header(body: &[u8]) -> Option<(u64, u64)> {
    if body.first() == Some(&1) {
        Some((u64::from(u32_at(body, 20)?), u64_at(body, 24)?))
    } else {
        Some((u64::from(u32_at(body, 12)?), u64::from(u32_at(body, 16)?)))
    }
}

fn defaults(trex: &[u8]) -> Option<(u32, Defaults)> {
    let defaults = Defaults {
        description: u32_at(trex, 8)?,
        duration: u32_at(trex, 12)?,
        size: u32_at(trex, 16)?,
    };
    Some((u32_at(trex, 4)?, defaults))
}

fn edits(body: &[u8]) -> Edits {
    const NORMAL_SPEED: u32 = 0x1_0000;
    let is_long = body.first() == Some(&1);
    let count = u32_at(body, 4).unwrap_or(0) as usize;
    let entries = body.get(8..).unwrap_or_default();
    let mut list = Vec::new();
    for entry in entries
        .chunks_exact(if is_long { 20 } else { 12 })
        .take(count)
    {
        let (duration, media_time, rate) = if is_long {
            let time = u64_at(entry, 8).unwrap_or(0) as i64;
            (u64_at(entry, 0), time, u32_at(entry, 16))
        } else {
            let time = u32_at(entry, 4).unwrap_or(0) as i32;
            (
                u32_at(entry, 0).map(u64::from),
                i64::from(time),
                u32_at(entry, 8),
            )
        };
        let media_time = (media_time >= 0).then_some(media_time);
        if let Some(rate) = rate.filter(|rate| *rate != NORMAL_SPEED && media_time.is_some()) {
            let speed = f64::from(rate as i32) / f64::from(NORMAL_SPEED);
            return Edits::Ignored(format!("it plays a part at {speed:.3} of its speed"));
        }
        if list.len() == EDITS_MAX {
            return Edits::Ignored(format!(
                "it has {count} entries, at most {EDITS_MAX} are taken"
            ));
        }
        list.push(Edit {
            duration: duration.unwrap_or(0),
            media_time,
        });
    }
    if list.iter().all(|edit| edit.media_time.is_none()) {
        return Edits::None;
    }
    Edits::List(list)
}

/// Three letters of five bits, or one of Macintosh's numbers.
fn language(mdhd: &[u8]) -> Option<String> {
    const MACINTOSH: [&str; 12] = [
        "eng", "fra", "deu", "ita", "nld", "swe", "spa", "dan", "por", "nor", "heb", "jpn",
    ];
    let code = u16_at(mdhd, if mdhd.first() == Some(&1) { 32 } else { 20 })?;
    if code < 0x400 {
        return MACINTOSH
            .get(usize::from(code))
            .map(|name| (*name).to_owned());
    }
    let letters: String = [10, 5, 0]
        .iter()
        .map(|shift| char::from((code >> shift & 31) as u8 + 0x60))
        .collect();
    let is_named = letters.bytes().all(|byte| byte.is_ascii_lowercase()) && letters != "und";
    is_named.then_some(letters)
}

fn text(bytes: &[u8]) -> Option<String> {
    const BYTES_MAX: usize = 256;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(BYTES_MAX)]);
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// " 00000000 00000840 000001CA 00000000003F31F6 …": unused, delay, padding, frames.
fn itunes_gapless(user_data: &[u8]) -> Option<(u64, u64)> {
    let name = user_data
        .windows(8)
        .position(|window| window == b"iTunSMPB")?;
    let rest = user_data.get(name + 8..)?;
    let text = String::from_utf8_lossy(&rest[..rest.len().min(160)]).into_owned();
    let numbers: Vec<u64> = text
        .split(|c: char| !c.is_ascii_hexdigit())
        .filter(|word| word.len() >= 8)
        .map(|word| u64::from_str_radix(word, 16).unwrap_or(0))
        .take(4)
        .collect();
    let [_, delay, _, frames] = numbers[..] else {
        return None;
    };
    (frames > 0).then_some((delay, frames))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(duration: u64, media_time: Option<i64>) -> Edit {
        Edit {
            duration,
            media_time,
        }
    }

    #[test]
    fn edits_are_read_in_both_widths() {
        let short = [
            &[0, 0, 0, 0, 0, 0, 0, 2][..],
            &[0, 0, 0, 40, 0xff, 0xff, 0xff, 0xff, 0, 1, 0, 0],
            &[0, 0, 3, 0xe8, 0, 0, 4, 0, 0, 1, 0, 0],
        ]
        .concat();
        let expected = Edits::List(vec![edit(40, None), edit(1000, Some(1024))]);
        assert_eq!(edits(&short), expected);
        let long = [
            &[1, 0, 0, 0, 0, 0, 0, 1][..],
            &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 1, 0, 0],
        ]
        .concat();
        assert_eq!(edits(&long), Edits::List(vec![edit(1 << 32, Some(1024))]));
        let fast = [&short[..28], &[0, 2, 0, 0]].concat();
        assert!(matches!(edits(&fast), Edits::Ignored(_)));
        assert_eq!(edits(&short[..20]), Edits::None);
    }

    #[test]
    fn the_comment_of_itunes_has_delay_and_length() {
        let mut data = b"....iTunSMPB\0\0\0\x84data\0\0\0\x01\0\0\0\0".to_vec();
        data.extend(b" 00000000 00000840 000001CA 000000000000AC44".as_slice());
        assert_eq!(itunes_gapless(&data), Some((0x840, 44_100)));
        assert_eq!(itunes_gapless(&data[..60]), None);
    }

    #[test]
    fn a_language_is_three_letters_or_a_number() {
        let check = |code: u16, expected: Option<&str>| {
            let mut mdhd = vec![0; 20];
            mdhd.extend(code.to_be_bytes());
            assert_eq!(language(&mdhd).as_deref(), expected);
        };
        check(0x55c4, None);
        check((4 << 10) | (5 << 5) | 21, Some("deu"));
        check(0, Some("eng"));
        check(0x3ff, None);
    }
}
