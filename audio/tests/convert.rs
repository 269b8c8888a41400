//! A recording that goes straight into an encoder comes out as one that waits in a spill file first,
//! byte by byte.
#![allow(clippy::unwrap_used)]

mod signals;

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use retake_audio::{
    AudioError, Block, Chapter, Decoded, Encoder, FlacBits, Format, Limits, Picture, Spec, Tags,
    WavDepth, convert, decode, run,
};
use signals::{decode_bytes, file_of, fixture_bytes, wav_bytes};

const FORMATS: [Format; 6] = [
    Format::Wav {
        depth: WavDepth::Int16,
    },
    Format::Wav {
        depth: WavDepth::Int24,
    },
    Format::Wav {
        depth: WavDepth::Float32,
    },
    Format::Flac {
        bits: FlacBits::Bits16,
    },
    Format::Flac {
        bits: FlacBits::Bits24,
    },
    Format::OggOpus { bitrate_bps: None },
];

/// Each of them changes what a header says of the length, or where it says it.
fn tags() -> Tags {
    Tags {
        fields: vec![("TITLE".to_owned(), "straight".to_owned())],
        pictures: vec![Picture {
            kind: 3,
            mime: "image/png".to_owned(),
            description: String::new(),
            bytes: b"\x89PNG\r\n\x1a\nnot much".to_vec(),
        }],
        chapters: vec![Chapter {
            start_ns: 0,
            end_ns: None,
            title: "all of it".to_owned(),
        }],
        chunks: vec![(*b"bext", vec![b'b'; 602])],
    }
}

fn content(mut file: File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

fn spilled(bytes: &[u8], format: &Format, tags: &Tags) -> Vec<u8> {
    let out = tempfile::tempfile().unwrap();
    run(
        decode_bytes(bytes).unwrap(),
        Vec::new(),
        format,
        &|| tags.clone(),
        out.try_clone().unwrap(),
        &std::env::temp_dir(),
        &mut |_| (),
    )
    .unwrap();
    content(out)
}

fn straight(
    bytes: &[u8],
    limits: &Limits,
    format: &Format,
    tags: &Tags,
) -> (Result<Decoded<()>, AudioError>, Vec<u8>) {
    let out = tempfile::tempfile().unwrap();
    let mut wanted = |_: &_, _| ((*format).into(), tags.clone());
    let into = out.try_clone().unwrap();
    let read = convert(file_of(bytes), limits, None, &mut wanted, into, &mut |_| ());
    (read, content(out))
}

#[test]
fn what_goes_straight_into_an_encoder_is_what_a_spill_file_gives_byte_by_byte() {
    // Short ones, whose last packets are not full, other rates, and what is read twice because something
    // richer comes later.
    let mono = wav_bytes(8_000, &Block::mono(vec![0.25; 8_001]));
    let stereo = Block::from_fn(2, 12_345, |channel, frame| {
        (frame as f32 * 0.01 + channel as f32).sin() * 0.5
    });
    let stereo = wav_bytes(44_100, &stereo);
    let richer = [mono.clone(), stereo.clone()].concat();
    let names = ["chirp-lame.mp3", "chirp.flac", "chirp-opus-5.1.webm"];
    let of_fixtures = names.map(|name| (name, fixture_bytes(name)));
    // Too short for a WAV file that might need room for a longer header.
    let limits = Limits {
        duration_ms_max: 1_800_000,
        ..Limits::default()
    };
    let made = [("mono", mono), ("stereo", stereo), ("richer", richer)];
    for (name, bytes) in made.iter().chain(&of_fixtures) {
        for format in FORMATS {
            for tags in [Tags::default(), tags()] {
                let (read, got) = straight(bytes, &limits, &format, &tags);
                let read = read.unwrap();
                let whole = decode_bytes(bytes).unwrap();
                assert_eq!(
                    (read.frames, read.spec, &read.source, &read.findings),
                    (whole.frames, whole.spec, &whole.source, &whole.findings)
                );
                let is_same = got == spilled(bytes, &format, &tags);
                assert!(is_same, "{name} as {format:?}, {tags:?}");
            }
        }
    }
}

#[test]
fn what_might_have_become_longer_than_a_wav_file_can_say_keeps_room_and_reads_the_same() {
    let frames = 96_000;
    let block = Block::from_fn(2, frames, |channel, frame| {
        (frame as f32 * 0.01 + channel as f32).sin() * 0.5
    });
    let bytes = wav_bytes(48_000, &block);
    // 8 bytes a frame.
    let limits = |frames: u64| Limits {
        duration_ms_max: frames.div_ceil(48),
        ..Limits::default()
    };
    let format = Format::Wav {
        depth: WavDepth::Float32,
    };
    for (frames_max, has_room) in [(1 << 28, false), (1 << 29, true), (1 << 40, true)] {
        for tags in [Tags::default(), tags()] {
            let (read, got) = straight(&bytes, &limits(frames_max), &format, &tags);
            assert_eq!(read.unwrap().frames, frames as u64);
            let stated = u32::from_le_bytes(got[4..8].try_into().unwrap());
            assert_eq!(stated as usize, got.len() - 8);
            assert_eq!(&got[12..16] == b"JUNK", has_room, "{frames_max}");
            let again = decode_bytes(&got).unwrap();
            assert_eq!(again.frames, frames as u64);
            assert_eq!(again.findings.len(), 0, "{:?}", again.findings);
            let chunks = Tags::read(&file_of(&got)).unwrap().0.chunks;
            assert_eq!(chunks.len(), tags.chunks.len());
        }
    }
}

#[test]
fn nothing_is_spilled_and_what_cannot_be_encoded_is_an_error() {
    let bytes = fixture_bytes("chirp-opus.webm");
    // The folder for spill files is not asked for: `decode` would fail without it.
    let nowhere = std::path::Path::new("/nowhere");
    let spilled = decode(
        file_of(&bytes),
        &Limits::default(),
        None,
        nowhere,
        &mut |_| (),
    );
    assert!(matches!(spilled, Err(AudioError::Io(_))), "{spilled:?}");
    let twelve = wav_bytes(48_000, &Block::silence(12, 480));
    let (read, _) = straight(&twelve, &Limits::default(), &FORMATS[3], &Tags::default());
    let error = read.unwrap_err().to_string();
    assert_eq!(error, "number of channels is 12, allowed is 1 to 8 in FLAC");
    let short = Limits {
        duration_ms_max: 1000,
        ..Limits::default()
    };
    for format in FORMATS {
        let (read, _) = straight(&bytes, &short, &format, &tags());
        assert!(matches!(read, Err(AudioError::TooLong { limit_ms: 1000 })));
    }
    let spec = Spec::new(48_000, 12);
    let out = tempfile::tempfile().unwrap();
    assert!(Encoder::create(FORMATS[3], spec, 1, &tags(), out).is_err());
}
