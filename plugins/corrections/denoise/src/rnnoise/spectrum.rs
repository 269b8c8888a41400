//! Spectra of 20 ms, real and imaginary parts in arrays of their own.

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

/// Both directions.
pub struct Transform(retake_signal::transform::Transform);

impl Transform {
    pub fn new() -> Self {
        // RNNoise's transform is normalised forwards, by the window's energy: half its length.
        Self(retake_signal::transform::Transform::new(1.0 / FRAME as f64))
    }

    pub fn forward(&mut self, input: &[f32; WINDOW], spectrum: &mut Spectrum) {
        let [first, second] = input.as_chunks().0 else {
            unreachable!("a window is two frames long");
        };
        self.0
            .forward(first, second, &mut spectrum.re, &mut spectrum.im);
    }

    /// Adds the window's first half to `overlap`, which is then the second half.
    pub fn inverse(
        &mut self,
        spectrum: &Spectrum,
        overlap: &mut [f32; FRAME],
        output: &mut [f32; FRAME],
    ) {
        self.0.inverse(&spectrum.re, &spectrum.im, overlap, output);
    }
}
