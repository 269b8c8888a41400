//! Hum of known frequency and level, over what is not hum.

#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;

use retake_plugin_sdk::testing::correct;

use super::*;

const RATES: [u32; 6] = [8_000, 16_000, 22_050, 44_100, 48_000, 96_000];

/// Amplitudes of the harmonics from the first on.
const LINES: [f64; 6] = [0.05, 0.02, 0.03, 0.0, 0.01, 0.004];

/// The fundamental swings by `swing_hz` around `hz`, with a period of a minute.
fn hum(rate: u32, seconds: f64, hz: f64, swing_hz: f64) -> Vec<f32> {
    let mut turns = 0.0;
    (0..(f64::from(rate) * seconds) as usize)
        .map(|n| {
            let time = n as f64 / f64::from(rate);
            turns += (hz + swing_hz * (TAU * time / 60.0).sin()) / f64::from(rate);
            (1..=LINES.len())
                .map(|k| LINES[k - 1] * (TAU * (turns * k as f64 + 0.13 * k as f64)).sin())
                .sum::<f64>() as f32
        })
        .collect()
}

/// Syllables of a low voice with pauses, whose pitch glides between 85 and 135 Hz: it crosses 100 and 120 Hz
/// again and again.
fn voice(rate: u32, seconds: f64) -> Vec<f32> {
    let (mut phase, mut low) = (0.0, 0.0);
    (0..(f64::from(rate) * seconds) as usize)
        .map(|n| {
            let time = n as f64 / f64::from(rate);
            phase = (phase + (110.0 + 25.0 * (time * 2.3).sin()) / f64::from(rate)).fract();
            low += (2_500.0 / f64::from(rate)).min(1.0) * ((0.5 - phase) - low);
            ((time * 9.0).sin().max(0.0) * 0.4 * low) as f32
        })
        .collect()
}

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

