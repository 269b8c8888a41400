//! Windowed real Fourier transforms of 20 ms at 48 kHz, there and back with half of each window's neighbour
//! over it. Real and imaginary parts stand in arrays of their own, as loops over vectors want them.
//!
//! For one length only, so that the loops have fixed lengths: on 128-bit vectors of WebAssembly it takes
//! half of what a library for any length does (docs/benchmarks.md).

mod fourier;

use std::f64::consts::PI;

use fourier::{Fourier, POINTS};

use crate::lanes::F4;

/// Samples between windows, 10 ms.
pub const HOP: usize = 480;
/// A window is two hops long.
pub const WINDOW: usize = 2 * HOP;

/// Both directions, with their window and buffers.
pub struct Transform {
    fourier: Fourier,
    /// Vorbis' power-complementary window: its square and that of its neighbour are 1 together.
    window: [f32; WINDOW],
    /// The same times the norm, and over it.
    analysis: [f32; WINDOW],
    synthesis: [f32; WINDOW],
    cosines: [f32; HOP / 2],
    sines: [f32; HOP / 2],
    re: [f32; POINTS],
    im: [f32; POINTS],
    out_re: [f32; POINTS],
    out_im: [f32; POINTS],
}

impl Transform {
    /// `norm` is what the sums of the forward transform are multiplied by; the inverse undoes it.
    pub fn new(norm: f64) -> Self {
        let mut window = [0.0f64; WINDOW];
        for n in 0..HOP {
            let sine = (0.5 * PI * (n as f64 + 0.5) / HOP as f64).sin();
            window[n] = (0.5 * PI * sine * sine).sin();
            window[WINDOW - 1 - n] = window[n];
        }
        // From the first bin on.
        let turn = |n: usize| 2.0 * PI * (n + 1) as f64 / WINDOW as f64;
        let is_quarter = |n: usize| n + 1 == WINDOW / 4;
        Self {
            fourier: Fourier::new(),
            window: window.map(|w| w as f32),
            analysis: window.map(|w| (w * norm) as f32),
            synthesis: window.map(|w| (w / (norm * WINDOW as f64)) as f32),
            cosines: std::array::from_fn(|n| {
                if is_quarter(n) {
                    0.0
                } else {
                    turn(n).cos() as f32
                }
            }),
            sines: std::array::from_fn(|n| turn(n).sin() as f32),
            re: [0.0; POINTS],
            im: [0.0; POINTS],
            out_re: [0.0; POINTS],
            out_im: [0.0; POINTS],
        }
    }

    pub fn window(&self) -> &[f32; WINDOW] {
        &self.window
    }

    /// Of the window that is `first` and then `second`. Gives bins from 0 Hz on, as many as there is room
    /// for: [`HOP`], or one more with that at half the rate.
    pub fn forward(
        &mut self,
        first: &[f32; HOP],
        second: &[f32; HOP],
        re: &mut [f32],
        im: &mut [f32],
    ) {
        let analysis = &self.analysis;
        // Two real samples are one complex point.
        let points = |point: usize| {
            let (half, at) = if point < HOP / 2 {
                (first, 2 * point)
            } else {
                (second, 2 * point - HOP)
            };
            let (samples, window) = (&half[at..at + 8], &analysis[2 * point..2 * point + 8]);
            let low = F4::load(samples).times(F4::load(window));
            let high = F4::load(&samples[4..]).times(F4::load(&window[4..]));
            low.unzip(high)
        };
        self.fourier.run(points, &mut self.re, &mut self.im);
        self.split(re, im);
    }

