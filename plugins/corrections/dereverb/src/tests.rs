//! Made voices in made rooms, and the prediction against the authors' own.

#![allow(clippy::unwrap_used)]

use retake_plugin_sdk::earlier::StepReport;
use retake_plugin_sdk::testing::{correct, correct_after};

use super::*;
use crate::hermitian::Hermitian;
use crate::prediction::{Predictor, Series, Shape};

const RATES: [u32; 2] = [16_000, 48_000];

struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / 8_388_608.0 - 1.0
    }
}

/// Words of noise of 0.1 to 0.4 s, each with a pause after it: what no filter can foretell.
fn voice(rate: u32, seconds: f32) -> Vec<f32> {
    let mut noise = Noise(7);
    let mut samples = Vec::new();
    let (mut left, mut level, mut low) = (0, 0.0, 0.0);
    while samples.len() < (seconds * rate as f32) as usize {
        if left == 0 {
            level = if level == 0.0 {
                0.3 + 0.2 * noise.next()
            } else {
                0.0
            };
            left = ((0.25 + 0.15 * noise.next()) * rate as f32) as usize;
        }
        left -= 1;
        low += 0.4 * (noise.next() - low);
        samples.push(level * low);
    }
    samples
}

/// A room: the direct sound, and noise that dies away by 60 dB within a time.
fn room(rate: u32, rt60_s: f32, late: f32) -> Vec<f32> {
    let mut noise = Noise(3);
    let mut echoes: Vec<f32> = (0..(rt60_s * rate as f32) as usize)
        .map(|n| {
            let time_s = n as f32 / rate as f32;
            let sound = late * noise.next() * 10f32.powf(-3.0 * time_s / rt60_s);
            if time_s < 0.02 {
                0.0
            } else {
                sound / (rate as f32 / 1_000.0).sqrt()
            }
        })
        .collect();
    echoes[0] = 1.0;
    echoes
}

fn convolved(signal: &[f32], echoes: &[f32]) -> Vec<f32> {
    let size = (signal.len() + echoes.len()).next_power_of_two();
    let mut planner = realfft::RealFftPlanner::<f32>::new();
    let (forward, inverse) = (
        planner.plan_fft_forward(size),
        planner.plan_fft_inverse(size),
    );
    let mut spectra = [signal, echoes].map(|part| {
        let mut padded = part.to_vec();
        padded.resize(size, 0.0);
        let mut spectrum = forward.make_output_vec();
        forward.process(&mut padded, &mut spectrum).unwrap();
        spectrum
    });
    let [product, other] = &mut spectra;
    for (a, b) in product.iter_mut().zip(other) {
        *a *= *b / size as f32;
    }
    let mut output = inverse.make_output_vec();
    inverse.process(product, &mut output).unwrap();
    output.truncate(signal.len());
    output
}

fn run(rate: u32, settings: &Settings, input: &[f32]) -> (Vec<f32>, Report) {
    let (mut output, report) =
        correct::<Dereverb>(rate, settings, &vec![input.to_vec()], 4800).unwrap();
    (output.remove(0), report)
}

fn power(samples: impl Iterator<Item = f32>) -> f64 {
    samples.map(|s| f64::from(s) * f64::from(s)).sum()
}

/// How far what differs from the dry voice lies below it.
fn over_room_db(dry: &[f32], heard: &[f32]) -> f64 {
    let apart = dry.iter().zip(heard).map(|(dry, heard)| heard - dry);
    10.0 * (power(dry.iter().copied()) / power(apart)).log10()
}

