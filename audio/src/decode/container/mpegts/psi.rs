//! Which streams a transport stream has: its tables (ISO 13818-1 section 2.4.4).

use std::collections::BTreeMap;

use retake_formats::Codec;

use super::super::frames::Syntax;
use crate::decode::demux::{CodecParams, Track};

const PROGRAMS_MAX: usize = 64;
const STREAMS_MAX: usize = 256;
const SECTION_BYTES_MAX: usize = 4096;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Audio {
    pub pid: u16,
    /// What its frames look like; `None`: it is not decoded.
    pub syntax: Option<Syntax>,
    pub track: Track,
}

/// The tables as far as they have come.
#[derive(Default)]
pub(super) struct Tables {
    /// Of each programme's table of streams, once it has come.
    programs: BTreeMap<u16, Option<Vec<Audio>>>,
    /// A section that is not complete yet.
    sections: BTreeMap<u16, Vec<u8>>,
}

impl Tables {
    /// The audio of all programmes.
    pub(super) fn audio(&self) -> impl Iterator<Item = &Audio> {
        self.programs.values().flatten().flatten()
    }

    pub(super) fn audio_mut(&mut self) -> impl Iterator<Item = &mut Audio> {
        self.programs.values_mut().flatten().flatten()
    }

    pub(super) fn is_complete(&self) -> bool {
        !self.programs.is_empty() && self.programs.values().all(Option::is_some)
    }

    pub(super) fn has(&self, pid: u16) -> bool {
        pid == 0 || self.programs.contains_key(&pid)
    }

    /// A packet of a table.
    pub(super) fn take(&mut self, pid: u16, is_start: bool, payload: &[u8]) {
        let section = self.sections.entry(pid).or_default();
        if is_start {
            let (pointer, rest) = payload.split_first().unwrap_or((&0, &[]));
            section.clear();
            section.extend_from_slice(rest.get(usize::from(*pointer)..).unwrap_or_default());
        } else if !section.is_empty() && section.len() < SECTION_BYTES_MAX {
            section.extend_from_slice(payload);
        }
        let Some(&[table, high, low]) = section.first_chunk() else {
            return;
        };
        let end = 3 + usize::from(u16::from_be_bytes([high & 0xf, low]));
        // Eight bytes of header, four of checksum.
        if section.len() < end || end < 12 {
            return;
        }
        let section = std::mem::take(section);
        let body = &section[8..end - 4];
        match table {
            0 if pid == 0 => self.take_programs(body),
            2 if pid != 0 => {
                let audio = streams(body);
                let program = self.programs.entry(pid).or_default();
                // What was found out about them since is kept.
                let is_same = program.as_ref().is_some_and(|known| {
                    let of = |list: &[Audio]| {
                        list.iter()
                            .map(|audio| (audio.pid, audio.syntax))
                            .collect::<Vec<_>>()
                    };
                    of(known) == of(&audio)
                });
                if !is_same {
                    *program = Some(audio);
                }
            }
            _ => {}
        }
    }

    fn take_programs(&mut self, body: &[u8]) {
        let listed: Vec<u16> = body
            .chunks_exact(4)
            .filter(|entry| entry[..2] != [0, 0])
            .map(|entry| u16::from_be_bytes([entry[2] & 0x1f, entry[3]]))
            .take(PROGRAMS_MAX)
            .collect();
        self.programs.retain(|pid, _| listed.contains(pid));
        for pid in listed {
            self.programs.entry(pid).or_default();
        }
    }
}

fn streams(body: &[u8]) -> Vec<Audio> {
    let length = |bytes: &[u8]| usize::from(u16::from_be_bytes([bytes[0] & 0xf, bytes[1]]));
    let mut audio = Vec::new();
    let Some(about) = body.get(2..4).map(length) else {
        return audio;
    };
    let mut rest = body.get(4 + about..).unwrap_or_default();
    while let Some((entry, behind)) = rest.split_first_chunk::<5>() {
        let Some((descriptors, behind)) = behind.split_at_checked(length(&entry[3..])) else {
            break;
        };
        rest = behind;
        let pid = u16::from_be_bytes([entry[1] & 0x1f, entry[2]]);
        if let Some((params, syntax)) = codec(entry[0], descriptors) {
            audio.push(Audio {
                pid,
                syntax,
                track: Track {
                    params,
                    is_default: audio.is_empty(),
                    name: None,
                    language: language(descriptors),
                },
            });
        }
        if audio.len() == STREAMS_MAX {
            break;
        }
    }
    audio
}

