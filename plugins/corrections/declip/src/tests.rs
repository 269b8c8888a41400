//! Signals clipped at a known level, and signals that only look as if they were.

#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;

use retake_plugin_sdk::testing::correct;

use super::*;

const RATES: [u32; 6] = [8_000, 16_000, 22_050, 44_100, 48_000, 96_000];

fn noise(frames: usize, level: f32) -> Vec<f32> {
    let mut state = 7u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        level * ((state >> 8) as f32 / 8_388_608.0 - 1.0)
    };
    (0..frames).map(|_| next()).collect()
}

/// Partials of a voice whose loudness and pitch change all the time; it peaks near 1.
fn voice(rate: u32, seconds: f64) -> Vec<f32> {
    let mut turns = 0.0;
    (0..(f64::from(rate) * seconds) as usize)
        .map(|n| {
            let time = n as f64 / f64::from(rate);
            turns += (120.0 + 20.0 * (TAU * 0.8 * time).sin()) / f64::from(rate);
            let loud = 0.25 + 0.75 * (TAU * 1.7 * time).sin().max(0.0);
            let sum: f64 = (1..=12)
                .map(|k| (TAU * turns * k as f64 + (k * k) as f64).sin() / k as f64)
                .sum();
            (0.45 * loud * sum) as f32
        })
        .collect()
}

fn clipped(audio: &[f32], level: f32) -> Vec<f32> {
    audio.iter().map(|s| s.clamp(-level, level)).collect()
}

fn run(rate: u32, input: &[f32], settings: &Settings) -> (Vec<f32>, Report) {
    let (mut output, report) =
        correct::<Declip>(rate, settings, &vec![input.to_vec()], 4800).unwrap();
    (output.remove(0), report)
}

fn sdr_db(clean: &[f32], audio: &[f32]) -> f64 {
    let signal: f64 = clean.iter().map(|s| f64::from(*s).powi(2)).sum();
    let off: f64 = clean
        .iter()
        .zip(audio)
        .map(|(c, a)| f64::from(c - a).powi(2))
        .sum();
    10.0 * (signal / off).log10()
}

#[test]
fn clipped_peaks_come_back_and_all_else_stays() {
    for rate in RATES {
        let clean = voice(rate, 4.0);
        for level in [0.25, 0.5] {
            let input = clipped(&clean, level);
            let (output, report) = run(rate, &input, &Settings::defaults::<Declip>());
            let gained = sdr_db(&clean, &output) - sdr_db(&clean, &input);
            // At 8 kHz the heavily clipped voice has too few frames left between its peaks.
            let least = if rate == 8_000 && level < 0.5 {
                1.0
            } else {
                10.0
            };
            assert!(
                gained > least,
                "{level} at {rate} Hz: {gained:.1} dB gained"
            );
            for (n, (out, sample)) in output.iter().zip(&input).enumerate() {
                let kept = if sample.abs() < 0.999 * level {
                    out == sample
                } else {
                    out.abs() >= 0.999 * level
                };
                assert!(kept, "frame {n} at {rate} Hz: {sample} became {out}");
            }
            let ceiling = report.get("ceiling-above").unwrap();
            assert!(
                (ceiling - factor_to_db(level.into())).abs() < 0.02,
                "{ceiling:.3} dB"
            );
            let part =
                input.iter().filter(|s| s.abs() == level).count() as f64 / input.len() as f64;
            assert!((report.get("clipped").unwrap() - 100.0 * part).abs() < 0.5);
        }
    }
}

#[test]
fn the_ceiling_is_found_after_a_change_of_level_and_rounding() {
    for rate in RATES {
        let clean: Vec<f32> = voice(rate, 4.0).iter().map(|s| s * 0.1).collect();
        let input: Vec<f32> = clipped(&clean, 0.04)
            .iter()
            .map(|s| (s * 32_768.0).round() / 32_768.0)
            .collect();
        let (output, _) = run(rate, &input, &Settings::defaults::<Declip>());
        let gained = sdr_db(&clean, &output) - sdr_db(&clean, &input);
        assert!(gained > 6.0, "{rate} Hz: {gained:.1} dB gained");
    }
}

