//! Attenuates what is probably noise: the optimally modified log-spectral amplitude estimator.
//!
//! I. Cohen and B. Berdugo, "Speech enhancement for non-stationary noise environments", Signal
//! Processing 81(11), 2001; the amplitude estimator in it is that of Y. Ephraim and D. Malah, IEEE
//! Transactions on Acoustics, Speech, and Signal Processing 33(2), 1985. It stands in front of the
//! network: what is steady is gone before, and the network, which has heard no such noises, finds the
//! rest more easily.

use std::f32::consts::LOG2_E;

use crate::approximate::{at_least, at_most, exp2, half_e1_log2, log2};
use crate::noise::NoiseTracker;
use crate::rnnoise::{BINS, FRAME, Spared, Transform};

/// Most attenuation, as a power of 2: -12 dB. With -6, -15 and -20 the network makes less of the rest.
const FLOOR_LOG2: f32 = -12.0 / 6.020_6;
/// How much the estimate of a bin's signal-to-noise ratio leans on the frame before.
const INERTIA: f32 = 0.92;
/// Least signal-to-noise ratio assumed: -25 dB.
const RATIO_MIN: f32 = 0.003_162;
/// A power that is more times the noise counts as this many times, 60 dB.
const OVER_MAX: f32 = 1e6;
/// For so long it only listens, half a second: a recording that begins with a voice must not have its
/// first word taken for the noise.
const LEARNING_FRAMES: u32 = 50;
/// A bin with more than this many times the noise (20 dB) is no longer left to the network alone, and
/// with much more (30 dB) it comes through as it is: there, the network would take more of the voice
/// than of the noise. With 15 dB good recordings change less still, but keyboards are heard.
const SURELY_MORE: f32 = 100.0;
/// Power of a frame that counts as silence, in squares of a 16-bit step: -100 dBFS.
const SILENT_POWER: f32 = 0.1;
/// A voice is never ruled out altogether.
const ABSENCE_MAX: f32 = 0.999;

pub struct Omlsa {
    transform: Transform,
    tracker: NoiseTracker,
    /// The last two frames of input.
    window: [f32; 2 * FRAME],
    /// This frame's spectrum without its noise, and that of the frame before, whose place is where the
    /// output is.
    now: Spared,
    before: Spared,
    /// Second half of the last synthesis window.
    overlap: [f32; FRAME],
    /// Power of what was taken for the voice in the frame before, over the noise then.
    voice_before: [f32; BINS],
    /// Up to [`LEARNING_FRAMES`].
    heard_frames: u32,
}

impl Omlsa {
    pub fn new() -> Self {
        Self {
            transform: Transform::new(),
            tracker: NoiseTracker::new(),
            window: [0.0; 2 * FRAME],
            now: Spared::nothing(),
            before: Spared::nothing(),
            overlap: [0.0; FRAME],
            voice_before: [1.0; BINS],
            heard_frames: 0,
        }
    }

    /// Takes a frame at 48 kHz whose full scale is 32 768, and gives back the frame before it.
    pub fn run(&mut self, input: &[f32; FRAME], output: &mut [f32; FRAME]) {
        self.window.copy_within(FRAME.., 0);
        self.window[FRAME..].copy_from_slice(input);
        std::mem::swap(&mut self.now, &mut self.before);
        self.transform.forward(&self.window, &mut self.now.spectrum);
        let power = self.now.spectrum.power();
        if total(&power) < SILENT_POWER {
            // Says nothing about the noise: muted, or before the recording began.
            self.now.share = [0.0; BINS];
            self.transform
                .inverse(&self.now.spectrum, &mut self.overlap, output);
            return;
        }
        let mut gains = self.estimate(&power);
        self.heard_frames = LEARNING_FRAMES.min(self.heard_frames + 1);
        if self.heard_frames < LEARNING_FRAMES {
            gains = [1.0; BINS];
            self.now.share = [0.0; BINS];
        }
        self.now.spectrum.scale(&gains);
        self.transform
            .inverse(&self.now.spectrum, &mut self.overlap, output);
    }

    /// The gain of each bin, and what is to be spared.
    fn estimate(&mut self, power: &[f32; BINS]) -> [f32; BINS] {
        let (mut absence, mut presence, mut gains) = ([0.0; BINS], [0.0; BINS], [0.0; BINS]);
        self.tracker.absence(power, &mut absence);
        for bin in 0..BINS {
            let over = at_most(power[bin] / self.tracker.noise(bin), OVER_MAX);
            let ratio =
                INERTIA * self.voice_before[bin] + (1.0 - INERTIA) * at_least(over - 1.0, 0.0);
            let ratio = at_least(ratio, RATIO_MIN);
            let wiener = ratio / (1.0 + ratio);
            // The paper's v, kept away from 0, where E1 is infinite.
            let v = at_least(over * wiener, 1e-7);
            let exp_minus_v = exp2(-LOG2_E * v);
            let absence = at_most(absence[bin], ABSENCE_MAX);
            let present = 1.0 - absence;
            presence[bin] = present / (present + absence * (1.0 + ratio) * exp_minus_v);
            let voice_log2 = at_most(log2(wiener) + half_e1_log2(v, exp_minus_v), 0.0);
            self.voice_before[bin] = over * exp2(2.0 * voice_log2);
            let above = at_least(voice_log2 - FLOOR_LOG2, 0.0);
            gains[bin] = exp2(FLOOR_LOG2 + presence[bin] * above);
            let surely = at_least(1.0 - SURELY_MORE / over, 0.0);
            self.now.share[bin] = surely * surely;
        }
        self.tracker.learn(power, &presence);
        gains
    }

