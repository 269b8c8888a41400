#![allow(clippy::unwrap_used)]

use retake_plugin_sdk::testing::correct;
use retake_signal::section::{Coefficients, Section};

use super::*;

const RATES: [u32; 7] = [8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000];

fn noise(frames: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    (0..frames)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

fn filtered(samples: &[f32], coefficients: Coefficients) -> Vec<f32> {
    let mut sections = [Section::new(coefficients); 4];
    let through = |&sample: &f32| {
        sections
            .iter_mut()
            .fold(f64::from(sample), |sample, section| section.step(sample)) as f32
    };
    samples.iter().map(through).collect()
}

fn level_db(samples: &[f32]) -> f64 {
    let power = samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>();
    10.0 * (power / samples.len() as f64).log10()
}

fn at_level(samples: &[f32], db: f64) -> Vec<f32> {
    let factor = db_to_factor(db - level_db(samples));
    samples.iter().map(|sample| sample * factor).collect()
}

/// A buzz of 150 Hz for the first two seconds of every four, at -20 dBFS.
fn voice(rate: u32, seconds: usize) -> Vec<f32> {
    let mut phase = 0.0f32;
    let buzz: Vec<f32> = (0..rate as usize * seconds)
        .map(|_| {
            phase = (phase + 150.0 / rate as f32).fract();
            0.5 - phase
        })
        .collect();
    let buzz = filtered(&buzz, Coefficients::lowpass(rate.into(), 2_000.0, 0.7));
    let spoken = |n: usize| n / rate as usize % 4 < 2;
    at_level(&buzz, -20.0)
        .iter()
        .enumerate()
        .map(|(n, s)| if spoken(n) { *s } else { 0.0 })
        .collect()
}

fn mixed(one: &[f32], other: &[f32]) -> Vec<f32> {
    one.iter().zip(other).map(|(a, b)| a + b).collect()
}

fn run(rate: u32, settings: &Settings, input: &[f32]) -> (Vec<f32>, Report) {
    let (mut output, report) =
        correct::<Gate>(rate, settings, &vec![input.to_vec()], 4800).unwrap();
    (output.remove(0), report)
}

fn gain_db(rate: u32, input: &[f32], output: &[f32], from_s: f64, to_s: f64) -> f64 {
    let at = |s: f64| (s * f64::from(rate)) as usize;
    level_db(&output[at(from_s)..at(to_s)]) - level_db(&input[at(from_s)..at(to_s)])
}

#[test]
fn pauses_are_turned_down_by_the_range_and_speech_comes_through_to_the_last_bit() {
    for rate in RATES {
        for noise_db in [-70.0, -55.0, -45.0] {
            for range_db in [6.0, 12.0, 40.0] {
                let hiss = at_level(&noise(rate as usize * 8, 1), noise_db);
                let input = mixed(&voice(rate, 8), &hiss);
                let settings = Settings::defaults::<Gate>().with(&RANGE_DB, range_db);
                let (output, report) = run(rate, &settings, &input);
                let name = format!("{rate} Hz, noise {noise_db} dBFS, range {range_db} dB");
                let pause = gain_db(rate, &input, &output, 2.5, 3.8);
                assert!(
                    (pause + range_db).abs() < 0.01,
                    "{name}: {pause:.2} dB in the pause"
                );
                // From before the voice begins to the end of the hold.
                let at = |ms: usize| rate as usize * ms / 1000;
                for open in [0..at(2_140), at(3_950)..at(6_140)] {
                    assert!(input[open.clone()] == output[open], "{name}");
                }
                let levels = |id| report.get(id).unwrap();
                let speech = levels("speech");
                let expected = (levels("noise") + 8.0).clamp(speech - 45.0, speech - 15.0);
                assert_eq!(levels("threshold"), expected, "{name}");
                assert!(
                    (levels("share") - 50.0).abs() < 6.0,
                    "{name}: {}",
                    levels("share")
                );
            }
        }
    }
}

#[test]
fn it_holds_as_long_as_it_is_told_and_closes_slowly() {
    let rate = 48_000;
    let input = mixed(
        &voice(rate, 8),
        &at_level(&noise(rate as usize * 8, 2), -60.0),
    );
    for hold_ms in [0.0, 150.0, 500.0] {
        let settings = Settings::defaults::<Gate>().with(&HOLD_MS, hold_ms);
        let (output, _) = run(rate, &settings, &input);
        let end_s = 2.0 + hold_ms / 1000.0;
        let gain = |from, to| gain_db(rate, &input, &output, from, to);
        assert!(gain(end_s - 0.02, end_s) > -0.5, "hold {hold_ms} ms");
        let halfway = gain(end_s + 0.09, end_s + 0.14);
        assert!(
            (-9.0..-3.0).contains(&halfway),
            "hold {hold_ms} ms: {halfway:.1} dB"
        );
        assert!(gain(end_s + 0.3, end_s + 0.4) < -11.9, "hold {hold_ms} ms");
    }
}

#[test]
fn a_click_in_a_pause_does_not_open_it() {
    let rate = 48_000;
    let mut input = mixed(
        &voice(rate, 8),
        &at_level(&noise(rate as usize * 8, 3), -60.0),
    );
    for frame in &mut input[144_000..144_100] {
        *frame = 0.02;
    }
    let (output, _) = run(rate, &Settings::defaults::<Gate>(), &input);
    let click = gain_db(rate, &input, &output, 2.99, 3.01);
    assert!((click + 12.0).abs() < 0.01, "{click}");
}

#[test]
fn a_fixed_threshold_is_kept_and_levels_between_its_two_edges_change_nothing() {
    // A tone of 1 kHz falls, stays between the closing and the opening threshold, and rises.
    let rate = 48_000;
    let tone = |db: f64| {
        let amplitude = db_to_factor(db + 3.01);
        (0..rate).map(move |n| {
            amplitude * (n as f32 * 1000.0 / rate as f32 * std::f32::consts::TAU).sin()
        })
    };
    let levels = [-20.0, -43.0, -60.0, -43.0, -20.0];
    let input: Vec<f32> = levels.into_iter().flat_map(tone).collect();
    let settings = Settings::defaults::<Gate>()
        .with(&THRESHOLD, "fixed")
        .with(&THRESHOLD_LUFS, -41.0);
    let (output, report) = run(rate as u32, &settings, &input);
    let gain = |second: f64| gain_db(rate as u32, &input, &output, second + 0.4, second + 0.9);
    assert_eq!(report.get("threshold"), Some(-41.0));
    for (second, expected) in [
        (0.0, 0.0),
        (1.0, 0.0),
        (2.0, -12.0),
        (3.0, -12.0),
        (4.0, 0.0),
    ] {
        assert!(
            (gain(second) - expected).abs() < 0.01,
            "{second} s: {:.2} dB",
            gain(second)
        );
    }
}

#[test]
fn breaths_are_turned_down_and_sibilants_and_soft_vowels_are_not() {
    for rate in RATES {
        let frames = rate as usize * 8;
        let hiss = at_level(&noise(frames, 4), -70.0);
        let from_hz =
            |hz: f64| Coefficients::highpass(rate.into(), hz.min(0.3 * f64::from(rate)), 0.7);
        let breath = filtered(
            &noise(frames, 5),
            Coefficients::lowpass(rate.into(), 2_500.0, 0.7),
        );
        let breath = at_level(&breath, -42.0);
        let sibilant = at_level(&filtered(&noise(frames, 6), from_hz(5_000.0)), -42.0);
        let vowel = at_level(&voice(rate, 1), -42.0);
        // In the pauses of the voice: a breath at 2.6 s, a sibilant at 3.2 s, a vowel at 6.6 s.
        let mut input = mixed(&voice(rate, 8), &hiss);
        let at = |s: f64| (s * f64::from(rate)) as usize;
        for (from_s, sound) in [(2.6, &breath), (3.2, &sibilant), (6.6, &vowel)] {
            for n in at(from_s)..at(from_s + 0.3) {
                input[n] += sound[n - at(from_s)];
            }
        }
        for breaths_db in [0.0, 6.0, 20.0] {
            let settings = Settings::defaults::<Gate>().with(&BREATHS_DB, breaths_db);
            let (output, report) = run(rate, &settings, &input);
            let gain = |from_s: f64| gain_db(rate, &input, &output, from_s + 0.1, from_s + 0.2);
            assert!(
                (gain(2.6) + breaths_db).abs() < 0.01,
                "{rate} Hz: breath {:.2} dB",
                gain(2.6)
            );
            assert!(gain(3.2) == 0.0, "{rate} Hz: sibilant {:.2} dB", gain(3.2));
            assert!(gain(6.6) == 0.0, "{rate} Hz: vowel {:.2} dB", gain(6.6));
            assert_eq!(report.get("breaths"), Some(1.0), "{rate} Hz");
        }
    }
}

#[test]
fn channels_have_the_same_gain() {
    let left = mixed(&voice(44_100, 8), &at_level(&noise(352_800, 7), -60.0));
    let right: Vec<f32> = left.iter().map(|s| s * -0.5).collect();
    let input = vec![left, right];
    let (output, _) = correct::<Gate>(44_100, &Settings::defaults::<Gate>(), &input, 4800).unwrap();
    for (l, r) in output[0].iter().zip(&output[1]) {
        assert!((l * -0.5 - r).abs() <= 1e-7);
    }
}

#[test]
fn noise_alone_silence_full_scale_and_the_shortest_recordings_stay_as_they_are() {
    for rate in RATES {
        for frames in [0, 1, 2, 1_000, 50_000] {
            for input in [
                vec![0.0; frames],
                vec![1.0; frames.min(1_000)],
                noise(frames, 8),
            ] {
                let (output, _) = run(rate, &Settings::defaults::<Gate>(), &input);
                assert!(output == input, "{rate} Hz, {frames} frames");
            }
        }
    }
}

#[test]
fn output_does_not_depend_on_block_size() {
    let input = vec![
        mixed(&voice(22_050, 8), &at_level(&noise(176_400, 9), -50.0)),
        at_level(&noise(176_400, 10), -50.0),
    ];
    let run = |block| {
        correct::<Gate>(22_050, &Settings::defaults::<Gate>(), &input, block)
            .unwrap()
            .0
    };
    let whole = run(200_000);
    assert!(whole != input);
    for block in [1, 480, 4800, 8192] {
        assert!(run(block) == whole, "blocks of {block} frames");
    }
}
