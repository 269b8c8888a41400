#![allow(clippy::unwrap_used)]

use retake_plugin_sdk::testing::correct;
use retake_signal::section::{Coefficients, Section};

use super::*;

const RATES: [u32; 7] = [8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000];

fn noise(frames: usize) -> Vec<f32> {
    let mut state = 1u32;
    (0..frames)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

fn filtered(samples: &[f32], coefficients: &[Coefficients]) -> Vec<f32> {
    let mut sections: Vec<Section> = coefficients.iter().copied().map(Section::new).collect();
    let through = |&sample: &f32| {
        sections
            .iter_mut()
            .fold(f64::from(sample), |sample, section| section.step(sample)) as f32
    };
    samples.iter().map(through).collect()
}

fn above(rate: u32, hz: f64, samples: &[f32]) -> Vec<f32> {
    filtered(samples, &[Coefficients::highpass(rate.into(), hz, 0.7); 4])
}

fn below(rate: u32, hz: f64, samples: &[f32]) -> Vec<f32> {
    filtered(samples, &[Coefficients::lowpass(rate.into(), hz, 0.7); 4])
}

fn level_db(samples: &[f32]) -> f64 {
    let power = samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>();
    10.0 * (power / samples.len() as f64).log10()
}

fn scaled(samples: &[f32], db: f64) -> Vec<f32> {
    let factor = db_to_factor(db);
    samples.iter().map(|sample| sample * factor).collect()
}

/// A vowel at -26 dBFS for 300 ms, a sibilant for 150 ms, a pause of 50 ms with faint noise, and so
/// on. The sibilant, of noise from 5 to 8 kHz (from 3 kHz at the lowest rate), has a level against the vowel.
fn speech(rate: u32, seconds: f32, sibilant_db: f64) -> Vec<f32> {
    let frames = (rate as f32 * seconds) as usize;
    let mut phase = 0.0f32;
    let buzz: Vec<f32> = (0..frames)
        .map(|_| {
            phase = (phase + 130.0 / rate as f32).fract();
            0.5 - phase
        })
        .collect();
    let buzz = below(rate, 1_500.0, &buzz);
    let vowel = scaled(&buzz, -26.0 - level_db(&buzz));
    // Twice, or there would be a voice in it.
    let hiss = above(rate, from_hz(rate) * 1.1, &noise(frames));
    let hiss = above(rate, from_hz(rate) * 1.1, &hiss);
    let hiss = below(rate, 8_000f64.min(0.45 * f64::from(rate)), &hiss);
    let hiss = scaled(&hiss, -26.0 + sibilant_db - level_db(&hiss));
    let part = |n: usize| n % (rate as usize / 2) * 1000 / rate as usize;
    (0..frames)
        .map(|n| match part(n) {
            0..300 => vowel[n],
            300..450 => hiss[n],
            _ => hiss[n] * 0.001,
        })
        .collect()
}

fn from_hz(rate: u32) -> f64 {
    4_500f64.min(FROM_MAX_PER_RATE * f64::from(rate))
}

/// The middle of each sibilant but the first.
fn sibilants(rate: u32, samples: &[f32]) -> Vec<f32> {
    let at = |ms: usize| rate as usize * ms / 1000;
    samples
        .chunks_exact(at(500))
        .skip(1)
        .flat_map(|part| &part[at(330)..at(440)])
        .copied()
        .collect()
}

fn run(rate: u32, settings: &Settings, input: &[f32]) -> (Vec<f32>, Report) {
    let (mut output, report) =
        correct::<DeEss>(rate, settings, &vec![input.to_vec()], 4800).unwrap();
    (output.remove(0), report)
}

#[test]
fn a_sharp_sibilant_comes_down_by_what_it_is_too_loud() {
    for rate in RATES {
        for (sibilant_db, threshold_db, max_db) in [
            (0.0, -6.0, 20.0),
            (3.0, -6.0, 20.0),
            (6.0, -6.0, 8.0),
            (0.0, -9.0, 20.0),
        ] {
            let input = speech(rate, 5.0, sibilant_db);
            let settings = Settings::defaults::<DeEss>()
                .with(&THRESHOLD_DB, threshold_db)
                .with(&TO_HZ, 12_000.0)
                .with(&MAX_REDUCTION_DB, max_db);
            let (output, report) = run(rate, &settings, &input);
            let reached = level_db(&sibilants(rate, &input)) - level_db(&sibilants(rate, &output));
            let expected = (f64::from(SLOPE) * (sibilant_db - threshold_db)).min(max_db);
            // The detector hears a little less than the sibilant, through the edges of its band,
            // and its reading trembles as the noise does, where the highest counts.
            assert!(
                (reached - expected).abs() < 2.5,
                "{rate} Hz: {sibilant_db} dB over the vowels, {threshold_db}, {max_db}: {reached:.1} \
                 dB less, expected {expected:.1} dB"
            );
            assert!(report.get("max").unwrap() <= max_db + 1e-3);
            assert_eq!(report.get("times"), Some(10.0), "{rate} Hz");
        }
    }
}

#[test]
fn vowels_soft_sibilants_and_noise_in_pauses_come_through_to_the_last_bit() {
    for rate in RATES {
        let settings = Settings::defaults::<DeEss>();
        let input = speech(rate, 4.0, -15.0);
        let (output, report) = run(rate, &settings, &input);
        assert!(output == input, "{rate} Hz");
        assert_eq!(report.get("times"), Some(0.0));

        // Around a sharp sibilant too, but for the look-ahead and the release.
        let input = speech(rate, 4.0, 3.0);
        let (output, _) = run(rate, &settings, &input);
        let at = |ms: usize| rate as usize * ms / 1000;
        for (before, after) in input
            .chunks_exact(at(500))
            .zip(output.chunks_exact(at(500)))
        {
            assert!(
                before[at(240)..at(290)] == after[at(240)..at(290)],
                "{rate} Hz"
            );
        }
    }
}

#[test]
fn only_the_band_is_turned_down() {
    for rate in [44_100, 48_000, 96_000, 192_000] {
        let input = speech(rate, 4.0, 6.0);
        let settings = Settings::defaults::<DeEss>().with(&TO_HZ, 9_000.0);
        let (output, _) = run(rate, &settings, &input);
        let taken: Vec<f32> = input.iter().zip(&output).map(|(i, o)| i - o).collect();
        let whole = level_db(&taken);
        // The filter's edges are 1.5 kHz wide; the gain's movement widens them a little.
        let low = level_db(&below(rate, 2_500.0, &taken)) - whole;
        let high = level_db(&above(rate, 12_000.0, &taken)) - whole;
        assert!(
            low < -30.0 && high < -30.0,
            "{rate} Hz: {low:.1} dB, {high:.1} dB"
        );
    }
}

#[test]
fn a_sibilant_still_stands_out_afterwards() {
    for rate in [16_000, 48_000] {
        // Hiss over a vowel that goes on, as loud as the other vowels: by how much it is louder than that.
        let lost_db = |over_db: f64| {
            let hissing = speech(rate, 6.0, over_db);
            let vowel = speech(rate, 6.0, -60.0);
            let shift = rate as usize * 3 / 10;
            let input: Vec<f32> = hissing
                .iter()
                .enumerate()
                .map(|(n, s)| s + if n >= shift { vowel[n - shift] } else { 0.0 })
                .collect();
            let settings = Settings::defaults::<DeEss>().with(&TO_HZ, 12_000.0);
            let (output, _) = run(rate, &settings, &input);
            let high =
                |samples: &[f32]| level_db(&sibilants(rate, &above(rate, from_hz(rate), samples)));
            high(&input) - high(&output)
        };
        let (hardly, far) = (lost_db(3.0), lost_db(14.0));
        assert!(
            hardly < 3.0 && far > 7.0,
            "{rate} Hz: {hardly:.1} dB, {far:.1} dB"
        );
    }
}

#[test]
fn the_level_of_the_recording_does_not_matter() {
    let settings = Settings::defaults::<DeEss>();
    let input = speech(48_000, 4.0, 6.0);
    let (expected, report) = run(48_000, &settings, &input);
    // A power of two: everything is the same to the last bit but for the exponent.
    for factor in [0.015625f32, 0.25, 4.0] {
        let (output, other) = run(
            48_000,
            &settings,
            &input.iter().map(|s| s * factor).collect::<Vec<_>>(),
        );
        let largest = expected
            .iter()
            .zip(&output)
            .fold(0.0f32, |largest, (e, o)| {
                largest.max((o / factor - e).abs())
            });
        assert!(largest < 1e-6, "{factor}: {largest}");
        assert_eq!(report.get("times"), other.get("times"));
    }
}

#[test]
fn a_long_pause_of_noise_is_no_sibilant() {
    let mut input = speech(48_000, 4.0, -15.0);
    input.extend(noise(48_000 * 12).iter().map(|s| s * 0.003));
    let (output, _) = run(48_000, &Settings::defaults::<DeEss>(), &input);
    let moved = input.iter().zip(&output).position(|(i, o)| i != o);
    assert_eq!(moved, None);
}

#[test]
fn channels_are_turned_down_alike_and_stay_aligned() {
    for rate in RATES {
        let left = speech(rate, 3.0, 6.0);
        let right: Vec<f32> = left.iter().map(|s| s * -0.25).collect();
        let input = vec![left, right];
        let (output, _) =
            correct::<DeEss>(rate, &Settings::defaults::<DeEss>(), &input, 4800).unwrap();
        for (l, r) in output[0].iter().zip(&output[1]) {
            assert!((l * -0.25 - r).abs() < 1e-6);
        }
        // Whatever was turned down, nothing has moved.
        let product = |shift: usize| -> f64 {
            input[0]
                .iter()
                .zip(&output[0][shift..])
                .map(|(a, b)| f64::from(a * b))
                .sum()
        };
        assert!(product(0) > product(1) && product(0) > 0.0, "{rate} Hz");
    }
}

#[test]
fn a_band_that_ends_before_it_begins_is_refused() {
    let settings = Settings::defaults::<DeEss>()
        .with(&FROM_HZ, 9_000.0)
        .with(&TO_HZ, 6_000.0);
    let refused = correct::<DeEss>(48_000, &settings, &vec![vec![0.0; 10]], 4800)
        .err()
        .unwrap();
    assert_eq!(
        refused.to_string(),
        "to-hz is 6000; with from-hz 9000 it must be at least 10800"
    );
}

#[test]
fn silence_full_scale_and_the_shortest_recordings_are_taken() {
    for rate in RATES {
        for frames in [0, 1, 2, 100, 5_000] {
            let settings = Settings::defaults::<DeEss>();
            let silence = vec![vec![0.0; frames]; 2];
            assert!(correct::<DeEss>(rate, &settings, &silence, 4800).unwrap().0 == silence);
            let (output, _) = run(rate, &settings, &noise(frames));
            assert!(output.iter().all(|s| s.abs() < 2.0));
        }
    }
}

#[test]
fn output_does_not_depend_on_block_size() {
    let input = vec![speech(44_100, 3.0, 6.0), noise(132_300)];
    let run = |block| {
        correct::<DeEss>(44_100, &Settings::defaults::<DeEss>(), &input, block)
            .unwrap()
            .0
    };
    let whole = run(200_000);
    assert!(whole != input);
    for block in [1, 480, 4800, 8192] {
        assert!(run(block) == whole, "blocks of {block} frames");
    }
}