    /// What nothing after this need take, in the window that ends with the last output.
    pub fn spared(&self) -> &Spared {
        &self.before
    }
}

/// Sixteen partial sums: one after the other, each addition would wait for the last.
fn total(power: &[f32; BINS]) -> f32 {
    let mut sums = [0.0; 16];
    for power in power.as_chunks::<16>().0 {
        sums.iter_mut().zip(power).for_each(|(sum, p)| *sum += p);
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::noise;

    /// Runs it over the input and returns what came out, aligned with what went in.
    fn run(omlsa: &mut Omlsa, input: &[f32]) -> Vec<f32> {
        let mut output = Vec::new();
        for frame in input.as_chunks::<FRAME>().0 {
            let mut cleaned = [0.0; FRAME];
            omlsa.run(frame, &mut cleaned);
            output.extend_from_slice(&cleaned);
        }
        output.drain(..FRAME);
        output
    }

    fn level_db(signal: &[f32]) -> f32 {
        10.0 * (signal.iter().map(|s| s * s).sum::<f32>() / signal.len() as f32).log10()
    }

    #[test]
    fn steady_noise_falls_to_the_floor_and_no_further() {
        for level in [3.0, 300.0, 10_000.0] {
            let input: Vec<f32> = noise(480_000, 3).iter().map(|s| level * s).collect();
            let output = run(&mut Omlsa::new(), &input);
            let change = level_db(&output[240_000..]) - level_db(&input[240_000..479_520]);
            assert!((-12.5..-9.5).contains(&change), "{level}: {change:.1} dB");
        }
    }

    #[test]
    fn no_gain_is_below_the_floor_or_above_one() {
        let mut omlsa = Omlsa::new();
        for seed in 1..200 {
            // Anything: 12 decades of power from bin to bin and frame to frame.
            let noise = noise(BINS, seed);
            let power = std::array::from_fn(|bin| 10f32.powf(6.0 * noise[bin]));
            for gain in omlsa.estimate(&power) {
                assert!((0.251..=1.0001).contains(&gain), "{gain}");
            }
        }
    }

    #[test]
    fn nothing_is_taken_while_it_learns() {
        let input: Vec<f32> = noise(48_000, 3).iter().map(|s| 300.0 * s).collect();
        let output = run(&mut Omlsa::new(), &input);
        // But for the topmost bin, which is one of 481.
        let learning = FRAME..(LEARNING_FRAMES as usize - 2) * FRAME;
        let apart: Vec<f32> = output.iter().zip(&input).map(|(a, b)| a - b).collect();
        let change = level_db(&apart[learning.clone()]) - level_db(&input[learning]);
        assert!(change < -23.0, "{change:.1} dB");
    }

    #[test]
    fn what_is_far_above_the_noise_comes_through_and_is_spared() {
        // Half a second of tone, half of pause, over noise 70 dB below. 0.06 radians per frame are
        // bin 9.2 of 480.
        let tone = |n: usize| 3000.0 * (n as f32 * 0.06).sin() * (1 - n / 24_000 % 2) as f32;
        let input: Vec<f32> = noise(394_080, 1)
            .iter()
            .enumerate()
            .map(|(n, noise)| tone(n) + noise)
            .collect();
        let mut omlsa = Omlsa::new();
        let output = run(&mut omlsa, &input);
        let apart: Vec<f32> = output.iter().zip(&input).map(|(a, b)| a - b).collect();
        let (error, level) = (level_db(&apart[192_000..]), level_db(&input));
        assert!(error < level - 30.0, "{error:.1} dB of {level:.1} dB");
        // It ended amid a tone.
        let share = omlsa.spared().share;
        assert!(share[9] > 0.9, "{}", share[9]);
        assert!(share[300] < 0.1, "{}", share[300]);
    }

    #[test]
    fn silence_stays_silent_and_teaches_nothing() {
        let noisy: Vec<f32> = noise(240_000, 5).iter().map(|s| 300.0 * s).collect();
        let mut omlsa = Omlsa::new();
        run(&mut omlsa, &noisy);
        let silence = run(&mut omlsa, &[0.0; 240_000]);
        assert!(silence[FRAME..].iter().all(|s| *s == 0.0));
        // Noise is known at once for what it is when it comes back.
        let after = run(&mut omlsa, &noisy[..24_000]);
        let change = level_db(&after[2 * FRAME..]) - level_db(&noisy[..24_000]);
        assert!(change < -9.0, "{change:.1} dB");
    }
}
