//! What stands beside the samples comes through: from every container that is read, into every format
//! that is written.
#![allow(clippy::unwrap_used)]

mod tag_files;

use std::io::{Read, Seek, SeekFrom, Write};

use retake_audio::{
    Block, ChannelMask, Chapter, Encoder, FlacBits, Format, Picture, Spec, Tags, WavDepth,
    tag_limits,
};
use retake_findings::Finding;

pub const FORMATS: [Format; 5] = [
    Format::Wav {
        depth: WavDepth::Int24,
    },
    Format::Flac {
        bits: FlacBits::Bits24,
    },
    Format::OggOpus { bitrate_bps: None },
    Format::Mp3 {
        bitrate_bps: None,
        vbr: false,
    },
    Format::M4a { bitrate_bps: None },
];

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";
const SECOND_NS: u64 = 1_000_000_000;

pub fn read(bytes: &[u8]) -> (Tags, Vec<Finding>) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Tags::read(&file).unwrap()
}

fn written(format: &Format, spec: Spec, tags: &Tags) -> Vec<u8> {
    let mut out = tempfile::tempfile().unwrap();
    let frames = 4801;
    let into = out.try_clone().unwrap();
    let mut encoder = Encoder::create(format, spec, frames, tags, into).unwrap();
    encoder
        .push(&Block::silence(spec.channels as usize, frames as usize))
        .unwrap();
    encoder.finish().unwrap();
    let mut bytes = Vec::new();
    out.seek(SeekFrom::Start(0)).unwrap();
    out.read_to_end(&mut bytes).unwrap();
    bytes
}

