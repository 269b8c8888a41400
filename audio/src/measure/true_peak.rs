//! True peak by oversampling, ITU-R BS.1770-5 Annex 2, also of what lies close to half the rate.
//!
//! Two interpolators. The quick one is the 48-tap Hann-windowed sinc of libebur128: fourfold below
//! 96 kHz, twofold above. It reads common material as the meters do that people compare with, and falls
//! short where there is much just below half the rate, by at most 6 dB. Where its reading could matter
//! all the same, an exact one looks again: a sinc of 96 taps per point under a Kaiser window, flat to
//! 0.48 of the rate, and through the three points of each crest the sinusoid that has them, whose crest
//! may lie between.
//!
//! A run of frames that cannot raise the highest peak so far is skipped: same reading, most of the work
//! saved. A reading is bounded in two ways: by the largest sample that the filter sees times the sum of
//! the magnitudes of its coefficients; and, which is tighter for all that sounds natural, by the largest
//! sample plus what the largest step between two samples could add. The plugin `loudness` limits by the
//! same rule.

use std::f64::consts::PI;

use crate::{Block, block::magnitude_max};

/// Coefficients of all phases of the quick interpolator together.
const QUICK_TAPS: usize = 48;
/// By how much, as a factor, its reading may fall short.
const QUICK_SHORT: f32 = 2.0;

/// Frames that the exact interpolator sees on either side of a point.
const SIDE: usize = 48;
/// Shape of its window: ripple of -54 dB.
const KAISER_BETA: f64 = 5.0;
/// Crests whose three points turn by less than this (as a cosine) are as high as their highest point.
const FLAT: f32 = 0.995;

/// Frames judged at once. Short, so that one loud sample does not cost much.
const RUN_FRAMES: usize = 96;
/// The frame before a run, and the first point of the one after it, are looked at too.
const GRID_FRAMES: usize = RUN_FRAMES + 1;
/// Of a sum of products, in parts of what its largest terms could come to.
const ROUNDING: f32 = 1e-4;
const POINTS_MAX: usize = 4;
const PADDED: usize = GRID_FRAMES + 2 * SIDE + 16;

pub(super) struct TruePeak {
    quick: Vec<Phase>,
    exact: Vec<Phase>,
    /// By how much a crest may at most exceed the highest point beside it.
    crest_max: f32,
    channels: Vec<Channel>,
    /// The highest of all channels.
    true_peak: f32,
    sample_peak: f32,
    /// How high the quick reading may be, and the exact one with what may rise beside its points.
    quick_reach: Reach,
    exact_reach: Reach,
    skips: bool,
}

/// What bounds the value that an interpolator gives.
#[derive(Clone, Copy, Default)]
struct Reach {
    /// By the largest sample that it sees: times this.
    gain: f32,
    /// By the largest of the samples beside the point and the largest step: times these.
    near: f32,
    step: f32,
}

/// Coefficients in the order of the frames they meet, oldest first.
type Phase = Vec<f32>;

struct Channel {
    /// Frames that are still needed: [`SIDE`] of them before the next to be judged.
    seen: Vec<f32>,
}

impl TruePeak {
    pub(super) fn new(sample_rate: u32, channels: usize) -> Self {
        let quick = quick(if sample_rate < 96_000 { 4 } else { 2 });
        let points = if sample_rate < 80_000 { 4 } else { 2 };
        let exact: Vec<Phase> = (1..points)
            .map(|point| exact(f64::from(point) / f64::from(points)))
            .collect();
        let crest_max = (1.0 / (PI / 2.0 / f64::from(points)).cos()) as f32;
        let channel = || Channel {
            seen: vec![0.0; SIDE],
        };
        Self {
            quick_reach: Reach::of(&quick),
            exact_reach: Reach::of(&exact).times(crest_max),
            quick,
            exact,
            crest_max,
            channels: (0..channels).map(|_| channel()).collect(),
            true_peak: 0.0,
            sample_peak: 0.0,
            skips: true,
        }
    }

    pub(super) fn push(&mut self, block: &Block) {
        for (channel, samples) in block.planes().enumerate() {
            self.channels[channel].seen.extend_from_slice(samples);
            self.judge(channel);
        }
    }

    /// Linear, over all channels. What ended just now is followed by silence.
    pub(super) fn true_peak(&mut self) -> f32 {
        for channel in 0..self.channels.len() {
            let seen = &mut self.channels[channel].seen;
            let end = seen.len();
            // Whole runs, so that all is judged.
            seen.resize(end + SIDE + RUN_FRAMES, 0.0);
            self.judge(channel);
        }
        self.true_peak
    }

    pub(super) fn sample_peak(&self) -> f32 {
        self.sample_peak
    }