#[test]
fn the_prediction_is_that_of_nara_wpe() {
    const FRAMES: usize = 400;
    let file = include_bytes!("../reference/nara.f32");
    let numbers: Vec<f32> = file
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b))
        .collect();
    let series = |pairs: &[f32]| {
        let mut series = Series::default();
        pairs
            .as_chunks::<2>()
            .0
            .iter()
            .for_each(|[re, im]| series.push((*re, *im)));
        series
    };
    let cases = [(10, 3, 3, 0), (24, 2, 2, 2), (5, 1, 1, 1)];
    assert_eq!(numbers.len(), cases.len() * 4 * FRAMES);
    for (numbers, (taps, delay, iterations, context)) in numbers.chunks(4 * FRAMES).zip(cases) {
        let (heard, left) = numbers.split_at(2 * FRAMES);
        let (heard, left) = (series(heard), series(left));
        let shape = Shape {
            taps,
            delay,
            iterations,
            context,
            least: 1e-10,
        };
        let mut predictor = Predictor::default();
        let room = predictor.predict(heard.from(0), 0, shape, |_| true);
        let apart = |heard: &[f32], room: &[f32], left: &[f32]| {
            let pairs = heard.iter().zip(room).zip(left);
            power(pairs.map(|((heard, room), left)| heard - room - left))
        };
        let apart = apart(&heard.re, &room.re, &left.re) + apart(&heard.im, &room.im, &left.im);
        let all = power(left.re.iter().chain(&left.im).copied());
        let snr_db = 10.0 * (all / apart).log10();
        assert!(snr_db > 60.0, "{taps} taps: {snr_db:.1} dB");
        // And there was something to find.
        assert!(
            power(room.re.iter().chain(&room.im).copied()) > 0.01 * all,
            "{taps} taps"
        );
    }
}

#[test]
fn a_hermitian_system_is_solved() {
    // L L^H of a known L, applied to a known vector.
    const N: usize = 6;
    let mut noise = Noise(5);
    let mut complex = || (f64::from(noise.next()), f64::from(noise.next()));
    let mut lower = [[(0.0, 0.0); N]; N];
    for row in 0..N {
        for entry in &mut lower[row][..row] {
            *entry = complex();
        }
        lower[row][row] = (1.5 + complex().0, 0.0);
    }
    let expected: Vec<_> = (0..N).map(|_| complex()).collect();
    let times = |a: (f64, f64), b: (f64, f64)| (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0);
    let plus = |a: (f64, f64), b: (f64, f64)| (a.0 + b.0, a.1 + b.1);
    let entry = |i: usize, j: usize| {
        (0..N).fold((0.0, 0.0), |sum, k| {
            let (re, im) = lower[j][k];
            plus(sum, times(lower[i][k], (re, -im)))
        })
    };
    let mut system = Hermitian::default();
    system.clear(N);
    for i in 0..N {
        for j in i..N {
            system.set(i, j, entry(i, j));
        }
        let aim = (0..N).fold((0.0, 0.0), |sum, j| {
            plus(sum, times(entry(i, j), expected[j]))
        });
        system.aim(i, aim);
    }
    for (found, expected) in system.solve(0.0).unwrap().iter().zip(&expected) {
        assert!((found.0 - expected.0).abs() < 1e-9 && (found.1 - expected.1).abs() < 1e-9);
    }
    system.clear(N);
    assert!(system.solve(0.0).is_none(), "silence has no filter");
}

#[test]
fn a_room_goes_and_the_voice_stays() {
    for rate in RATES {
        for (rt60_s, late) in [(0.4, 0.35), (0.8, 0.25)] {
            let dry = voice(rate, 11.5);
            let heard = convolved(&dry, &room(rate, rt60_s, late));
            let (output, report) = run(rate, &Settings::defaults::<Dereverb>(), &heard);
            let (before, after) = (over_room_db(&dry, &heard), over_room_db(&dry, &output));
            assert!(
                after > before + 2.5,
                "{rate} Hz, {rt60_s} s: {before:.1} dB, then {after:.1} dB"
            );
            assert!(
                report.get("taken").unwrap() > -12.0,
                "{rate} Hz, {rt60_s} s"
            );
        }
    }
}

#[test]
fn strength_is_how_much_of_it_goes() {
    let rate = 16_000;
    let dry = voice(rate, 6.0);
    let heard = convolved(&dry, &room(rate, 0.4, 0.35));
    let of = |strength| {
        let settings = Settings::defaults::<Dereverb>().with(&STRENGTH, strength);
        run(rate, &settings, &heard).0
    };
    assert!(of(0.0) == heard);
    let over = |heard: &[f32]| over_room_db(&dry, heard);
    let (none, half, all) = (over(&heard), over(&of(0.5)), over(&of(1.0)));
    assert!(
        none + 1.0 < half && half + 0.5 < all,
        "{none:.1}, {half:.1}, {all:.1} dB"
    );
}

