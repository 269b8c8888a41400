//! Loudness and peaks against formulae (EBU Tech 3341 and BS.1770-4), outlines against the signal.
#![allow(clippy::unwrap_used)]

mod signals;

use retake_audio::{Block, Measurement};
use signals::{decode_bytes, decoded_from, sine, wav_bytes_for};

fn measure(rate: u32, block: &Block) -> Measurement {
    decoded_from(rate, block).measured.measurement
}

fn pair(tone: &[f32]) -> Block {
    Block::from_fn(2, tone.len(), |_, frame| tone[frame])
}

fn amplitude(db: f64) -> f64 {
    10f64.powf(db / 20.0)
}

#[test]
fn a_stereo_sine_reads_its_level_as_loudness() {
    // Tech 3341, cases 1 and 2; BS.1770 calibrates by 997 Hz, the cases use 1 kHz.
    for rate in [44_100, 48_000, 96_000, 192_000] {
        for (hz, db) in [(1000.0, -23.0), (1000.0, -33.0), (997.0, -23.0)] {
            let tone = sine(rate, hz, amplitude(db), rate as usize * 5);
            let measured = measure(rate, &pair(&tone));
            let lufs = measured.integrated_lufs.unwrap();
            assert!(
                (lufs - db).abs() < 0.1,
                "{rate} Hz, {hz} Hz at {db}: {lufs}"
            );
        }
    }
}

#[test]
fn silence_around_it_does_not_make_a_tone_quieter() {
    // Tech 3341, case 3, shortened: -36, -23, -36 gives -23 by the relative gate.
    let rate = 48_000;
    let part = |db: f64, seconds: usize| sine(rate, 1000.0, amplitude(db), rate as usize * seconds);
    let tone = [part(-36.0, 3), part(-23.0, 20), part(-36.0, 3)].concat();
    let lufs = measure(rate, &pair(&tone)).integrated_lufs.unwrap();
    assert!((lufs + 23.0).abs() < 0.1, "{lufs}");
}

#[test]
fn surround_channels_weigh_more_and_low_frequency_effects_nothing() {
    let rate = 48_000;
    let tone = sine(rate, 1000.0, amplitude(-24.0), rate as usize * 3);
    let reading = |channels: usize, used: usize| {
        let mut block = Block::silence(channels, tone.len());
        block.plane_mut(used).copy_from_slice(&tone);
        let mask = match channels {
            6 => 0x3f,
            8 => 0x63f,
            _ => 4,
        };
        let decoded = decode_bytes(&wav_bytes_for(rate, &block, mask)).unwrap();
        decoded.measured.measurement.integrated_lufs
    };
    // One channel alone: 3 dB below the pair. Surround: 1.5 dB more.
    for (channels, used, expected) in [
        (1, 0, Some(-27.0)),
        (6, 2, Some(-27.0)),
        (6, 3, None),
        (6, 4, Some(-25.5)),
        (8, 7, Some(-25.5)),
        (8, 4, Some(-27.0)),
        (8, 3, None),
    ] {
        match (reading(channels, used), expected) {
            (Some(lufs), Some(expected)) => {
                assert!((lufs - expected).abs() < 0.1, "{channels}/{used}: {lufs}");
            }
            (lufs, expected) => assert_eq!(lufs, expected, "{channels}/{used}"),
        }
    }
}

#[test]
fn channels_without_places_weigh_alike() {
    let rate = 48_000;
    let tone = sine(rate, 1000.0, amplitude(-24.0), rate as usize * 3);
    for used in [0, 3, 4, 5] {
        let mut block = Block::silence(6, tone.len());
        block.plane_mut(used).copy_from_slice(&tone);
        let lufs = measure(rate, &block).integrated_lufs.unwrap();
        assert!((lufs + 27.0).abs() < 0.1, "{used}: {lufs}");
    }
}

#[test]
fn loudness_range_is_the_distance_of_two_levels() {
    // Tech 3342, case 1, shortened: 20 s at -20, 20 s at -30.
    let rate = 48_000;
    let part = |db: f64| sine(rate, 1000.0, amplitude(db), rate as usize * 20);
    let tone = [part(-20.0), part(-30.0)].concat();
    let range = measure(rate, &pair(&tone)).loudness_range_lu.unwrap();
    assert!((range - 10.0).abs() < 1.0, "{range}");
}

#[test]
fn silence_has_no_level() {
    let measured = measure(48_000, &Block::silence(2, 100_000));
    assert_eq!(measured.integrated_lufs, None);
    assert_eq!(measured.loudness_range_lu, None);
    assert_eq!(measured.true_peak_dbtp, None);
    assert_eq!(measured.sample_peak_dbfs, None);
    assert_eq!(measured.frames, 100_000);
}

#[test]
fn the_true_peak_is_between_the_samples() {
    // Tech 3341, cases 15 to 19: amplitude 0.5, a quarter of the rate, at several phases.
    for phase_degrees in [0.0f64, 45.0, 60.0, 67.5] {
        let tone: Vec<f32> = (0..48_000)
            .map(|i| {
                let fade = (f64::from(i) / 4800.0)
                    .min(f64::from(48_000 - i) / 4800.0)
                    .min(1.0);
                let turn = 0.5 * std::f64::consts::PI * f64::from(i) + phase_degrees.to_radians();
                (0.5 * fade * turn.sin()) as f32
            })
            .collect();
        let measured = measure(48_000, &Block::mono(tone));
        let peak = measured.true_peak_dbtp.unwrap();
        assert!((-6.4..=-5.8).contains(&peak), "{phase_degrees}: {peak}");
        assert!(measured.sample_peak_dbfs.unwrap() <= peak);
    }
}