    /// Every whole run of a channel that the interpolators can see.
    fn judge(&mut self, channel: usize) {
        let mut held = std::mem::take(&mut self.channels[channel].seen);
        let mut from = 0;
        while from + RUN_FRAMES + 2 * SIDE <= held.len() {
            self.judge_run(&held[from..from + RUN_FRAMES + 2 * SIDE]);
            from += RUN_FRAMES;
        }
        held.drain(..from);
        self.channels[channel].seen = held;
    }

    fn judge_run(&mut self, seen: &[f32]) {
        let loudest = magnitude_max(&seen[SIDE..SIDE + RUN_FRAMES]);
        self.sample_peak = self.sample_peak.max(loudest);
        self.true_peak = self.true_peak.max(loudest);
        let peak = self.true_peak;
        let around = magnitude_max(seen);
        let gain_max = self.quick_reach.gain * QUICK_SHORT * (1.0 + ROUNDING);
        if self.skips && gain_max * around <= peak {
            return;
        }
        let near = magnitude_max(&seen[SIDE - 1..=SIDE + GRID_FRAMES]);
        let step = step_max(seen);
        let quick_max = self.quick_reach.bound(near, step, around);
        let exact_max = self.exact_reach.bound(near, step, around);
        // The exact one has its say only where the quick one is that high.
        let no_exact = exact_max <= peak || quick_max * QUICK_SHORT <= peak;
        if self.skips && quick_max <= peak && no_exact {
            return;
        }
        let quick = self.quick_max(seen);
        if quick * QUICK_SHORT > peak && !(self.skips && exact_max <= peak) {
            self.true_peak = self.true_peak.max(self.exact_max(seen));
        }
        self.true_peak = self.true_peak.max(quick);
    }

    fn quick_max(&self, seen: &[f32]) -> f32 {
        let phases = self.quick.iter();
        let highest = phases.map(|phase| {
            let sums = convolved(phase, &seen[SIDE + 1 - phase.len() / 2..]);
            magnitude_max(&sums[..RUN_FRAMES])
        });
        highest.fold(0.0, f32::max)
    }

    fn exact_max(&self, seen: &[f32]) -> f32 {
        let points = self.exact.len() + 1;
        let mut grid = [0.0f32; (GRID_FRAMES + 1) * POINTS_MAX];
        for frame in 0..=GRID_FRAMES {
            grid[frame * points] = seen[SIDE - 1 + frame];
        }
        for (point, phase) in self.exact.iter().enumerate() {
            let sums = convolved(phase, seen);
            for (frame, sum) in sums[..GRID_FRAMES].iter().enumerate() {
                grid[frame * points + point + 1] = *sum;
            }
        }
        let crests = grid[points - 1..=GRID_FRAMES * points].windows(3);
        crests
            .map(|three| self.crest(three[0], three[1], three[2]))
            .fold(0.0, f32::max)
    }

    /// How high the signal rises around the middle one of three points.
    fn crest(&self, before: f32, at: f32, after: f32) -> f32 {
        let size = at.abs();
        let turn = 0.5 * (before + after) / at;
        if size < before.abs() || size < after.abs() || turn.abs() > FLAT || size == 0.0 {
            return size;
        }
        // a cos(wt + p) through all three: cos w = turn, and at that the part out of phase.
        let slope = 0.5 * (after - before);
        let square = at * at + slope * slope / (1.0 - turn * turn);
        square.sqrt().min(size * self.crest_max)
    }
}

impl Reach {
    /// Of all phases. A value is that of the frame before the point, times the sum of the coefficients,
    /// and each step from there to another frame times the sum of the coefficients behind it.
    fn of(phases: &[Phase]) -> Self {
        let of_phase = |phase: &Phase| {
            let (before, behind) = phase.split_at(phase.len() / 2);
            let beyond = |taps: &mut dyn Iterator<Item = &f32>| {
                let mut sum = 0.0;
                let sums = taps.map(|tap| {
                    sum += tap;
                    f32::abs(sum)
                });
                sums.sum::<f32>()
            };
            // The frame before the point is the last one of the first half.
            let before = &before[..before.len() - 1];
            Self {
                gain: phase.iter().map(|tap| tap.abs()).sum(),
                near: phase.iter().sum::<f32>().abs(),
                step: beyond(&mut before.iter()) + beyond(&mut behind.iter().rev()),
            }
        };
        let highest = |a: Self, b: Self| Self {
            gain: a.gain.max(b.gain),
            near: a.near.max(b.near),
            step: a.step.max(b.step),
        };
        let samples_alone = Self {
            gain: 1.0,
            near: 1.0,
            step: 0.0,
        };
        phases.iter().map(of_phase).fold(samples_alone, highest)
    }

    /// For what may be higher by a factor.
    fn times(self, factor: f32) -> Self {
        Self {
            gain: self.gain * factor,
            near: self.near * factor,
            step: self.step * factor,
        }
    }

