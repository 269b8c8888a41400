//! Spectra of 20 ms, real and imaginary parts in arrays of their own.

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

/// Both directions, with the norm that the network learnt with.
pub struct Transform(retake_signal::transform::Transform);

impl Transform {
    pub fn new() -> Self {
        Self(retake_signal::transform::Transform::new(
            1.0 / WINDOW as f64,
        ))
    }

    /// Of the window that is `first` and then `second`.
    pub fn forward(&mut self, first: &[f32; HOP], second: &[f32; HOP], spectrum: &mut Spectrum) {
        self.0
            .forward(first, second, &mut spectrum.re, &mut spectrum.im);
    }

    /// Adds the window's first half to `overlap`, which is then the second half.
    pub fn inverse(
        &mut self,
        spectrum: &Spectrum,
        overlap: &mut [f32; HOP],
        output: &mut [f32; HOP],
    ) {
        self.0.inverse(&spectrum.re, &spectrum.im, overlap, output);
    }
}

impl Default for Transform {
    fn default() -> Self {
        Self::new()
    }
}
