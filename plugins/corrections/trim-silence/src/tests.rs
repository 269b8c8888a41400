#![allow(clippy::unwrap_used)]

use std::f32::consts::TAU;

use retake_plugin_sdk::testing::correct;

use super::*;

const FADE_S: f64 = 0.01;

/// xorshift, -1 to 1.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 8) as f32 / 8_388_608.0 - 1.0
    }
}

/// Stretches of (seconds, whether there is sound): a tone of 0.3 over noise of `floor`.
fn speech(rate_hz: u32, stretches: &[(f64, bool)], floor: f32) -> Vec<f32> {
    let mut noise = Noise(7);
    let mut samples = Vec::new();
    for &(seconds, sounds) in stretches {
        for _ in 0..(seconds * f64::from(rate_hz)).round() as usize {
            let time = samples.len() as f32 / rate_hz as f32;
            let tone = if sounds {
                0.3 * (TAU * 220.0 * time).sin()
            } else {
                0.0
            };
            samples.push(tone + floor * noise.next());
        }
    }
    samples
}

fn defaults() -> Settings {
    Settings::defaults::<TrimSilence>()
}

fn trim(rate_hz: u32, input: &Block, settings: &Settings) -> (Block, Report) {
    correct::<TrimSilence>(rate_hz, settings, input, 4_800).unwrap()
}

fn seconds(rate_hz: u32, report: &Report) -> Vec<(f64, f64)> {
    let in_s = |frames: u64| frames as f64 / f64::from(rate_hz);
    report
        .cuts()
        .into_iter()
        .map(|(start, frames)| (in_s(start), in_s(frames)))
        .collect()
}

#[test]
fn a_long_pause_is_cut_to_what_remains_and_a_short_one_is_not() {
    for rate_hz in [8_000, 44_100, 48_000, 96_000] {
        for floor in [0.0, 1e-3] {
            let stretches = [
                (2.0, true),
                (3.0, false),
                (2.0, true),
                (0.8, false),
                (2.0, true),
            ];
            let input = vec![speech(rate_hz, &stretches, floor)];
            let (output, report) = trim(rate_hz, &input, &defaults());
            let cuts = seconds(rate_hz, &report);
            assert_eq!(cuts.len(), 1, "{rate_hz} {floor}: {cuts:?}");
            // A hop of tolerance at either end.
            assert!((cuts[0].1 - 2.5).abs() <= 0.021, "{cuts:?}");
            assert!(cuts[0].0 >= 2.1 && cuts[0].0 <= 2.4, "{cuts:?}");
            assert!((report.get("removed").unwrap() - cuts[0].1).abs() < 1e-6);
            assert_eq!(
                output[0].len() as u64,
                input[0].len() as u64 - report.cuts()[0].1
            );
        }
    }
}

#[test]
fn the_ends_are_cut_unless_they_are_to_be_kept() {
    let input = vec![speech(
        48_000,
        &[(3.0, false), (2.0, true), (4.0, false)],
        1e-3,
    )];
    let (_, report) = trim(48_000, &input, &defaults());
    let cuts = seconds(48_000, &report);
    assert_eq!(cuts.len(), 2, "{cuts:?}");
    assert_eq!(cuts[0].0, 0.0);
    assert!((cuts[0].1 - 2.5).abs() <= 0.021, "{cuts:?}");
    assert!((cuts[1].1 - 3.5).abs() <= 0.021, "{cuts:?}");
    assert!((cuts[1].0 + cuts[1].1 - 9.0).abs() < 1e-9, "{cuts:?}");

    let (output, report) = trim(48_000, &input, &defaults().with(&KEEP_ENDS, true));
    assert!(report.cuts().is_empty());
    assert!(output == input);
}

/// Where in the input an output frame comes from, and how far it is from the nearest joint.
fn origin(frame: u64, cuts: &[(u64, u64)]) -> (u64, u64) {
    let (mut at, mut nearest) = (frame, u64::MAX);
    for &(start, frames) in cuts {
        nearest = nearest.min(at.abs_diff(start));
        if at >= start {
            at += frames;
        }
    }
    (at, nearest)
}

