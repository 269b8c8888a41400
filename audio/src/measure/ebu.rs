//! The signals that EBU Tech 3341 and 3342 test a meter with, made by their descriptions, within the tolerances
//! that they state. Left out are those that are recordings (3341: 7 and 8; 3342: 5 and 6), and those that begin
//! tones between two of our values, 100 ms apart (3341: 10, 11, 13 and 14), which a reading over time is for.

use std::f64::consts::TAU;

use super::{Measurement, Meter};
use crate::{Block, ChannelMask, Spec};

/// Level of a sine in dBFS, for so many seconds.
type Part = (f64, f64);

fn tone(rate: u32, parts: &[Part]) -> Vec<f32> {
    let mut samples = Vec::new();
    for &(dbfs, seconds) in parts {
        let amplitude = 10f64.powf(dbfs / 20.0);
        let frames = (seconds * f64::from(rate)).round() as usize;
        samples.extend((0..frames).map(|_| amplitude));
    }
    let wave = |n: usize| (TAU * 1_000.0 * n as f64 / f64::from(rate)).sin();
    let samples = samples.into_iter().enumerate();
    samples
        .map(|(n, amplitude)| (amplitude * wave(n)) as f32)
        .collect()
}

fn measured(rate: u32, planes: Vec<Vec<f32>>) -> Measurement {
    let channels = planes.len() as u32;
    let mut meter = Meter::new(Spec {
        sample_rate: rate,
        channels,
        mask: ChannelMask::usual(channels),
    });
    let all = Block::from_planes(planes).expect("all of one length");
    let mut piece = Block::new(channels as usize);
    for from in (0..all.frames()).step_by(4_800) {
        piece.clear();
        piece.append_range(&all, from..all.frames().min(from + 4_800));
        meter.push(&piece);
    }
    meter.finish().measurement
}

fn stereo(rate: u32, parts: &[Part]) -> Measurement {
    let tone = tone(rate, parts);
    measured(rate, vec![tone.clone(), tone])
}

fn near(case: &str, found: Option<f64>, expected: f64, tolerance: f64) {
    let found = found.unwrap_or(f64::NEG_INFINITY);
    assert!(
        (found - expected).abs() <= tolerance,
        "{case}: {found}, not {expected}"
    );
}

#[test]
fn integrated_loudness_is_that_of_tech_3341() {
    let cases: [(&str, &[Part], f64); 5] = [
        ("1", &[(-23.0, 20.0)], -23.0),
        ("2", &[(-33.0, 20.0)], -33.0),
        ("3", &[(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)], -23.0),
        (
            "4",
            &[
                (-72.0, 10.0),
                (-36.0, 10.0),
                (-23.0, 60.0),
                (-36.0, 10.0),
                (-72.0, 10.0),
            ],
            -23.0,
        ),
        ("5", &[(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)], -23.0),
    ];
    for (case, parts, expected) in cases {
        for rate in [44_100, 48_000] {
            let found = stereo(rate, parts);
            near(case, found.integrated_lufs, expected, 0.1);
            if case < "3" {
                near(case, found.momentary_max_lufs, expected, 0.1);
                near(case, found.short_term_max_lufs, expected, 0.1);
            }
        }
    }
    // Left, right, centre, nothing below, and the two behind.
    let channels = [-28.0, -28.0, -24.0, -200.0, -30.0, -30.0];
    let planes = channels.map(|dbfs| tone(48_000, &[(dbfs, 20.0)]));
    near(
        "6",
        measured(48_000, planes.to_vec()).integrated_lufs,
        -23.0,
        0.1,
    );
}

#[test]
fn momentary_and_short_term_loudness_are_those_of_tech_3341() {
    let nine = [(-20.0, 1.34), (-30.0, 1.66)].repeat(5);
    near("9", stereo(48_000, &nine).short_term_max_lufs, -23.0, 0.1);
    let twelve = [(-20.0, 0.18), (-30.0, 0.22)].repeat(25);
    near("12", stereo(48_000, &twelve).momentary_max_lufs, -23.0, 0.1);
}

#[test]
fn true_peaks_are_those_of_tech_3341() {
    let cases = [
        ("15", 4.0, 0.0, 0.5, -6.0),
        ("16", 4.0, 45.0, 0.5, -6.0),
        ("17", 6.0, 60.0, 0.5, -6.0),
        ("18", 8.0, 67.5, 0.5, -6.0),
        ("19", 4.0, 45.0, 1.41, 3.0),
    ];
    for (case, part_of_rate, degrees, amplitude, expected) in cases {
        let frames = 48_000;
        let wave = |n: usize| {
            // An onset has peaks of its own.
            let fade = (n.min(frames - n) as f64 / 2_000.0).min(1.0);
            let angle = TAU * (n as f64 / part_of_rate + degrees / 360.0);
            (fade * amplitude * angle.sin()) as f32
        };
        let plane: Vec<f32> = (0..frames).map(wave).collect();
        let found = measured(48_000, vec![plane.clone(), plane]).true_peak_dbtp;
        let found = found.unwrap_or(f64::NEG_INFINITY);
        let off = found - expected;
        assert!(
            (-0.4..=0.2).contains(&off),
            "{case}: {found}, not {expected}"
        );
    }
}

#[test]
fn the_loudness_range_is_that_of_tech_3342() {
    let cases: [(&str, &[f64], f64); 4] = [
        ("1", &[-20.0, -30.0], 10.0),
        ("2", &[-20.0, -15.0], 5.0),
        ("3", &[-40.0, -20.0], 20.0),
        ("4", &[-50.0, -35.0, -20.0, -35.0, -50.0], 15.0),
    ];
    for (case, levels, expected) in cases {
        let parts: Vec<Part> = levels.iter().map(|dbfs| (*dbfs, 20.0)).collect();
        near(
            case,
            stereo(48_000, &parts).loudness_range_lu,
            expected,
            1.0,
        );
    }
}
