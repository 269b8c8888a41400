//! Broken and malicious files: an answer every time, without a panic and within bounds.
//!
//! Mutations come from a seeded generator; a failure names file and seed. `HOSTILE_SEEDS=1000` in
//! the environment looks for longer.
#![allow(clippy::unwrap_used)]

mod signals;

use std::time::{Duration, Instant};

use retake_audio::{AudioError, Decoded, Limits, decode};
use signals::{Noise, decode_bytes, file_of, fixture_bytes};

/// Each container once; they are short.
const FILES: [&str; 29] = [
    "chirp-opus.webm",
    "chirp-opus-live.webm",
    "chirp-opus-5.1.webm",
    "chirp.opus",
    "chirp-opus.mp4",
    "chirp-opus-fragmented.mp4",
    "chirp-aac.m4a",
    "chirp-aac-fragmented.mp4",
    "chirp-vorbis.ogg",
    "chirp-vorbis.webm",
    "chirp-lame.mp3",
    "chirp.flac",
    "chirp.aiff",
    "chirp-rf64.wav",
    "chirp.w64",
    "chirp-22k.aac",
    "chirp-opus.caf",
    "chirp-alac.caf",
    "chirp-aac.mov",
    "chirp-ac3-48k.ac3",
    "chirp-ac3-48k.mkv",
    "chirp-float.aifc",
    "chirp-he.aac",
    "chirp-ima.wav",
    "chirp-flac.wav",
    "chirp-opus.ts",
    "chirp-latm.ts",
    "chirp.wv",
    "silent-then-chirp.mkv",
];
/// Far more than any takes; a hang is the one thing this is to find.
const LIMIT: Duration = Duration::from_secs(60);

fn seeds(usual: u64) -> std::ops::Range<u64> {
    let wanted = std::env::var("HOSTILE_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok());
    1..1 + wanted.unwrap_or(usual)
}

/// A damaged clock may ask for hours of silence, which the limit of the length bounds.
fn decode_limited(bytes: &[u8]) -> Result<Decoded, AudioError> {
    let limits = Limits {
        duration_ms_max: 60_000,
        ..Limits::default()
    };
    decode(
        file_of(bytes),
        &limits,
        None,
        &std::env::temp_dir(),
        &mut |_| (),
    )
}

fn check_survives(name: &str, seed: u64, bytes: &[u8]) {
    let started = Instant::now();
    // Any answer will do; frames that were never there will not.
    if let Ok(decoded) = decode_limited(bytes) {
        assert!(decoded.frames > 0, "{name}, seed {seed}");
        assert!(
            decoded
                .measured
                .measurement
                .sample_peak_dbfs
                .is_none_or(f64::is_finite),
            "{name}, {seed}"
        );
    }
    assert!(
        started.elapsed() < LIMIT,
        "{name}, seed {seed}: took {:?}",
        started.elapsed()
    );
}

#[test]
fn truncation_anywhere_is_survived() {
    for name in FILES {
        let whole = fixture_bytes(name);
        let mut noise = Noise::new(whole.len() as u64);
        for seed in seeds(6) {
            let cut = noise.next_u64() as usize % whole.len();
            check_survives(name, seed, &whole[..cut]);
        }
        for cut in [1, 4, 8, 12, 16, 40, 100] {
            check_survives(name, cut as u64, &whole[..cut]);
        }
    }
}

#[test]
fn flipped_bytes_are_survived() {
    for name in FILES {
        let whole = fixture_bytes(name);
        for seed in seeds(9) {
            let mut noise = Noise::new(seed * 31 + whole.len() as u64);
            let mut bytes = whole.clone();
            // Some in the header only, where they do most harm.
            let reach = if seed % 2 == 0 {
                bytes.len().min(600)
            } else {
                bytes.len()
            };
            for _ in 0..1 + seed % 50 * 4 {
                let at = noise.next_u64() as usize % reach;
                bytes[at] = noise.next_u64() as u8;
            }
            check_survives(name, seed, &bytes);
        }
    }
}

#[test]
fn missing_and_doubled_pieces_are_survived() {
    for name in FILES {
        let whole = fixture_bytes(name);
        for seed in seeds(3) {
            let mut noise = Noise::new(seed + 1000);
            let from = noise.next_u64() as usize % whole.len();
            let len = noise.next_u64() as usize % (whole.len() - from).clamp(1, 5000);
            let torn = [&whole[..from], &whole[from + len..]].concat();
            check_survives(name, seed, &torn);
            let doubled = [&whole[..from + len], &whole[from..]].concat();
            check_survives(name, seed, &doubled);
        }
    }
}

#[test]
fn a_caf_description_that_cannot_be_true_is_refused() {
    let whole = fixture_bytes("chirp-alac.caf");
    // Bytes per packet, then channels.
    for (at, value) in [(36, [0xff; 4]), (44, [0; 4])] {
        let mut bytes = whole.clone();
        bytes[at..at + 4].copy_from_slice(&value);
        let error = decode_bytes(&bytes).unwrap_err();
        assert!(
            matches!(error, AudioError::Damaged { .. } | AudioError::Empty),
            "{error}"
        );
    }
    // The codec's own configuration knows better.
    let mut bytes = whole;
    bytes[44..48].copy_from_slice(&[0x7f; 4]);
    let decoded = decode_bytes(&bytes).unwrap();
    assert_eq!((decoded.spec.channels, decoded.frames), (2, 11_025));
}
