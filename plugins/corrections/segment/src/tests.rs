//! What is reported, and that it does not hang on how the recording comes. What the network itself answers is held
//! against its authors' in `lib/smn`.

#![allow(clippy::unwrap_used)]

use retake_plugin_sdk::testing::correct;

use super::*;

const RATE: usize = 16_000;

fn noise(frames: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..frames).map(|_| 0.1 * next()).collect()
}

/// Chords of decaying notes, two a second: an instrument with a string for each.
fn music(seconds: usize) -> Vec<f32> {
    let mut sum = vec![0.0f32; seconds * RATE];
    let scale = [0, 4, 7, 12, 5, 9, 12, 17, 7, 11, 14, 19];
    for beat in 0..2 * seconds {
        for voice in 0..3 {
            let note = scale[(beat / 4 * 4 % 12 + voice) % 12] as f32
                + if voice == 0 { -12.0 } else { 0.0 };
            let hz = 261.63 * 2f32.powf(note / 12.0);
            let start = beat * RATE / 2;
            for n in 0..RATE.min(sum.len() - start) {
                let time = n as f32 / RATE as f32;
                let partials = (1..6).map(|k| {
                    (std::f32::consts::TAU * hz * k as f32 * time).sin()
                        * (-time * 3.0 * k as f32).exp()
                        / k as f32
                });
                sum[start + n] += 0.08 * partials.sum::<f32>();
            }
        }
    }
    sum
}

fn reported(input: Vec<f32>, block: usize) -> Report {
    let settings = Settings::defaults::<Segment>();
    let (output, report) =
        correct::<Segment>(16_000, &settings, &vec![input.clone()], block).unwrap();
    assert_eq!(output[0], input);
    report
}

#[test]
fn music_and_silence_are_found_where_they_are() {
    let input = [music(15), vec![0.0; 10 * RATE]].concat();
    let report = reported(input, 4800);
    let (music, silence) = (report.spans("music"), report.spans("silence"));
    assert_eq!(
        (music.len(), silence.len()),
        (1, 1),
        "{music:?} {silence:?}"
    );
    assert_eq!(music[0].0, 0);
    let edge = music[0].1;
    assert!(edge.abs_diff(15 * RATE as u64) <= RATE as u64, "{edge}");
    assert_eq!(silence[0], (edge, 25 * RATE as u64 - edge));
    assert!((report.get("music-share").unwrap() - 60.0).abs() < 4.0);
    let words = report.get_text("finding").unwrap();
    assert!(words.starts_with("Music, 0:1"), "{words}");
    assert_eq!(report.points("music").unwrap().0, 8_000.0);
}

#[test]
fn noise_is_noise() {
    let report = reported(noise(8 * RATE, 7), 4800);
    assert_eq!(report.spans("noise"), [(0, 8 * RATE as u64)]);
    assert_eq!(
        report.get_text("finding"),
        Some("Nobody speaks in this recording")
    );
}

#[test]
fn short_and_impossible_recordings_are_told_of_without_a_word_too_many() {
    for frames in [1, 399, 400, 5_000, 10_000] {
        let report = reported(vec![0.0; frames], 480);
        let spans = report.spans("silence");
        assert!(
            spans.is_empty() || spans == [(0, frames as u64)],
            "{spans:?}"
        );
    }
    let mut input = noise(2 * RATE, 3);
    input[5_000] = f32::NAN;
    input[6_000] = f32::INFINITY;
    assert_eq!(reported_with_nan(input).spans("noise").len(), 1);
}

fn reported_with_nan(input: Vec<f32>) -> Report {
    let settings = Settings::defaults::<Segment>();
    correct::<Segment>(16_000, &settings, &vec![input], 4800)
        .unwrap()
        .1
}

#[test]
fn nothing_hangs_on_how_blocks_are_cut() {
    let input = [noise(3 * RATE, 5), music(4)].concat();
    let points = |block| {
        let report = reported(input.clone(), block);
        report.points("music").unwrap().1.to_vec()
    };
    assert_eq!(points(1_001), points(4_800));
}

#[test]
fn music_that_may_be_a_voice_in_a_room_is_told_with_a_number() {
    let of = |speech: f32| {
        let heard = vec![
            listener::Heard::Sound(retake_smn::Share {
                speech,
                music: 0.9 - speech,
                noise: 0.1,
            });
            20
        ];
        said::report(&heard, &path::stretches(&heard), 10 * RATE as u64)
    };
    let unsure = of(0.15);
    assert_eq!(unsure.spans("music"), [(0, 10 * RATE as u64)]);
    assert_eq!(unsure.spans("unsure"), unsure.spans("music"));
    assert_eq!(unsure.get("unsure"), Some(15.0));
    let words = unsure.get_text("finding-unsure").unwrap();
    assert!(
        words.starts_with("10 s of what") && words.contains("15 % of it"),
        "{words}"
    );
    assert_eq!(of(0.05).get_text("finding-unsure"), None);
}
