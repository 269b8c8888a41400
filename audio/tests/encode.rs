//! What is written plays as what went in: bit by bit where the format is lossless.
#![allow(clippy::unwrap_used)]

mod signals;

use retake_audio::{Block, FlacBits, Format, WavDepth};
use signals::{alignment, chirp, decode_bytes, decoded_from, noise, run_to_bytes, samples, sine};

/// Values on the grid of `bits`, as samples.
fn on_grid(block: &Block, bits: u32) -> Block {
    let scale = f64::from(1u32 << (bits - 1));
    let snap = |x: f32| ((f64::from(x) * scale).round().clamp(-scale, scale - 1.0) / scale) as f32;
    let mut snapped = block.clone();
    snapped.samples_mut().for_each(|x| *x = snap(*x));
    snapped
}

fn signals_of(rate: u32, channels: usize, frames: usize) -> Vec<(&'static str, Block)> {
    let mut wasted = noise(channels, frames, 0.5, 3);
    wasted
        .samples_mut()
        .for_each(|x| *x = (*x * 64.0).round() / 64.0);
    let full_scale = Block::from_fn(channels, frames, |c, f| {
        if (f / (7 + c)) % 2 == 0 { 1.0 } else { -1.0 }
    });
    let tone = sine(rate, 997.0, 0.7, frames);
    let mut same = Block::from_fn(channels, frames, |_, f| tone[f]);
    let last = same.plane_mut(channels - 1);
    last.iter_mut().for_each(|x| *x *= 0.5);
    vec![
        ("silence", Block::silence(channels, frames)),
        ("noise", noise(channels, frames, 1.0, 1)),
        ("quiet noise", noise(channels, frames, 0.001, 2)),
        ("full scale", full_scale),
        ("related channels", same),
        ("chirp", chirp(rate, channels, frames, 0.9)),
        ("wasted bits", wasted),
        ("constant", Block::from_fn(channels, frames, |_, _| -0.25)),
    ]
}