fn chapter(start_ns: u64, end_ns: u64, title: &str) -> Chapter {
    Chapter {
        start_ns,
        end_ns: Some(end_ns),
        title: title.to_owned(),
    }
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn bext() -> Vec<u8> {
    let mut body = vec![0; 602];
    body[..7].copy_from_slice(b"Scene 4");
    body[256..262].copy_from_slice(b"Mixer6");
    body[338..342].copy_from_slice(&123_456u32.to_le_bytes());
    body[346] = 2;
    body[348..356].copy_from_slice(b"\x06\x0a\x2b\x34\x01\x01\x01\x05");
    body[412..422].copy_from_slice(&[0xff, 0x7f].repeat(5));
    body.extend(b"A=PCM,F=48000,W=24,M=mono\r\n");
    body
}

/// Everything that there can be.
fn everything() -> Tags {
    let fields = [
        ("TITLE", "Grüße aus 東京"),
        ("ARTIST", "First"),
        ("ARTIST", "Second"),
        ("ALBUM", "An album"),
        ("ALBUMARTIST", "Various"),
        ("DATE", "2024-05-06"),
        ("COMMENT", "line one\nline two"),
        ("COMMENT:ABOUT", "another comment"),
        ("GENRE", "Podcast"),
        ("TRACKNUMBER", "3"),
        ("TRACKTOTAL", "12"),
        ("DISCNUMBER", "1"),
        ("COMPOSER", "C. Omposer"),
        ("COPYRIGHT", "© somebody"),
        ("LANGUAGE", "deu"),
        ("ORIGINALENCODER", "Lavf59.27.100"),
        ("LYRICS", "la la"),
        ("URL", "https://example.org/"),
        ("SOMETHING OF MY OWN", "a = b"),
        ("IARL", "shelf 7"),
    ];
    Tags {
        fields: fields.map(|(name, value)| field(name, value)).to_vec(),
        pictures: vec![
            Picture {
                kind: 3,
                mime: "image/png".to_owned(),
                description: "Cover ü".to_owned(),
                bytes: PNG.repeat(5000),
            },
            Picture {
                kind: 4,
                mime: "image/jpeg".to_owned(),
                description: String::new(),
                bytes: b"\xff\xd8\xff\xe0 the back".to_vec(),
            },
        ],
        chapters: vec![
            chapter(0, 20_000_000, "Intro"),
            chapter(20_000_000, 61_000_000, "Größe"),
            chapter(61_000_000, 3661 * SECOND_NS, ""),
        ],
        chunks: vec![
            (*b"bext", bext()),
            (*b"iXML", b"<BWFXML><SCENE>4</SCENE></BWFXML>".to_vec()),
        ],
    }
}

fn sorted(mut fields: Vec<(String, String)>) -> Vec<(String, String)> {
    fields.sort();
    fields
}

#[test]
fn everything_comes_through_every_format() {
    let tags = everything();
    for format in FORMATS {
        let name = format.name();
        let (again, findings) = read(&written(&format, Spec::new(48_000, 2), &tags));
        assert_eq!(findings, [], "{name}");
        let texts = |fields: &[(String, String)]| {
            let of_bext = [
                "BEXT_DESCRIPTION",
                "ORIGINATOR",
                "TIME_REFERENCE",
                "UMID",
                "CODING_HISTORY",
            ];
            let own = fields
                .iter()
                .filter(|(n, _)| !of_bext.contains(&n.as_str()));
            sorted(own.cloned().collect())
        };
        assert_eq!(texts(&again.fields), texts(&tags.fields), "{name}");
        let artists: Vec<_> = again.values("ARTIST").collect();
        assert_eq!(artists, ["First", "Second"], "{name}");
        let mut pictures = tags.pictures.clone();
        if name == "M4A" {
            // It has covers and nothing else.
            for picture in &mut pictures {
                (picture.kind, picture.description) = (3, String::new());
            }
        }
        assert!(again.pictures == pictures, "{name}");
        let starts = |tags: &Tags| -> Vec<_> {
            let chapters = tags.chapters.iter();
            chapters
                .map(|c| (c.start_ns / 1_000_000, c.title.clone()))
                .collect()
        };
        assert_eq!(starts(&again), starts(&tags), "{name}");
        let lost = format.cannot_keep(&tags, Spec::new(48_000, 2));
        if !matches!(name, "WAV" | "FLAC") {
            assert!(lost[0].message.contains("bext") && lost[0].message.contains("iXML"));
            assert_eq!(again.field("TIME_REFERENCE"), Some("123456"));
            assert_eq!(again.field("ORIGINATOR"), Some("Mixer6"));
        } else {
            assert_eq!(lost, [], "{name}");
            assert_eq!(again.chunks, tags.chunks, "{name}");
            assert_eq!(again.field("TIME_REFERENCE"), None, "{name} says it twice");
        }
    }
}

#[test]
fn what_flac_calls_a_description_is_a_comment_in_wav() {
    let tags = Tags {
        fields: vec![field("DESCRIPTION", "what it is")],
        ..Tags::default()
    };
    let (again, findings) = read(&written(&FORMATS[0], Spec::new(48_000, 2), &tags));
    assert_eq!(again.field("DESCRIPTION"), Some("what it is"));
    assert_eq!(again.field("COMMENT"), Some("what it is"));
    assert_eq!(findings, []);
}

#[test]
fn a_name_that_comments_cannot_have_is_kept_as_another_and_that_is_said() {
    let tag = b"ID3\x04\0\0\0\0\0\x0fTXXX\0\0\0\x05\0\0\x03\x03\0D!\xff\xfb\x90\0";
    let (odd, _) = read(tag);
    assert_eq!(odd.fields, [field("\u{3}", "D!")]);
    let spec = Spec::new(48_000, 2);
    for (name, other) in [("\u{3}", "_"), ("GRÖSSE", "GR_SSE"), ("A=B", "A_B")] {
        let tags = Tags {
            fields: vec![field(name, "D!")],
            ..Tags::default()
        };
        for format in &FORMATS[1..3] {
            let (again, _) = read(&written(format, spec, &tags));
            assert_eq!(again.values(other).collect::<Vec<_>>(), ["D!"], "{name:?}");
            let lost = format.cannot_keep(&tags, spec);
            let names = lost[0].params["names"].to_string();
            assert!(names.contains(&format!("(kept as {other})")), "{names}");
        }
        let (again, _) = read(&written(&FORMATS[0], spec, &tags));
        assert_eq!(again.fields, tags.fields);
        assert_eq!(FORMATS[0].cannot_keep(&tags, spec), []);
    }
}

#[test]
fn a_file_without_anything_says_nothing() {
    for format in FORMATS {
        let (tags, findings) = read(&written(&format, Spec::new(44_100, 1), &Tags::default()));
        assert_eq!(
            (tags, findings),
            (Tags::default(), vec![]),
            "{}",
            format.name()
        );
    }
}

#[test]
fn a_wav_file_is_sound_with_all_of_its_chunks() {
    let bytes = written(&FORMATS[0], Spec::new(48_000, 1), &everything());
    let mut at = 12;
    let mut ids = Vec::new();
    while at < bytes.len() {
        let size = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        ids.push(String::from_utf8_lossy(&bytes[at..at + 4]).into_owned());
        at += 8 + size.next_multiple_of(2);
    }
    assert_eq!(at, bytes.len());
    let size = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    assert_eq!(size, bytes.len() - 8);
    let expected = [
        "fmt ", "bext", "iXML", "LIST", "data", "cue ", "LIST", "id3 ",
    ];
    assert_eq!(ids, expected);
}

#[test]
fn flac_has_eight_channels_at_most_and_the_others_sixteen() {
    for format in FORMATS {
        let max = format.channels_max();
        assert_eq!(max, if format.name() == "FLAC" { 8 } else { 16 });
        written(&format, Spec::new(48_000, max), &Tags::default());
        let spec = Spec::new(48_000, max + 1);
        let out = tempfile::tempfile().unwrap();
        let refused = Encoder::create(format, spec, 10, &Tags::default(), out).err();
        let message = refused.unwrap().to_string();
        let expected = format!("number of channels is {}, allowed is 1 to {max}", max + 1);
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn a_mask_is_kept_or_said_to_be_lost() {
    for (channels, bits, flac_says, opus_keeps) in [
        (1, 0x4, false, true),
        (2, 0x3, false, true),
        (2, 0x0, true, false),
        (6, 0x3f, false, true),
        (6, 0x60f, true, false),
        (4, 0x0, true, true),
        (8, 0x63f, false, true),
        (8, 0x0, true, true),
    ] {
        let spec = Spec {
            mask: ChannelMask::stated(bits, channels),
            ..Spec::new(48_000, channels)
        };
        let flac = written(&FORMATS[1], spec, &Tags::default());
        let comment = format!("WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x{bits:04X}");
        let says = flac.windows(comment.len()).any(|w| w == comment.as_bytes());
        assert_eq!(says, flac_says, "{bits:#x}");
        let none = Tags::default();
        assert_eq!(FORMATS[0].cannot_keep(&none, spec), []);
        assert_eq!(FORMATS[1].cannot_keep(&none, spec), []);
        let lost = FORMATS[2].cannot_keep(&none, spec);
        assert_eq!(lost.is_empty(), opus_keeps, "{bits:#x}: {lost:?}");
        let opus = written(&FORMATS[2], spec, &none);
        let head = opus.windows(8).position(|w| w == b"OpusHead").unwrap();
        let family = opus[head + 18];
        let expected = match (channels, bits) {
            (1 | 2, _) => 0,
            (_, 0) => 255,
            _ => 1,
        };
        assert_eq!(family, expected, "{bits:#x}");
    }
}

#[test]
fn chapters_move_with_what_was_cut_out() {
    let mut tags = Tags {
        chapters: vec![
            chapter(0, 10 * SECOND_NS, "from the start"),
            chapter(10 * SECOND_NS, 20 * SECOND_NS, "half of it"),
            chapter(20 * SECOND_NS, 30 * SECOND_NS, "gone"),
            Chapter {
                end_ns: None,
                ..chapter(30 * SECOND_NS, 0, "open")
            },
        ],
        ..Tags::default()
    };
    // Seconds 1 to 2, 15 to 32 in two that overlap, nothing.
    tags.cut(
        &[(15_000, 10_000), (1000, 1000), (20_000, 12_000), (5, 0)],
        1000,
    );
    let left: Vec<_> = tags
        .chapters
        .iter()
        .map(|c| {
            (
                c.title.as_str(),
                c.start_ns / SECOND_NS,
                c.end_ns.map(|end| end / SECOND_NS),
            )
        })
        .collect();
    let expected = [
        ("from the start", 0, Some(9)),
        ("half of it", 9, Some(14)),
        ("open", 14, None),
    ];
    assert_eq!(left, expected);
}

#[test]
fn what_is_too_large_is_said_by_name() {
    let text = "x".repeat(tag_limits::TEXT_BYTES_MAX + 1);
    let mut tags = Tags {
        fields: vec![field("TITLE", "kept"), field("NOVEL", &text)],
        ..Tags::default()
    };
    let many = (0..tag_limits::FIELDS_MAX + 5).map(|n| field(&format!("F{n}"), "x"));
    tags.fields.extend(many);
    tags.chapters = (0..tag_limits::CHAPTERS_MAX as u64 + 3)
        .map(|n| chapter(n * SECOND_NS, (n + 1) * SECOND_NS, "c"))
        .collect();
    tags.pictures = vec![Picture {
        kind: 3,
        mime: "image/png".to_owned(),
        description: String::new(),
        bytes: vec![b'x'; tag_limits::PICTURE_BYTES_MAX + 1],
    }];
    let (again, findings) = read(&written(&FORMATS[0], Spec::new(48_000, 1), &tags));
    assert_eq!(again.field("TITLE"), Some("kept"));
    assert_eq!(again.fields.len(), tag_limits::FIELDS_MAX);
    assert_eq!(again.chapters.len(), tag_limits::CHAPTERS_MAX);
    assert_eq!(again.pictures, []);
    let message = &findings[0].message;
    for name in [
        "NOVEL (65537 bytes)",
        "F503",
        "chapters beyond 999",
        "a picture of 16773121 bytes",
    ] {
        assert!(message.contains(name), "{name}: {message}");
    }
}

#[test]
fn no_damage_to_a_tag_panics_or_takes_long() {
    let tags = Tags {
        pictures: vec![Picture {
            bytes: PNG.to_vec(),
            ..everything().pictures[0].clone()
        }],
        ..everything()
    };
    let mut seeds: Vec<Vec<u8>> = FORMATS
        .iter()
        .map(|format| written(format, Spec::new(48_000, 1), &tags))
        .collect();
    seeds.extend(tag_files::all().into_iter().map(|(_, bytes)| bytes));
    let mut state = 1u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for seed in seeds {
        for _ in 0..150 {
            let mut bytes = seed.clone();
            for _ in 0..1 + random(6) {
                let at = random(bytes.len());
                bytes[at] = [0, 0xff, 0x7f, 0x80, random(256) as u8][random(5)];
            }
            if random(3) == 0 {
                bytes.truncate(random(bytes.len()));
            }
            read(&bytes);
        }
    }
}

#[test]
fn every_container_gives_what_it_says() {
    for (name, bytes) in tag_files::all() {
        let (tags, findings) = read(&bytes);
        let said = |field: &str| tags.field(field).unwrap_or_default().to_owned();
        assert_eq!(said("TITLE"), "Ein Täg", "{name}: {tags:?} {findings:?}");
        assert_eq!(said("ARTIST"), "Who", "{name}: {tags:?}");
        assert_eq!(tags.field("REPLAYGAIN_TRACK_GAIN"), None, "{name}");
        if tag_files::HAVE_CHAPTERS
            .iter()
            .any(|with| name.starts_with(with))
        {
            let chapters: Vec<_> = tags
                .chapters
                .iter()
                .map(|c| (c.start_ns / 1_000_000, c.title.as_str()))
                .collect();
            assert_eq!(chapters, [(0, "One"), (1500, "Two")], "{name}");
        }
        if tag_files::HAVE_PICTURES
            .iter()
            .any(|with| name.starts_with(with))
        {
            assert_eq!(tags.pictures.len(), 1, "{name}");
            assert_eq!(tags.pictures[0].bytes, tag_files::PICTURE, "{name}");
            assert_eq!(tags.pictures[0].mime, "image/png", "{name}");
        }
        if name.contains("gain") {
            assert!(
                findings.iter().any(|f| f.code == "replay-gain-removed"),
                "{name}"
            );
        }
    }
}

#[test]
fn a_text_that_is_called_like_a_chapter_or_a_picture_is_a_text_in_every_format() {
    let names = [
        ("CHAPTER001", "00:00:01.000"),
        ("CHAPTER001NAME", "no chapter"),
        ("Chapter12", "00:00:01.000"),
        ("METADATA_BLOCK_PICTURE", "AAAAAwAAAAlpbWFnZS9wbmc="),
        ("COVERART", "aGk="),
        ("COVERARTMIME", "image/png"),
        ("CHAPTERS", "many"),
        ("CHAPTER001X", "of another kind"),
    ];
    let tags = Tags {
        fields: names.map(|(name, value)| field(name, value)).to_vec(),
        ..Tags::default()
    };
    let spec = Spec::new(48_000, 1);
    for format in FORMATS {
        let (again, _) = read(&written(&format, spec, &tags));
        assert_eq!(
            (again.pictures.len(), again.chapters.len()),
            (0, 0),
            "{format:?}"
        );
        let is_wav = !matches!(format, Format::Flac { .. } | Format::OggOpus { .. });
        for (place, (name, value)) in names.iter().enumerate() {
            let renamed = !is_wav && place < 6;
            let name = name.to_ascii_uppercase() + if renamed { "_" } else { "" };
            assert_eq!(again.field(&name), Some(*value), "{name} in {format:?}");
        }
        let lost = format.cannot_keep(&tags, spec);
        let said = lost
            .first()
            .map_or(0, |lost| lost.params["names"].as_array().unwrap().len());
        assert_eq!(said, if is_wav { 0 } else { 6 }, "{format:?}");
    }
}
