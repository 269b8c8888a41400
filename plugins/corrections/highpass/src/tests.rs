//! What is spared. What the filter does is said in `butterworth`.

#![allow(clippy::unwrap_used)]

use retake_plugin_sdk::{
    earlier::StepReport,
    testing::{correct, correct_after},
};

use super::*;

const RATE: usize = 16_000;

fn tone(seconds: usize) -> Vec<f32> {
    let turn = std::f32::consts::TAU * 40.0 / RATE as f32;
    (0..seconds * RATE)
        .map(|n| 0.1 * (turn * n as f32).sin())
        .collect()
}

fn peak(signal: &[f32]) -> f32 {
    signal.iter().fold(0.0, |peak, s| peak.max(s.abs()))
}

fn run(input: &[f32], settings: &Settings, block: usize) -> Vec<f32> {
    let second = RATE as u64;
    let report = Report::default()
        .count("music", "", "", 1)
        .at(3 * second, 3 * second);
    let told = vec![StepReport::new("org.retake.segment", "1.0.0", report)];
    let (mut output, _) =
        correct_after::<Highpass>(16_000, settings, &vec![input.to_vec()], block, told).unwrap();
    output.remove(0)
}

#[test]
fn music_that_was_found_keeps_its_bass_and_nothing_else_does() {
    let (input, settings) = (tone(9), Settings::defaults::<Highpass>());
    let output = run(&input, &settings, 4_800);
    let music = 3 * RATE..6 * RATE - RATE / 100;
    assert!(output[music.clone()] == input[music]);
    for elsewhere in [RATE / 2..3 * RATE / 2, 7 * RATE + RATE / 10..9 * RATE] {
        assert!(peak(&output[elsewhere]) < 0.01);
    }
    assert!(run(&input, &settings, 77) == output);
    let all = settings.with(&SPARE_MUSIC, false);
    let (plain, _) = correct::<Highpass>(16_000, &all, &vec![input.clone()], 4_800).unwrap();
    assert!(run(&input, &all, 4_800) == plain[0]);
}
