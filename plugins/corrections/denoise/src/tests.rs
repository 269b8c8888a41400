//! Signal tests, and the rewrite of RNNoise against the crate it was made from.

#![allow(clippy::unwrap_used)]

use nnnoiseless::DenoiseState;
use retake_plugin_sdk::testing::correct;

use super::*;
use crate::rnnoise::Spared;

/// Deterministic noise, -1 to 1.
pub(crate) fn noise(frames: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..frames).map(|_| next()).collect()
}

/// Something like speech: a gliding buzz through a moving formant, in syllables with pauses.
fn voice(frames: usize) -> Vec<f32> {
    let (mut phase, mut low, mut band) = (0.0f32, 0.0f32, 0.0f32);
    (0..frames)
        .map(|n| {
            let time = n as f32 / 48_000.0;
            phase = (phase + (120.0 + 40.0 * (time * 1.7).sin()) / 48_000.0).fract();
            let syllable = (time * 9.0).sin().max(0.0) * (time * 0.8).sin().abs();
            let buzz = (0.5 - phase) * syllable;
            let formant = 0.08 + 0.05 * (time * 5.0).sin();
            low += formant * band;
            band += formant * (buzz - low - 0.3 * band);
            0.5 * band
        })
        .collect()
}

fn mixed(voice: &[f32], noise: &[f32], level: f32) -> Vec<f32> {
    voice
        .iter()
        .zip(noise)
        .map(|(voice, noise)| voice + level * noise)
        .collect()
}

fn by_the_crate(input: &[f32]) -> Vec<f32> {
    let mut state = DenoiseState::new();
    let mut output = vec![0.0; input.len()];
    for (input, output) in input
        .chunks_exact(FRAME)
        .zip(output.chunks_exact_mut(FRAME))
    {
        let scaled: Vec<f32> = input.iter().map(|s| s * FULL_SCALE).collect();
        state.process_frame(output, &scaled);
        output.iter_mut().for_each(|s| *s /= FULL_SCALE);
    }
    output
}

fn by_us(input: &[f32]) -> Vec<f32> {
    let mut denoiser = Denoiser::new();
    let mut output = vec![0.0; input.len()];
    let frames = input
        .as_chunks::<FRAME>()
        .0
        .iter()
        .zip(output.as_chunks_mut::<FRAME>().0);
    for (input, output) in frames {
        denoiser.run(&input.map(|s| s * FULL_SCALE), &Spared::nothing(), output);
        output.iter_mut().for_each(|s| *s /= FULL_SCALE);
    }
    output
}

/// RNNoise's pitch filter jumps where a band's periodicity just reaches its gain, which in a voice
/// without any noise is nearly everywhere. Rounding then decides, and a few frames in a
/// thousand differ by more; for everything with noise in it the bound holds throughout.
#[test]
fn output_is_the_crates_to_within_1e_4() {
    let frames = 60 * 48_000;
    let (voice, noise) = (voice(frames), noise(frames, 1));
    let with_pauses = voice
        .iter()
        .enumerate()
        .map(|(n, s)| s * (n / 30_000 % 2) as f32)
        .collect();
    let check = |name: &str, input: Vec<f32>, exceptions_max: usize| {
        let (ours, theirs) = (by_us(&input), by_the_crate(&input));
        let apart = |(ours, theirs): (&[f32], &[f32])| {
            ours.iter().zip(theirs).any(|(a, b)| (a - b).abs() > 1e-4)
        };
        let frames = ours.chunks(FRAME).zip(theirs.chunks(FRAME));
        let exceptions = frames.filter(|frame| apart(*frame)).count();
        assert!(
            exceptions <= exceptions_max,
            "{name}: {exceptions} frames of 6000 differ"
        );
    };
    check("voice in noise", mixed(&voice, &noise, 0.02), 0);
    check("voice in loud noise", mixed(&voice, &noise, 0.2), 0);
    check("faint noise", noise.iter().map(|s| s * 1e-4).collect(), 0);
    let sine = |n| (n as f32 * 0.05).sin() * 0.8;
    let square = |n| if n / 100 % 2 == 0 { 1.0 } else { -1.0 };
    check("square at full scale", (0..frames).map(square).collect(), 0);
    check("noise at full scale", noise, 0);
    check("silence", vec![0.0; frames], 0);
    check("voice with pauses", with_pauses, 10);
    check("voice alone", voice, 10);
    check("sine", (0..frames).map(sine).collect(), 0);
}

#[test]
fn the_latency_is_the_stated_one() {
    // A voice without noise comes through nearly as it was: its correlation with the input peaks at
    // no shift once the latency is off. Differences are compared, because RNNoise's own high-pass
    // turns the phase of what is lowest.
    let input = voice(4 * 48_000);
    let settings = Settings::defaults::<Denoise>();
    let (output, _) = correct::<Denoise>(48_000, &settings, &vec![input.clone()], 4800).unwrap();
    let edges = |a: &[f32]| a.windows(2).map(|w| w[1] - w[0]).collect::<Vec<_>>();
    let (input, output) = (edges(&input), edges(&output[0]));
    let correlation = |shift: isize| -> f32 {
        let output = &output[9_600usize.wrapping_add_signed(shift)..];
        input[9_600..180_000]
            .iter()
            .zip(output)
            .map(|(a, b)| a * b)
            .sum()
    };
    let best = (-600..=600).max_by(|a, b| correlation(*a).total_cmp(&correlation(*b)));
    assert_eq!(best, Some(0));
}