/// Tags and bodies.
fn descriptors(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&[tag, len], rest) = bytes.split_first_chunk()?;
        let (body, rest) = rest.split_at_checked(len.into())?;
        bytes = rest;
        Some((tag, body))
    })
}

/// `None`: no audio.
fn codec(kind: u8, about: &[u8]) -> Option<(CodecParams, Option<Syntax>)> {
    let has = |tag| descriptors(about).any(|(found, _)| found == tag);
    let is_registered =
        |name: &[u8]| descriptors(about).any(|(tag, body)| tag == 0x05 && body.starts_with(name));
    let known = |codec, syntax| Some((CodecParams::new(codec), Some(syntax)));
    let unknown = |name: &str| Some((CodecParams::new(Codec::Unknown(name.to_owned())), None));
    match kind {
        // Which layer, the frames tell.
        0x03 | 0x04 => known(Codec::Mp2, Syntax::Mpeg),
        0x0f => known(Codec::Aac, Syntax::Adts),
        0x11 => known(Codec::Aac, Syntax::Loas),
        0x80 if is_registered(b"HDMV") => unknown("PCM of Blu-ray"),
        0x81 => known(Codec::Ac3, Syntax::Ac3),
        0x84 | 0x87 => known(Codec::Eac3, Syntax::Ac3),
        0x82 | 0x85 | 0x86 if is_registered(b"HDMV") => unknown("DTS"),
        0x83 if is_registered(b"HDMV") => unknown("Dolby TrueHD"),
        0x06 if has(0x6a) || is_registered(b"AC-3") => known(Codec::Ac3, Syntax::Ac3),
        0x06 if has(0x7a) || is_registered(b"EAC3") => known(Codec::Eac3, Syntax::Ac3),
        0x06 if has(0x7b) || is_registered(b"DTS") => unknown("DTS"),
        0x06 if has(0x7c) => known(Codec::Aac, Syntax::Loas),
        0x06 if is_registered(b"Opus") => match opus(about) {
            Some(params) => Some((params, Some(Syntax::Opus))),
            None => unknown("Opus in an unusual arrangement of channels"),
        },
        0x06 if is_registered(b"BSSD") => unknown("PCM of SMPTE 302M"),
        _ => None,
    }
}

/// ETSI TS 103 491 section 4.1: the number of channels, in the usual arrangement.
fn opus(about: &[u8]) -> Option<CodecParams> {
    /// Streams, how many of them are stereo, and where each channel is.
    const ARRANGEMENTS: [(u8, u8, &[u8]); 8] = [
        (1, 0, &[0]),
        (1, 1, &[0, 1]),
        (2, 1, &[0, 2, 1]),
        (2, 2, &[0, 1, 2, 3]),
        (3, 2, &[0, 4, 1, 2, 3]),
        (4, 2, &[0, 4, 1, 2, 3, 5]),
        (4, 3, &[0, 4, 1, 2, 3, 5, 6]),
        (5, 3, &[0, 6, 1, 2, 3, 4, 5, 7]),
    ];
    let extended =
        descriptors(about).find(|(tag, body)| *tag == 0x7f && body.first() == Some(&0x80));
    let channels = match extended.and_then(|(_, body)| body.get(1)) {
        // Nothing is said, or two channels that have nothing to do with each other.
        None | Some(0) => 2,
        Some(channels) => *channels,
    };
    let (streams, coupled, places) = ARRANGEMENTS.get(usize::from(channels) - 1)?;
    let mut head = b"OpusHead\x01".to_vec();
    head.push(channels);
    // What is to be trimmed the packets say; 48 kHz, no gain.
    head.extend([0, 0, 0x80, 0xbb, 0, 0, 0, 0]);
    if channels <= 2 {
        head.push(0);
    } else {
        head.extend([1, *streams, *coupled]);
        head.extend_from_slice(places);
    }
    Some(CodecParams {
        sample_rate: Some(48_000),
        channels: Some(channels.into()),
        extra: head,
        ..CodecParams::new(Codec::Opus)
    })
}

fn language(about: &[u8]) -> Option<String> {
    let (_, body) = descriptors(about).find(|(tag, _)| *tag == 0x0a)?;
    let code = body
        .get(..3)
        .filter(|code| code.iter().all(u8::is_ascii_alphabetic))?;
    let code = String::from_utf8_lossy(code).into_owned();
    (code != "und").then_some(code)
}
