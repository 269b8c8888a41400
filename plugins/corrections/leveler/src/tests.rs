//! The result, measured by a meter that is not ours where there is one.

#![allow(clippy::unwrap_used)]

use ebur128::{EbuR128, Mode};
use retake_plugin_sdk::earlier::StepReport;
use retake_plugin_sdk::testing::{correct, correct_after};

use super::*;
use crate::compressor::Curve;

const RATES: [u32; 7] = [8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000];

/// Sentences of a buzz in syllables, three seconds and a pause of one second, over faint noise.
fn speech(rate: u32, seconds: f32, level: f32) -> Vec<f32> {
    let mut state = 1u32;
    let (mut phase, mut low) = (0.0f32, 0.0);
    (0..(rate as f32 * seconds) as usize)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 8) as f32 / 8_388_608.0 - 1.0;
            let time = n as f32 / rate as f32;
            phase = (phase + 130.0 / rate as f32).fract();
            let syllable = (time * 26.0).sin().max(0.0) * (0.6 + 0.4 * (time * 3.1).sin());
            low += (0.3 * 48_000.0 / rate as f32).min(1.0) * ((0.5 - phase) - low);
            let voice = if time % 4.0 < 3.0 {
                syllable * low
            } else {
                0.0
            };
            level * (voice + 0.002 * noise)
        })
        .collect()
}

/// Voices one after the other, each of 12 s, with these levels.
fn voices(rate: u32, levels: &[f32]) -> Vec<f32> {
    levels
        .iter()
        .flat_map(|&level| speech(rate, 12.0, level))
        .collect()
}

fn lufs(rate: u32, channel: &[f32]) -> f64 {
    let mut meter = EbuR128::new(1, rate, Mode::I).unwrap();
    meter.add_frames_f32(channel).unwrap();
    meter.loudness_global().unwrap()
}

fn gentle() -> Settings {
    Settings::defaults::<Leveler>().with(&RATIO, 1.0)
}

#[test]
fn voices_of_different_levels_come_to_one() {
    const LEVELS: [f32; 4] = [0.3, 0.1, 0.5, 0.15];
    for rate in RATES {
        let input = vec![voices(rate, &LEVELS)];
        for settings in [gentle(), Settings::defaults::<Leveler>()] {
            let (output, report) = correct::<Leveler>(rate, &settings, &input, 4800).unwrap();
            let each: Vec<f64> = output[0]
                .chunks(rate as usize * 12)
                .map(|voice| lufs(rate, voice))
                .collect();
            let highest = each.iter().copied().fold(f64::MIN, f64::max);
            let lowest = each.iter().copied().fold(f64::MAX, f64::min);
            assert!(highest - lowest < 1.0, "{rate} Hz: {each:.2?}");
            let spread = |id| report.get(id).unwrap();
            assert!(
                spread("spread-before") > 4.0 && spread("spread-after") < 1.5,
                "{rate} Hz"
            );
            assert!(
                spread("range-after") < spread("range-before") - 6.0,
                "{rate} Hz"
            );
        }
    }
}

#[test]
fn a_fixed_target_is_reached_with_and_without_compression() {
    for rate in RATES {
        for ratio in [1.0, 2.0, 4.0] {
            let settings = Settings::defaults::<Leveler>()
                .with(&TARGET, "fixed")
                .with(&TARGET_LUFS, -23.0)
                .with(&RATIO, ratio);
            let input = vec![voices(rate, &[0.2, 0.05])];
            let (output, _) = correct::<Leveler>(rate, &settings, &input, 4800).unwrap();
            let reached = lufs(rate, &output[0]);
            assert!(
                (reached + 23.0).abs() < 0.5,
                "{rate} Hz, {ratio}:1: {reached:.2} LUFS"
            );
        }
    }
}

#[test]
fn the_gain_keeps_to_its_range_and_its_speed() {
    let input = vec![voices(16_000, &[0.6, 0.01, 0.2])];
    for range in [0.0, 3.0, 12.0] {
        for slew in [2.0, 24.0] {
            let settings = gentle().with(&RANGE_DB, range).with(&SLEW_DB_PER_S, slew);
            let (_, report) = correct::<Leveler>(16_000, &settings, &input, 4800).unwrap();
            let (least, most) = (
                report.get("gain-min").unwrap(),
                report.get("gain-max").unwrap(),
            );
            assert!(
                most - least <= 2.0 * range + 1e-9,
                "{least} to {most} dB, range {range}"
            );
        }
        let mut hops = Hops::new(16_000, &[1.0], HOPS_PER_SECOND);
        hops.add(&input);
        let powers = hops.powers.clone();
        let peaks = vec![0.5; powers.len()];
        let wish = Wish {
            target_lufs: None,
            range_db: 12.0,
            slew_db_per_hop: 0.5,
            ratio: 1.0,
        };
        let hops = hops.powers.len();
        let (voiced, music) = (vec![true; hops], vec![false; hops]);
        let gains = Ride::new(&wish, &powers, &peaks, &voiced, &music).gains_db;
        assert!(
            gains
                .windows(2)
                .all(|two| (two[1] - two[0]).abs() <= 0.5 + 1e-3)
        );
        assert!(gains.windows(2).any(|two| (two[1] - two[0]).abs() > 0.4));
    }
}