#[test]
fn outside_the_fades_every_frame_is_as_it_was_to_the_bit() {
    let mut random = Noise(99);
    for layout in 0..40 {
        let rate_hz = [8_000, 22_050, 44_100, 48_000][layout % 4];
        let mut stretches = Vec::new();
        for stretch in 0..12 {
            let seconds = f64::from(random.next().abs()) * 2.5 + 0.05;
            stretches.push((seconds, (stretch + layout) % 2 == 0));
        }
        let first = speech(rate_hz, &stretches, 1e-3);
        let second: Vec<f32> = first.iter().map(|x| 0.1 - 0.5 * x).collect();
        let input = vec![first, second];
        let settings = defaults()
            .with(&SHORTEST_S, 0.2 + f64::from(random.next().abs()))
            .with(&REMAINS_S, 0.1 + f64::from(random.next().abs()) * 0.5);
        let (output, report) = trim(rate_hz, &input, &settings);
        let cuts = report.cuts();
        let fade = (2.0 * FADE_S * f64::from(rate_hz)).ceil() as u64 + 1;
        for (output, input) in output.iter().zip(&input) {
            for (frame, sample) in output.iter().enumerate() {
                let (at, nearest) = origin(frame as u64, &cuts);
                assert!(
                    nearest <= fade || sample.to_bits() == input[at as usize].to_bits(),
                    "layout {layout}, frame {frame}, {nearest} from a joint"
                );
            }
        }
    }
}

#[test]
fn no_click_arises_at_a_joint_whatever_lies_under_the_pause() {
    let rate_hz = 48_000;
    let stretches = [(1.0, true), (3.337, false), (1.0, true)];
    // An offset, hum and hiss.
    let under = |frame: usize| 0.05 + 0.01 * (TAU * 50.0 * frame as f32 / 48_000.0).sin();
    let mut samples = speech(rate_hz, &stretches, 2e-3);
    samples
        .iter_mut()
        .enumerate()
        .for_each(|(n, x)| *x += under(n));
    let settings = defaults()
        .with(&THRESHOLD, "fixed")
        .with(&THRESHOLD_DBFS, -35.0);
    let (output, report) = trim(rate_hz, &vec![samples.clone()], &settings);
    let (start, _) = report.cuts()[0];
    let joint = start as usize;
    let range = |samples: &[f32]| {
        let of = |pick: fn(f32, f32) -> f32| samples.iter().copied().reduce(pick).unwrap();
        of(f32::max) - of(f32::min)
    };
    let steepest = |samples: &[f32]| {
        samples
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).abs())
            .fold(0.0, f32::max)
    };
    let before = &samples[joint - 14_400..joint - 4_800];
    let over = &output[0][joint - 960..joint + 960];
    assert!(
        range(over) < 1.2 * range(before),
        "{} {}",
        range(over),
        range(before)
    );
    assert!(
        steepest(over) < 1.2 * steepest(before),
        "{} {}",
        steepest(over),
        steepest(before)
    );
}

#[test]
fn the_output_does_not_depend_on_the_block_length() {
    let stretches = [
        (1.5, false),
        (1.0, true),
        (2.0, false),
        (1.0, true),
        (2.0, false),
    ];
    let input = vec![speech(16_000, &stretches, 1e-3); 2];
    let (expected, _) = trim(16_000, &input, &defaults());
    for block_frames in [1, 7, 160, 999, 100_000] {
        let (output, _) =
            correct::<TrimSilence>(16_000, &defaults(), &input, block_frames).unwrap();
        assert!(output == expected, "{block_frames}");
    }
}

