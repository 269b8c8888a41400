//! What the kit plays to a plugin: made by formulae, the same every time.

use retake_audio::Block;

/// White noise, -`peak` to `peak`.
pub fn noise(frames: usize, peak: f32, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        // xorshift32 (Marsaglia 2003)
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..frames).map(|_| peak * next()).collect()
}

/// A buzz in syllables, with pauses, over faint noise: something that a denoiser leaves standing.
/// Its level is near -20 dBFS.
pub fn voice(rate: u32, frames: usize, seed: u32) -> Vec<f32> {
    let pitch_hz = 110.0 + 23.0 * (seed % 8) as f32;
    let mut phase = 0.0f32;
    let mut low = 0.0;
    noise(frames, 1e-3, seed)
        .into_iter()
        .enumerate()
        .map(|(n, hiss)| {
            let time = n as f32 / rate as f32;
            phase = (phase + pitch_hz / rate as f32).fract();
            let syllable = (time * 9.0).sin().max(0.0);
            low += 0.3 * ((0.5 - phase) * syllable - low);
            0.7 * low + hiss
        })
        .collect()
}

/// A voice with a pause of silence in its middle third.
pub fn interrupted(rate: u32, frames: usize, seed: u32) -> Vec<f32> {
    let mut voice = voice(rate, frames, seed);
    voice[frames / 3..frames * 2 / 3].fill(0.0);
    voice
}

pub fn square(frames: usize, peak: f32) -> Vec<f32> {
    let sign = |n: usize| {
        if (n / 50).is_multiple_of(2) {
            peak
        } else {
            -peak
        }
    };
    (0..frames).map(sign).collect()
}

/// A different voice for each channel.
pub fn voices(rate: u32, frames: usize, channels: usize) -> Block {
    let voice = |channel| voice(rate, frames, 1 + channel as u32);
    Block::from_planes((0..channels).map(voice).collect()).expect("all voices are equally long")
}

/// RMS in dBFS; minus infinity for silence and for nothing.
pub fn level_dbfs(samples: &[f32]) -> f64 {
    let power = samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
    10.0 * (power / samples.len().max(1) as f64).log10()
}