#[test]
fn a_pause_is_not_lifted_above_the_speech_beside_it() {
    // Eight seconds of nothing but noise between a voice and a quieter one.
    let rate = 16_000;
    let loud = speech(rate, 11.0, 0.4);
    let noise: Vec<f32> = speech(rate, 4.0, 0.4)[rate as usize * 3..].repeat(8);
    let quiet = speech(rate, 12.0, 0.1);
    let input = vec![[loud.clone(), noise, quiet].concat()];
    let (output, report) = correct::<Leveler>(rate, &gentle(), &input, 4800).unwrap();
    let gain_db = |from_s: f32, to_s: f32| {
        let range = (from_s * rate as f32) as usize..(to_s * rate as f32) as usize;
        let power = |channel: &[f32]| channel[range.clone()].iter().map(|s| s * s).sum::<f32>();
        10.0 * (power(&output[0]) / power(&input[0])).log10()
    };
    let (first, second) = (gain_db(4.0, 11.0), gain_db(20.0, 30.0));
    assert!(second - first > 10.0, "{first} dB and {second} dB");
    for second in 12..18 {
        let pause = gain_db(second as f32, second as f32 + 1.0);
        assert!(
            pause < first + 0.5,
            "{pause:.1} dB in the pause, {first:.1} dB in the speech"
        );
    }
    assert!(report.get("speech").unwrap() < 75.0);
}

#[test]
fn a_breath_is_not_lifted_above_the_sentence_that_it_belongs_to() {
    for rate in [16_000, 48_000] {
        let seconds = |s: f32| (s * rate as f32) as usize;
        let talk = speech(rate, 11.0, 0.4);
        // A long pause in which somebody breathes, 20 dB below the talk, and speaks on.
        let mut pause: Vec<f32> = speech(rate, 4.0, 0.4)[seconds(3.0)..].repeat(9);
        let mut state = 3u32;
        let mut mouth = [0.0f32; 2];
        for at in [1.5, 3.5, 5.5, 7.0] {
            for n in 0..seconds(0.45) {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = (state >> 8) as f32 / 8_388_608.0 - 1.0;
                let part = n as f32 / seconds(0.45) as f32;
                mouth[0] += 0.3 * (48_000.0 / rate as f32).min(2.0) * (noise - mouth[0]);
                mouth[1] += 0.02 * (mouth[0] - mouth[1]);
                pause[seconds(at) + n] +=
                    0.02 * (part * std::f32::consts::PI).sin() * (mouth[0] - mouth[1]);
            }
        }
        let input = vec![[talk.clone(), pause, talk].concat()];
        let (output, _) = correct::<Leveler>(rate, &gentle(), &input, 4800).unwrap();
        let gain_db = |from_s: f32, to_s: f32| {
            let range = seconds(from_s)..seconds(to_s);
            let power = |channel: &[f32]| channel[range.clone()].iter().map(|s| s * s).sum::<f32>();
            10.0 * (power(&output[0]) / power(&input[0])).log10()
        };
        let sentence = gain_db(4.0, 11.0).max(gain_db(21.0, 30.0));
        for at in [12.5, 14.5, 16.5, 18.0] {
            let breath = gain_db(at, at + 0.45);
            assert!(
                breath < sentence + 0.5,
                "{rate} Hz: {breath:.1} dB at {at} s, {sentence:.1} dB in the talk"
            );
        }
    }
}

#[test]
fn music_that_was_found_stays_as_it_is() {
    let rate = 16_000;
    // Between two voices something that rises and falls as they do, and has a pitch too.
    let input = vec![voices(rate, &[0.4, 0.03, 0.2])];
    let at = |second: u64| second * u64::from(rate);
    let settings = Settings::defaults::<Leveler>();
    for block in [997, 4800] {
        let told = Report::default()
            .count("music", "", "", 1)
            .at(at(12), at(12));
        let told = vec![StepReport::new("org.example.finder", "1.0.0", told)];
        let (output, _) = correct_after::<Leveler>(rate, &settings, &input, block, told).unwrap();
        let music = at(12) as usize..at(24) as usize;
        assert!(output[0][music.clone()] == input[0][music.clone()]);
        let each = [0..at(11) as usize, at(25) as usize..at(36) as usize];
        let [first, last] = each.map(|voice| lufs(rate, &output[0][voice]));
        assert!((first - last).abs() < 1.0, "{first:.1} and {last:.1} LUFS");
    }
    let (without, _) = correct::<Leveler>(rate, &settings, &input, 4800).unwrap();
    let music = at(14) as usize..at(22) as usize;
    assert!(lufs(rate, &without[0][music.clone()]) > lufs(rate, &input[0][music]) + 6.0);
}

