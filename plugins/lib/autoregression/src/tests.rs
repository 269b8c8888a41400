//! Against signals that are exactly what the model says.

#![allow(clippy::unwrap_used)]

use super::*;

fn fit(audio: &[f64], order: usize) -> Option<Model> {
    Model::fit(audio, &Hann::new(audio.len()), order)
}

fn tones(frames: usize) -> Vec<f64> {
    (0..frames)
        .map(|n| {
            (0.11 * n as f64).sin()
                + 0.5 * (0.37 * n as f64 + 1.0).sin()
                + 0.2 * (0.9 * n as f64).cos()
        })
        .collect()
}

#[test]
fn a_gap_in_tones_is_filled_with_what_was_there() {
    for gap in [1, 7, 60] {
        let whole = tones(2000);
        let missing: Vec<usize> = (900..900 + gap).collect();
        let mut torn = whole.clone();
        missing.iter().for_each(|at| torn[*at] = 5.0);
        let model = fit(&whole, 32).unwrap();
        assert!(model.interpolate(&mut torn, &missing));
        for at in missing {
            assert!(
                (torn[at] - whole[at]).abs() < 0.02,
                "gap {gap}: {} for {}",
                torn[at],
                whole[at]
            );
        }
    }
}

#[test]
fn what_is_not_missing_stays() {
    let whole = tones(500);
    let mut torn = whole.clone();
    torn[250] = 9.0;
    fit(&whole, 16).unwrap().interpolate(&mut torn, &[250]);
    assert!(
        torn.iter()
            .zip(&whole)
            .enumerate()
            .all(|(n, (a, b))| n == 250 || a == b)
    );
}

#[test]
fn no_frame_falls_short_of_its_floor() {
    let whole = tones(2000);
    let missing: Vec<usize> = (0..2000).filter(|n| whole[*n].abs() > 1.0).collect();
    // Floors above what the tones are: they must hold all the same.
    let floors: Vec<f64> = missing.iter().map(|n| 1.6f64.copysign(whole[*n])).collect();
    let mut clipped: Vec<f64> = whole.iter().map(|s| s.clamp(-1.0, 1.0)).collect();
    let model = fit(&whole, 32).unwrap();
    assert!(model.interpolate_beyond(&mut clipped, &missing, &floors));
    for (at, floor) in missing.iter().zip(floors) {
        assert!(clipped[*at].abs() >= floor.abs() && clipped[*at] * floor > 0.0);
    }
}

#[test]
fn an_impulse_is_an_error_in_both_directions_and_tones_are_not() {
    let mut audio = tones(1000);
    audio[500] += 1.0;
    let model = fit(&tones(1000), 32).unwrap();
    let (forward, backward) = (model.forward_errors(&audio), model.backward_errors(&audio));
    for n in 100..900 {
        let both = forward[n].abs().min(backward[n].abs());
        assert!(
            if n == 500 { both > 0.9 } else { both < 0.05 },
            "{both} at {n}"
        );
    }
}

#[test]
fn silence_has_no_model() {
    assert!(fit(&[0.0; 100], 10).is_none());
    assert!(fit(&[], 10).is_none());
}
