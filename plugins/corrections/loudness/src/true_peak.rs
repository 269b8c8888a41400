//! Peaks between the samples (ITU-R BS.1770-5, Annex 2), also of what lies close to half the rate.
//!
//! Two interpolators. The quick one is the 48-tap filter of libebur128: fourfold below 96 kHz, twofold
//! above. It reads common material right and falls short where there is much just below half the rate,
//! by at most 6 dB. Where its reading could matter all the same, an exact one looks again: a sinc of 192
//! taps per point under a Kaiser window, flat to 0.49 of the rate, and through the three points of each
//! crest the sinusoid that has them, whose crest may lie between.

use std::f64::consts::PI;

use retake_signal::lanes::F4;

const QUICK_TAPS: usize = 48;
/// By how much, as a factor, the quick reading may fall short.
const QUICK_SHORT: f32 = 2.0;

/// Frames that the exact interpolator sees on either side of a point.
const SIDE: usize = 96;
/// Shape of its window: ripple of -54 dB.
const KAISER_BETA: f64 = 5.0;
/// Crests whose three points turn by less than this (as a cosine) are as high as their highest point.
const FLAT: f32 = 0.995;

/// Frames looked at together.
const RUN: usize = 64;
/// Points looked at per frame, at high rates as well: hiss upon a voice reaches half of any rate.
const POINTS: usize = 4;

pub struct Interpolator {
    quick: Quick,
    /// By how much the quick reading may at most exceed the largest sample around it.
    quick_overshoot_max: f32,
    exact: Vec<Vec<f32>>,
    /// By how much a crest may at most exceed the highest point beside it.
    crest_max: f32,
}

impl Interpolator {
    pub fn new(rate_hz: u32) -> Self {
        let phases = quick(if rate_hz < 96_000 { 4 } else { 2 });
        let gain = |taps: &Vec<f32>| taps.iter().map(|tap| tap.abs()).sum::<f32>();
        // A little more, for rounding.
        let quick_overshoot_max = phases.iter().map(gain).fold(1.0, f32::max) * 1.001;
        Self {
            quick: Quick::new(&phases),
            quick_overshoot_max,
            exact: (1..POINTS)
                .map(|point| exact(point as f64 / POINTS as f64))
                .collect(),
            crest_max: (1.0 / (PI / 2.0 / POINTS as f64).cos()) as f32,
        }
    }

    /// Frames that must be known before and after those that are looked at.
    pub const REACH: usize = SIDE;

    /// By how much a peak may at most exceed the largest sample around it, in what this reads.
    pub fn overshoot_max(&self) -> f32 {
        self.quick_overshoot_max * QUICK_SHORT
    }

    /// For each frame the largest size of it and of the signal up to the next, as the quick
    /// interpolator reads it. `samples` begins [`Self::REACH`] frames before the first of `peaks` and ends as many
    /// after the last.
    fn quick_peaks(&self, samples: &[f32], peaks: &mut [f32]) {
        assert_eq!(samples.len(), peaks.len() + 2 * SIDE);
        for (run, peaks) in peaks.chunks_mut(TOGETHER).enumerate() {
            let read = self.quick.read(samples, SIDE + run * TOGETHER);
            let mut all = [0.0; TOGETHER];
            read[0].store(&mut all);
            read[1].store(&mut all[4..]);
            peaks.copy_from_slice(&all[..peaks.len()]);
        }
    }

    /// The highest of these, or `floor` if that is higher: most frames are too low to matter, and are not interpolated.
    pub fn quick_highest(&self, samples: &[f32], floor: f32) -> f32 {
        let frames = SIDE..samples.len() - SIDE;
        let mut highest = max(floor, sample_peak(&samples[frames.clone()]));
        let reach = self.quick.reach();
        for first in frames.clone().step_by(TOGETHER) {
            let around = &samples[first + 1 - reach..first + TOGETHER + reach];
            if sample_peak(around) * self.quick_overshoot_max <= highest {
                continue;
            }
            let mut all = [0.0; TOGETHER];
            let read = self.quick.read(samples, first);
            read[0].store(&mut all);
            read[1].store(&mut all[4..]);
            let within = frames.end.min(first + TOGETHER) - first;
            highest = max(highest, sample_peak(&all[..within]));
        }
        highest
    }

    /// The same, exactly wherever it may be more than `floor`.
    pub fn peaks(&self, samples: &[f32], peaks: &mut [f32], floor: f32) {
        for (run, peaks) in peaks.chunks_mut(RUN).enumerate() {
            let samples = &samples[run * RUN..][..peaks.len() + 2 * SIDE];
            let mut quick = [0.0; RUN];
            let quick = &mut quick[..peaks.len()];
            self.quick_peaks(samples, quick);
            if sample_peak(quick) * QUICK_SHORT > floor {
                self.exact_peaks(samples, quick);
            }
            for (peak, quick) in peaks.iter_mut().zip(quick) {
                *peak = max(*peak, *quick);
            }
        }
    }

