#![allow(clippy::unwrap_used)]

use retake_plugin_sdk::testing::correct;

use super::*;
use crate::bands::Shape;

const RATES: [u32; 7] = [8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000];

fn noise(frames: usize) -> Vec<f32> {
    let mut state = 1u32;
    (0..frames)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

/// Every shape over its whole range of parameters.
fn all_bands() -> Vec<Band> {
    let mut bands = Vec::new();
    for (shape, qs) in [
        (Shape::LowShelf, [0.3, 0.5, 0.7, 1.0]),
        (Shape::Peak, [0.2, 0.7, 2.0, 16.0]),
        (Shape::HighShelf, [0.3, 0.5, 0.7, 1.0]),
    ] {
        for q in qs {
            for frequency_hz in [
                20.0, 100.0, 700.0, 3_000.0, 6_000.0, 9_000.0, 12_000.0, 20_000.0,
            ] {
                for gain_db in [-18.0, -6.0, -0.5, 0.02, 3.0, 12.0, 18.0] {
                    bands.push(Band {
                        shape,
                        gain_db,
                        frequency_hz,
                        q,
                    });
                }
            }
        }
    }
    bands
}

#[test]
fn the_gain_is_the_analogue_bands_up_to_nine_tenths_of_half_the_rate() {
    let mut misses = Vec::new();
    for rate in RATES {
        let rate_hz = f64::from(rate);
        for band in all_bands() {
            let digital = fit::digital(&band, rate_hz);
            assert!(digital.is_stable(), "{band:?} at {rate} Hz");
            let worst = (0..300)
                .map(|point| 10.0 * (0.045 * rate_hz).powf(f64::from(point) / 299.0))
                .map(|hz| (digital.gain_db(rate_hz, hz) - band.gain_db_at(hz)).abs())
                .fold(0.0, f64::max);
            assert!(worst < 0.75, "{band:?} at {rate} Hz: {worst:.2} dB");
            misses.push(worst);
        }
    }
    misses.sort_by(f64::total_cmp);
    let (usual, most) = (misses[misses.len() / 2], misses[misses.len() * 95 / 100]);
    assert!(
        usual < 0.01 && most < 0.25,
        "median {usual:.3} dB, 95 % within {most:.3} dB"
    );
}

#[test]
fn a_cut_undoes_the_boost() {
    for rate in RATES {
        for band in all_bands() {
            let there = fit::digital(&band, rate.into());
            let back = fit::digital(
                &Band {
                    gain_db: -band.gain_db,
                    ..band
                },
                rate.into(),
            );
            for hz in fit::thirds(rate.into()) {
                let sum = there.gain_db(rate.into(), hz) + back.gain_db(rate.into(), hz);
                assert!(sum.abs() < 1e-4, "{band:?} at {rate} Hz, {hz} Hz: {sum}");
            }
        }
    }
}

#[test]
fn what_comes_out_has_the_gain_of_all_bands_together() {
    let settings = [
        (BANDS[0], 6.0, 150.0, 0.7),
        (BANDS[1], -9.0, 400.0, 2.0),
        (BANDS[3], 4.0, 2_500.0, 1.0),
        (BANDS[4], -5.0, 3_000.0, 0.6),
    ]
    .into_iter()
    .fold(
        Settings::defaults::<Eq>(),
        |settings, (band, gain_db, hz, q)| band.set(settings, gain_db, hz, q),
    );
    for rate in RATES {
        for hz in [60.0, 150.0, 400.0, 1_100.0, 2_500.0, 3_500.0] {
            let expected: f64 = BANDS
                .iter()
                .map(|params| params.band(&settings).gain_db_at(hz))
                .sum();
            let angle = std::f64::consts::TAU * hz / f64::from(rate);
            let tone = (0..rate)
                .map(|n| 0.1 * (angle * f64::from(n)).sin() as f32)
                .collect();
            let (output, report) = correct::<Eq>(rate, &settings, &vec![tone], 4800).unwrap();
            let power = output[0][rate as usize / 2..]
                .iter()
                .map(|&s| f64::from(s).powi(2))
                .sum::<f64>();
            let reached = 10.0 * (power / (f64::from(rate) / 2.0) * 200.0).log10();
            assert!(
                (reached - expected).abs() < 0.3,
                "{rate} Hz, {hz} Hz: {reached}, expected {expected}"
            );
            assert_eq!(report.get("bands"), Some(4.0));
        }
    }
}

#[test]
fn without_gain_the_signal_comes_through_to_the_last_bit() {
    let input = vec![noise(10_000)];
    let settings = BANDS
        .iter()
        .fold(Settings::defaults::<Eq>(), |settings, band| {
            band.set(settings, 0.0, 5_000.0, 0.5)
        });
    let (output, report) = correct::<Eq>(48_000, &settings, &input, 4800).unwrap();
    assert!(output == input);
    assert_eq!(report.get("bands"), Some(0.0));
}

#[test]
fn every_band_at_its_most_stays_bounded_and_comes_to_rest() {
    for rate in RATES {
        for hz in [20.0, 1_000.0, 20_000.0] {
            let settings = BANDS
                .iter()
                .fold(Settings::defaults::<Eq>(), |settings, band| {
                    band.set(settings, 18.0, hz, 1.0)
                });
            let mut input = noise(rate as usize);
            input.resize(rate as usize * 4, 0.0);
            let (output, _) = correct::<Eq>(rate, &settings, &vec![input], 4800).unwrap();
            // Five times 18 dB, and what a filter may overshoot.
            assert!(
                output[0].iter().all(|s| s.abs() < 4.0 * 31_623.0),
                "{rate} Hz, {hz} Hz"
            );
            let rest = output[0][rate as usize * 4 - 100..]
                .iter()
                .fold(0f32, |m, s| m.max(s.abs()));
            assert!(rest < 1e-6, "{rate} Hz, {hz} Hz: {rest}");
        }
    }
}

#[test]
fn silence_and_the_shortest_recordings_are_taken_and_blocks_do_not_matter() {
    let settings = || BANDS[2].set(Settings::defaults::<Eq>(), 6.0, 1_000.0, 1.0);
    for frames in [0, 1, 1_000] {
        let silence = vec![vec![0.0; frames]];
        assert!(
            correct::<Eq>(48_000, &settings(), &silence, 4800)
                .unwrap()
                .0
                == silence
        );
    }
    let input = vec![noise(10_000)];
    let run = |block| correct::<Eq>(44_100, &settings(), &input, block).unwrap().0;
    let whole = run(10_000);
    for block in [1, 480, 4096] {
        assert!(run(block) == whole, "blocks of {block} frames");
    }
    // No latency: the first frame is answered at once.
    assert!(whole[0][0] != 0.0);
}