#[test]
fn where_pause_and_sound_cannot_be_told_apart_nothing_is_cut() {
    let rate_hz = 16_000;
    let silence = vec![0.0; 10 * 16_000];
    let hiss = speech(rate_hz, &[(10.0, false)], 0.1);
    let tone = speech(rate_hz, &[(10.0, true)], 1e-3);
    for samples in [silence, hiss, tone, vec![0.5], vec![]] {
        let input = vec![samples];
        let (output, report) = trim(rate_hz, &input, &defaults());
        assert!(output == input);
        assert!(report.cuts().is_empty());
    }
}

#[test]
fn sound_in_one_channel_is_a_pause_in_none() {
    let rate_hz = 16_000;
    let left = speech(rate_hz, &[(2.0, true), (3.0, false), (2.0, true)], 1e-3);
    let right = speech(rate_hz, &[(2.0, false), (3.0, true), (2.0, false)], 1e-3);
    let input = vec![left, right];
    assert!(trim(rate_hz, &input, &defaults()).1.cuts().is_empty());
}

#[test]
fn a_fixed_threshold_is_taken_as_it_is() {
    let rate_hz = 16_000;
    // The tone has -13.5 dBFS; noise of 0.01 has -44.8 dBFS, less what the high-pass takes.
    let input = vec![speech(
        rate_hz,
        &[(2.0, true), (3.0, false), (2.0, true)],
        0.01,
    )];
    let cuts = |dbfs: f64| {
        let settings = defaults()
            .with(&THRESHOLD, "fixed")
            .with(&THRESHOLD_DBFS, dbfs);
        trim(rate_hz, &input, &settings).1.cuts().len()
    };
    assert_eq!((cuts(-48.0), cuts(-40.0)), (0, 1));
}

#[test]
fn pauses_with_room_noise_are_found_beside_muted_stretches() {
    for rate_hz in [8_000, 44_100, 48_000, 96_000] {
        for floor in [1e-3, 1e-2] {
            // As quiet as 16-bit dither, and nothing at all.
            for muted in [0.0, 2e-5] {
                for channels in [1, 2] {
                    let stretches = [
                        (4.0, true),
                        (3.0, false),
                        (4.0, true),
                        (5.0, false),
                        (4.0, true),
                        (3.0, false),
                        (4.0, true),
                    ];
                    let mut channel = speech(rate_hz, &stretches, floor);
                    let mut dither = Noise(3);
                    let seconds = |s: usize| s * rate_hz as usize;
                    for sample in &mut channel[seconds(11)..seconds(16)] {
                        *sample = muted * dither.next();
                    }
                    let input = vec![channel; channels];
                    for block_frames in [480, 4_800, 65_536] {
                        let (_, report) =
                            correct::<TrimSilence>(rate_hz, &defaults(), &input, block_frames)
                                .unwrap();
                        let cuts = self::seconds(rate_hz, &report);
                        assert_eq!(cuts.len(), 3, "{rate_hz} {floor} {muted}: {cuts:?}");
                        assert!((cuts[0].1 - 2.5).abs() <= 0.021, "{cuts:?}");
                        assert!((cuts[1].1 - 4.5).abs() <= 0.021, "{cuts:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn where_all_pauses_are_muted_quiet_sound_is_none() {
    let rate_hz = 16_000;
    // From loud to 30 dB quieter, twice a second, as syllables die away.
    let mut samples = speech(rate_hz, &[(30.0, true)], 0.0);
    for (frame, sample) in samples.iter_mut().enumerate() {
        let time = frame as f32 / 16_000.0;
        let quieter = 10f32.powf(-1.5 * (time * 2.0).fract());
        *sample *= if (time / 10.0).fract() < 0.3 {
            0.0
        } else {
            quieter
        };
    }
    let (_, report) = trim(rate_hz, &vec![samples], &defaults());
    let cuts = seconds(rate_hz, &report);
    assert_eq!(cuts.len(), 3, "{cuts:?}");
    assert!(cuts.iter().all(|cut| (cut.1 - 2.5).abs() < 0.2), "{cuts:?}");
}