#[test]
fn one_side_alone_can_be_clipped() {
    let clean = voice(48_000, 3.0);
    let input: Vec<f32> = clean.iter().map(|s| s.min(0.4)).collect();
    let (output, report) = run(48_000, &input, &Settings::defaults::<Declip>());
    assert!(sdr_db(&clean, &output) > sdr_db(&clean, &input) + 6.0);
    assert_eq!(report.get("ceiling-below"), None);
    assert!(
        output
            .iter()
            .zip(&input)
            .all(|(out, sample)| *sample >= 0.0 || out == sample)
    );
}

#[test]
fn what_is_not_clipped_stays_to_the_bit() {
    for rate in RATES {
        let tone = |hz: f64, level: f64| -> Vec<f32> {
            (0..rate * 2)
                .map(|n| (level * (TAU * hz * f64::from(n) / f64::from(rate)).sin()) as f32)
                .collect()
        };
        let coarse = |audio: Vec<f32>| {
            audio
                .iter()
                .map(|s| (s * 32_768.0).round() / 32_768.0)
                .collect()
        };
        for (name, input) in [
            ("a voice", voice(rate, 3.0)),
            ("noise", noise(rate as usize, 1.0)),
            ("a full-scale tone", tone(50.0, 1.0)),
            ("a full-scale tone in 16 bits", coarse(tone(440.0, 1.0))),
            ("a faint tone in 16 bits", coarse(tone(100.0, 0.003))),
            ("silence", vec![0.0; rate as usize]),
            ("a full-scale offset", vec![1.0; rate as usize]),
            ("one frame", vec![1.0]),
            ("nothing", vec![]),
        ] {
            // Headroom, too, is for what was restored.
            let settings = Settings::defaults::<Declip>().with(&HEADROOM_DB, 6.0);
            let (output, report) = run(rate, &input, &settings);
            assert!(output == input, "{name} at {rate} Hz");
            assert_eq!(report.get("peaks"), None, "{name} at {rate} Hz");
        }
    }
}

#[test]
fn headroom_lowers_everything_and_no_peak_exceeds_the_most_that_was_asked_for() {
    let input = clipped(&voice(44_100, 3.0), 0.3);
    let plain = run(44_100, &input, &Settings::defaults::<Declip>()).0;
    let lowered = run(
        44_100,
        &input,
        &Settings::defaults::<Declip>().with(&HEADROOM_DB, 6.0),
    )
    .0;
    let factor = db_to_factor(-6.0);
    assert!(
        plain
            .iter()
            .zip(&lowered)
            .all(|(plain, lowered)| plain * factor == *lowered)
    );

    let (output, report) = run(
        44_100,
        &input,
        &Settings::defaults::<Declip>().with(&MOST_DB, 2.0),
    );
    let highest = output.iter().fold(0f32, |peak, s| peak.max(s.abs()));
    assert!(
        highest > 0.31 && highest <= 0.3 * db_to_factor(2.0) * 1.001,
        "{highest}"
    );
    let told = report.get("highest").unwrap();
    assert!((told - factor_to_db(highest.into())).abs() < 0.01, "{told}");
}

#[test]
fn heavily_clipped_noise_stays_bounded() {
    for rate in RATES {
        let input = clipped(&noise(rate as usize, 1.0), 0.2);
        let (output, _) = run(rate, &input, &Settings::defaults::<Declip>());
        assert!(
            output
                .iter()
                .all(|s| s.abs() <= 0.2 * db_to_factor(12.0) * 1.001)
        );
    }
}

#[test]
fn output_does_not_depend_on_block_size() {
    let input = vec![clipped(&voice(22_050, 2.0), 0.3)];
    let settings = Settings::defaults::<Declip>();
    let whole = correct::<Declip>(22_050, &settings, &input, 1 << 20)
        .unwrap()
        .0;
    assert!(whole != input);
    for block in [1, 480, 4801] {
        let pieces = correct::<Declip>(22_050, &settings, &input, block)
            .unwrap()
            .0;
        assert!(pieces == whole, "blocks of {block} frames");
    }
}
