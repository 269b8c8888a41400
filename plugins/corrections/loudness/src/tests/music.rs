//! Music that was told of keeps its dynamics.

use retake_plugin_sdk::{earlier::StepReport, testing::correct_after};

use super::*;

const RATE: u32 = 48_000;

/// A quiet talk, chords that swell and knock with far higher peaks, and the talk again; where the chords are.
fn talk_and_music() -> (Vec<f32>, std::ops::Range<usize>) {
    let talk = speech(RATE, 12.0, 0.05);
    let frames = 8 * RATE as usize;
    let chords = (0..frames).map(|n| {
        let time = n as f32 / RATE as f32;
        let knock = (-20.0 * (time % 0.5)).exp();
        let tone = |hz: f32| (std::f32::consts::TAU * hz * time).sin();
        0.15 * (tone(220.0) + tone(277.2)) * (0.3 + 0.1 * time) + 0.5 * knock * tone(90.0)
    });
    let music = talk.len()..talk.len() + frames;
    (
        talk.iter()
            .copied()
            .chain(chords)
            .chain(talk.iter().copied())
            .collect(),
        music,
    )
}

/// What comes of a recording of which a step before has told these starts and lengths of music.
fn after(music: &[(usize, usize)], settings: &Settings, input: &Block) -> (Block, Report) {
    let mut report = Report::default();
    for (start, frames) in music {
        report = report
            .number("music", "Music", "s", 1.0)
            .at(*start as u64, *frames as u64);
    }
    let told = vec![StepReport::new("org.example.finder", "1.0.0", report)];
    correct_after::<Loudness>(RATE, settings, input, 4800, told).unwrap()
}

/// Of what came out against what went in, up to one gain, and that gain.
fn kept(input: &[f32], output: &[f32]) -> (f64, f64) {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    };
    let gain = dot(input, output) / dot(input, input);
    let off: f64 = input
        .iter()
        .zip(output)
        .map(|(a, b)| (f64::from(*b) - gain * f64::from(*a)).powi(2))
        .sum();
    (
        10.0 * (gain * gain * dot(input, input) / off).log10(),
        factor_to_db(gain),
    )
}

#[test]
fn music_in_a_talk_has_one_gain_and_says_so_where_it_is_lower() {
    let (input, music) = talk_and_music();
    let whole = vec![input.clone()];
    // A second too early and half a second too late, as such spans are.
    let told = [(
        music.start - RATE as usize / 3,
        music.len() + RATE as usize / 2,
    )];
    let (output, report) = after(&told, &settings(-16.0, -1.5), &whole);
    let (decibels, gain) = kept(&input[music.clone()], &output[0][music.clone()]);
    assert!(decibels > 80.0, "{decibels}");
    assert!(true_peak_db(RATE, &output) < -1.5);
    let (_, talk_gain) = kept(&input[..6 * RATE as usize], &output[0][..6 * RATE as usize]);
    let lower = report.get("music-lower").unwrap();
    assert!(
        lower > 2.0 && (talk_gain - gain - lower).abs() < 0.5,
        "{talk_gain} {gain} {lower}"
    );
    let (start, frames) = report.spans("music-lower")[0];
    assert!(start < music.start as u64 && start + frames > music.end as u64);
    // The talk has the loudness, or more of the target was reached by all together.
    let talk = vec![output[0][music.end + RATE as usize..].to_vec()];
    let (whole_lufs, talk_lufs) = (lufs(RATE, &output), lufs(RATE, &talk));
    assert!(
        talk_lufs < -15.8 && talk_lufs.max(whole_lufs) > -16.3,
        "{talk_lufs} {whole_lufs}"
    );
    if (whole_lufs + 16.0).abs() > 0.1 {
        assert_eq!(report.get_text("why-not"), Some("music"));
    }

    // As a person may choose: limited like everything else.
    let limited = settings(-16.0, -1.5).with(&KEEP_MUSIC, false);
    let (output, report) = after(&told, &limited, &whole);
    assert!(kept(&input[music.clone()], &output[0][music]).0 < 40.0);
    assert_eq!(report.get("music-lower"), None);
}

#[test]
fn a_recording_that_is_music_has_one_gain() {
    let (input, music) = talk_and_music();
    let piece = vec![input[music].to_vec()];
    let (output, report) = after(&[(0, piece[0].len())], &settings(-9.0, -1.5), &piece);
    assert!(kept(&piece[0], &output[0]).0 > 80.0);
    let peak_db = true_peak_db(RATE, &output);
    assert!((-3.0..-1.5).contains(&peak_db), "{peak_db}");
    assert_eq!(report.get_text("why-not"), Some("music"));
}

#[test]
fn what_nobody_told_of_is_as_it_was() {
    let (input, _) = talk_and_music();
    let whole = vec![input];
    let settings = settings(-16.0, -1.5);
    let (alone, _) = after(&[], &settings, &whole);
    // Beyond the end there is nothing.
    let beyond = (whole[0].len() + 10 * RATE as usize, 1_000);
    let (told, report) = after(&[beyond], &settings, &whole);
    assert!(alone == told);
    assert_eq!(report.get("music-lower"), None);
}
