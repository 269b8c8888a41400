//! MP3 and M4A play from the first frame to the last, whatever the length, the rate and the channels; and
//! what they cannot have of a recording is said.
#![allow(clippy::unwrap_used)]

mod peer;
mod signals;

use std::io::{Read, Seek, SeekFrom};

use retake_audio::{Block, Encoder, Encoding, Format, Spec, Tags};
use signals::{alignment, chirp, decode_bytes, noise, samples};

const MP3: Format = Format::Mp3 {
    bitrate_bps: None,
    vbr: false,
};
const VBR: Format = Format::Mp3 {
    bitrate_bps: Some(160_000),
    vbr: true,
};
const M4A: Format = Format::M4a { bitrate_bps: None };
const OPUS: Format = Format::OggOpus { bitrate_bps: None };
const LOSSY: [(&str, Format); 4] = [("mp3", MP3), ("mp3 vbr", VBR), ("m4a", M4A), ("opus", OPUS)];

/// As where the length is not known beforehand.
fn written(encoding: impl Into<Encoding>, rate: u32, block: &Block) -> Vec<u8> {
    written_of(encoding, rate, block, 1 << 30)
}

/// In pieces of odd lengths.
fn written_of(encoding: impl Into<Encoding>, rate: u32, block: &Block, frames_max: u64) -> Vec<u8> {
    let spec = Spec::new(rate, block.channels() as u32);
    let mut out = tempfile::tempfile().unwrap();
    let into = out.try_clone().unwrap();
    let mut encoder = Encoder::create(encoding, spec, frames_max, &Tags::default(), into).unwrap();
    let mut piece = Block::new(block.channels());
    for from in (0..block.frames()).step_by(1_777) {
        piece.clear();
        piece.append_range(block, from..block.frames().min(from + 1_777));
        encoder.push(&piece).unwrap();
    }
    encoder.finish().unwrap();
    let mut bytes = Vec::new();
    out.seek(SeekFrom::Start(0)).unwrap();
    out.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn every_length_comes_back_to_the_frame() {
    for frames in [
        1, 2, 94, 95, 575, 576, 577, 1023, 1024, 1025, 1151, 1152, 1153, 2047, 2048, 2049, 4801,
        50_001,
    ] {
        for rate in [8_000, 16_000, 44_100, 48_000] {
            for channels in [1, 2] {
                for (name, format) in &LOSSY[..3] {
                    let signal = chirp(rate, channels, frames, 0.4);
                    let bytes = match frames % 2 {
                        0 => written(format, rate, &signal),
                        _ => written_of(format, rate, &signal, frames as u64),
                    };
                    let again = decode_bytes(&bytes).unwrap();
                    let what = format!("{name}, {frames} frames, {rate} Hz, {channels} channels");
                    assert_eq!(again.spec, Spec::new(rate, channels as u32), "{what}");
                    assert_eq!(again.frames, frames as u64, "{what}");
                    let of_signal = &again.measured.findings;
                    let others = again.findings.iter().filter(|f| !of_signal.contains(f));
                    let warnings: Vec<_> = others.filter(|found| found.is_warning()).collect();
                    assert!(warnings.is_empty(), "{what}: {warnings:?}");
                }
            }
        }
    }
}

#[test]
fn every_rate_and_number_of_channels_comes_back_as_long_and_in_place() {
    for rate in [
        8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 37_123, 44_100, 48_000, 64_000,
        88_200, 96_000, 176_400, 192_000,
    ] {
        for channels in [1, 2] {
            let frames = rate as usize * 7 / 10 + 13;
            let signal = chirp(rate, channels, frames, 0.4);
            for (name, format) in LOSSY {
                let again = decode_bytes(&written(format, rate, &signal)).unwrap();
                let to = again.spec.sample_rate;
                let what = format!("{name}, {rate} Hz to {to}, {channels} channels");
                let expected = (frames as f64 * f64::from(to) / f64::from(rate)).round();
                assert!(
                    (again.frames as f64 - expected).abs() <= 3.0,
                    "{what}: {}",
                    again.frames
                );
                if name != "opus" {
                    assert_eq!(again.frames as f64, expected, "{what}");
                }
                let expected = chirp(to, channels, expected as usize, 0.4);
                for (channel, actual) in samples(again).planes().enumerate() {
                    let (shift, snr_db) = alignment(expected.plane(channel), actual, 12);
                    assert_eq!(shift, 0, "{what}, channel {channel}: {snr_db} dB");
                    assert!(snr_db > 12.0, "{what}, channel {channel}: {snr_db} dB");
                }
            }
        }
    }
}

#[test]
fn other_programs_hear_as_many_frames_in_the_same_place() {
    let Some(peer) = peer::ffmpeg() else {
        return;
    };
    for (rate, channels, frames) in [
        (48_000, 1, 48_001),
        (44_100, 2, 70_000),
        (16_000, 1, 1),
        (22_050, 2, 30_011),
        (8_000, 1, 2_000),
        (48_000, 2, 1_023),
        (48_000, 2, 500_000),
    ] {
        let signal = chirp(rate, channels, frames, 0.4);
        for (name, format) in &LOSSY[..3] {
            let what = format!("{name}, {frames} frames, {rate} Hz, {channels} channels");
            let heard = peer.decode(
                &written_of(format, rate, &signal, frames as u64),
                channels,
                &what,
            );
            if *name == "m4a" && frames < 1_024 {
                // The end of a coded frame is not left out by ffmpeg 5.1, also of its own files.
                assert_eq!(heard.frames(), 1_024, "{what}");
                continue;
            }
            assert_eq!(heard.frames(), frames, "{what}");
            if frames < 5_000 {
                continue;
            }
            for (channel, plane) in heard.planes().enumerate() {
                let (shift, snr_db) = alignment(signal.plane(channel), plane, 12);
                assert_eq!(shift, 0, "{what}: {snr_db} dB");
                assert!(snr_db > 12.0, "{what}: {snr_db} dB");
            }
        }
    }
}

#[test]
fn what_is_no_sound_is_written_all_the_same() {
    let hostile = [
        ("silence", Block::silence(2, 10_007)),
        ("NaN", Block::from_fn(2, 10_007, |_, _| f32::NAN)),
        (
            "infinity",
            Block::from_fn(2, 10_007, |c, f| {
                if (c + f) % 2 == 0 {
                    f32::INFINITY
                } else {
                    f32::NEG_INFINITY
                }
            }),
        ),
        ("eight times full scale", noise(2, 10_007, 8.0, 4)),
        (
            "beyond all measure",
            Block::from_fn(2, 10_007, |_, f| if f % 3 == 0 { f32::MAX } else { -1e30 }),
        ),
        ("denormals", Block::from_fn(2, 10_007, |_, _| 1e-42)),
        (
            "one impulse",
            Block::from_fn(2, 10_007, |_, f| if f == 5_000 { 1.0 } else { 0.0 }),
        ),
    ];
    for (what, block) in hostile {
        for rate in [8_000, 48_000, 192_000] {
            for (name, format) in LOSSY {
                let again = decode_bytes(&written(format, rate, &block)).unwrap();
                let peak = again.measured.measurement.sample_peak_dbfs;
                assert!(
                    again.frames > 0 && peak.is_none_or(|peak| peak < 12.0),
                    "{what}, {name}: {peak:?}"
                );
                if what == "silence" || what == "NaN" {
                    assert!(
                        peak.is_none_or(|peak| peak < -80.0),
                        "{what}, {name}: {peak:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn all_channels_are_heard_in_two_and_that_is_said() {
    let spec = Spec::new(48_000, 4);
    let signal = Block::from_fn(4, 20_000, |channel, frame| {
        if channel == 3 {
            (frame as f32 * 0.05).sin()
        } else {
            0.0
        }
    });
    for format in [MP3, M4A] {
        let again = decode_bytes(&written(format, 48_000, &signal)).unwrap();
        assert_eq!(again.spec.channels, 2);
        let lufs = again.measured.measurement.sample_peak_dbfs.unwrap();
        assert!((lufs + 12.04).abs() < 0.5, "a quarter of it: {lufs}");
        let said = Encoding::from(format).cannot_keep(&Tags::default(), spec);
        let name = format.name();
        assert_eq!(
            said[0].message,
            format!("the 4 channels are mixed into 2: {name} has no more")
        );
        let mono = Encoding {
            mono: true,
            ..format.into()
        };
        // It was asked for.
        assert_eq!(mono.cannot_keep(&Tags::default(), spec), []);
        assert_eq!(
            decode_bytes(&written(mono, 48_000, &signal))
                .unwrap()
                .spec
                .channels,
            1
        );
    }
}

#[test]
fn what_a_format_has_not_at_a_rate_becomes_the_nearest_and_is_said() {
    let said = |encoding: Encoding, rate, channels| {
        let spec = Spec::new(rate, channels);
        let findings = encoding.cannot_keep(&Tags::default(), spec);
        let messages = findings.iter().map(|found| found.message.clone());
        messages.collect::<Vec<_>>()
    };
    let mp3 = |kbps: u32| Format::Mp3 {
        bitrate_bps: Some(kbps * 1000),
        vbr: false,
    };
    assert_eq!(said(mp3(64).into(), 48_000, 1), [] as [&str; 0]);
    assert_eq!(
        said(mp3(320).into(), 16_000, 1),
        ["MP3 has no 320.0 kbit/s at 16000 Hz with 1 channel: it is 160.0 kbit/s"]
    );
    assert_eq!(
        said(M4A.into(), 192_000, 2),
        [
            "the recording has 192000 Hz and the M4A file 96000, which is the nearest that the format has"
        ]
    );
    let one = Format::OggOpus {
        bitrate_bps: Some(1_000),
    };
    assert_eq!(
        said(one.into(), 48_000, 1),
        ["Opus has no 1.0 kbit/s at 48000 Hz with 1 channel: it is 6.0 kbit/s"]
    );
    assert_eq!(
        said(VBR.into(), 48_000, 1),
        ["the bitrate is constant: a variable one is used for two channels only"]
    );
    // Another rate was asked for, and is there.
    let down = Encoding {
        sample_rate: Some(24_000),
        ..M4A.into()
    };
    assert_eq!(said(down, 48_000, 2), [] as [&str; 0]);
    let bytes = written(down, 48_000, &chirp(48_000, 2, 48_001, 0.3));
    let again = decode_bytes(&bytes).unwrap();
    assert_eq!((again.spec.sample_rate, again.frames), (24_000, 24_001));
}

#[test]
fn a_bitrate_is_kept() {
    let seconds = 20;
    let signal = noise(2, 48_000 * seconds, 0.2, 5);
    for kbps in [96, 128, 192] {
        let bitrate_bps = Some(kbps * 1000);
        for (name, format, off) in [
            (
                "mp3",
                Format::Mp3 {
                    bitrate_bps,
                    vbr: false,
                },
                0.01,
            ),
            (
                "mp3 vbr",
                Format::Mp3 {
                    bitrate_bps,
                    vbr: true,
                },
                0.15,
            ),
            ("m4a", Format::M4a { bitrate_bps }, 0.05),
        ] {
            let bytes = written(format, 48_000, &signal).len();
            let is = bytes as f64 * 8.0 / seconds as f64 / 1000.0;
            assert!(
                (is / f64::from(kbps) - 1.0).abs() < off,
                "{name}: {is} for {kbps}"
            );
        }
    }
}

#[test]
fn a_player_needs_no_more_than_the_beginning_of_an_m4a() {
    let bytes = written(M4A, 48_000, &chirp(48_000, 1, 96_000, 0.4));
    let place = |kind: &[u8]| bytes.windows(4).position(|window| window == kind).unwrap();
    assert!(place(b"moov") < place(b"mdat"));
    assert_eq!(&bytes[4..8], b"ftyp");
}
