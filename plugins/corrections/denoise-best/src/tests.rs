//! Signal tests. What the network itself answers is held against its authors' runtime in `lib/dfn3`.

#![allow(clippy::unwrap_used)]

use retake_plugin_sdk::{
    earlier::StepReport,
    testing::{correct, correct_after},
};

use super::*;

const RATE: usize = 48_000;

/// Deterministic noise, -1 to 1.
fn noise(frames: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..frames).map(|_| next()).collect()
}

/// Something like speech: a gliding buzz through a moving formant, in syllables, a pause every second one.
fn voice(frames: usize) -> Vec<f32> {
    let (mut phase, mut low, mut band) = (0.0f32, 0.0f32, 0.0f32);
    (0..frames)
        .map(|n| {
            let time = n as f32 / RATE as f32;
            phase = (phase + (120.0 + 40.0 * (time * 1.7).sin()) / RATE as f32).fract();
            let syllable = (time * 9.0).sin().max(0.0) * (time * 4.5).sin().max(0.0);
            let buzz = (0.5 - phase) * syllable;
            let formant = 0.08 + 0.05 * (time * 5.0).sin();
            low += formant * band;
            band += formant * (buzz - low - 0.3 * band);
            0.5 * band
        })
        .collect()
}

fn mixed(a: &[f32], b: &[f32], level: f32) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + level * b).collect()
}

fn run(input: &Block, change: impl FnOnce(Settings) -> Settings) -> (Block, Report) {
    let settings = change(Settings::defaults::<DenoiseBest>());
    correct::<DenoiseBest>(48_000, &settings, input, 4800).unwrap()
}

fn level_db(signal: &[f32]) -> f32 {
    10.0 * (signal.iter().map(|s| s * s).sum::<f32>() / signal.len() as f32 + 1e-20).log10()
}

/// By how much `output` is apart from `input`, dB of that.
fn apart_db(output: &[f32], input: &[f32]) -> f32 {
    let apart: Vec<f32> = output.iter().zip(input).map(|(a, b)| a - b).collect();
    level_db(&apart) - level_db(input)
}

#[test]
fn a_clean_voice_stays_as_it_is_even_where_it_begins_after_silence() {
    let mut input = vec![0.0; RATE];
    input.extend(voice(RATE));
    let (output, _) = run(&vec![input.clone()], |settings| settings);
    let apart = apart_db(&output[0], &input);
    assert!(apart < -40.0, "{apart:.1} dB");
}

#[test]
fn noise_goes_from_the_first_moment_on_and_without_a_step() {
    let clean: Vec<f32> = [vec![0.0; RATE], voice(RATE / 2)].concat();
    let input = mixed(&clean, &noise(clean.len(), 2), 0.03);
    let (output, report) = run(&vec![input.clone()], |settings| settings);
    let fall = |from: usize, to: usize| level_db(&input[from..to]) - level_db(&output[0][from..to]);
    let (first, then) = (fall(0, 19_200), fall(19_200, 43_200));
    assert!(first > 20.0, "{first:.1} dB at first");
    assert!(
        (then - first).abs() < 6.0,
        "{first:.1} dB, then {then:.1} dB"
    );
    let noise_dbfs = report.get("noise").unwrap();
    assert!((noise_dbfs + 35.0).abs() < 4.0, "{noise_dbfs:.1} dBFS");
}

#[test]
fn the_room_that_is_left_is_the_one_asked_for() {
    let input = noise(2 * RATE, 3)
        .iter()
        .map(|s| 0.03 * s)
        .collect::<Vec<_>>();
    let (output, _) = run(&vec![input.clone()], |settings| {
        settings.with(&ROOM_DB, -20.0)
    });
    let fall = level_db(&input[RATE..]) - level_db(&output[0][RATE..]);
    assert!((18.5..20.5).contains(&fall), "{fall:.1} dB");
}

#[test]
fn strength_0_is_the_input_at_any_length() {
    for frames in [1, 479, 480, 7_700, 30_011] {
        let input = mixed(&voice(frames), &noise(frames, 4), 0.05);
        let (output, _) = run(&vec![input.clone()], |settings| {
            settings.with(&STRENGTH, 0.0)
        });
        for (n, (found, expected)) in output[0].iter().zip(&input).enumerate() {
            assert!((found - expected).abs() < 1e-6, "frame {n} of {frames}");
        }
    }
}