    /// At most [`RUN`] frames.
    fn exact_peaks(&self, samples: &[f32], peaks: &mut [f32]) {
        let points = POINTS;
        // From the frame before the first to the one after the last, which has its first point only.
        let mut grid = [0.0f32; (RUN + 1) * POINTS + 1];
        let frames = peaks.len() + 1;
        for frame in 0..=frames {
            grid[frame * points] = samples[SIDE - 1 + frame];
        }
        for (point, taps) in self.exact.iter().enumerate() {
            convolved(taps, samples, frames, |frame, value| {
                grid[frame * points + point + 1] = value;
            });
        }
        for (frame, peak) in peaks.iter_mut().enumerate() {
            let first = (frame + 1) * points;
            for at in first..first + points {
                let crest = self.crest(grid[at - 1], grid[at], grid[at + 1]);
                *peak = max(*peak, crest);
            }
        }
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

/// Frames that the quick interpolator reads together.
const TOGETHER: usize = 8;

/// The quick interpolator's taps, tap by tap for all points between two samples.
enum Quick {
    Fourfold(Vec<[f32; 3]>),
    Twofold(Vec<[f32; 1]>),
}

impl Quick {
    /// Of its phases, one per point.
    fn new(phases: &[Vec<f32>]) -> Self {
        fn by_tap<const POINTS: usize>(phases: &[Vec<f32>]) -> Vec<[f32; POINTS]> {
            let tap = |n: usize| std::array::from_fn(|point| phases[point][n]);
            (0..phases[0].len()).map(tap).collect()
        }
        match phases.len() {
            1 => Self::Twofold(by_tap(phases)),
            _ => Self::Fourfold(by_tap(phases)),
        }
    }

    /// Frames seen on either side of a point.
    fn reach(&self) -> usize {
        match self {
            Self::Fourfold(taps) => taps.len() / 2,
            Self::Twofold(taps) => taps.len() / 2,
        }
    }

    /// For each of so many frames from one on the largest size of it and of the points up to the next.
    fn read(&self, samples: &[f32], first: usize) -> [F4; 2] {
        match self {
            Self::Fourfold(taps) => read(taps, samples, first),
            Self::Twofold(taps) => read(taps, samples, first),
        }
    }
}

#[inline(always)]
fn read<const POINTS: usize>(taps: &[[f32; POINTS]], samples: &[f32], first: usize) -> [F4; 2] {
    let around = &samples[first + 1 - taps.len() / 2..];
    let mut sums = [[F4::splat(0.0); 2]; POINTS];
    for (taps, samples) in taps.iter().zip(around.windows(TOGETHER)) {
        let samples = [F4::load(samples), F4::load(&samples[4..])];
        for (sums, &tap) in sums.iter_mut().zip(taps) {
            let tap = F4::splat(tap);
            for (sum, samples) in sums.iter_mut().zip(samples) {
                *sum = sum.plus(tap.times(samples));
            }
        }
    }
    let own = &samples[first..first + TOGETHER];
    let mut sizes = [F4::load(own).abs(), F4::load(&own[4..]).abs()];
    for sums in sums {
        for (size, sum) in sizes.iter_mut().zip(sums) {
            *size = size.or_larger(sum.abs());
        }
    }
    sizes
}

/// The filter of libebur128, one phase per point between two samples, oldest sample first.
fn quick(factor: usize) -> Vec<Vec<f32>> {
    let tap = |j: usize| {
        let hann = 0.5 * (1.0 - (2.0 * PI * j as f64 / QUICK_TAPS as f64).cos());
        let angle = (j as f64 - QUICK_TAPS as f64 / 2.0) * PI / factor as f64;
        (hann * angle.sin() / angle) as f32
    };
    let taps = QUICK_TAPS / factor;
    (1..factor)
        .map(|point| (0..taps).rev().map(|k| tap(factor * k + point)).collect())
        .collect()
}

/// The value `part` of the way from one sample to the next, oldest sample first.
fn exact(part: f64) -> Vec<f32> {
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

/// Each of `frames` sums of `taps` with as many samples from that frame on.
fn convolved(taps: &[f32], samples: &[f32], frames: usize, mut put: impl FnMut(usize, f32)) {
    const LANES: usize = 16;
    let mut first = 0;
    while first + LANES <= frames {
        let mut sums = [0.0f32; LANES];
        for (offset, &tap) in taps.iter().enumerate() {
            let from = &samples[first + offset..first + offset + LANES];
            for (sum, sample) in sums.iter_mut().zip(from) {
                *sum += tap * sample;
            }
        }
        for (lane, sum) in sums.into_iter().enumerate() {
            put(first + lane, sum);
        }
        first += LANES;
    }
    for frame in first..frames {
        let pairs = taps.iter().zip(&samples[frame..]);
        // In the order of the lanes above: the same sum wherever a run is cut.
        put(
            frame,
            pairs.fold(0.0, |sum, (tap, sample)| sum + tap * sample),
        );
    }
}

/// The largest size of a sample.
pub fn sample_peak(samples: &[f32]) -> f32 {
    // Lanes of their own, or the compiler has to keep the order of a single maximum.
    let mut lanes = [0.0f32; 8];
    let (runs, rest) = samples.as_chunks::<8>();
    for run in runs {
        for (lane, sample) in lanes.iter_mut().zip(run) {
            *lane = max(*lane, sample.abs());
        }
    }
    rest.iter()
        .map(|sample| sample.abs())
        .chain(lanes)
        .fold(0.0, max)
}

/// Unlike `f32::max` it need not care for numbers that are none, and is one instruction.
#[inline(always)]
fn max(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}
