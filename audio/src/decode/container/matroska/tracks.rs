//! What a Tracks element says of its tracks.

use retake_formats::Codec;

use super::{
    codecs,
    ebml::*,
    encoding::{ENCRYPTED, Encodings},
};
use crate::decode::demux::{CodecParams, Stream, Time, Track};

const ENTRY: u32 = 0xae;
const NUMBER: u32 = 0xd7;
const TYPE: u32 = 0x83;
const IS_ENABLED: u32 = 0xb9;
const IS_DEFAULT: u32 = 0x88;
const DEFAULT_DURATION: u32 = 0x23_e383;
const TRACK_TIMESTAMP_SCALE: u32 = 0x23_314f;
const NAME: u32 = 0x536e;
const LANGUAGE: u32 = 0x22_b59c;
const LANGUAGE_BCP47: u32 = 0x22_b59d;
const CODEC_ID: u32 = 0x86;
const CODEC_PRIVATE: u32 = 0x63a2;
const CODEC_DELAY: u32 = 0x56aa;
const AUDIO: u32 = 0xe1;
const RATE: u32 = 0xb5;
const OUTPUT_RATE: u32 = 0x78b5;
const CHANNELS: u32 = 0x9f;
const BITS: u32 = 0x6264;
const CONTENT_ENCODINGS: u32 = 0x6d80;
const TYPE_AUDIO: u64 = 2;
/// Of all kinds; a file has some.
const TRACKS_MAX: usize = 256;
const NS_PER_S: u64 = 1_000_000_000;

/// What the Audio element says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Audio {
    pub rate: Option<u32>,
    /// Of what is decoded, where it differs.
    pub output_rate: Option<u32>,
    pub channels: u32,
    pub bits: Option<u32>,
}

impl Default for Audio {
    fn default() -> Self {
        Self {
            rate: None,
            output_rate: None,
            channels: 1,
            bits: None,
        }
    }
}

/// One audio track.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub number: u64,
    pub track: Track,
    pub encodings: Encodings,
    /// Ticks of the track's blocks in ticks of the segment; almost always 1.
    pub scale: f64,
    /// Of each packet.
    pub duration_ns: Option<u64>,
    delay_ns: u64,
    /// WavPack: the version that its blocks' headers, which are not stored, would state.
    pub wavpack_version: u16,
}

impl Entry {
    /// What the track begins with.
    pub(super) fn stream(&self) -> Stream {
        let params = &self.track.params;
        let of_head = match params.codec {
            // To the frame, and what decoders go by.
            Codec::Opus => codecs::opus_pre_skip(&params.extra),
            _ => None,
        };
        let stated = (self.delay_ns > 0).then(|| Time::new(clamped(self.delay_ns), NS_PER_S));
        Stream {
            delay: of_head
                .map(|frames| Time::new(i64::from(frames), 48_000))
                .or(stated),
            ..Stream::new(params.clone())
        }
    }
}

fn clamped(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}

/// The audio tracks, and the numbers of all tracks: what a block can belong to.
pub(super) fn parse(tracks: &[u8]) -> (Vec<Entry>, Vec<u64>) {
    let mut entries = Vec::new();
    let mut numbers = Vec::new();
    let bodies = children(tracks).filter(|(id, _)| *id == ENTRY);
    for (_, body) in bodies.take(TRACKS_MAX) {
        numbers.push(child(body, NUMBER).map_or(0, unsigned));
        entries.extend(entry(body));
    }
    (entries, numbers)
}

/// `None`: this is no audio.
fn entry(body: &[u8]) -> Option<Entry> {
    let number = |id, usual| child(body, id).map_or(usual, unsigned);
    let string = |id| child(body, id).map(text).filter(|text| !text.is_empty());
    let codec_id = string(CODEC_ID).unwrap_or_default();
    // Without a type, by its name.
    let usual_type = if codec_id.starts_with("A_") {
        TYPE_AUDIO
    } else {
        0
    };
    if number(TYPE, usual_type) != TYPE_AUDIO {
        return None;
    }
    let audio = child(body, AUDIO).map_or_else(Audio::default, audio);
    let private = child(body, CODEC_PRIVATE).unwrap_or_default();
    let encodings = Encodings::parse(child(body, CONTENT_ENCODINGS).unwrap_or_default());
    let (encodings, params) = match encodings {
        Ok(encodings) => {
            let private = encodings.private(private).unwrap_or_default();
            let params = codecs::params_of(&codec_id, &private, &audio);
            (encodings, params)
        }
        Err(how) => {
            let params = codecs::params_of(&codec_id, private, &audio);
            let name = match how {
                ENCRYPTED => "encrypted audio".to_owned(),
                how => format!("{how} {}", params.codec.name()),
            };
            (
                Encodings::default(),
                CodecParams {
                    codec: Codec::Unknown(name),
                    ..params
                },
            )
        }
    };
    let scale = child(body, TRACK_TIMESTAMP_SCALE).map_or(1.0, float);
    Some(Entry {
        number: number(NUMBER, 0),
        wavpack_version: match (&params.codec, private) {
            (Codec::WavPack, &[low, high, ..]) => u16::from_le_bytes([low, high]),
            _ => 0,
        },
        track: Track {
            params,
            is_default: number(IS_DEFAULT, 1) != 0 && number(IS_ENABLED, 1) != 0,
            name: string(NAME),
            language: string(LANGUAGE_BCP47)
                .or(string(LANGUAGE))
                .filter(|language| language != "und"),
        },
        encodings,
        scale: if scale > 0.0 { scale } else { 1.0 },
        duration_ns: Some(number(DEFAULT_DURATION, 0)).filter(|ns| *ns > 0),
        delay_ns: number(CODEC_DELAY, 0),
    })
}

