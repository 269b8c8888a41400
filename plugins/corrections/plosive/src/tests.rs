//! Made voices with made pops.

#![allow(clippy::unwrap_used)]

use retake_plugin_sdk::testing::correct;
use retake_signal::section::{Coefficients, Section};

use super::*;

const RATES: [u32; 4] = [8_000, 16_000, 48_000, 192_000];

fn noise(frames: usize) -> Vec<f32> {
    let mut state = 1u32;
    (0..frames)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

fn below(rate: u32, hz: f64, samples: &[f32]) -> Vec<f32> {
    let lowpass = |q| Section::new(Coefficients::lowpass(f64::from(rate), hz, q));
    let mut sections = [lowpass(0.541_196), lowpass(1.306_563)];
    let filtered = |sample: &f32| {
        let sample = f64::from(*sample);
        sections
            .iter_mut()
            .fold(sample, |sample, section| section.step(sample)) as f32
    };
    samples.iter().map(filtered).collect()
}

fn level_db(samples: &[f32]) -> f64 {
    let power = samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64;
    10.0 * (power + 1e-30).log10()
}

/// Words of a buzz with this pitch: 0.35 s and a pause of 0.15 s with faint noise.
fn voice(rate: u32, seconds: f32, pitch_hz: f32) -> Vec<f32> {
    let frames = (rate as f32 * seconds) as usize;
    let mut phase = 0.0f32;
    let buzz: Vec<f32> = (0..frames)
        .map(|n| {
            phase = (phase + pitch_hz / rate as f32).fract();
            let time_s = n as f32 / rate as f32 % 0.5;
            let edge = (time_s.min(0.35 - time_s) / 0.03).clamp(0.0, 1.0);
            (0.5 - phase) * edge
        })
        .collect();
    let bright = below(rate, 3_000f64.min(0.4 * f64::from(rate)), &buzz);
    bright
        .iter()
        .zip(noise(frames))
        .map(|(s, n)| 0.3 * s + 3e-4 * n)
        .collect()
}

/// Adds a pop of 60 ms before every second word, so much louder than the words.
fn popping(rate: u32, voice: &[f32], over_db: f64) -> Vec<f32> {
    let at = |ms: usize| rate as usize * ms / 1000;
    let low = below(rate, 70.0, &noise(voice.len()));
    let factor = db_to_factor(level_db(voice) + over_db - level_db(&low[at(500)..]));
    voice
        .iter()
        .enumerate()
        .map(|(n, sample)| {
            let within = n % at(1_000);
            let shape = match within.checked_sub(at(940)) {
                Some(n) => (std::f32::consts::PI * n as f32 / at(60) as f32).sin(),
                None => 0.0,
            };
            sample + factor * shape * low[n]
        })
        .collect()
}

/// What lies low in the pops, but for those of the first two seconds.
fn pops(rate: u32, samples: &[f32]) -> Vec<f32> {
    let at = |ms: usize| rate as usize * ms / 1000;
    let low = below(rate, 120.0, samples);
    let seconds = low.chunks_exact(at(1_000)).skip(2);
    seconds
        .flat_map(|second| second[at(945)..].to_vec())
        .collect()
}

fn run(rate: u32, settings: &Settings, input: &[f32]) -> (Vec<f32>, Report) {
    let (mut output, report) =
        correct::<Plosive>(rate, settings, &vec![input.to_vec()], 4800).unwrap();
    (output.remove(0), report)
}

#[test]
fn pops_come_down_and_what_lies_above_them_stays() {
    for rate in RATES {
        let clean = voice(rate, 8.0, 140.0);
        let input = popping(rate, &clean, 12.0);
        let (output, report) = run(rate, &Settings::defaults::<Plosive>(), &input);
        let less = level_db(&pops(rate, &input)) - level_db(&pops(rate, &output));
        assert!(less > 7.0, "{rate} Hz: {less:.1} dB");
        assert!(
            (6..=9).contains(&(report.get("pops").unwrap() as i64)),
            "{rate} Hz"
        );
        let taken: Vec<f32> = input.iter().zip(&output).map(|(i, o)| i - o).collect();
        let above = {
            let highpass = |q| Section::new(Coefficients::highpass(f64::from(rate), 400.0, q));
            let mut sections = [highpass(0.541_196), highpass(1.306_563)];
            taken
                .iter()
                .map(|s| {
                    sections
                        .iter_mut()
                        .fold(f64::from(*s), |s, section| section.step(s))
                        as f32
                })
                .collect::<Vec<_>>()
        };
        assert!(level_db(&above) < level_db(&taken) - 30.0, "{rate} Hz");
        let little = Settings::defaults::<Plosive>().with(&MAX_REDUCTION_DB, 3.0);
        let (output, report) = run(rate, &little, &input);
        let less = level_db(&pops(rate, &input)) - level_db(&pops(rate, &output));
        assert!(
            (1.5..3.2).contains(&less) && report.get("max").unwrap() <= 3.001,
            "{less:.1} dB"
        );
    }
}

#[test]
fn voices_deep_ones_too_hum_and_rumble_come_through_to_the_last_bit() {
    for rate in RATES {
        for pitch_hz in [75.0, 110.0, 220.0] {
            let voice = voice(rate, 6.0, pitch_hz);
            let hum =
                |n: usize| 0.02 * (n as f32 * 50.0 * std::f32::consts::TAU / rate as f32).sin();
            let humming: Vec<f32> = voice.iter().enumerate().map(|(n, s)| s + hum(n)).collect();
            let rumble = below(rate, 60.0, &noise(voice.len()));
            let factor = db_to_factor(level_db(&voice) - 18.0 - level_db(&rumble));
            let rumbling: Vec<f32> = voice
                .iter()
                .zip(&rumble)
                .map(|(s, r)| s + factor * r)
                .collect();
            for (input, what) in [(voice, "alone"), (humming, "hum"), (rumbling, "rumble")] {
                let (output, report) = run(rate, &Settings::defaults::<Plosive>(), &input);
                assert!(
                    output == input,
                    "{rate} Hz, a voice at {pitch_hz} Hz, {what}"
                );
                assert_eq!(report.get("pops"), Some(0.0));
            }
        }
    }
}

#[test]
fn channels_are_turned_down_alike_and_stay_aligned() {
    let rate = 48_000;
    let left = popping(rate, &voice(rate, 4.0, 140.0), 12.0);
    let right: Vec<f32> = left.iter().map(|s| s * -0.25).collect();
    let settings = Settings::defaults::<Plosive>();
    let (output, _) =
        correct::<Plosive>(rate, &settings, &vec![left.clone(), right], 4800).unwrap();
    for (l, r) in output[0].iter().zip(&output[1]) {
        assert!((l * -0.25 - r).abs() < 1e-6);
    }
    let same = left.iter().zip(&output[0]).filter(|(a, b)| a == b).count();
    assert!(
        same > left.len() / 2 && same < left.len(),
        "nothing has moved"
    );
}

#[test]
fn output_does_not_depend_on_block_size() {
    let input = vec![popping(44_100, &voice(44_100, 3.0, 140.0), 12.0)];
    let run = |block| {
        let settings = Settings::defaults::<Plosive>();
        correct::<Plosive>(44_100, &settings, &input, block)
            .unwrap()
            .0
    };
    let whole = run(200_000);
    assert!(whole != input);
    for block in [1, 480, 8192] {
        assert!(run(block) == whole, "blocks of {block} frames");
    }
}

#[test]
fn silence_and_the_shortest_recordings_stay_as_they_are() {
    for rate in RATES {
        for frames in [0, 1, 2, 100, 5_000] {
            let silence = vec![0.0; frames];
            assert!(run(rate, &Settings::defaults::<Plosive>(), &silence).0 == silence);
        }
    }
}