fn check_lossless(rate: u32, signal: &Block, format: Format, bits: u32, what: &str) {
    let signal = on_grid(signal, bits);
    let (finished, bytes) = run_to_bytes(decoded_from(rate, &signal), Vec::new(), format).unwrap();
    assert_eq!(finished.frames, signal.frames() as u64, "{what}");
    let again = decode_bytes(&bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(again.spec.sample_rate, rate, "{what}");
    // What the signal is like is another matter.
    let of_signal = &again.measured.findings;
    assert!(
        again
            .findings
            .iter()
            .all(|found| !found.is_warning() || of_signal.contains(found)),
        "{what}: {:?}",
        again.findings
    );
    assert_eq!(again.frames, signal.frames() as u64, "{what}");
    assert!(samples(again) == signal, "{what}: samples differ");
}

#[test]
fn flac_is_bit_exact_for_every_rate_channel_count_and_signal() {
    // Rates with a code, in kHz, in Hz, in tens of Hz, and without any.
    let rates = [
        8_000, 44_100, 48_000, 192_000, 37_000, 11_025, 65_540, 176_399,
    ];
    for (index, &rate) in rates.iter().enumerate() {
        let channels = 1 + index % 8;
        for (name, signal) in signals_of(rate, channels, 9_001) {
            for (bits, format) in [
                (
                    16,
                    Format::Flac {
                        bits: FlacBits::Bits16,
                    },
                ),
                (
                    24,
                    Format::Flac {
                        bits: FlacBits::Bits24,
                    },
                ),
            ] {
                check_lossless(
                    rate,
                    &signal,
                    format,
                    bits,
                    &format!("{name}, {rate} Hz, {channels} channels, {bits} bits"),
                );
            }
        }
    }
}

#[test]
fn flac_of_stereo_is_bit_exact_at_every_length_around_a_block() {
    for frames in [1, 2, 5, 15, 16, 17, 33, 4095, 4096, 4097, 8192, 12_289] {
        for (name, signal) in signals_of(48_000, 2, frames) {
            let format = Format::Flac {
                bits: FlacBits::Bits16,
            };
            check_lossless(
                48_000,
                &signal,
                format,
                16,
                &format!("{name}, {frames} frames"),
            );
        }
    }
}

#[test]
fn flac_states_length_and_digest_and_packs_what_can_be_packed() {
    let signal = chirp(44_100, 2, 100_000, 0.5);
    let format = Format::Flac {
        bits: FlacBits::Bits16,
    };
    let (_, bytes) = run_to_bytes(decoded_from(44_100, &signal), Vec::new(), format).unwrap();
    assert_eq!(&bytes[..4], b"fLaC");
    let packed = u64::from_be_bytes(bytes[18..26].try_into().unwrap());
    assert_eq!(packed & ((1 << 36) - 1), 100_000);
    assert_eq!(packed >> 44, 44_100);
    assert!(
        bytes[26..42].iter().any(|&byte| byte != 0),
        "the digest was not filled in"
    );
    assert!(bytes.len() < 400_000 * 6 / 10, "{} bytes", bytes.len());
    let silence = Block::silence(2, 1_000_000);
    let (_, bytes) = run_to_bytes(decoded_from(44_100, &silence), Vec::new(), format).unwrap();
    assert!(bytes.len() < 5_000, "{} bytes of silence", bytes.len());
}

#[test]
fn wav_is_bit_exact_in_all_depths() {
    for channels in 1..=8 {
        for (name, signal) in signals_of(44_100, channels, 5_001) {
            for (bits, depth) in [
                (16, WavDepth::Int16),
                (24, WavDepth::Int24),
                (24, WavDepth::Float32),
            ] {
                let what = format!("{name}, {channels} channels, {depth:?}");
                check_lossless(44_100, &signal, Format::Wav { depth }, bits, &what);
            }
        }
    }
}

#[test]
fn float_wav_keeps_what_is_beyond_full_scale() {
    let signal = Block::mono(vec![1.5, -2.25, 1e-9, 0.3]);
    let format = Format::Wav {
        depth: WavDepth::Float32,
    };
    let (_, bytes) = run_to_bytes(decoded_from(48_000, &signal), Vec::new(), format).unwrap();
    assert_eq!(samples(decode_bytes(&bytes).unwrap()), signal);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let signal = noise(2, 50_000, 0.3, 8);
    for format in [
        Format::Flac {
            bits: FlacBits::Bits16,
        },
        Format::Wav {
            depth: WavDepth::Int16,
        },
        Format::OggOpus { bitrate_bps: None },
    ] {
        let run = || {
            run_to_bytes(decoded_from(48_000, &signal), Vec::new(), format)
                .unwrap()
                .1
        };
        assert!(run() == run(), "{format:?}");
    }
}

#[test]
fn opus_keeps_length_in_time_and_alignment_at_every_rate_and_channel_count() {
    for (rate, channels) in [
        (48_000, 1),
        (48_000, 2),
        (48_000, 3),
        (48_000, 5),
        (48_000, 6),
        (48_000, 7),
        (48_000, 8),
        (44_100, 2),
        (16_000, 1),
        (24_000, 2),
        (8_000, 1),
        (96_000, 2),
        (22_050, 1),
        (37_123, 1),
    ] {
        let frames = rate as usize * 7 / 10 + 13;
        let signal = chirp(rate, channels, frames, 0.4);
        let format = Format::OggOpus {
            bitrate_bps: Some(96_000 * channels as u32),
        };
        let decoded = decoded_from(rate, &signal);
        let (_, bytes) = run_to_bytes(decoded, Vec::new(), format).unwrap();
        let again = decode_bytes(&bytes).unwrap();
        let what = format!("{rate} Hz, {channels} channels");
        let expected_frames = (frames as f64 * 48_000.0 / f64::from(rate)).round();
        assert!(
            (again.frames as f64 - expected_frames).abs() <= 3.0,
            "{what}: {}",
            again.frames
        );
        if [8_000, 16_000, 24_000, 48_000].contains(&rate) {
            assert_eq!(again.frames as f64, expected_frames, "{what}");
        }
        let expected = chirp(48_000, channels, expected_frames as usize, 0.4);
        for (channel, actual) in samples(again).planes().enumerate() {
            let (shift, snr_db) = alignment(expected.plane(channel), actual, 12);
            assert_eq!(shift, 0, "{what}, channel {channel}: {snr_db} dB");
            assert!(snr_db > 12.0, "{what}, channel {channel}: {snr_db} dB");
        }
    }
}

#[test]
fn one_frame_becomes_one_frame_of_opus() {
    let format = Format::OggOpus { bitrate_bps: None };
    let (_, bytes) = run_to_bytes(
        decoded_from(48_000, &Block::mono(vec![0.5])),
        Vec::new(),
        format,
    )
    .unwrap();
    assert_eq!(decode_bytes(&bytes).unwrap().frames, 1);
}
