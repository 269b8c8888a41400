//! Made voices with a known spectrum.

#![allow(clippy::unwrap_used)]

use realfft::RealFftPlanner;
use retake_plugin_sdk::earlier::StepReport;
use retake_plugin_sdk::testing::{correct, correct_after};

use super::*;
use crate::curve::SPEECH_DB;
use crate::spectrum::BANDS_HZ;

const RATES: [u32; 4] = [16_000, 22_050, 48_000, 96_000];
const SECONDS: usize = 8;

fn noise(frames: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    (0..frames)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

/// Words of noise with the spectrum of speech, and what `gain_db` says on top; between them a faint hiss.
fn voice(rate: u32, gain_db: impl Fn(f64) -> f64) -> Vec<f32> {
    let frames = rate as usize * SECONDS;
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, inverse) = (
        planner.plan_fft_forward(frames),
        planner.plan_fft_inverse(frames),
    );
    let mut samples = noise(frames, 1);
    let mut spectrum = forward.make_output_vec();
    forward.process(&mut samples, &mut spectrum).unwrap();
    let speech = Curve(SPEECH_DB);
    for (bin, value) in spectrum.iter_mut().enumerate() {
        let hz = bin as f64 / SECONDS as f64;
        // A third octave is the wider the higher it is.
        let level = speech.gain_db_at(hz) - 10.0 * hz.max(1.0).log10() + gain_db(hz);
        *value *= if hz < 100.0 {
            0.0
        } else {
            10f32.powf(level as f32 / 20.0)
        };
    }
    spectrum[0].im = 0.0;
    if frames.is_multiple_of(2) {
        let last = spectrum.len() - 1;
        spectrum[last].im = 0.0;
    }
    inverse.process(&mut spectrum, &mut samples).unwrap();
    let power = samples.iter().map(|s| s * s).sum::<f32>() / frames as f32;
    samples
        .iter()
        .zip(noise(frames, 2))
        .enumerate()
        .map(|(n, (sample, hiss))| {
            let time_s = (n % (rate as usize / 2)) as f32 / rate as f32;
            // Soft edges, or each would be a click.
            let edge = (time_s.min(0.4 - time_s) / 0.05).clamp(0.0, 1.0);
            let word = 0.5 - 0.5 * (std::f32::consts::PI * edge).cos();
            0.1 * sample / power.sqrt() * word + 1e-5 * hiss
        })
        .collect()
}

fn run(rate: u32, settings: &Settings, input: &[f32]) -> (Vec<f32>, Report) {
    let (mut output, report) =
        correct::<Voice>(rate, settings, &vec![input.to_vec()], 4800).unwrap();
    (output.remove(0), report)
}

/// How far the gain at each band, against that at 1 kHz, is from the expected.
fn gains_db(rate: u32, input: &[f32], output: &[f32]) -> Vec<(f64, f64)> {
    let bands = |samples: &[f32]| {
        let mut listener = Listener::new(f64::from(rate), 1);
        listener.add(&vec![samples.to_vec()], |_| true);
        listener.spectrum().unwrap().speech
    };
    let (before, after) = (bands(input), bands(output));
    BANDS_HZ
        .into_iter()
        .zip(before.iter().zip(&after))
        .filter(|(hz, _)| *hz < 0.4 * f64::from(rate))
        .map(|(hz, (before, after))| (hz, 10.0 * (after / before).log10()))
        .collect()
}

fn bright(hz: f64) -> f64 {
    (hz / 1_000.0).max(1.0).log2()
}

#[test]
fn a_voice_like_others_comes_through_to_the_last_bit() {
    for rate in RATES {
        for own in [|_| 0.0, |hz: f64| 1.0 * bright(hz)] {
            let input = voice(rate, own);
            let (output, report) = run(rate, &Settings::defaults::<Voice>(), &input);
            assert!(output == input, "{rate} Hz");
            assert_eq!(
                (report.get("boost"), report.get("cut")),
                (Some(0.0), Some(0.0))
            );
        }
    }
}

#[test]
fn a_dull_voice_becomes_brighter_and_a_boomy_one_leaner_within_the_limit() {
    for rate in RATES {
        let settings = Settings::defaults::<Voice>();
        let dull = voice(rate, |hz| -4.0 * bright(hz));
        let (output, report) = run(rate, &settings, &dull);
        let gains = gains_db(rate, &dull, &output);
        for &(hz, gain) in &gains {
            let expected = if hz >= 4_000.0 {
                1.2..4.3
            } else if hz < 1_000.0 {
                -0.5..0.7
            } else {
                -0.5..4.3
            };
            assert!(
                expected.contains(&gain),
                "{rate} Hz: {gain:.1} dB at {hz} Hz"
            );
        }
        assert!(report.get("presence").unwrap() > 1.0 && report.get("boost").unwrap() <= 4.0);

        let boomy = voice(rate, |hz| if hz < 300.0 { 12.0 } else { 0.0 });
        let (output, _) = run(rate, &settings, &boomy);
        for (hz, gain) in gains_db(rate, &boomy, &output) {
            let expected = if hz < 260.0 {
                -4.3..-2.0
            } else if hz > 900.0 {
                -0.3..0.3
            } else {
                -4.3..0.3
            };
            assert!(
                expected.contains(&gain),
                "{rate} Hz: {gain:.1} dB at {hz} Hz"
            );
        }
        let limited = settings.with(&LIMIT_DB, 1.5);
        let (output, _) = run(rate, &limited, &boomy);
        assert!(
            gains_db(rate, &boomy, &output)
                .iter()
                .all(|(_, gain)| gain.abs() < 1.8)
        );
        let none = Settings::defaults::<Voice>().with(&STRENGTH, 0.0);
        assert!(run(rate, &none, &boomy).0 == boomy);
    }
}

