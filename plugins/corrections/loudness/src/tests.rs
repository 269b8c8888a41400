//! The result, measured by a meter that is not ours.

#![allow(clippy::unwrap_used)]

use ebur128::{EbuR128, Mode};
use retake_plugin_sdk::testing::correct;

use super::*;

const RATES: [u32; 7] = [8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000];

fn meter(rate: u32, audio: &Block) -> EbuR128 {
    let mut meter = EbuR128::new(audio.len() as u32, rate, Mode::I | Mode::TRUE_PEAK).unwrap();
    let planar: Vec<&[f32]> = audio.iter().map(Vec::as_slice).collect();
    meter.add_frames_planar_f32(&planar).unwrap();
    meter
}

fn true_peak_db(rate: u32, audio: &Block) -> f64 {
    let meter = meter(rate, audio);
    let peaks = (0..audio.len() as u32).map(|channel| meter.true_peak(channel).unwrap());
    20.0 * peaks.fold(0.0, f64::max).log10()
}

fn lufs(rate: u32, audio: &Block) -> f64 {
    meter(rate, audio).loudness_global().unwrap()
}

/// libebur128 takes so many channels for the usual ones, 5.1 at the most.
fn positions(channels: u32) -> Vec<u32> {
    let usual: &[u32] = match channels {
        4 => &[0x1, 0x2, 0x10, 0x20],
        5 => &[0x1, 0x2, 0x4, 0x10, 0x20],
        _ => &[0x1, 0x2, 0x4, 0x8, 0x10, 0x20],
    };
    usual[..channels as usize].to_vec()
}

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

/// Syllables of a buzz with pauses and a few shouts: a crest factor like that of speech.
fn speech(rate: u32, seconds: f32, level: f32) -> Vec<f32> {
    let mut phase = 0.0f32;
    let mut low = 0.0;
    (0..(rate as f32 * seconds) as usize)
        .map(|n| {
            let time = n as f32 / rate as f32;
            phase = (phase + 130.0 / rate as f32).fract();
            let syllable = (time * 13.0).sin().max(0.0) * (0.3 + (time * 1.1).sin().abs());
            let shout = if (time * 0.37).fract() < 0.03 {
                2.5
            } else {
                1.0
            };
            low += 0.3 * ((0.5 - phase) - low);
            level * syllable * shout * low
        })
        .collect()
}

fn settings(target: f64, ceiling: f64) -> Settings {
    Settings::defaults::<Loudness>()
        .with(&TARGET_LUFS, target)
        .with(&TRUE_PEAK_DBTP, ceiling)
        .with(&MAX_GAIN_DB, 40.0)
}

#[test]
fn our_meter_agrees_with_libebur128s() {
    for rate in RATES {
        for channels in [1, 2, 3, 4, 5, 6] {
            let audio: Block = (0..channels)
                .map(|c| {
                    let hiss = noise(rate as usize * 6, c + 1);
                    let voice = speech(rate, 6.0, 0.3);
                    voice
                        .iter()
                        .zip(hiss)
                        .map(|(v, n)| v + 0.02 * n * (c + 1) as f32)
                        .collect()
                })
                .collect();
            let positions = positions(channels);
            let mut analysis = Analysis::new(rate, &loudness_weights(&positions));
            for first in (0..audio[0].len()).step_by(4800) {
                let end = audio[0].len().min(first + 4800);
                analysis.add(
                    &audio
                        .iter()
                        .map(|channel| channel[first..end].to_vec())
                        .collect(),
                );
            }
            let (envelope, _) = analysis.finish();
            let curve = Curve::new(envelope, Segments::new(rate), audio[0].len() as u64, 0.0);
            let ours = curve.outcome(0.0, false).lufs.unwrap();
            let theirs = lufs(rate, &audio);
            assert!(
                (ours - theirs).abs() < 0.02,
                "{rate} Hz x{channels}: {ours} against {theirs}"
            );
            let ours = curve.peak_db();
            let theirs = true_peak_db(rate, &audio);
            // Theirs looks between no samples at 192 kHz.
            let higher = if rate == 192_000 { 3.0 } else { 0.01 };
            assert!(
                (ours - theirs > -0.05) && ours < theirs + higher + 0.05,
                "{rate} Hz x{channels}: true peak {ours} against {theirs}"
            );
        }
    }
}

#[test]
fn speech_comes_to_the_target() {
    for rate in RATES {
        for level in [0.01, 0.1, 0.9] {
            for target in [-23.0, -16.0] {
                let input = vec![speech(rate, 20.0, level); 2];
                let (output, _) =
                    correct::<Loudness>(rate, &settings(target, -1.5), &input, 4800).unwrap();
                let reached = lufs(rate, &output);
                let peak = true_peak_db(rate, &output);
                assert!(
                    (reached - target).abs() < 0.1,
                    "{rate} Hz at {level}: {reached:.2} LUFS, target {target}"
                );
                assert!(
                    peak <= -1.45,
                    "{rate} Hz at {level}, target {target}: {peak:.2} dBTP"
                );
            }
        }
    }
}

