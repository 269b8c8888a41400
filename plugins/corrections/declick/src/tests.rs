//! Clicks put where we know them, on signals that have none.

#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;

use retake_plugin_sdk::testing::correct;

use super::*;

const RATES: [u32; 6] = [8_000, 16_000, 22_050, 44_100, 48_000, 96_000];

struct Chance(u32);

impl Chance {
    /// From -1 to 1.
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 8) as f32 / 8_388_608.0 - 1.0
    }
}

/// A chord that swells, over faint noise.
fn music(rate: u32, seconds: f64) -> Vec<f32> {
    let mut chance = Chance(5);
    (0..(f64::from(rate) * seconds) as usize)
        .map(|n| {
            let time = n as f64 / f64::from(rate);
            let swell = 0.2 + 0.1 * (TAU * 0.7 * time).sin();
            let chord: f64 = [220.0, 277.2, 329.6, 880.0]
                .iter()
                .map(|hz| (TAU * hz * time).sin())
                .sum();
            (0.3 * swell * chord) as f32 + 0.0005 * chance.next()
        })
        .collect()
}

/// Pulses of a voice at 110 Hz through two formants, in syllables, and every second the burst of a
/// "t": noise that sets in at once and dies away in 30 ms.
fn voice(rate: u32, seconds: f64) -> Vec<f32> {
    let mut chance = Chance(9);
    let step = 1.0 / f64::from(rate);
    let mut formants = [(600.0, 0.0, 0.0), (1_500.0, 0.0, 0.0)];
    let mut phase = 0.0;
    (0..(f64::from(rate) * seconds) as usize)
        .map(|n| {
            let time = n as f64 * step;
            phase += 110.0 * step;
            let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
            phase %= 1.0;
            let breath = 0.002 * f64::from(chance.next());
            let syllable = (time * 8.0).sin().max(0.0);
            let mut sum = 0.0;
            for (hz, last, before) in &mut formants {
                let r = (-TAU * 45.0 * step).exp();
                let now = pulse * syllable + breath + 2.0 * r * (TAU * *hz * step).cos() * *last
                    - r * r * *before;
                (*before, *last) = (*last, now);
                sum += now;
            }
            let since = time.fract();
            let burst = 0.1 * f64::from(chance.next()) * (-since / 0.01).exp();
            (0.1 * sum + if time >= 1.0 { burst } else { 0.0 }) as f32
        })
        .collect()
}

fn run(rate: u32, input: &[f32], settings: &Settings) -> (Vec<f32>, Report) {
    let (mut output, report) =
        correct::<Declick>(rate, settings, &vec![input.to_vec()], 4800).unwrap();
    (output.remove(0), report)
}

fn off_db(a: &[f32], b: &[f32]) -> f64 {
    let power: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    10.0 * (power / a.len() as f64).log10()
}

#[test]
fn clicks_are_found_counted_and_gone_and_all_else_stays() {
    for rate in RATES {
        let clean = music(rate, 4.0);
        let mut input = clean.clone();
        let mut chance = Chance(3);
        let places: Vec<usize> = (1..16)
            .map(|n| n * rate as usize / 4 + 37 * n)
            .filter(|at| at + 50 < input.len())
            .collect();
        let longest = 1 + rate as usize / 4_000;
        for at in &places {
            for sample in &mut input[*at..at + longest] {
                *sample += 0.4 * (1.5 + chance.next()) * chance.next().signum();
            }
        }
        let (output, report) = run(rate, &input, &Settings::defaults::<Declick>());
        assert_eq!(report.get("clicks"), Some(places.len() as f64), "{rate} Hz");
        let per_minute = report.get("clicks-per-minute").unwrap();
        assert!(
            (per_minute - 15.0 * places.len() as f64).abs() < 1.0,
            "{per_minute}"
        );
        let gone = off_db(&input, &clean) - off_db(&output, &clean);
        assert!(gone > 25.0, "{rate} Hz: clicks fell by {gone:.1} dB");
        let reach = 8 + rate as usize / 2_000;
        for (n, (out, sample)) in output.iter().zip(&input).enumerate() {
            let near = places
                .iter()
                .any(|at| n + reach >= *at && n < at + longest + reach);
            assert!(
                near || out == sample,
                "frame {n} at {rate} Hz was not a click"
            );
        }
    }
}

