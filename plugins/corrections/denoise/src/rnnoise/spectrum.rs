//! Windowed real Fourier transforms of 20 ms, real and imaginary parts in arrays of their own.

use std::f64::consts::PI;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::{FRAME, Spared, WINDOW};

/// Bins in use: 0 Hz to just under 24 kHz. The network silences everything above 20 kHz, so the
/// Nyquist bin never matters.
pub const BINS: usize = FRAME;

#[derive(Clone)]
pub struct Spectrum {
    pub re: [f32; BINS],
    pub im: [f32; BINS],
}

impl Spectrum {
    /// Before there is one.
    pub fn empty() -> Self {
        Self {
            re: [0.0; BINS],
            im: [0.0; BINS],
        }
    }

    pub fn power(&self) -> [f32; BINS] {
        std::array::from_fn(|bin| self.re[bin] * self.re[bin] + self.im[bin] * self.im[bin])
    }

    pub fn scale(&mut self, gains: &[f32; BINS]) {
        for ((re, im), gain) in self.re.iter_mut().zip(&mut self.im).zip(gains) {
            *re *= gain;
            *im *= gain;
        }
    }

    pub fn add_scaled(&mut self, other: &Self, gains: &[f32; BINS]) {
        for ((re, other), gain) in self.re.iter_mut().zip(&other.re).zip(gains) {
            *re += other * gain;
        }
        for ((im, other), gain) in self.im.iter_mut().zip(&other.im).zip(gains) {
            *im += other * gain;
        }
    }

    /// Takes over what is spared, by a factor of 0 to 1.
    pub fn give_way(&mut self, spared: &Spared, factor: f32) {
        let Spared { spectrum, share } = spared;
        for bin in 0..BINS {
            let share = factor * share[bin];
            self.re[bin] += share * (spectrum.re[bin] - self.re[bin]);
            self.im[bin] += share * (spectrum.im[bin] - self.im[bin]);
        }
    }
}

/// Both directions, with their window and buffers.
pub struct Transform {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    window: [f32; WINDOW],
    /// RNNoise's transform is normalised forwards.
    norm: f32,
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
        for n in 0..FRAME {
            let sine = (0.5 * PI * (n as f64 + 0.5) / FRAME as f64).sin();
            window[n] = (0.5 * PI * sine * sine).sin() as f32;
            window[WINDOW - 1 - n] = window[n];
        }
        let norm = 1.0 / window.iter().map(|w| w * w).sum::<f32>();
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        Self {
            time: forward.make_input_vec(),
            bins: forward.make_output_vec(),
            scratch: vec![Complex32::default(); scratch],
            forward,
            inverse,
            window,
            norm,
        }
    }

    pub fn forward(&mut self, input: &[f32; WINDOW], spectrum: &mut Spectrum) {
        for ((time, input), window) in self.time.iter_mut().zip(input).zip(&self.window) {
            *time = input * window;
        }
        self.forward
            .process_with_scratch(&mut self.time, &mut self.bins, &mut self.scratch)
            .expect("the buffers were made for it");
        let norm = self.norm;
        for ((re, im), bin) in spectrum.re.iter_mut().zip(&mut spectrum.im).zip(&self.bins) {
            *re = bin.re * norm;
            *im = bin.im * norm;
        }
    }

    /// Adds the window's first half to `overlap`, which is then the second half.
    pub fn inverse(
        &mut self,
        spectrum: &Spectrum,
        overlap: &mut [f32; FRAME],
        output: &mut [f32; FRAME],
    ) {
        for ((re, im), bin) in spectrum.re.iter().zip(&spectrum.im).zip(&mut self.bins) {
            *bin = Complex32::new(*re, *im);
        }
        // A real signal has none there; rounding must not say otherwise.
        self.bins[0].im = 0.0;
        self.bins[BINS] = Complex32::default();
        self.inverse
            .process_with_scratch(&mut self.bins, &mut self.time, &mut self.scratch)
            .expect("the buffers were made for it, and both ends are real");
        let (first, second) = self.time.split_at(FRAME);
        let (rising, falling) = self.window.split_at(FRAME);
        // Half: forwards is normalised by the window's energy, which is half its length.
        for n in 0..FRAME {
            output[n] = first[n] * 0.5 * rising[n] + overlap[n];
            overlap[n] = second[n] * 0.5 * falling[n];
        }
    }
}
