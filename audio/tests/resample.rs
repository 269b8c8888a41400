//! The resampler: aligned, exactly as long as asked, and the same however it is fed.
#![allow(clippy::unwrap_used)]

mod signals;

use retake_audio::{Block, Resampler};
use signals::{alignment, chirp, sine};

fn resampled(from: u32, to: u32, input: &Block, piece: usize, frames_out: usize) -> Block {
    let mut resampler = Resampler::new(from, to, input.channels()).unwrap();
    let (mut given, mut output) = (Block::new(input.channels()), Block::new(input.channels()));
    for at in (0..input.frames()).step_by(piece) {
        given.clear();
        given.append_range(input, at..input.frames().min(at + piece));
        resampler.push(&given, &mut output);
    }
    resampler.finish(frames_out as u64, &mut output);
    output
}

#[test]
fn output_is_aligned_and_of_the_wanted_length_between_all_rates() {
    let rates = [8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000];
    for from in rates {
        for to in rates {
            let input = chirp(from, 1, from as usize * 8 / 10, 0.5);
            let frames_out = to as usize * 8 / 10;
            let output = resampled(from, to, &input, 4800, frames_out);
            assert_eq!(output.frames(), frames_out, "{from} -> {to}");
            let expected = chirp(to, 1, frames_out, 0.5);
            // The edges ring, as the signal starts and ends at full height.
            let edge = to as usize / 20;
            let middle = edge..frames_out - edge;
            let (shift, snr_db) = alignment(
                &expected.plane(0)[middle.clone()],
                &output.plane(0)[middle],
                5,
            );
            assert_eq!(shift, 0, "{from} -> {to}");
            assert!(snr_db > 60.0, "{from} -> {to}: {snr_db} dB");
        }
    }
}

#[test]
fn rates_without_a_common_divisor_work_too() {
    let input = chirp(44_101, 1, 44_101, 0.5);
    let output = resampled(44_101, 48_000, &input, 4800, 48_000);
    let expected = chirp(48_000, 1, 48_000, 0.5);
    let (shift, snr_db) = alignment(
        &expected.plane(0)[5000..40_000],
        &output.plane(0)[5000..40_000],
        5,
    );
    assert_eq!(shift, 0);
    assert!(snr_db > 60.0, "{snr_db} dB");
}

#[test]
fn lengths_are_exact_from_one_frame_on() {
    for (from, to) in [
        (44_100, 48_000),
        (48_000, 16_000),
        (8_000, 48_000),
        (48_000, 48_000),
    ] {
        for frames in [1usize, 2, 100, 4096, 4116, 10_001] {
            let wanted = frames * to as usize / from as usize;
            let output = resampled(
                from,
                to,
                &Block::from_fn(2, frames, |_, _| 0.5),
                777,
                wanted,
            );
            assert_eq!(output.frames(), wanted, "{frames} at {from} -> {to}");
        }
    }
}

#[test]
fn the_output_does_not_depend_on_how_it_is_fed() {
    let input = chirp(44_100, 2, 30_000, 0.5);
    let whole = resampled(44_100, 48_000, &input, 30_000, 32_653);
    for piece in [1usize, 13, 4096, 4800] {
        assert!(
            resampled(44_100, 48_000, &input, piece, 32_653) == whole,
            "pieces of {piece}"
        );
    }
}

#[test]
fn what_the_lower_rate_cannot_hold_does_not_come_back_as_something_else() {
    let output = resampled(
        48_000,
        44_100,
        &Block::mono(sine(48_000, 23_000.0, 0.5, 96_000)),
        4800,
        88_200,
    );
    let alias = output.plane(0)[10_000..70_000]
        .iter()
        .fold(0.0f32, |max, x| max.max(x.abs()));
    assert!(alias < 1e-5, "{alias}");
}

#[test]
fn there_and_back_again_is_what_it_was() {
    let input = chirp(44_100, 1, 44_100, 0.5);
    let up = resampled(44_100, 48_000, &input, 4800, 48_000);
    let back = resampled(48_000, 44_100, &up, 4800, 44_100);
    let (shift, snr_db) = alignment(
        &input.plane(0)[4000..40_000],
        &back.plane(0)[4000..40_000],
        3,
    );
    assert_eq!(shift, 0);
    assert!(snr_db > 90.0, "{snr_db} dB");
}

#[test]
fn an_impossible_rate_is_refused_by_name() {
    let error = Resampler::new(0, 48_000, 1).err().unwrap().to_string();
    assert_eq!(error, "sample rate is 0 Hz, allowed is 1 to 384000 Hz");
}

#[test]
fn the_loudest_numbers_there_are_do_not_overflow() {
    let frames = 10_000;
    let samples: Vec<f32> = (0..frames)
        .map(|n| if n % 3 == 0 { f32::MIN } else { f32::MAX })
        .collect();
    let mut resampler = Resampler::new(11_025, 44_100, 1).unwrap();
    let mut out = Block::new(1);
    resampler.push(&Block::mono(samples), &mut out);
    resampler.finish(4 * frames, &mut out);
    assert_eq!(out.frames() as u64, 4 * frames);
    assert!(out.plane(0).iter().all(|sample| sample.is_finite()));
}