#[test]
fn a_dry_voice_comes_through_to_the_last_bit() {
    for rate in RATES {
        let dry = voice(rate, 8.0);
        let (output, report) = run(rate, &Settings::defaults::<Dereverb>(), &dry);
        assert!(output == dry, "{rate} Hz");
        assert!(report.get("room").unwrap() < -11.0);
        assert_eq!(report.get("taken"), None);
    }
}

#[test]
fn music_that_was_found_stays_and_teaches_nothing() {
    let rate = 16_000;
    let heard = convolved(&voice(rate, 24.0), &room(rate, 0.5, 0.35));
    let at = |second: usize| second * rate as usize;
    // The same recording, in the middle of which are ten seconds of something else.
    let mut with_music = heard.clone();
    for (n, sample) in with_music[at(10)..at(20)].iter_mut().enumerate() {
        *sample = 0.3 * (n as f32 * 0.2).sin() + 0.2 * (n as f32 * 0.31).sin();
    }
    let told = Report::default()
        .count("music", "", "", 1)
        .at(at(10) as u64, at(10) as u64);
    let told = vec![StepReport::new("org.example.finder", "1.0.0", told)];
    let input = vec![with_music.clone()];
    let settings = Settings::defaults::<Dereverb>();
    let (output, _) = correct_after::<Dereverb>(rate, &settings, &input, 4800, told).unwrap();
    assert!(output[0][at(10)..at(20)] == with_music[at(10)..at(20)]);
    let without = run(rate, &settings, &heard).0;
    for range in [at(1)..at(8), at(21)..at(23)] {
        let changed = |output: &[f32]| {
            let pairs = output[range.clone()].iter().zip(&heard[range.clone()]);
            power(pairs.map(|(output, heard)| output - heard))
        };
        let ratio = changed(&output[0]) / changed(&without);
        assert!((0.7..1.4).contains(&ratio), "{ratio}");
    }
}

#[test]
fn output_does_not_depend_on_block_size() {
    let input = vec![convolved(&voice(16_000, 21.5), &room(16_000, 0.5, 0.35))];
    let run = |block| {
        let settings = Settings::defaults::<Dereverb>();
        correct::<Dereverb>(16_000, &settings, &input, block)
            .unwrap()
            .0
    };
    let whole = run(1_000_000);
    assert!(whole != input);
    for block in [997, 4800] {
        assert!(run(block) == whole, "blocks of {block} frames");
    }
}

#[test]
fn a_buzz_that_repeats_itself_exactly_is_no_trouble() {
    for rate in RATES {
        for seconds in [1.0, 2.0, 5.0] {
            let mut noise = Noise(3);
            let (mut phase, mut low) = (0.0f32, 0.0);
            let frames = (seconds * rate as f32) as usize;
            let input: Vec<f32> = (0..frames)
                .map(|n| {
                    let time_s = n as f32 / rate as f32;
                    phase = (phase + 179.0 / rate as f32).fract();
                    low += 0.3 * ((0.5 - phase) * (time_s * 9.0).sin().max(0.0) - low);
                    0.7 * low + 1e-3 * noise.next()
                })
                .collect();
            for input in [input.clone(), input.iter().map(|s| s * 1e-18).collect()] {
                let (output, _) = run(rate, &Settings::defaults::<Dereverb>(), &input);
                assert!(
                    output.iter().all(|s| s.is_finite()),
                    "{rate} Hz, {seconds} s"
                );
            }
        }
    }
}

#[test]
fn silence_and_the_shortest_recordings_stay_as_they_are() {
    for rate in RATES {
        for frames in [0, 1, 2, 127, 128, 129, 1_000, 10_000] {
            for value in [0.0, 0.5] {
                let input = vec![value; frames];
                let (output, _) = run(rate, &Settings::defaults::<Dereverb>(), &input);
                assert_eq!(output.len(), frames);
                let apart = output
                    .iter()
                    .zip(&input)
                    .fold(0f32, |most, (o, i)| most.max((o - i).abs()));
                assert!(apart < 0.6, "{frames} frames of {value}: {apart}");
                assert!(value > 0.0 || apart == 0.0);
            }
        }
    }
}
