//! The stream for comparing: original and correction lie on each other, and do not hear each other.
#![allow(clippy::unwrap_used)]

mod signals;

use std::io::{Read, Seek, SeekFrom};

use retake_audio::{Block, Compared, Limits, Together, compare, decode};
use signals::{alignment, chirp, decode_bytes, decoded_from, noise, samples};

fn compared(
    original: (u32, &Block),
    correction: (u32, &Block),
    cuts: &[Vec<(u64, u64)>],
) -> (Compared, Vec<u8>) {
    compared_as(Together::Channels, original, correction, cuts)
}

fn compared_as(
    together: Together<'_>,
    original: (u32, &Block),
    correction: (u32, &Block),
    cuts: &[Vec<(u64, u64)>],
) -> (Compared, Vec<u8>) {
    let mut out = tempfile::tempfile().unwrap();
    let into = out.try_clone().unwrap();
    let of = |(rate, block): (u32, &Block)| decoded_from(rate, block);
    let (original, correction) = (of(original), of(correction));
    let made = compare(original, correction, cuts, together, into, &mut |_| ()).unwrap();
    let mut bytes = Vec::new();
    out.seek(SeekFrom::Start(0)).unwrap();
    out.read_to_end(&mut bytes).unwrap();
    (made, bytes)
}

fn peak_db(plane: &[f32]) -> f64 {
    let peak = plane.iter().fold(0f32, |peak, x| peak.max(x.abs()));
    20.0 * f64::from(peak.max(1e-20)).log10()
}

#[test]
fn both_lie_on_each_other_and_are_as_long_as_the_correction() {
    for (rate, channels, frames) in [
        (48_000, 1, 150_001),
        (48_000, 2, 48_000),
        (44_100, 2, 100_000),
        (16_000, 1, 1),
        (16_000, 1, 40_123),
    ] {
        let signal = chirp(rate, channels, frames, 0.4);
        let mut quieter = signal.clone();
        quieter.samples_mut().for_each(|x| *x *= 0.5);
        let (made, bytes) = compared((rate, &signal), (rate, &quieter), &[]);
        let what = format!("{rate} Hz, {channels} channels, {frames} frames");
        let expected = (frames as f64 * 48_000.0 / f64::from(rate)).round() as u64;
        assert_eq!(
            made,
            Compared {
                channels: channels as u32,
                frames: expected,
                longer: 0
            },
            "{what}"
        );
        let again = decode_bytes(&bytes).unwrap();
        assert_eq!(again.spec.channels as usize, 2 * channels, "{what}");
        assert_eq!(again.frames, expected, "{what}");
        let warnings: Vec<_> = again
            .findings
            .iter()
            .filter(|f| f.is_warning())
            .map(|f| &f.code)
            .collect();
        assert!(
            !warnings.iter().any(|code| matches!(
                code.as_str(),
                "length-differs" | "container-damaged" | "gaps-filled"
            )),
            "{what}: {warnings:?}"
        );
        if frames < 1_000 {
            continue;
        }
        let heard = samples(again);
        let signal = chirp(48_000, channels, expected as usize, 0.4);
        for channel in 0..channels {
            let (shift, snr_db) = alignment(signal.plane(channel), heard.plane(channel), 12);
            assert!(shift == 0 && snr_db > 12.0, "{what}: {shift}, {snr_db} dB");
            let double: Vec<f32> = heard
                .plane(channels + channel)
                .iter()
                .map(|x| 2.0 * x)
                .collect();
            let (shift, snr_db) = alignment(signal.plane(channel), &double, 12);
            assert!(shift == 0 && snr_db > 12.0, "{what}: {shift}, {snr_db} dB");
        }
    }
}

#[test]
fn no_channel_hears_another() {
    for channels in [1, 2] {
        let loud = noise(channels, 96_000, 0.9, 6);
        let silent = Block::silence(channels, 96_000);
        for is_first in [true, false] {
            let (original, correction) = if is_first {
                (&loud, &silent)
            } else {
                (&silent, &loud)
            };
            let (_, bytes) = compared((48_000, original), (48_000, correction), &[]);
            let heard = samples(decode_bytes(&bytes).unwrap());
            for (place, plane) in heard.planes().enumerate() {
                let is_loud = (place < channels) == is_first;
                let peak = peak_db(plane);
                assert!(
                    if is_loud { peak > -10.0 } else { peak < -90.0 },
                    "{place}: {peak} dB"
                );
            }
        }
    }
}