    /// The spectrum of the real samples out of that of the complex points.
    fn split(&self, re: &mut [f32], im: &mut [f32]) {
        assert!(re.len() >= HOP && im.len() == re.len());
        let half = F4::splat(0.5);
        for from in (0..HOP / 2).step_by(4) {
            let (bin, mirror) = (from + 1, HOP - 4 - from);
            let (a_re, a_im) = (load_at(&self.re, bin), load_at(&self.im, bin));
            let b_re = load_at(&self.re, mirror).reversed();
            let b_im = load_at(&self.im, mirror).reversed();
            let (even_re, even_im) = (a_re.plus(b_re).times(half), a_im.minus(b_im).times(half));
            let (odd_re, odd_im) = (a_im.plus(b_im).times(half), b_re.minus(a_re).times(half));
            let (cosine, sine) = (
                F4::load(&self.cosines[from..]),
                F4::load(&self.sines[from..]),
            );
            let turned_re = odd_re.times(cosine).plus(odd_im.times(sine));
            let turned_im = odd_im.times(cosine).minus(odd_re.times(sine));
            even_re.minus(turned_re).reversed().store(&mut re[mirror..]);
            turned_im.minus(even_im).reversed().store(&mut im[mirror..]);
            even_re.plus(turned_re).store(&mut re[bin..]);
            even_im.plus(turned_im).store(&mut im[bin..]);
        }
        let (sum, difference) = (self.re[0] + self.im[0], self.re[0] - self.im[0]);
        (re[0], im[0]) = (sum, 0.0);
        if re.len() > HOP {
            (re[HOP], im[HOP]) = (difference, 0.0);
        }
    }

    /// Adds the window's first half to `overlap`, which is then the second half. Where the bin at half the
    /// rate is not given it is nothing, and its imaginary part and that at 0 Hz never count: a real signal
    /// has none.
    pub fn inverse(
        &mut self,
        re: &[f32],
        im: &[f32],
        overlap: &mut [f32; HOP],
        output: &mut [f32; HOP],
    ) {
        self.join(re, im);
        // Real and imaginary parts in each other's place, before and after, turn it around.
        let (from_re, from_im) = (&self.re, &self.im);
        let points = |point: usize| (F4::load(&from_im[point..]), F4::load(&from_re[point..]));
        self.fourier.run(points, &mut self.out_im, &mut self.out_re);
        let (rising, falling) = self.synthesis.split_at(HOP);
        for point in (0..HOP / 2).step_by(4) {
            let (low, high) =
                F4::load(&self.out_re[point..]).zip_lanes(F4::load(&self.out_im[point..]));
            for (at, part) in [(2 * point, low), (2 * point + 4, high)] {
                let before = F4::load(&overlap[at..]);
                part.times(F4::load(&rising[at..]))
                    .plus(before)
                    .store(&mut output[at..]);
            }
        }
        for point in (HOP / 2..HOP).step_by(4) {
            let (low, high) =
                F4::load(&self.out_re[point..]).zip_lanes(F4::load(&self.out_im[point..]));
            let at = 2 * point - HOP;
            low.times(F4::load(&falling[at..]))
                .store(&mut overlap[at..]);
            high.times(F4::load(&falling[at + 4..]))
                .store(&mut overlap[at + 4..]);
        }
    }

    /// The spectrum of the complex points out of that of the real samples, twice as large.
    fn join(&mut self, re: &[f32], im: &[f32]) {
        assert!(re.len() >= HOP && im.len() == re.len());
        for from in (0..HOP / 2).step_by(4) {
            let (bin, mirror) = (from + 1, HOP - 4 - from);
            let (a_re, a_im) = (load_at(re, bin), load_at(im, bin));
            let b_re = load_at(re, mirror).reversed();
            let b_im = load_at(im, mirror).reversed();
            let (even_re, even_im) = (a_re.plus(b_re), a_im.minus(b_im));
            let (off_re, off_im) = (a_re.minus(b_re), a_im.plus(b_im));
            let (cosine, sine) = (
                F4::load(&self.cosines[from..]),
                F4::load(&self.sines[from..]),
            );
            let odd_re = off_re.times(cosine).minus(off_im.times(sine));
            let odd_im = off_im.times(cosine).plus(off_re.times(sine));
            even_re
                .plus(odd_im)
                .reversed()
                .store(&mut self.re[mirror..]);
            odd_re
                .minus(even_im)
                .reversed()
                .store(&mut self.im[mirror..]);
            even_re.minus(odd_im).store(&mut self.re[bin..]);
            even_im.plus(odd_re).store(&mut self.im[bin..]);
        }
        let highest = re.get(HOP).copied().unwrap_or(0.0);
        (self.re[0], self.im[0]) = (re[0] + highest, re[0] - highest);
    }
}