    fn bound(&self, near: f32, step: f32, around: f32) -> f32 {
        // A rounding error in the sums must not make a skip of a hit.
        self.near * near + self.step * step + ROUNDING * self.gain * around
    }
}

/// The filter of libebur128, one phase per point between two samples.
fn quick(factor: usize) -> Vec<Phase> {
    let coefficient = |j: usize| {
        let window = 0.5 * (1.0 - (2.0 * PI * j as f64 / QUICK_TAPS as f64).cos());
        let x = (j as f64 - QUICK_TAPS as f64 / 2.0) * PI / factor as f64;
        (window * x.sin() / x) as f32
    };
    let taps = QUICK_TAPS / factor;
    (1..factor)
        .map(|point| {
            (0..taps)
                .rev()
                .map(|tap| coefficient(tap * factor + point))
                .collect()
        })
        .collect()
}

/// The value `part` of the way from one sample to the next.
fn exact(part: f64) -> Phase {
    let taps: Vec<f64> = (0..2 * SIDE)
        .map(|tap| {
            let distance = tap as f64 - (SIDE - 1) as f64 - part;
            let across = distance / SIDE as f64;
            let window = bessel_i0(KAISER_BETA * (1.0 - across * across).max(0.0).sqrt());
            window * (PI * distance).sin() / (PI * distance)
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.into_iter().map(|tap| (tap / sum) as f32).collect()
}

/// The modified Bessel function of the first kind and order 0.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..40 {
        term *= (x / 2.0 / f64::from(n)).powi(2);
        sum += term;
    }
    sum
}

/// Sums of the phase with as many samples, from each of [`GRID_FRAMES`] on.
fn convolved(phase: &[f32], seen: &[f32]) -> [f32; GRID_FRAMES] {
    // Always whole, so that the loop has a fixed length; what is behind the end counts as 0.
    let mut padded = [0.0f32; PADDED];
    let known = seen.len().min(PADDED);
    padded[..known].copy_from_slice(&seen[..known]);
    let mut sums = [0.0f32; GRID_FRAMES];
    for (tap, &coefficient) in phase.iter().enumerate() {
        let seen: &[f32; GRID_FRAMES] = padded[tap..]
            .first_chunk()
            .expect("padded is a run and all taps long");
        for (sum, x) in sums.iter_mut().zip(seen) {
            *sum += coefficient * x;
        }
    }
    sums
}