#[test]
fn what_was_cut_out_of_the_correction_is_cut_out_of_the_original() {
    let whole = chirp(48_000, 1, 200_000, 0.4);
    let mut cut = whole.plane(0).to_vec();
    cut.drain(60_000..100_000);
    cut.drain(10_000..20_000);
    let cuts = [vec![(60_000, 40_000)], vec![(10_000, 10_000)]];
    let correction = Block::mono(cut.clone());
    let (made, bytes) = compared((48_000, &whole), (48_000, &correction), &cuts);
    assert_eq!((made.frames, made.longer), (150_000, 0));
    let heard = samples(decode_bytes(&bytes).unwrap());
    for plane in heard.planes() {
        let (shift, snr_db) = alignment(&cut, plane, 12);
        assert!(shift == 0 && snr_db > 12.0, "{shift}, {snr_db} dB");
    }
    let (made, _) = compared((48_000, &whole), (48_000, &correction), &[]);
    assert_eq!(made.longer, 50_000);
}

#[test]
fn channels_and_rates_that_differ_come_together() {
    let original = chirp(44_100, 1, 44_100, 0.4);
    let correction = Block::from_fn(6, 96_000, |_, frame| original.plane(0)[frame % 44_100]);
    let (made, bytes) = compared((44_100, &original), (96_000, &correction), &[]);
    assert_eq!((made.channels, made.frames), (2, 48_000));
    let heard = samples(decode_bytes(&bytes).unwrap());
    assert_eq!(heard.channels(), 4);
    // One channel is heard on both sides.
    let expected = chirp(48_000, 1, 48_000, 0.4);
    for channel in [0, 1] {
        let (shift, snr_db) = alignment(expected.plane(0), heard.plane(channel), 12);
        assert!(shift == 0 && snr_db > 12.0, "{shift}, {snr_db} dB");
    }
}

#[test]
fn a_browser_finds_any_second_by_the_cues() {
    let signal = noise(1, 10 * 48_000, 0.3, 7);
    let (_, bytes) = compared((48_000, &signal), (48_000, &signal), &[]);
    let places = |id: &[u8]| -> Vec<usize> {
        let windows = bytes.windows(id.len()).enumerate();
        windows
            .filter(|(_, window)| *window == id)
            .map(|(at, _)| at)
            .collect()
    };
    let clusters = places(&[0x1f, 0x43, 0xb6, 0x75]);
    assert_eq!(clusters.len(), 11, "the delay makes one more");
    // SeekHead states where the cues are, and these where the clusters are.
    let segment = places(&[0x18, 0x53, 0x80, 0x67])[0] + 12;
    let stated = places(&[0x53, 0xac])[0] + 3;
    let cues = u64::from_be_bytes(bytes[stated..stated + 8].try_into().unwrap()) as usize + segment;
    assert_eq!(bytes[cues..cues + 4], [0x1c, 0x53, 0xbb, 0x6b]);
    let points = bytes[cues..]
        .windows(1)
        .filter(|window| window[0] == 0xbb)
        .count();
    assert!(points >= clusters.len());
    let size =
        u64::from_be_bytes(bytes[segment - 8..segment].try_into().unwrap()) & 0x00ff_ffff_ffff_ffff;
    assert_eq!(size as usize, bytes.len() - segment);
}

#[test]
fn both_are_tracks_of_one_file_that_lie_on_each_other() {
    let dir = std::env::temp_dir();
    for (rate, channels, frames) in [(48_000, 1, 150_001), (44_100, 2, 100_000), (16_000, 1, 1)] {
        let signal = chirp(rate, channels, frames, 0.4);
        let mut quieter = signal.clone();
        quieter.samples_mut().for_each(|x| *x *= 0.5);
        let (made, bytes) = compared_as(
            Together::Tracks(&dir),
            (rate, &signal),
            (rate, &quieter),
            &[],
        );
        let what = format!("{rate} Hz, {channels} channels, {frames} frames");
        let expected = (frames as f64 * 48_000.0 / f64::from(rate)).round() as u64;
        assert_eq!(made.frames, expected, "{what}");
        for (track, gain) in [(1, 1.0), (2, 2.0)] {
            let mut file = tempfile::tempfile().unwrap();
            std::io::Write::write_all(&mut file, &bytes).unwrap();
            let again = decode(file, &Limits::default(), Some(track), &dir, &mut |_| ()).unwrap();
            assert_eq!(again.tracks.len(), 2, "{what}");
            assert_eq!(again.spec.channels as usize, channels, "{what}");
            assert_eq!(again.frames, expected, "{what}, track {track}");
            if frames < 1_000 {
                continue;
            }
            let heard = samples(again);
            let signal = chirp(48_000, channels, expected as usize, 0.4);
            for channel in 0..channels {
                let plane: Vec<f32> = heard.plane(channel).iter().map(|x| gain * x).collect();
                let (shift, snr_db) = alignment(signal.plane(channel), &plane, 12);
                assert!(shift == 0 && snr_db > 12.0, "{what}: {shift}, {snr_db} dB");
            }
        }
    }
}
