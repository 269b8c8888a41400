//! Held against the authors' features and their network in Keras, whose answers `reference.py` wrote.

use retake_smn::{BANDS, Features, Frame, Network, PATCH};

const FRAMES: usize = 6 * 16_000;
/// Frames from one answer to the next.
const STEP: usize = 25;
/// One of so many frames was kept.
const KEPT: usize = 10;

/// Whole numbers of 24 bits: xorshift32 (Marsaglia 2003).
fn noise(seed: u32) -> Vec<i64> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        i64::from(state >> 8) - (1 << 23)
    };
    (0..FRAMES).map(|_| next()).collect()
}

fn triangle(n: i64, period: i64) -> i64 {
    (n % period * 2 - period).abs()
}

/// A saw tooth: whole numbers of 16 bits.
fn buzz(step: impl Fn(i64) -> i64) -> Vec<i64> {
    let mut phase = 0u32;
    let next = |n| {
        phase = phase.wrapping_add(step(n) as u32);
        i64::from(phase >> 16) - 32_768
    };
    (0..FRAMES as i64).map(next).collect()
}

fn signal(sample: impl Fn(usize) -> f64) -> Vec<f32> {
    let sample = |n| (sample(n) / 8_388_608.0) as f32;
    (0..FRAMES).map(sample).collect()
}

fn frames_of(channels: &[Vec<f32>]) -> Vec<Frame> {
    let mut frames = Vec::new();
    Features::new(channels.len()).push(channels, |frame| frames.push(*frame));
    frames
}

fn assert_agrees(name: &str, input: Vec<f32>, reference: &[u8]) {
    let theirs: Vec<f32> = reference
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect();
    let frames = frames_of(&[input]);
    let of_frames = frames.len().div_ceil(KEPT) * (BANDS + 1);
    let (features, shares) = theirs.split_at(of_frames);
    let mut worst = 0.0f32;
    for (frame, theirs) in frames.iter().step_by(KEPT).zip(features.chunks(BANDS + 1)) {
        let ours = frame.bands.iter().chain([&frame.energy]);
        worst = ours
            .zip(theirs)
            .fold(worst, |worst, (a, b)| worst.max((a - b).abs()));
    }
    // Natural logarithms of power: this is less than a thousandth of a decibel.
    assert!(worst < 1e-4, "{name}: features are {worst} apart");

    let mut network = Network::new();
    let patches = frames.windows(PATCH).step_by(STEP);
    assert_eq!(patches.len(), shares.len() / 3);
    let mut apart = 0.0f32;
    for (patch, theirs) in patches.zip(shares.chunks(3)) {
        let ours = network.listen(patch).expect("there is something to hear");
        for (ours, theirs) in [ours.speech, ours.music, ours.noise].iter().zip(theirs) {
            apart = apart.max((ours - theirs).abs());
        }
    }
    // What whole numbers of 16 bits leave of the authors' floats.
    assert!(apart < 2e-3, "{name}: shares are {apart} apart");
    println!("{name}: features {worst:.1e}, shares {apart:.1e}");
}

#[test]
fn something_like_a_voice_is_heard_as_the_authors_network_hears_it() {
    let (hiss, buzz) = (noise(1), buzz(|n| 29_526_000 + 300 * triangle(n, 10_000)));
    let input = signal(|n| {
        let voice = (buzz[n] * (triangle(n as i64, 3_333) - 1_300).max(0)) >> 11;
        (voice * 64) as f64 + hiss[n] as f64 / 2_048.0
    });
    assert_agrees("voice", input, include_bytes!("official/voice.f32"));
}

#[test]
fn a_chord_is_heard_as_the_authors_network_hears_it() {
    let hiss = noise(4);
    let notes = [59_055_800, 74_404_000, 88_473_000, 118_111_600].map(|step| buzz(|_| step));
    let input = signal(|n| {
        let sounds = |note: usize| (n / (4_000 + 900 * note) % 2) as i64;
        let chord: i64 = (0..4).map(|note| notes[note][n] * sounds(note)).sum();
        (chord * 32) as f64 + hiss[n] as f64 / 8_192.0
    });
    assert_agrees("music", input, include_bytes!("official/music.f32"));
}

#[test]
fn noise_is_heard_as_the_authors_network_hears_it() {
    let noise = noise(2);
    let input = signal(|n| noise[n] as f64 / 8.0);
    assert_agrees("noise", input, include_bytes!("official/noise.f32"));
}

#[test]
fn frames_do_not_depend_on_how_samples_come_nor_on_which_way_round_they_are() {
    let noise = noise(3);
    let input = signal(|n| noise[n] as f64 / 16.0);
    let whole = frames_of(std::slice::from_ref(&input));
    let mut pieces = Vec::new();
    let mut features = Features::new(1);
    for piece in input.chunks(77) {
        features.push(&[piece.to_vec()], |frame| pieces.push(*frame));
    }
    assert!(pieces == whole);

    let turned: Vec<f32> = input.iter().map(|x| -x).collect();
    for (both, alone) in frames_of(&[input, turned]).iter().zip(&whole) {
        assert!((both.bands[7] - alone.bands[7]).abs() < 1e-4);
    }
}

#[test]
fn silence_says_nothing() {
    let frames = frames_of(&[vec![0.0; 2 * 16_000]]);
    assert_eq!(Network::new().listen(&frames[..PATCH]), None);
}