#[inline(always)]
fn load_at(from: &[f32], at: usize) -> F4 {
    F4::load(&from[at..at + 4])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use realfft::RealFftPlanner;

    use super::*;

    fn noise(seed: u32) -> impl FnMut() -> f32 {
        let mut state = seed;
        move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        }
    }

    fn hop(next: &mut impl FnMut() -> f32) -> [f32; HOP] {
        std::array::from_fn(|_| next())
    }

    #[test]
    fn it_is_the_fourier_transform_that_realfft_has_to_within_rounding() {
        let mut transform = Transform::new(1.0 / HOP as f64);
        let reference = RealFftPlanner::<f64>::new().plan_fft_forward(WINDOW);
        for seed in 1..20 {
            let mut next = noise(seed);
            let (first, second) = (hop(&mut next), hop(&mut next));
            let samples = first.iter().chain(&second).zip(transform.window());
            let mut time: Vec<f64> = samples
                .map(|(s, w)| f64::from(*s) * f64::from(*w) / HOP as f64)
                .collect();
            let mut bins = reference.make_output_vec();
            reference.process(&mut time, &mut bins).unwrap();
            let (mut re, mut im) = ([0.0; HOP + 1], [0.0; HOP + 1]);
            transform.forward(&first, &second, &mut re, &mut im);
            let largest = bins.iter().map(|bin| bin.norm()).fold(0.0, f64::max);
            for (bin, expected) in bins.iter().enumerate() {
                let off = (f64::from(re[bin]) - expected.re).abs()
                    + (f64::from(im[bin]) - expected.im).abs();
                assert!(
                    off < 1e-6 * largest,
                    "bin {bin}: off by {off}, largest {largest}"
                );
            }
            let (mut short_re, mut short_im) = ([0.0; HOP], [0.0; HOP]);
            transform.forward(&first, &second, &mut short_re, &mut short_im);
            assert_eq!((&short_re[..], &short_im[..]), (&re[..HOP], &im[..HOP]));
        }
    }

    #[test]
    fn what_goes_there_comes_back_one_hop_later_whatever_the_norm() {
        for norm in [1.0, 1.0 / HOP as f64, 1.0 / WINDOW as f64] {
            let mut transform = Transform::new(norm);
            let mut next = noise(7);
            let hops: Vec<_> = (0..8).map(|_| hop(&mut next)).collect();
            let (mut re, mut im) = ([0.0; HOP + 1], [0.0; HOP + 1]);
            let (mut overlap, mut output) = ([0.0; HOP], [0.0; HOP]);
            for (n, pair) in hops.windows(2).enumerate() {
                transform.forward(&pair[0], &pair[1], &mut re, &mut im);
                transform.inverse(&re, &im, &mut overlap, &mut output);
                for (found, expected) in output.iter().zip(&pair[0]).filter(|_| n > 0) {
                    assert!((found - expected).abs() < 1e-6, "{norm}, hop {n}");
                }
            }
        }
    }

    #[test]
    fn no_bin_at_half_the_rate_is_none_and_imaginary_ends_do_not_count() {
        let mut transform = Transform::new(1.0);
        let mut next = noise(3);
        let mut re = [0.0; HOP + 1];
        re.fill_with(&mut next);
        let mut im = [0.0; HOP + 1];
        im.fill_with(&mut next);
        let mut inverse = |re: &[f32], im: &[f32]| {
            let (mut overlap, mut output) = ([0.0; HOP], [0.0; HOP]);
            transform.inverse(re, im, &mut overlap, &mut output);
            (overlap, output)
        };
        let as_it_is = inverse(&re, &im);
        (im[0], im[HOP]) = (5.0, 6.0);
        assert_eq!(inverse(&re, &im), as_it_is);
        let short = inverse(&re[..HOP], &im[..HOP]);
        assert_ne!(short, as_it_is);
        re[HOP] = 0.0;
        assert_eq!(inverse(&re, &im), short);
    }
}