#[test]
fn vocal_cords_and_plosives_are_not_clicks() {
    for rate in RATES {
        let voice = voice(rate, 6.0);
        let (output, report) = run(rate, &voice, &Settings::defaults::<Declick>());
        let clicks = report.get("clicks").unwrap();
        assert!(clicks <= 2.0, "{clicks} false ones at {rate} Hz");
        let changed = off_db(&output, &voice) - off_db(&voice, &vec![0.0; voice.len()]);
        assert!(changed < -35.0, "{rate} Hz: changed at {changed:.1} dB");
    }
}

#[test]
fn a_higher_sensitivity_finds_fainter_clicks() {
    let mut input = music(48_000, 2.0);
    for n in 1..9 {
        input[n * 10_000] += 0.0004 * 2f32.powi(n as i32);
    }
    let found = |sensitivity| {
        let settings = Settings::defaults::<Declick>().with(&SENSITIVITY, sensitivity);
        run(48_000, &input, &settings).1.get("clicks").unwrap()
    };
    assert!(found(0.0) < found(50.0) && found(50.0) < found(100.0));
}

#[test]
fn what_is_longer_than_asked_for_stays() {
    let mut input = music(48_000, 1.0);
    let mut chance = Chance(4);
    input[20_000..20_096]
        .iter_mut()
        .for_each(|s| *s += 0.3 * chance.next());
    let settings = |ms| Settings::defaults::<Declick>().with(&MAX_CLICK_MS, ms);
    assert!(run(48_000, &input, &settings(0.5)).0[20_008..20_088] == input[20_008..20_088]);
    assert!(run(48_000, &input, &settings(4.0)).0[20_008..20_088] != input[20_008..20_088]);
}

#[test]
fn audio_without_clicks_stays_to_the_bit() {
    for rate in RATES {
        let mut chance = Chance(8);
        let noise: Vec<f32> = (0..rate).map(|_| chance.next()).collect();
        for (name, input) in [
            ("music", music(rate, 2.0)),
            ("noise", noise),
            ("silence", vec![0.0; rate as usize]),
            ("an offset", vec![1.0; rate as usize]),
            ("nothing", vec![]),
        ] {
            let (output, _) = run(rate, &input, &Settings::defaults::<Declick>());
            assert!(output == input, "{name} at {rate} Hz");
        }
    }
}

#[test]
fn a_recording_of_a_few_frames_comes_back_as_long_and_finite() {
    for frames in 1..40 {
        let (output, _) = run(48_000, &vec![0.5; frames], &Settings::defaults::<Declick>());
        assert_eq!(output.len(), frames);
        assert!(output.iter().all(|s| s.abs() <= 1.0), "{output:?}");
    }
}

#[test]
fn output_does_not_depend_on_block_size() {
    let mut input = voice(22_050, 2.0);
    for n in 1..60 {
        input[n * 700] += 0.3;
    }
    let input = vec![input];
    let settings = Settings::defaults::<Declick>();
    let whole = correct::<Declick>(22_050, &settings, &input, 1 << 20)
        .unwrap()
        .0;
    assert!(whole != input);
    for block in [1, 480, 4801] {
        let pieces = correct::<Declick>(22_050, &settings, &input, block)
            .unwrap()
            .0;
        assert!(pieces == whole, "blocks of {block} frames");
    }
}

#[test]
fn no_click_is_missed_by_the_first_rough_look() {
    use retake_autoregression::{Hann, Model};
    const STRETCH: usize = 3_000;
    let window = Hann::new(STRETCH);
    let (mut chance, mut found, mut spared) = (Chance(11), 0, 0);
    for clean in [voice(48_000, 20.0), music(48_000, 20.0)] {
        for sensitivity in [0.0, 50.0, 100.0] {
            let detector = detect::Detector::new(48_000.0, sensitivity, 96);
            for stretch in clean.chunks_exact(STRETCH) {
                let mut audio: Vec<f64> = stretch.iter().map(|s| f64::from(*s)).collect();
                // From what is far below the audio to what is far above it.
                let level = 10f64.powf(-3.0 + 2.0 * f64::from(chance.next()));
                audio[1_000 + (900.0 * chance.next().abs()) as usize] += level;
                let model = Model::fit(&audio, &window, 80).unwrap();
                let within = 900..STRETCH - 80;
                let clicks = detector.clicks(&model, &audio, within.clone());
                let may_find = detector.may_find(&model, &audio, within);
                assert!(
                    may_find || clicks.is_empty(),
                    "{level:.6} at {sensitivity} %"
                );
                found += usize::from(!clicks.is_empty());
                spared += usize::from(!may_find);
            }
        }
    }
    assert!(
        found > 300 && spared > 300,
        "{found} found, {spared} spared"
    );
}