#[test]
fn the_image_is_kept_whatever_the_channels_are() {
    let left = mixed(&voice(RATE), &noise(RATE, 5), 0.03);
    for share in [0.5, -1.0] {
        let right: Vec<f32> = left.iter().map(|s| share * s).collect();
        let (output, _) = run(&vec![left.clone(), right], |settings| settings);
        let expected: Vec<f32> = output[0].iter().map(|s| share * s).collect();
        assert!(
            level_db(&output[0]) > level_db(&left) - 20.0,
            "{share}: the voice is there"
        );
        assert!(apart_db(&output[1], &expected) < -100.0, "{share}");
    }
}

#[test]
fn output_does_not_depend_on_block_size() {
    let input = vec![mixed(&voice(20_000), &noise(20_000, 5), 0.05)];
    let settings = Settings::defaults::<DenoiseBest>();
    let run = |block| {
        correct::<DenoiseBest>(48_000, &settings, &input, block)
            .unwrap()
            .0
    };
    let whole = run(48_000);
    assert!(run(480) == whole && run(4800) == whole);
}

/// After a step that found these spans, in seconds.
fn run_after(input: &Block, spans: &[(&str, usize, usize)]) -> (Block, Report) {
    let report = spans
        .iter()
        .fold(Report::default(), |report, &(id, start, end)| {
            report
                .count(id, "", "", 1)
                .at((start * RATE) as u64, ((end - start) * RATE) as u64)
        });
    let told = vec![StepReport::new("org.retake.segment", "1.0.0", report)];
    let settings = Settings::defaults::<DenoiseBest>();
    correct_after::<DenoiseBest>(48_000, &settings, input, 4800, told).unwrap()
}

#[test]
fn music_that_was_found_stays_as_it_is_and_noise_around_it_goes() {
    // To the network it is all noise.
    let input = noise(9 * RATE, 8)
        .iter()
        .map(|s| 0.03 * s)
        .collect::<Vec<_>>();
    let found = [("speech", 0, 3), ("music", 3, 6), ("speech", 6, 9)];
    let (output, report) = run_after(&vec![input.clone()], &found);
    let within = |from: usize, to: usize| (&output[0][from..to], &input[from..to]);
    let (kept, was) = within(3 * RATE, 6 * RATE);
    let apart = apart_db(kept, was);
    assert!(apart < -80.0, "{apart:.1} dB");
    for (from, to) in [(RATE / 2, 3 * RATE / 2), (15 * RATE / 2, 9 * RATE)] {
        let (after, before) = within(from, to);
        let fall = level_db(before) - level_db(after);
        assert!(fall > 20.0, "{fall:.1} dB");
    }
    // No click at the edges: nowhere does the output move more than what went in does.
    let step = |signal: &[f32]| {
        let pairs = signal.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        pairs.fold(0.0f32, f32::max)
    };
    assert!(step(&output[0]) <= 1.05 * step(&input));
    // Half a second more on either side.
    assert_eq!(report.get("spared").map(f64::round), Some(4.0));
}

#[test]
fn a_whole_piece_of_music_is_the_input_at_any_length() {
    for frames in [4_799, 30_011, 3 * RATE + 17] {
        let input = mixed(&voice(frames), &noise(frames, 4), 0.05);
        let report = Report::default()
            .count("music", "", "", 1)
            .at(0, frames as u64);
        let told = vec![StepReport::new("org.retake.segment", "1.0.0", report)];
        let settings = Settings::defaults::<DenoiseBest>();
        let (output, _) =
            correct_after::<DenoiseBest>(48_000, &settings, &vec![input.clone()], 4800, told)
                .unwrap();
        for (n, (found, expected)) in output[0].iter().zip(&input).enumerate() {
            assert!((found - expected).abs() < 1e-6, "frame {n} of {frames}");
        }
    }
}

#[test]
fn the_network_that_has_slept_is_awake_in_time() {
    // A voice in noise after 6 s of silence that the network need not hear.
    let talk = mixed(&voice(3 * RATE), &noise(3 * RATE, 6), 0.02);
    let input = vec![[vec![0.0; 6 * RATE], talk].concat()];
    let (slept, _) = run_after(&input, &[("silence", 0, 6), ("speech", 6, 9)]);
    let (awake, _) = run(&input, |settings| settings);
    let apart: Vec<f32> = slept[0].iter().zip(&awake[0]).map(|(a, b)| a - b).collect();
    let apart = level_db(&apart[6 * RATE..]) - level_db(&input[0][6 * RATE..]);
    assert!(apart < -25.0, "{apart:.1} dB");
}