#[test]
fn noise_goes_and_the_voice_stays() {
    let frames = 10 * 48_000;
    let (voice, noise) = (voice(frames), noise(frames, 7));
    let noisy = vec![mixed(&voice, &noise, 0.01)];
    let settings = Settings::defaults::<Denoise>();
    let (output, _) = correct::<Denoise>(48_000, &settings, &noisy, 4800).unwrap();
    let level_db = |a: &[f32], spoken: bool| {
        let mut power = (0.0, 0u32);
        for (n, sample) in a.iter().enumerate().skip(48_000) {
            let syllable = (n as f32 / 48_000.0 * 9.0).sin();
            if if spoken {
                syllable > 0.3
            } else {
                syllable < -0.5
            } {
                power = (power.0 + f64::from(*sample).powi(2), power.1 + 1);
            }
        }
        10.0 * (power.0 / f64::from(power.1)).log10()
    };
    let change = |spoken| level_db(&output[0], spoken) - level_db(&noisy[0], spoken);
    assert!(
        change(false) < -15.0,
        "pauses changed by {:.1} dB",
        change(false)
    );
    assert!(
        change(true).abs() < 1.0,
        "syllables changed by {:.1} dB",
        change(true)
    );
}

#[test]
fn noise_is_down_from_the_first_moment() {
    let (noise, frames) = (noise(6 * 48_000, 9), 48_000);
    let settings = Settings::defaults::<Denoise>();
    let level_db = |a: &[f32]| {
        let power: f64 = a.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        10.0 * (power / a.len() as f64).log10()
    };
    for (level, silent_frames) in [(0.03, 0), (0.001, 0), (0.03, frames)] {
        let mut input: Vec<f32> = noise.iter().map(|sample| level * sample).collect();
        input[..silent_frames].fill(0.0);
        let (output, _) =
            correct::<Denoise>(48_000, &settings, &vec![input.clone()], 4800).unwrap();
        let change = |from: usize, to: usize| {
            let (from, to) = (silent_frames + from, silent_frames + to);
            level_db(&output[0][from..to]) - level_db(&input[from..to])
        };
        let (first, then) = (change(0, 19_200), change(96_000, 4 * frames));
        assert!(first < -10.0, "the first 0.4 s changed by {first:.1} dB");
        assert!(
            (first - then).abs() < 6.0,
            "a step from {first:.1} to {then:.1} dB"
        );
    }
}

#[test]
fn a_first_word_is_not_taken_for_the_noise() {
    let frames = 6 * 48_000;
    // It begins amid a syllable.
    let voice = voice(frames + 72_000).split_off(72_000 + 7_200);
    let noisy = vec![mixed(&voice, &noise(frames, 4), 0.003)];
    let settings = Settings::defaults::<Denoise>();
    let (output, _) = correct::<Denoise>(48_000, &settings, &noisy, 4800).unwrap();
    let level_db = |a: &[f32]| {
        let power: f64 = a.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        10.0 * (power / a.len() as f64).log10()
    };
    for from in [0, 4_800, 9_600, 24_000] {
        let word = from..from + 4_800;
        let change = level_db(&output[0][word.clone()]) - level_db(&noisy[0][word.clone()]);
        let level = level_db(&noisy[0][word]);
        if level > -35.0 {
            assert!(
                change.abs() < 1.5,
                "frame {from} at {level:.1} dB changed by {change:.1} dB"
            );
        }
    }
}

#[test]
fn a_beginning_is_clean_where_its_pauses_are() {
    let frames = 4 * 48_000;
    let (voice, noise) = (voice(frames), noise(frames, 4));
    let is_clean = |level: f32| crate::start::is_clean(&mixed(&voice, &noise, level));
    assert!(is_clean(0.0) && is_clean(1e-5));
    // About 20 dB below the voice, and as loud as it.
    assert!(!is_clean(0.004) && !is_clean(0.04));
    assert!(!crate::start::is_clean(&noise));
}

#[test]
fn whatever_the_length_all_of_it_comes_back() {
    let settings = Settings::defaults::<Denoise>();
    let noise = noise(200_000, 2);
    for frames in [1, 479, 480, 481, 4_801, 191_999, 192_000, 192_001, 200_000] {
        let input = vec![noise[..frames].to_vec()];
        for block in [480, 4_800, 201_600] {
            let (output, _) = correct::<Denoise>(48_000, &settings, &input, block).unwrap();
            assert_eq!(output[0].len(), frames);
        }
    }
}

#[test]
fn strength_0_is_the_input_and_half_is_half_way() {
    let frames = 48_000;
    let input = vec![mixed(&voice(frames), &noise(frames, 3), 0.05)];
    let run = |strength| {
        let settings = Settings::defaults::<Denoise>().with(&STRENGTH, strength);
        correct::<Denoise>(48_000, &settings, &input, 480)
            .unwrap()
            .0
            .remove(0)
    };
    assert_eq!(run(0.0), input[0]);
    let (half, full) = (run(0.5), run(1.0));
    for n in 0..frames {
        assert!(
            (half[n] - 0.5 * (input[0][n] + full[n])).abs() < 1e-6,
            "frame {n}"
        );
    }
}

#[test]
fn output_does_not_depend_on_block_size() {
    // Longer than what is held back, after some silence.
    let mut input = vec![mixed(&voice(220_000), &noise(220_000, 5), 0.05)];
    input[0][..7_000].fill(0.0);
    let settings = Settings::defaults::<Denoise>();
    let run = |block| {
        correct::<Denoise>(48_000, &settings, &input, block)
            .unwrap()
            .0
    };
    let whole = run(240_000);
    for block in [480, 960, 4800] {
        assert!(run(block) == whole, "{block}");
    }
}