#[test]
fn steady_sound_is_no_speech_and_stays_as_it_is() {
    let rate = 48_000;
    let tone: Vec<f32> = (0..rate * 10)
        .map(|n| (n as f32 * 0.06).sin() * 0.1)
        .collect();
    let input = vec![tone];
    let (output, report) =
        correct::<Leveler>(rate, &Settings::defaults::<Leveler>(), &input, 4800).unwrap();
    assert!(output == input);
    assert_eq!(report.get("gain-max"), Some(0.0));
}

#[test]
fn a_steady_tone_is_compressed_by_the_curve() {
    // Threshold -20 dBFS, knee 6 dB.
    let lufs = -20.0 - compressor::ABOVE_LOUDNESS_DB;
    for (rate, peak_db) in RATES
        .into_iter()
        .flat_map(|r| [-30.0, -20.0, -14.0, -4.0].map(|p| (r, p)))
    {
        for ratio in [1.0, 2.0, 4.0] {
            let mut compressor = Compressor::new(rate, 1, ratio);
            compressor.aim(Some(lufs), -1.0);
            let amplitude = db_to_factor(peak_db);
            let tone = vec![vec![amplitude; rate as usize]];
            let output = compressor.run(tone);
            let over = peak_db + 20.0;
            let expected = match over {
                over if over < -3.0 => 0.0,
                over if over > 3.0 => over * (1.0 - 1.0 / ratio),
                _ => (over + 3.0).powi(2) / 12.0 * (1.0 - 1.0 / ratio),
            };
            let reached = -factor_to_db(f64::from(output[0][rate as usize - 1] / amplitude));
            assert!(
                (reached - expected).abs() < 0.05,
                "{rate} Hz, {peak_db} dBFS, {ratio}:1: {reached:.2} dB, expected {expected:.2} dB"
            );
        }
    }
}

#[test]
fn no_sample_exceeds_the_ceiling_unless_the_recordings_own_did() {
    for rate in RATES {
        let mut input = voices(rate, &[0.6, 0.04]);
        // Clicks, which no slow gain can know.
        for click in (0..input.len()).step_by(rate as usize / 3) {
            input[click] = 0.8;
        }
        let settings = gentle().with(&TARGET, "fixed").with(&TARGET_LUFS, -12.0);
        let run = |input: Vec<f32>| {
            let output = correct::<Leveler>(rate, &settings, &vec![input], 4800)
                .unwrap()
                .0;
            compressor::peak(&output[0])
        };
        let ceiling = db_to_factor(CEILING_DBFS);
        let peak = run(input.clone());
        assert!(peak <= ceiling * 1.0001 && peak > 0.7, "{rate} Hz: {peak}");
        input[17] = 1.5;
        let peak = run(input);
        assert!(peak <= 1.5001 && peak > ceiling, "{rate} Hz: {peak}");
    }
    let curve = Curve::new(-18.0, 1.0, -1.0);
    assert_eq!(curve.reduction_db(2.0), 3.0);
}

#[test]
fn output_is_aligned_with_the_input_and_channels_keep_their_balance() {
    for rate in RATES {
        let left = voices(rate, &[0.3, 0.1]);
        let right: Vec<f32> = left.iter().map(|s| s * 0.5).collect();
        let settings = Settings::defaults::<Leveler>();
        let (output, _) =
            correct::<Leveler>(rate, &settings, &vec![left.clone(), right], 4800).unwrap();
        for ((before, l), r) in left.iter().zip(&output[0]).zip(&output[1]) {
            assert!((l * 0.5 - r).abs() <= 1e-6);
            // A gain has no sign and no delay: nothing comes from nothing, everything from its own.
            assert!(l * before >= 0.0 && (*before != 0.0 || *l == 0.0));
        }
    }
}

#[test]
fn silence_and_the_shortest_recordings_stay_as_they_are() {
    for frames in [0, 1, 2, 1_000, 48_000] {
        // A second of an offset would be a second of a weighting filter's ringing.
        for value in if frames < 10_000 {
            vec![0.0, 0.25, 1.0]
        } else {
            vec![0.0]
        } {
            let input = vec![vec![value; frames]; 2];
            let (output, _) =
                correct::<Leveler>(48_000, &Settings::defaults::<Leveler>(), &input, 4800).unwrap();
            assert!(output == input, "{frames} frames of {value}");
        }
    }
}

#[test]
fn output_does_not_depend_on_block_size() {
    let input = vec![voices(22_050, &[0.3, 0.1]), voices(22_050, &[0.1, 0.3])];
    let run = |block| {
        let settings = Settings::defaults::<Leveler>();
        correct::<Leveler>(22_050, &settings, &input, block)
            .unwrap()
            .0
    };
    let whole = run(1_000_000);
    for block in [1, 480, 4800, 8192] {
        assert!(run(block) == whole, "blocks of {block} frames");
    }
}