#[test]
fn the_ceiling_holds_on_nasty_inputs() {
    for rate in RATES {
        let frames = rate as usize * 2;
        let at = |n: usize| n as f64 / f64::from(rate);
        let tone = |ratio: f64, phase: f64| -> Vec<f32> {
            (0..frames)
                .map(|n| (std::f64::consts::TAU * (ratio * n as f64 + phase)).sin() as f32)
                .collect()
        };
        let inputs: Vec<(&str, Vec<f32>)> = vec![
            (
                "a quarter of the rate between its samples",
                tone(0.25, 0.125),
            ),
            ("near half the rate", tone(0.47, 0.1)),
            ("a third of the rate", tone(1.0 / 3.0, 0.05)),
            (
                "square",
                (0..frames)
                    .map(|n| if n / 37 % 2 == 0 { 1.0 } else { -1.0 })
                    .collect(),
            ),
            (
                "clicks",
                (0..frames)
                    .map(|n| if n % 997 == 0 { 1.0 } else { 0.001 })
                    .collect(),
            ),
            (
                "clicks of alternating sign",
                (0..frames)
                    .map(|n| match n % 611 {
                        0 | 2 => 1.0,
                        1 | 3 => -1.0,
                        _ => 0.003,
                    })
                    .collect(),
            ),
            ("noise", noise(frames, 9)),
            (
                "noise in bursts",
                noise(frames, 4)
                    .iter()
                    .enumerate()
                    .map(|(n, s)| {
                        if (at(n) * 7.0).fract() < 0.2 {
                            *s
                        } else {
                            s * 0.01
                        }
                    })
                    .collect(),
            ),
            (
                "rising noise",
                noise(frames, 5)
                    .iter()
                    .enumerate()
                    .map(|(n, s)| s * (at(n) / 2.0) as f32)
                    .collect(),
            ),
            (
                "samples over full scale",
                noise(frames, 6).iter().map(|s| s * 8.0).collect(),
            ),
        ];
        for (name, input) in inputs {
            for ceiling in [-9.0, -1.5, 0.0] {
                let stereo = vec![input.clone(), input.iter().map(|s| s * 0.7).collect()];
                let (output, report) =
                    correct::<Loudness>(rate, &settings(-5.0, ceiling), &stereo, 4800).unwrap();
                let peak = true_peak_db(rate, &output);
                assert!(
                    peak <= ceiling + 0.05,
                    "{name} at {rate} Hz: {peak:.3} dBTP over a ceiling of {ceiling}; limited by \
                     {:.1} dB",
                    report.get("limited").unwrap()
                );
            }
        }
    }
}

#[test]
fn where_nothing_reaches_the_ceiling_it_is_one_gain() {
    let input = vec![
        speech(48_000, 5.0, 0.5),
        noise(240_000, 3).iter().map(|s| s * 0.02).collect(),
    ];
    let (output, report) =
        correct::<Loudness>(48_000, &settings(-35.0, -1.5), &input, 4800).unwrap();
    let factor = 10f32.powf(report.get("gain").unwrap() as f32 / 20.0);
    assert_eq!(report.get("limited"), Some(0.0));
    for (out, sample) in output.iter().flatten().zip(input.iter().flatten()) {
        assert!(
            (out - sample * factor).abs() <= 1e-6 * sample.abs(),
            "{out} from {sample}"
        );
    }
}

#[test]
fn after_a_peak_the_limiter_lets_go_of_the_signal_entirely() {
    let mut limiter = Limiter::new(48_000, 1, 0.5);
    let mut input = vec![0.25f32; 48_000 * 3];
    input[10_000] = 1.0;
    let output = limiter.run(vec![input]).remove(0);
    let at = 10_000 + limiter.latency();
    assert!((output[at] - 0.5 * 0.9977).abs() < 1e-3, "{}", output[at]);
    assert_eq!(output[at - 600], 0.25);
    assert!(output[at + 2_000] < 0.25);
    assert!(output[at + 100_000..].iter().all(|&s| s == 0.25));
}

#[test]
fn channels_keep_their_balance_while_one_is_limited() {
    let loud = noise(96_000, 8);
    let quiet: Vec<f32> = loud.iter().map(|s| s * 0.1).collect();
    let input = vec![loud, quiet];
    let (output, report) =
        correct::<Loudness>(48_000, &settings(-6.0, -3.0), &input, 4800).unwrap();
    assert!(report.get("limited").unwrap() > 1.0);
    for (loud, quiet) in output[0].iter().zip(&output[1]) {
        assert!((loud * 0.1 - quiet).abs() < 1e-6);
    }
}

#[test]
fn gain_is_capped_and_silence_gets_none() {
    let faint: Block = vec![noise(96_000, 2).iter().map(|s| s * 3e-3).collect()];
    let capped = settings(-16.0, -1.5).with(&MAX_GAIN_DB, 10.0);
    let (_, report) = correct::<Loudness>(48_000, &capped, &faint, 4800).unwrap();
    assert_eq!(report.get("gain"), Some(10.0));

    for frames in [0, 1, 1_000, 96_000] {
        let silence = vec![vec![0.0; frames]; 2];
        let (output, report) =
            correct::<Loudness>(48_000, &settings(-16.0, -1.5), &silence, 4800).unwrap();
        assert_eq!(output, silence);
        if frames > 0 {
            assert_eq!(report.get("gain"), Some(0.0), "{frames} frames");
        }
    }
}

#[test]
fn output_does_not_depend_on_block_size() {
    let input = vec![speech(44_100, 3.0, 0.8), noise(132_300, 6)];
    let run = |block| {
        correct::<Loudness>(44_100, &settings(-8.0, -3.0), &input, block)
            .unwrap()
            .0
    };
    let whole = run(200_000);
    for block in [1, 480, 4800, 8192] {
        assert!(run(block) == whole, "blocks of {block} frames");
    }
}
