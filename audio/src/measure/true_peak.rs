//! True peak by oversampling, ITU-R BS.1770-4 Annex 2: four times below 96 kHz, twice below
//! 192 kHz, and not at all from there on.
//!
//! The interpolator is the 48-tap Hann-windowed sinc of libebur128, so that readings agree with the
//! meters people compare with (the Annex gives its own coefficients as one example). Its phase 0 is
//! the signal itself: the sample peak is part of the result.
//!
//! Interpolated values are bounded by the largest sample that the filter sees times the sum of the
//! magnitudes of its coefficients. A run of frames whose bound does not exceed the highest peak so
//! far cannot change the result and is skipped: same reading, most of the work saved.

use std::f64::consts::PI;

use crate::Block;

/// Coefficients of all phases together.
const TAPS: usize = 48;
/// Frames judged at once. Short, so that one loud sample does not cost much.
const RUN_FRAMES: usize = 96;

pub(super) struct TruePeak {
    phases: Vec<Phase>,
    /// Per channel: the frames before the block that the filter still sees.
    history: Vec<Vec<f32>>,
    /// Largest sum of coefficient magnitudes of any phase.
    gain_max: f32,
    true_peak: f32,
    sample_peak: f32,
    skips: bool,
}

/// Coefficients in the order of the frames they meet, oldest first.
type Phase = Vec<f32>;

impl TruePeak {
    pub(super) fn new(sample_rate: u32, channels: usize) -> Self {
        let factor = match sample_rate {
            ..96_000 => 4,
            96_000..192_000 => 2,
            _ => 1,
        };
        let phases: Vec<Phase> = (1..factor)
            .map(|phase| coefficients(phase, factor))
            .collect();
        let gain = |phase: &Phase| phase.iter().map(|c| c.abs()).sum::<f32>();
        let gain_max = phases.iter().map(gain).fold(0.0, f32::max);
        Self {
            phases,
            history: vec![vec![0.0; TAPS / factor - 1]; channels],
            // A rounding error in the sums must not make a skip out of a hit.
            gain_max: gain_max * 1.0001,
            true_peak: 0.0,
            sample_peak: 0.0,
            skips: true,
        }
    }

    pub(super) fn push(&mut self, block: &Block) {
        let mut seen = Vec::new();
        for (channel, samples) in block.planes().enumerate() {
            let history = &mut self.history[channel];
            seen.clear();
            seen.extend_from_slice(history);
            seen.extend_from_slice(samples);
            let kept = history.len();
            history.copy_from_slice(&seen[seen.len() - kept..]);

            let mut peak_before = magnitude_max(&seen[..kept]);
            for from in (0..samples.len()).step_by(RUN_FRAMES) {
                let frames = RUN_FRAMES.min(samples.len() - from);
                let peak = magnitude_max(&seen[kept + from..kept + from + frames]);
                self.sample_peak = self.sample_peak.max(peak);
                self.true_peak = self.true_peak.max(peak);
                // The history is never longer than a run, so two runs' peaks bound what is seen.
                let bound = peak.max(peak_before) * self.gain_max;
                if bound > self.true_peak || !self.skips {
                    let run = &seen[from..from + kept + frames];
                    for phase in &self.phases {
                        self.true_peak = self.true_peak.max(interpolated_max(phase, run, frames));
                    }
                }
                peak_before = peak;
            }
        }
    }

    /// Linear, over all channels.
    pub(super) fn true_peak(&self) -> f32 {
        self.true_peak
    }

    pub(super) fn sample_peak(&self) -> f32 {
        self.sample_peak
    }
}

fn coefficients(phase: usize, factor: usize) -> Phase {
    let newest_first = (0..TAPS / factor).map(|tap| {
        let j = (tap * factor + phase) as f64;
        let window = 0.5 * (1.0 - (2.0 * PI * j / TAPS as f64).cos());
        let x = (j - TAPS as f64 / 2.0) * PI / factor as f64;
        (window * x.sin() / x) as f32
    });
    let mut phase: Phase = newest_first.collect();
    phase.reverse();
    phase
}

