//! The result, measured by a meter that is not ours.

#![allow(clippy::unwrap_used)]

use ebur128::{EbuR128, Mode};
use retake_plugin_sdk::testing::correct;

use super::{curve::Part, *};

mod music;
mod spikes;
mod talks;

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
            let envelope = analysis.finish().envelope;
            let frames = audio[0].len() as u64;
            let curve = Curve::new(envelope, Segments::new(rate), frames, 0.0, &[]);
            let ours = curve.outcome(Part::Whole, 0.0, false).lufs.unwrap();
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
    assert!(
        (output[at] - 0.5 * crate::limiter::MARGIN).abs() < 1e-3,
        "{}",
        output[at]
    );
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

/// With something done to every sample.
fn each(input: &Block, change: impl Fn(usize, f32) -> f32) -> Block {
    let changed = |channel: &Vec<f32>| {
        channel
            .iter()
            .enumerate()
            .map(|(n, &s)| change(n, s))
            .collect()
    };
    input.iter().map(changed).collect()
}

#[test]
fn short_words_are_judged_by_what_is_there() {
    for rate in RATES {
        for seconds in [0.05, 0.1, 0.3, 0.399, 0.45, 0.7, 2.0] {
            let word = vec![
                noise((rate as f32 * seconds) as usize, 3)
                    .iter()
                    .enumerate()
                    .map(|(n, s)| 0.02 * s * (0.4 + (n as f32 / rate as f32 * 9.0).sin().abs()))
                    .collect::<Vec<f32>>(),
            ];
            let (output, report) =
                correct::<Loudness>(rate, &settings(-16.0, -1.5), &word, 4800).unwrap();
            let reached = if seconds < 0.4 {
                // Over and over it is long enough for any meter, and as loud.
                lufs(rate, &vec![output[0].repeat((3.0 / seconds) as usize)])
            } else {
                lufs(rate, &output)
            };
            let near = if seconds < 0.4 { 0.3 } else { 0.1 };
            assert!(
                (reached + 16.0).abs() < near,
                "{rate} Hz, {seconds} s: {reached:.2} LUFS"
            );
            assert!(
                (report.get("reached").unwrap() + 16.0).abs() < 0.1,
                "{rate} Hz, {seconds} s"
            );
            assert_eq!(report.get_text("why-not"), None);
        }
    }
}

#[test]
fn more_gain_is_a_wish_and_what_it_cannot_reach_is_said() {
    let talk = vec![speech(48_000, 10.0, 0.3)];
    let quiet = |db: f32| each(&talk, |_, s| s * 10f32.powf(db / 20.0));
    let (input, _) = (lufs(48_000, &talk), ());
    let gain = |quieter: f32, most: f64| {
        let settings = settings(-16.0, -1.5).with(&MAX_GAIN_DB, most);
        let (output, report) =
            correct::<Loudness>(48_000, &settings, &quiet(quieter), 4800).unwrap();
        (lufs(48_000, &output), report)
    };
    let (reached, report) = gain(-30.0, 30.0);
    assert!(
        (reached - (input - 30.0 + 30.0)).abs() < 0.5 && input < -17.0,
        "{reached} {input}"
    );
    assert_eq!(report.get_text("why-not"), Some("max-gain"));
    assert_eq!(report.get("target"), Some(-16.0));
    let (reached, report) = gain(-30.0, 60.0);
    assert!((reached + 16.0).abs() < 0.1, "{reached}");
    assert_eq!(report.get_text("why-not"), None);
    // Below -70 LUFS it is silence, but for a wish.
    let (_, report) = gain(-55.0, 40.0);
    assert_eq!(report.get_text("why-not"), Some("silent"));
    let (_, report) = gain(-55.0, 60.0);
    assert_eq!(report.get("gain"), Some(60.0));
}

#[test]
fn an_offset_is_taken_off_before_it_is_limited() {
    for rate in RATES {
        for seconds in [0.3, 1.0, 10.0] {
            let voice = vec![speech(rate, seconds, 0.05); 2];
            let input = vec![
                voice[0].iter().map(|s| s + 0.2).collect(),
                voice[1].iter().map(|s| s - 0.4).collect(),
            ];
            let (output, report) =
                correct::<Loudness>(rate, &settings(-16.0, -1.5), &input, 4800).unwrap();
            let what = format!("{rate} Hz, {seconds} s");
            assert!(
                (report.get("reached").unwrap() + 16.0).abs() < 0.1,
                "{what}: {:?}",
                report.get("reached")
            );
            if seconds > 0.5 {
                let reached = lufs(rate, &output);
                assert!((reached + 16.0).abs() < 0.1, "{what}: {reached}");
            }
            for channel in &output {
                let mean = channel.iter().sum::<f32>() / channel.len() as f32;
                assert!(mean.abs() < 0.01, "{what}: {mean}");
            }
            assert!(report.get("offset-removed").unwrap() > -20.0);
        }
    }
    // Where there is none, nothing is done.
    let (_, report) = correct::<Loudness>(
        48_000,
        &settings(-16.0, -1.5),
        &vec![speech(48_000, 5.0, 0.1)],
        4800,
    )
    .unwrap();
    assert_eq!(report.get("offset-removed"), None);
}