#[test]
fn neither_noise_nor_what_is_not_there_is_lifted() {
    let rate = 48_000;
    // Nothing above 4 kHz, as on a telephone.
    let phone = voice(rate, |hz| if hz > 3_800.0 { -70.0 } else { 0.0 });
    let (_, report) = run(rate, &Settings::defaults::<Voice>(), &phone);
    let numbers = ["air", "boost", "cut", "presence", "body"].map(|id| report.get(id).unwrap());
    assert!(numbers[0] <= 0.0 && numbers[1] < 1.0, "{numbers:.2?}");
    // A dull voice under a bright hiss.
    let dull = voice(rate, |hz| -6.0 * bright(hz));
    let hissing: Vec<f32> = dull
        .iter()
        .zip(noise(dull.len(), 5))
        .map(|(s, n)| s + 0.03 * n)
        .collect();
    let (output, _) = run(rate, &Settings::defaults::<Voice>(), &hissing);
    for (hz, gain) in gains_db(rate, &hissing, &output) {
        assert!(hz < 3_000.0 || gain < 0.5, "{gain:.1} dB at {hz} Hz");
    }
}

#[test]
fn channels_have_one_curve_and_stay_aligned() {
    for rate in RATES {
        let left = voice(rate, |hz| -4.0 * bright(hz));
        let right: Vec<f32> = left.iter().map(|s| s * -0.25).collect();
        let input = vec![left.clone(), right];
        let (output, _) =
            correct::<Voice>(rate, &Settings::defaults::<Voice>(), &input, 4800).unwrap();
        for (l, r) in output[0].iter().zip(&output[1]) {
            assert!((l * -0.25 - r).abs() < 1e-6);
        }
        let product = |shift: usize| -> f64 {
            left.iter()
                .zip(&output[0][shift..])
                .map(|(a, b)| f64::from(a * b))
                .sum()
        };
        assert!(product(0) > product(1) && product(0) > 0.0, "{rate} Hz");
    }
}

#[test]
fn music_that_was_found_stays_and_is_not_listened_to() {
    let rate = 16_000;
    let at = |second: u64| second * u64::from(rate);
    let told = Report::default().count("music", "", "", 1).at(at(2), at(2));
    let told = vec![StepReport::new("org.example.finder", "1.0.0", told)];
    let mut input = voice(rate, |hz| -4.0 * bright(hz));
    let music = at(2) as usize..at(4) as usize;
    // So bright that it would outweigh the voice.
    for (sample, noise) in input[music.clone()].iter_mut().zip(noise(music.len(), 9)) {
        *sample = 0.5 * noise;
    }
    let settings = Settings::defaults::<Voice>();
    let planes = vec![input.clone()];
    let (output, report) = correct_after::<Voice>(rate, &settings, &planes, 4800, told).unwrap();
    assert!(output[0][music.clone()] == input[music]);
    assert!(report.get("presence").unwrap() > 1.0);
    let (_, without) = run(rate, &settings, &input);
    assert!(without.get("presence").unwrap() < 0.5);
}

#[test]
fn silence_and_the_shortest_recordings_stay_as_they_are() {
    for rate in RATES {
        for frames in [0, 1, 2, 100, 5_000] {
            for value in [0.0, 0.5] {
                let input = vec![value; frames];
                let (output, _) = run(rate, &Settings::defaults::<Voice>(), &input);
                let most = output
                    .iter()
                    .zip(&input)
                    .fold(0f32, |most, (a, b)| most.max((a - b).abs()));
                assert!(
                    output.len() == frames && most <= 0.5 * value,
                    "{frames} frames of {value}"
                );
            }
        }
    }
}

#[test]
fn output_does_not_depend_on_block_size() {
    let input = vec![voice(22_050, |hz| -4.0 * bright(hz))];
    let run = |block| {
        correct::<Voice>(22_050, &Settings::defaults::<Voice>(), &input, block)
            .unwrap()
            .0
    };
    let whole = run(200_000);
    assert!(whole != input);
    for block in [1, 480, 4800, 8192] {
        assert!(run(block) == whole, "blocks of {block} frames");
    }
}