fn interpolated_max(phase: &[f32], run: &[f32], frames: usize) -> f32 {
    let mut sums = [0.0f32; RUN_FRAMES];
    // Always whole runs, so that the loop has a fixed length; what is behind the end counts as 0.
    let mut padded = [0.0f32; RUN_FRAMES + TAPS];
    padded[..run.len()].copy_from_slice(run);
    for (tap, &coefficient) in phase.iter().enumerate() {
        let seen: &[f32; RUN_FRAMES] = padded[tap..]
            .first_chunk()
            .expect("padded is a run and all taps long");
        for (sum, x) in sums.iter_mut().zip(seen) {
            *sum += coefficient * x;
        }
    }
    magnitude_max(&sums[..frames])
}

fn magnitude_max(samples: &[f32]) -> f32 {
    let (eights, rest) = samples.as_chunks::<8>();
    let mut max = [0.0f32; 8];
    for eight in eights {
        for (max, x) in max.iter_mut().zip(eight) {
            let x = x.abs();
            *max = if x > *max { x } else { *max };
        }
    }
    max.into_iter()
        .chain(rest.iter().map(|x| x.abs()))
        .fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Noise whose level wanders over 40 dB, so that some runs are skipped and some are not.
    fn wandering_noise(frames: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..frames)
            .map(|i| next() * 10f32.powf(-1.0 - (i as f32 / 3000.0).sin()))
            .collect()
    }

    fn peak_of(rate: u32, signal: &Block, block_frames: usize, skips: bool) -> f32 {
        let mut meter = TruePeak::new(rate, signal.channels());
        meter.skips = skips;
        let mut block = Block::new(signal.channels());
        for from in (0..signal.frames()).step_by(block_frames) {
            block.clear();
            block.append_range(signal, from..signal.frames().min(from + block_frames));
            meter.push(&block);
        }
        meter.true_peak()
    }

    #[test]
    fn skipping_changes_no_bit_of_the_reading() {
        for rate in [8_000, 44_100, 48_000, 96_000, 192_000] {
            for seed in 1..5 {
                let signal = Block::from_planes(vec![
                    wandering_noise(30_011, seed),
                    wandering_noise(30_011, seed + 77),
                ])
                .unwrap();
                let all = peak_of(rate, &signal, 30_011, false);
                for block_frames in [1usize, 7, 100, 4800] {
                    assert_eq!(all, peak_of(rate, &signal, block_frames, true));
                }
            }
        }
    }

    #[test]
    fn the_reading_agrees_with_ebur128() {
        for rate in [44_100, 48_000, 96_000, 192_000] {
            let noise = wandering_noise(rate as usize, 9);
            let ours = peak_of(rate, &Block::mono(noise.clone()), 4800, true);
            let mut theirs = ebur128::EbuR128::new(1, rate, ebur128::Mode::TRUE_PEAK).unwrap();
            theirs.add_frames_f32(&noise).unwrap();
            let difference_db = 20.0 * (f64::from(ours) / theirs.true_peak(0).unwrap()).log10();
            assert!(difference_db.abs() < 0.1, "{rate} Hz: {difference_db} dB");
        }
    }

    #[test]
    fn a_sine_between_the_samples_reads_its_true_height() {
        // A quarter of the rate at 45 degrees: every sample is 3 dB below the crest.
        let sine: Vec<f32> = (0..48_000)
            .map(|i| (PI * (0.5 * f64::from(i) + 0.25)).sin() as f32)
            .collect();
        let sample_peak = magnitude_max(&sine);
        assert!((sample_peak - 0.5f32.sqrt()).abs() < 1e-4);
        // The onset counts: let it rise over 1000 frames.
        let risen: Vec<f32> = sine
            .iter()
            .enumerate()
            .map(|(i, x)| x * (i as f32 / 1000.0).min(1.0))
            .collect();
        let db = 20.0 * peak_of(48_000, &Block::mono(risen), 4800, true).log10();
        assert!(db.abs() < 0.2, "{db} dB");
    }
}