#[test]
fn mono_can_be_measured_as_on_two_speakers() {
    let talk = speech(48_000, 10.0, 0.1);
    let dual = settings(-16.0, -1.5).with(&DUAL_MONO, true);
    let run = |settings: &Settings, input: &Block| {
        lufs(
            48_000,
            &correct::<Loudness>(48_000, settings, input, 4800)
                .unwrap()
                .0,
        )
    };
    let mono = vec![talk.clone()];
    assert!((run(&dual, &mono) + 19.01).abs() < 0.1);
    assert!((run(&dual, &vec![talk.clone(); 2]) + 16.0).abs() < 0.1);
    assert!((run(&settings(-16.0, -1.5), &mono) + 16.0).abs() < 0.1);
}

#[test]
fn every_channel_counts_unless_its_place_says_otherwise() {
    use retake_plugin_sdk::testing::correct_placed;
    let talk = speech(48_000, 6.0, 0.1);
    for channels in [7usize, 8, 14, 16] {
        let mut input = vec![vec![0.0; talk.len()]; channels];
        input[channels - 1] = talk.clone();
        let (output, _) =
            correct::<Loudness>(48_000, &settings(-20.0, -1.5), &input, 4800).unwrap();
        let reached = lufs(48_000, &vec![output[channels - 1].clone()]);
        assert!((reached + 20.0).abs() < 0.1, "{channels}: {reached}");
    }
    let mut input = vec![vec![0.0; talk.len()]; 6];
    input[3] = talk;
    let places = [0x1, 0x2, 0x4, 0x8, 0x10, 0x20];
    let (_, report) =
        correct_placed::<Loudness>(48_000, &settings(-20.0, -1.5), &input, 4800, &places).unwrap();
    assert_eq!(report.get_text("why-not"), Some("silent"));
}

/// Peaks 32 times between the samples, by a sinc of 512 taps: nothing of ours or of libebur128 is in it.
fn reference_peak_db(samples: &[f32]) -> f64 {
    const REACH: usize = 256;
    static SINCS: std::sync::LazyLock<Vec<Vec<f32>>> = std::sync::LazyLock::new(|| {
        let tap = |part: f64, at: usize| {
            let x = at as f64 - REACH as f64 - part;
            let window = (0.5 * std::f64::consts::PI * x / (REACH + 1) as f64).cos();
            let angle = std::f64::consts::PI * x;
            let sinc = if x == 0.0 { 1.0 } else { angle.sin() / angle };
            (window * window * sinc) as f32
        };
        let sinc = |point: i32| {
            let part = f64::from(point) / 32.0;
            (0..=2 * REACH).map(|at| tap(part, at)).collect()
        };
        (-16..16).map(sinc).collect()
    });
    let loud = samples.iter().fold(0.0f32, |loud, s| loud.max(s.abs())) * 0.5;
    let mut padded = vec![0.0; REACH];
    padded.extend_from_slice(samples);
    padded.resize(samples.len() + 2 * REACH, 0.0);
    let mut highest = 0.0f32;
    for around in padded.windows(2 * REACH + 1) {
        if around[REACH].abs() < loud {
            continue;
        }
        for sinc in SINCS.iter() {
            let mut lanes = [0.0f32; 8];
            let (taps, samples) = (sinc.as_chunks::<8>().0, around.as_chunks::<8>().0);
            for (taps, samples) in taps.iter().zip(samples) {
                for lane in 0..8 {
                    lanes[lane] += taps[lane] * samples[lane];
                }
            }
            let rest = sinc[2 * REACH] * around[2 * REACH];
            highest = highest.max((lanes.iter().sum::<f32>() + rest).abs());
        }
    }
    20.0 * f64::from(highest).log10()
}

#[test]
fn the_ceiling_holds_by_a_32_fold_reference_just_below_half_the_rate() {
    for rate in [8_000u32, 44_100, 96_000, 192_000] {
        for part in [0.25, 0.42, 0.45, 0.47] {
            for length in [30.0, 120.0, 500.0] {
                let mut input = noise(rate as usize, 4)
                    .iter()
                    .map(|s| 0.02 * s)
                    .collect::<Vec<f32>>();
                for burst in 1..8 {
                    let middle =
                        f64::from(burst) * input.len() as f64 / 8.0 + 0.13 * f64::from(burst);
                    for (n, sample) in input.iter_mut().enumerate() {
                        let at = n as f64 - middle;
                        if at.abs() < length / 2.0 {
                            let shape = (std::f64::consts::PI * at / length).cos().powi(2);
                            *sample +=
                                (0.7 * shape * (std::f64::consts::TAU * part * at).cos()) as f32;
                        }
                    }
                }
                let (output, _) =
                    correct::<Loudness>(rate, &settings(-14.0, -1.5), &vec![input], 4800).unwrap();
                let peak = reference_peak_db(&output[0]);
                assert!(
                    peak <= -1.5 + 0.02,
                    "{rate} Hz, {part}, {length}: {peak:.3} dBTP"
                );
            }
        }
    }
}
