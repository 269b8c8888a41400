//! Held against the authors' runtime, whose outputs `reference.py` wrote.

use retake_dfn3::{Answer, BATCH, HOP, LOOKAHEAD, Network, Spectrum, TAPS, Transform};

const FRAMES: usize = 4 * 48_000;
const KEPT: [std::ops::Range<usize>; 2] = [0..4800, 180_000..187_200];

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

/// A gliding buzz in syllables: whole numbers of 16 bits.
fn voice() -> Vec<i64> {
    let mut phase = 0u32;
    (0..FRAMES as i64)
        .map(|n| {
            phase = phase.wrapping_add((9_842_000 + 100 * triangle(n, 30_000)) as u32);
            let buzz = i64::from(phase >> 16) - 32_768;
            (buzz * (triangle(n, 10_000) - 4_000).max(0)) >> 13
        })
        .collect()
}

fn signal(sample: impl Fn(usize) -> f64) -> Vec<f32> {
    (0..FRAMES)
        .map(|n| (sample(n) / 8_388_608.0) as f32)
        .collect()
}

fn corrected(input: &[f32]) -> Vec<f32> {
    let (mut transform, mut network) = (Transform::new(), Network::new());
    let mut before = [0.0; HOP];
    let mut spectra = vec![Spectrum::SILENCE; LOOKAHEAD + TAPS / 2];
    let padded: Vec<f32> = input
        .iter()
        .copied()
        .chain([0.0; HOP * (LOOKAHEAD + 1)])
        .collect();
    for frame in padded.as_chunks::<HOP>().0 {
        let mut spectrum = Spectrum::SILENCE;
        transform.forward(&before, frame, &mut spectrum);
        spectra.push(spectrum);
        before = *frame;
    }
    let mut answers: Vec<Answer> = Vec::new();
    for batch in spectra[LOOKAHEAD + TAPS / 2..].chunks(BATCH) {
        network.run(batch, |answer| answers.push(answer));
    }
    let (mut overlap, mut output) = ([0.0; HOP], Vec::new());
    for (frames, answer) in spectra.windows(TAPS).zip(&answers) {
        let (mut made, mut samples) = (Spectrum::SILENCE, [0.0; HOP]);
        answer.apply(std::array::from_fn(|n| &frames[n]), &mut made);
        transform.inverse(&made, &mut overlap, &mut samples);
        output.extend(samples);
    }
    // A window later, and as many frames later as are looked ahead.
    output.drain(..HOP * (LOOKAHEAD + 1));
    output
}

fn assert_agrees(name: &str, input: &[f32], reference: &[u8]) {
    let output = corrected(input);
    let ours: Vec<f32> = KEPT
        .into_iter()
        .flat_map(|kept| output[kept].to_vec())
        .collect();
    let theirs: Vec<f32> = reference
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect();
    assert_eq!(ours.len(), theirs.len());
    let power = |x: f32| f64::from(x).powi(2);
    let signal: f64 = theirs.iter().map(|x| power(*x)).sum();
    let apart: f64 = ours.iter().zip(&theirs).map(|(a, b)| power(a - b)).sum();
    let ratio_db = 10.0 * (signal / apart).log10();
    assert!(ratio_db >= 90.0, "{name}: {ratio_db:.1} dB");
    println!("{name}: {ratio_db:.1} dB");
}

#[test]
fn a_voice_in_noise_comes_out_as_from_the_authors_runtime() {
    let (voice, noise) = (voice(), noise(1));
    let input = signal(|n| (voice[n] * 128) as f64 + noise[n] as f64 / 16.0);
    assert_agrees(
        "voice in noise",
        &input,
        include_bytes!("official/voice-in-noise.f32"),
    );
}

#[test]
fn noise_comes_out_as_from_the_authors_runtime() {
    let noise = noise(2);
    let input = signal(|n| noise[n] as f64 / 8.0);
    assert_agrees("noise", &input, include_bytes!("official/noise.f32"));
}

#[test]
fn clicks_and_hum_come_out_as_from_the_authors_runtime() {
    let (voice, click, hiss) = (voice(), noise(5), noise(3));
    let input = signal(|n| {
        let click = if n % 7_919 < 40 { click[n] } else { 0 };
        let hum = if n / 480 % 2 == 0 {
            1 << 18
        } else {
            -(1 << 18)
        };
        (voice[n] * 128) as f64 + click as f64 / 2.0 + f64::from(hum) + hiss[n] as f64 / 512.0
    });
    assert_agrees(
        "voice in clicks and hum",
        &input,
        include_bytes!("official/voice-in-clicks-and-hum.f32"),
    );
}
