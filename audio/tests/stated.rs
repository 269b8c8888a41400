//! Files that state what they do not have, or hide what they have: read as far as there is something,
//! and said.
#![allow(clippy::unwrap_used)]

mod signals;

use retake_audio::{AudioError, Block, Decoded};
use retake_findings::{Code, Finding};
use signals::{decode_bytes, fixture_bytes, samples};

fn finding(decoded: &Decoded, code: Code) -> Option<&Finding> {
    decoded.findings.iter().find(|finding| finding.is(code))
}

#[test]
fn mpeg_audio_behind_any_number_of_zeros_is_read_and_zeros_alone_are_refused() {
    let mp3 = fixture_bytes("chirp-lame.mp3");
    let frames = decode_bytes(&mp3).unwrap().frames;
    for zeros in [
        1, 100, 3000, 4000, 4090, 4095, 4096, 5000, 100_000, 4_000_000,
    ] {
        let decoded = decode_bytes(&[&vec![0; zeros][..], &mp3].concat()).unwrap();
        assert_eq!(decoded.frames, frames, "{zeros}");
        let said = finding(&decoded, Code::PartNotRead);
        assert_eq!(said.is_some(), zeros > 8192, "{zeros}");
    }
    for zeros in [5000, 5_000_000] {
        let refused = decode_bytes(&vec![0; zeros]).map(|decoded| decoded.frames);
        let Err(AudioError::NotAudio { detail }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(detail, "it begins with nothing but zero bytes");
    }
}

#[test]
fn an_mp3_whose_count_of_frames_is_wrong_says_so() {
    let sound = fixture_bytes("chirp-lame.mp3");
    let whole = decode_bytes(&sound).unwrap();
    assert!(finding(&whole, Code::LengthDiffers).is_none());
    let name = sound
        .windows(4)
        .position(|bytes| bytes == b"Info" || bytes == b"Xing");
    let at = name.unwrap() + 8;
    let count = u32::from_be_bytes(*sound[at..].first_chunk().unwrap());
    for wrong in [count - 1, count + 1, count / 2, 10 * count] {
        let mut bytes = sound.clone();
        bytes[at..at + 4].copy_from_slice(&wrong.to_be_bytes());
        let decoded = decode_bytes(&bytes).unwrap();
        // The padding is heard, and nothing else is lost.
        assert!(decoded.frames >= whole.frames && decoded.frames < whole.frames + 2304);
        let said = finding(&decoded, Code::LengthDiffers).unwrap();
        let stated_s = said.params["stated_s"].as_f64().unwrap();
        let rate = f64::from(decoded.spec.sample_rate);
        assert!((stated_s * rate - f64::from(wrong) * 1152.0).abs() < 1.0);
    }
}

/// PCM in WAVE, mono.
fn wave(bits: u16, data: &[u8]) -> Vec<u8> {
    let align = bits / 8;
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    bytes[4..8].copy_from_slice(&(36 + data.len() as u32).to_le_bytes());
    bytes.extend(8000u32.to_le_bytes());
    bytes.extend((8000 * u32::from(align)).to_le_bytes());
    bytes.extend(align.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn integers_of_64_bits_are_what_their_upper_half_says() {
    let values = (0..4000).map(|n: i64| (n * 104_729 % 60_000 - 30_000) << 48);
    let wide: Vec<u8> = values.clone().flat_map(i64::to_le_bytes).collect();
    let short: Vec<u8> = values
        .flat_map(|x| ((x >> 48) as i16).to_le_bytes())
        .collect();
    let read = |bits, data: &[u8]| -> Block { samples(decode_bytes(&wave(bits, data)).unwrap()) };
    assert_eq!(read(64, &wide), read(16, &short));
}

/// AVI with mono PCM of 8 bits at 8 kHz, of so many seconds by its header.
fn avi(stated_s: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    let chunk = |id: &[u8], body: &[u8]| {
        [
            id,
            &(body.len() as u32).to_le_bytes(),
            body,
            &vec![0; body.len() % 2],
        ]
        .concat()
    };
    let mut header = vec![0; 56];
    header[..4].copy_from_slice(b"auds");
    header[20] = 1;
    header[24..28].copy_from_slice(&8000u32.to_le_bytes());
    header[32..36].copy_from_slice(&(8000 * stated_s).to_le_bytes());
    let format = [1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0];
    let stream = [
        b"strl",
        &chunk(b"strh", &header)[..],
        &chunk(b"strf", &format),
    ]
    .concat();
    let described = [b"hdrl", &chunk(b"LIST", &stream)[..]].concat();
    let sound: Vec<_> = chunks.iter().map(|body| chunk(b"00wb", body)).collect();
    let movie = [b"movi", &sound.concat()[..]].concat();
    let body = [
        b"AVI ",
        &chunk(b"LIST", &described)[..],
        &chunk(b"LIST", &movie),
    ]
    .concat();
    chunk(b"RIFF", &body)
}

#[test]
fn an_avi_that_states_more_sound_than_it_has_says_so() {
    let chunks: Vec<_> = (0..10).map(|n| vec![100 + n; 4000]).collect();
    let said = |stated_s| {
        let decoded = decode_bytes(&avi(stated_s, &chunks)).unwrap();
        assert_eq!(decoded.frames, 40_000);
        let said = finding(&decoded, Code::LengthDiffers);
        said.map(|said| {
            (
                said.params["stated_s"].clone(),
                said.params["read_s"].clone(),
            )
        })
    };
    assert_eq!(said(5), None);
    // Never filled in, and of a first part only.
    assert_eq!(said(0), None);
    assert_eq!(said(2), None);
    assert_eq!(said(8), Some((8.0.into(), 5.0.into())));
}

/// Where each piece of a file that begins with this name begins.
fn places(bytes: &[u8], name: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(name.len()).enumerate();
    windows
        .filter(|(_, window)| *window == name)
        .map(|(at, _)| at)
        .collect()
}

#[test]
fn a_file_that_ends_between_two_of_its_pieces_is_not_taken_for_whole() {
    let truncated = |bytes: &[u8]| {
        let decoded = decode_bytes(bytes).unwrap();
        let said = [Code::Truncated, Code::LengthDiffers].map(|code| finding(&decoded, code));
        said.iter().flatten().count()
    };
    for (name, piece) in [
        ("chirp-vorbis.ogg", &b"OggS"[..]),
        ("chirp.opus", b"OggS"),
        ("firefox-faketone-timeslice250.ogg", b"OggS"),
        // Its frames.
        ("chirp.flac", b"\xff\xf8"),
        ("chirp-5.1.flac", b"\xff\xf8"),
    ] {
        let whole = fixture_bytes(name);
        assert_eq!(truncated(&whole), 0, "{name}");
        let ends = places(&whole, piece);
        let last = *ends.last().unwrap();
        assert_eq!(
            truncated(&whole[..last]),
            1,
            "{name} up to {last} of {ends:?}"
        );
    }
}