fn sum(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn db(audio: &[f32]) -> f64 {
    let power: f64 = audio.iter().map(|s| f64::from(*s).powi(2)).sum();
    10.0 * (power / audio.len() as f64).log10()
}

/// How far the result is from the audio without hum, in dB against that hum.
fn left_db(output: &[f32], clean: &[f32], hum: &[f32]) -> f64 {
    let off: Vec<f32> = output.iter().zip(clean).map(|(o, c)| o - c).collect();
    db(&off) - db(hum)
}

fn run(rate: u32, input: &[f32], settings: &Settings) -> (Vec<f32>, Report) {
    let (mut output, report) = correct::<Hum>(rate, settings, &vec![input.to_vec()], 4800).unwrap();
    (output.remove(0), report)
}

#[test]
fn hum_under_a_low_voice_is_gone_and_the_voice_is_not() {
    for rate in RATES {
        for (hz, swing_hz) in [(50.0, 0.0), (49.62, 0.01), (60.0, 0.02), (60.41, 0.0)] {
            let (clean, hum) = (voice(rate, 20.0), hum(rate, 20.0, hz, swing_hz));
            let (output, report) = run(rate, &sum(&clean, &hum), &Settings::defaults::<Hum>());
            let left = left_db(&output, &clean, &hum);
            assert!(left < -20.0, "{hz} Hz at {rate} Hz: {left:.1} dB left");
            let found = report.get("frequency").unwrap();
            assert!(
                (found - hz).abs() < swing_hz + 0.005,
                "{hz} Hz at {rate} Hz: found {found:.4}"
            );
        }
    }
}

#[test]
fn each_harmonic_that_is_there_is_reported_with_its_level() {
    for rate in RATES {
        let hum = hum(rate, 20.0, 50.03, 0.0);
        let input = sum(&noise(hum.len(), 0.002), &hum);
        let (_, report) = run(rate, &input, &Settings::defaults::<Hum>());
        for (index, amplitude) in LINES.into_iter().enumerate() {
            let harmonic = index + 1;
            let told = report.get(&format!("harmonic-{harmonic}"));
            if amplitude == 0.0 {
                assert_eq!(told, None, "harmonic {harmonic} at {rate} Hz");
                continue;
            }
            let level = factor_to_db(amplitude) - 3.01;
            let told = told.unwrap();
            assert!(
                (told - level).abs() < 0.5,
                "{harmonic} at {rate} Hz: {told:.2} for {level:.2}"
            );
        }
        let all = report.get("hum").unwrap();
        assert!((all - db(&hum)).abs() < 0.5, "{all}");
    }
}

#[test]
fn without_hum_every_bit_stays() {
    for rate in RATES {
        let voice = voice(rate, 20.0);
        let frames = voice.len();
        let glide = |n: usize| (n as f64 / f64::from(rate)).powi(2) * 40.0;
        for (name, input) in [
            ("a voice", voice.clone()),
            ("a voice over noise", sum(&voice, &noise(frames, 0.01))),
            ("noise", noise(frames, 1.0)),
            ("silence", vec![0.0; frames]),
            ("full scale", vec![1.0; frames]),
            (
                "a gliding tone",
                (0..frames).map(|n| (TAU * glide(n)).sin() as f32).collect(),
            ),
            (
                "a tone beside",
                (0..frames)
                    .map(|n| (TAU * 110.0 * n as f64 / f64::from(rate)).sin() as f32)
                    .collect(),
            ),
            (
                "an F held over two octaves",
                (0..frames)
                    .map(|n| {
                        let turn = TAU * 349.228 * n as f64 / f64::from(rate);
                        (0.2 * turn.sin() + 0.1 * (2.0 * turn).sin()) as f32
                    })
                    .collect(),
            ),
            ("one frame", vec![0.5]),
            ("nothing", vec![]),
        ] {
            let (output, report) = run(rate, &input, &Settings::defaults::<Hum>());
            assert!(output == input, "{name} at {rate} Hz");
            assert_eq!(report.get("hum"), None, "{name} at {rate} Hz");
        }
    }
}

#[test]
fn what_is_not_asked_for_stays() {
    let hum = hum(48_000, 12.0, 50.0, 0.0);
    let input = sum(&noise(hum.len(), 0.001), &hum);
    let (output, _) = run(
        48_000,
        &input,
        &Settings::defaults::<Hum>().with(&MAINS, "60"),
    );
    assert!(output == input);

    let first = Settings::defaults::<Hum>().with(&HARMONICS, 1);
    let (_, report) = run(48_000, &input, &first);
    assert!(report.get("harmonic-1").is_some());
    assert_eq!(report.get("harmonic-2"), None);
}

#[test]
fn hum_that_sets_in_and_falls_silent_is_followed() {
    let rate = 16_000;
    let mut hum = hum(rate, 40.0, 59.97, 0.0);
    hum[..10 * 16_000].fill(0.0);
    hum[30 * 16_000..].fill(0.0);
    let clean = voice(rate, 40.0);
    let (output, report) = run(rate, &sum(&clean, &hum), &Settings::defaults::<Hum>());
    // Within a second and a half of the two edges something must be left, or too much taken.
    let middle = 12 * 16_000..28 * 16_000;
    let left = left_db(
        &output[middle.clone()],
        &clean[middle.clone()],
        &hum[middle],
    );
    assert!(left < -25.0, "{left:.1} dB");
    let before = db(&sum(
        &output[..8 * 16_000],
        &clean[..8 * 16_000].iter().map(|s| -s).collect::<Vec<_>>(),
    ));
    assert!(
        before < -75.0,
        "{before:.1} dB were added where there was no hum"
    );
    assert!(report.get("harmonic-1").is_some());
}

#[test]
fn output_does_not_depend_on_block_size() {
    let hum = hum(22_050, 9.0, 50.0, 0.0);
    let input = vec![sum(&voice(22_050, 9.0), &hum)];
    let settings = Settings::defaults::<Hum>();
    let whole = correct::<Hum>(22_050, &settings, &input, 1 << 20)
        .unwrap()
        .0;
    assert!(whole != input);
    for block in [1, 480, 4801] {
        let pieces = correct::<Hum>(22_050, &settings, &input, block).unwrap().0;
        assert!(pieces == whole, "blocks of {block} frames");
    }
}

#[test]
fn a_held_bass_is_not_hum() {
    let rate = 16_000;
    for semitone in -5..=8 {
        let hz = 55.0 * 2f64.powf(f64::from(semitone) / 12.0);
        let pedal = hum(rate, 20.0, hz, 0.0);
        let input = sum(&pedal, &noise(pedal.len(), 0.001));
        let (output, report) = run(rate, &input, &Settings::defaults::<Hum>());
        assert_eq!(report.get_text("mains"), Some("none found"), "{hz:.1} Hz");
        assert_eq!(output, input);
    }
}
