//! One recording in every format, made by the child: whatever the recording is like.

use std::fs::File;

use retake_audio::{Limits, look};
use retake_chain::{Rendition, format::Format};
use retake_runner::chain::{ChainReport, Wish};

use crate::chains::Bench;

const RENDITIONS: [&str; 10] = [
    "wav:bits=16",
    "wav:bits=32f,mono",
    "flac:rate=22050",
    "opus",
    "opus:bitrate=6,mono,rate=8000",
    "mp3",
    "mp3:bitrate=8,mono",
    "mp3:bitrate=320,vbr",
    "m4a",
    "m4a:bitrate=512,rate=96000",
];

/// 32-bit floats.
fn float_wav(rate: u32, channels: u16, samples: impl Iterator<Item = f32>) -> Vec<u8> {
    let data: Vec<u8> = samples.flat_map(f32::to_le_bytes).collect();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x03\0");
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(channels) * 4).to_le_bytes());
    file.extend((channels * 4).to_le_bytes());
    file.extend(32u16.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

async fn rendered(bench: &Bench, rendition: Option<Rendition>) -> ChainReport {
    let wish = Wish {
        rendition,
        track: None,
    };
    let ran = bench.run_as(&[], wish).await;
    ran.unwrap_or_else(|failure| panic!("{rendition:?}: {failure:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_takes_whatever_was_recorded() {
    type Sample = fn(usize) -> f32;
    let signals: [(&str, Sample); 5] = [
        ("silence", |_| 0.0),
        ("NaN", |n| if n % 5 == 0 { f32::NAN } else { 0.3 }),
        ("infinity", |n| {
            if n % 2 == 0 {
                f32::INFINITY
            } else {
                f32::NEG_INFINITY
            }
        }),
        ("far beyond full scale", |n| {
            if n % 3 == 0 { 1e30 } else { -1e30 }
        }),
        ("random bits", |n| {
            f32::from_bits((n as u32).wrapping_mul(0x9e37_79b9))
        }),
    ];
    let shapes = [
        (48_000, 1, 1),
        (8_000, 2, 777),
        (37_123, 6, 4_801),
        (192_000, 1, 30_011),
    ];
    for (place, (what, sample)) in signals.into_iter().enumerate() {
        // Each signal in two of the shapes, each shape with two of them or more.
        for shape in [place % 4, (place + 2) % 4] {
            let (rate, channels, frames) = shapes[shape];
            let samples = (0..frames * usize::from(channels)).map(sample);
            let bench = Bench::new(float_wav(rate, channels, samples));
            for text in RENDITIONS {
                let what =
                    format!("{what}, {rate} Hz, {channels} channels, {frames} frames as {text}");
                let report = rendered(&bench, Some(text.parse().unwrap())).await;
                let file = File::open(bench.path("out")).unwrap();
                let heard = look(file, &Limits::default(), None, &mut (), &mut |_| ());
                let heard = heard.unwrap_or_else(|error| panic!("{what}: {error}"));
                let seconds = frames as f64 / f64::from(rate);
                let expected = (seconds * f64::from(heard.spec.sample_rate)).round();
                // A frame of 8 kHz is six of the 48 that Opus is heard at.
                let off = if text.starts_with("opus") { 6.0 } else { 3.0 };
                assert!(
                    (heard.frames as f64 - expected).abs() <= off,
                    "{what}: {}",
                    heard.frames
                );
                assert!(heard.spec.channels <= u32::from(channels), "{what}");
                assert!(text.starts_with(report.format.name()), "{what}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_natural_is_written_where_nothing_is_asked_for() {
    let tone = |n: usize| (n as f32 * 0.05).sin() * 0.3;
    let bench = Bench::new(float_wav(48_000, 2, (0..20_000).map(tone)));
    let report = rendered(&bench, None).await;
    assert_eq!(report.format, Format::Flac);
    assert_eq!(report.natural.format, Format::Flac);
    for (text, natural) in [
        ("mp3", Format::Mp3),
        ("m4a", Format::M4a),
        ("opus", Format::Opus),
        ("flac", Format::Flac),
    ] {
        rendered(&bench, Some(text.parse().unwrap())).await;
        let lossy = Bench::new(std::fs::read(bench.path("out")).unwrap());
        assert_eq!(rendered(&lossy, None).await.format, natural);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_mixed_down_is_said() {
    let bench = Bench::new(float_wav(48_000, 6, (0..60_000).map(|n| (n as f32).sin())));
    let said = |report: &ChainReport| {
        report
            .report
            .findings
            .iter()
            .any(|f| f.code == "channels-mixed")
    };
    assert!(said(&rendered(&bench, Some(Format::Mp3.into())).await));
    assert!(!said(&rendered(&bench, Some(Format::Flac.into())).await));
}