/// The largest difference between two neighbours.
fn step_max(samples: &[f32]) -> f32 {
    let mut max = [0.0f32; 8];
    let (from, _) = samples.as_chunks::<8>();
    let (to, _) = samples[1..].as_chunks::<8>();
    for (from, to) in from.iter().zip(to) {
        for lane in 0..8 {
            let step = (to[lane] - from[lane]).abs();
            max[lane] = if step > max[lane] { step } else { max[lane] };
        }
    }
    // What is left of them.
    let rest = samples[samples.len().saturating_sub(9)..].windows(2);
    let rest = rest.map(|two| (two[1] - two[0]).abs());
    max.into_iter().chain(rest).fold(0.0, f32::max)
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

    fn peak_of(rate: u32, channels: &[Vec<f32>], block_frames: usize, skips: bool) -> f32 {
        let mut meter = TruePeak::new(rate, channels.len());
        meter.skips = skips;
        for from in (0..channels[0].len()).step_by(block_frames) {
            let to = channels[0].len().min(from + block_frames);
            let block: Vec<Vec<f32>> = channels.iter().map(|c| c[from..to].to_vec()).collect();
            meter.push(&Block::from_planes(block).unwrap());
        }
        meter.true_peak()
    }

    /// Of what lies low, like a voice: the steps are small beside the samples.
    fn wandering_rumble(frames: usize, seed: u32) -> Vec<f32> {
        let (mut once, mut twice) = (0.0, 0.0);
        let smooth = |x| {
            once += 0.1 * (x - once);
            twice += 0.1 * (once - twice);
            4.0 * twice
        };
        wandering_noise(frames, seed)
            .into_iter()
            .map(smooth)
            .collect()
    }

    #[test]
    fn skipping_changes_no_bit_of_the_reading() {
        for rate in [8_000, 44_100, 48_000, 96_000, 192_000] {
            for seed in 1..9 {
                let signal = if seed % 2 == 0 {
                    wandering_noise
                } else {
                    wandering_rumble
                };
                let channels = [signal(30_011, seed), signal(30_011, seed + 77)];
                let all = peak_of(rate, &channels, 30_011, false);
                for block_frames in [1usize, 7, 100, 4800] {
                    assert_eq!(all, peak_of(rate, &channels, block_frames, true));
                }
            }
        }
    }

    #[test]
    fn no_value_is_beyond_what_it_is_bounded_by() {
        for rate in [48_000, 96_000] {
            let meter = TruePeak::new(rate, 1);
            for samples in [wandering_noise(30_000, 3), wandering_rumble(30_000, 3)] {
                for seen in samples.chunks_exact(RUN_FRAMES + 2 * SIDE) {
                    let near = magnitude_max(&seen[SIDE - 1..=SIDE + GRID_FRAMES]);
                    let (step, around) = (step_max(seen), magnitude_max(seen));
                    let steps = seen.windows(2).map(|two| (two[1] - two[0]).abs());
                    assert_eq!(step, steps.fold(0.0, f32::max));
                    assert!(meter.quick_max(seen) <= meter.quick_reach.bound(near, step, around));
                    assert!(meter.quick_max(seen) <= meter.quick_reach.gain * around);
                    assert!(meter.exact_max(seen) <= meter.exact_reach.bound(near, step, around));
                }
            }
        }
    }

    #[test]
    fn the_reading_agrees_with_ebur128() {
        for rate in [44_100, 48_000, 96_000, 192_000] {
            let noise = wandering_noise(rate as usize, 9);
            let ours = peak_of(rate, std::slice::from_ref(&noise), 4800, true);
            let mut theirs = ebur128::EbuR128::new(1, rate, ebur128::Mode::TRUE_PEAK).unwrap();
            theirs.add_frames_f32(&noise).unwrap();
            let difference_db = 20.0 * (f64::from(ours) / theirs.true_peak(0).unwrap()).log10();
            // White noise is full of what that meter falls short of, above 96 kHz by 3 dB and more.
            assert!(difference_db > -0.02, "{rate} Hz: {difference_db} dB");
            let more = if rate < 96_000 { 1.5 } else { 6.0 };
            assert!(difference_db < more, "{rate} Hz: {difference_db} dB");
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
        let db = 20.0 * peak_of(48_000, &[risen], 4800, true).log10();
        assert!(db.abs() < 0.2, "{db} dB");
    }

    /// 32 points to a frame, by a sinc of 512 taps: nothing of the meter is in it.
    fn reference(samples: &[f32]) -> f64 {
        const REACH: i64 = 256;
        let mut highest = 0.0f64;
        let loud = magnitude_max(samples) * 0.7;
        for n in 0..samples.len() as i64 {
            if samples[n as usize].abs() < loud {
                continue;
            }
            for point in -16..16 {
                let part = f64::from(point) / 32.0;
                let value: f64 = (n - REACH..=n + REACH)
                    .filter_map(|at| {
                        let sample = f64::from(*samples.get(usize::try_from(at).ok()?)?);
                        let x = (at - n) as f64 - part;
                        let window = (0.5 * PI * x / (REACH + 1) as f64).cos().powi(2);
                        let sinc = if x == 0.0 {
                            1.0
                        } else {
                            (PI * x).sin() / (PI * x)
                        };
                        Some(sample * window * sinc)
                    })
                    .sum();
                highest = highest.max(value.abs());
            }
        }
        highest
    }

    #[test]
    fn bursts_just_below_half_the_rate_read_what_a_32_fold_reference_reads() {
        for part in [0.11, 0.25, 1.0 / 3.0, 0.42, 0.45, 0.47] {
            for (phase, frames) in [(0.0, 40), (0.3, 90), (0.5, 250), (0.77, 600)] {
                let burst: Vec<f32> = (0..1_000)
                    .map(|n| {
                        let at = f64::from(n) - 500.0;
                        let shape = (PI * at / f64::from(frames)).cos().max(0.0);
                        let tone = (2.0 * PI * part * at + phase).cos();
                        let inside = at.abs() < f64::from(frames) / 2.0;
                        if inside {
                            (shape * shape * tone) as f32
                        } else {
                            0.0
                        }
                    })
                    .collect();
                let expected = reference(&burst);
                for rate in [8_000, 44_100, 48_000, 96_000, 192_000] {
                    let ours = f64::from(peak_of(rate, std::slice::from_ref(&burst), 333, true));
                    let off_db = 20.0 * (ours / expected).log10();
                    assert!(
                        off_db.abs() < 0.1,
                        "{rate} Hz, {part} of the rate, {frames} frames: {off_db:.3} dB"
                    );
                }
            }
        }
    }

    #[test]
    fn a_peak_at_the_very_end_is_read() {
        let mut samples = vec![0.0; 4_801];
        samples[4_800] = 0.5;
        assert_eq!(peak_of(48_000, &[samples.clone()], 4_800, true), 0.5);
        samples[4_799] = 0.5;
        assert!(peak_of(48_000, &[samples], 4_800, true) > 0.6);
    }
}