fn audio(body: &[u8]) -> Audio {
    let rate = |id| {
        let hz = child(body, id).map_or(0.0, float).round();
        (hz >= 1.0).then_some(hz as u32)
    };
    let number = |id| child(body, id).map(|body| u32::try_from(unsigned(body)).unwrap_or(u32::MAX));
    Audio {
        rate: rate(RATE),
        output_rate: rate(OUTPUT_RATE),
        channels: number(CHANNELS).unwrap_or(1),
        bits: number(BITS).filter(|bits| *bits > 0),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::testing::element, *};

    fn one(children: &[Vec<u8>]) -> Option<Entry> {
        parse(&element(ENTRY, &children.concat())).0.pop()
    }

    #[test]
    fn a_track_says_what_it_is() {
        let audio = [
            element(RATE, &44_100f64.to_be_bytes()),
            element(CHANNELS, &[2]),
            element(BITS, &[24]),
        ];
        let entry = one(&[
            element(NUMBER, &[7]),
            element(TYPE, &[2]),
            element(CODEC_ID, b"A_PCM/INT/LIT"),
            element(NAME, b"Mic\0"),
            element(LANGUAGE, b"ger"),
            element(LANGUAGE_BCP47, b"de-CH"),
            element(IS_ENABLED, &[0]),
            element(CODEC_DELAY, &[0x0f, 0x42, 0x40]),
            element(DEFAULT_DURATION, &[0x98, 0x96, 0x80]),
            element(AUDIO, &audio.concat()),
        ])
        .unwrap();
        assert_eq!(entry.number, 7);
        assert_eq!(entry.track.params.sample_rate, Some(44_100));
        assert_eq!(entry.track.params.channels, Some(2));
        assert_eq!(entry.track.params.bits, Some(24));
        assert_eq!(entry.track.name.as_deref(), Some("Mic"));
        assert_eq!(entry.track.language.as_deref(), Some("de-CH"));
        assert!(!entry.track.is_default);
        assert_eq!(entry.duration_ns, Some(10_000_000));
        assert_eq!(entry.stream().delay, Some(Time::new(1_000_000, NS_PER_S)));
    }

    #[test]
    fn a_track_is_played_and_of_one_channel_unless_it_says_otherwise() {
        let entry = one(&[element(TYPE, &[2]), element(CODEC_ID, b"A_MPEG/L3")]).unwrap();
        assert!(entry.track.is_default);
        assert_eq!(entry.track.params.channels, Some(1));
        assert_eq!(
            (entry.track.name, entry.track.language.clone()),
            (None, None)
        );
        assert!(one(&[element(TYPE, &[1])]).is_none());
        assert!(one(&[element(CODEC_ID, b"A_DTS")]).is_some());
    }

    #[test]
    fn encrypted_audio_is_refused_by_name() {
        let encoding = element(0x6240, &element(0x5033, &[1]));
        let entry = one(&[
            element(TYPE, &[2]),
            element(CODEC_ID, b"A_OPUS"),
            element(CONTENT_ENCODINGS, &encoding),
        ])
        .unwrap();
        assert_eq!(entry.track.params.codec.name(), "encrypted audio");
    }

    #[test]
    fn the_delay_of_opus_is_that_of_its_header() {
        let entry = one(&[
            element(TYPE, &[2]),
            element(CODEC_ID, b"A_OPUS"),
            element(
                CODEC_PRIVATE,
                b"OpusHead\x01\x01\x00\x0f\x80\xbb\x00\x00\x00\x00\x00",
            ),
            element(CODEC_DELAY, &[1]),
        ])
        .unwrap();
        assert_eq!(entry.stream().delay, Some(Time::new(3840, 48_000)));
    }
}
