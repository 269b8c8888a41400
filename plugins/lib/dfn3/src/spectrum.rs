//! Windowed real Fourier transforms of 20 ms, real and imaginary parts in arrays of their own.

use std::f64::consts::PI;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use crate::{BINS, HOP, WINDOW};

#[derive(Clone)]
pub struct Spectrum {
    pub re: [f32; BINS],
    pub im: [f32; BINS],
}

impl Spectrum {
    pub const SILENCE: Self = Self {
        re: [0.0; BINS],
        im: [0.0; BINS],
    };

    pub fn add(&mut self, factor: f32, other: &Self) {
        let parts = self.re.iter_mut().chain(&mut self.im);
        for (part, other) in parts.zip(other.re.iter().chain(&other.im)) {
            *part += factor * other;
        }
    }

    #[inline(always)]
    pub fn power(&self, bin: usize) -> f32 {
        self.re[bin] * self.re[bin] + self.im[bin] * self.im[bin]
    }
}

/// Both directions, with their window and buffers.
pub struct Transform {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    window: [f32; WINDOW],
    time: Vec<f32>,
    bins: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Transform {
    pub fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(WINDOW);
        let inverse = planner.plan_fft_inverse(WINDOW);
        // Vorbis' power-complementary window.
        let mut window = [0.0; WINDOW];
        for n in 0..HOP {
            let sine = (0.5 * PI * (n as f64 + 0.5) / HOP as f64).sin();
            window[n] = (0.5 * PI * sine * sine).sin() as f32;
            window[WINDOW - 1 - n] = window[n];
        }
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        Self {
            time: forward.make_input_vec(),
            bins: forward.make_output_vec(),
            scratch: vec![Complex32::default(); scratch],
            forward,
            inverse,
            window,
        }
    }

    /// Of the window that is `first` and then `second`.
    pub fn forward(&mut self, first: &[f32; HOP], second: &[f32; HOP], spectrum: &mut Spectrum) {
        let input = first.iter().chain(second);
        for ((time, input), window) in self.time.iter_mut().zip(input).zip(&self.window) {
            *time = input * window;
        }
        self.forward
            .process_with_scratch(&mut self.time, &mut self.bins, &mut self.scratch)
            .expect("the buffers were made for it");
        let norm = 1.0 / WINDOW as f32;
        for ((re, im), bin) in spectrum.re.iter_mut().zip(&mut spectrum.im).zip(&self.bins) {
            *re = bin.re * norm;
            *im = bin.im * norm;
        }
    }

    /// Adds the window's first half to `overlap`, which is then the second half.
    pub fn inverse(
        &mut self,
        spectrum: &Spectrum,
        overlap: &mut [f32; HOP],
        output: &mut [f32; HOP],
    ) {
        for ((re, im), bin) in spectrum.re.iter().zip(&spectrum.im).zip(&mut self.bins) {
            *bin = Complex32::new(*re, *im);
        }
        // A real signal has none there; a filter may have made some.
        self.bins[0].im = 0.0;
        self.bins[BINS - 1].im = 0.0;
        self.inverse
            .process_with_scratch(&mut self.bins, &mut self.time, &mut self.scratch)
            .expect("the buffers were made for it, and both ends are real");
        let (first, second) = self.time.split_at(HOP);
        let (rising, falling) = self.window.split_at(HOP);
        for n in 0..HOP {
            output[n] = first[n] * rising[n] + overlap[n];
            overlap[n] = second[n] * falling[n];
        }
    }
}

impl Default for Transform {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_there_comes_back_one_hop_later() {
        let mut transform = Transform::new();
        let frames: Vec<[f32; HOP]> = (0..8)
            .map(|frame| std::array::from_fn(|n| ((frame * HOP + n) as f32 * 0.37).sin()))
            .collect();
        let (mut spectrum, mut overlap, mut output) = (Spectrum::SILENCE, [0.0; HOP], [0.0; HOP]);
        for (n, pair) in frames.windows(2).enumerate() {
            transform.forward(&pair[0], &pair[1], &mut spectrum);
            transform.inverse(&spectrum, &mut overlap, &mut output);
            for (found, expected) in output.iter().zip(&pair[0]).filter(|_| n > 0) {
                assert!((found - expected).abs() < 1e-5, "frame {n}");
            }
        }
    }
}
