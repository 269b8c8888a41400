//! Short spectra of a signal and back: Hann's window twice, three quarters of each over its neighbours.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

/// Windows that lie over each sample.
pub const OVER: usize = 4;
/// 8 ms: from window to window. A window of 32 ms is as long as a room's first echoes take.
const HOPS_PER_SECOND: u32 = 125;
/// The sum of the squares of the windows over a sample.
const NORM: f32 = 1.5;

pub struct Spectra {
    hop: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    window: Vec<f32>,
    samples: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
}

impl Spectra {
    pub fn new(rate_hz: u32) -> Self {
        let hop = (rate_hz / HOPS_PER_SECOND) as usize;
        let size = OVER * hop;
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (
            planner.plan_fft_forward(size),
            planner.plan_fft_inverse(size),
        );
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        let turn = |n: usize| std::f64::consts::TAU * n as f64 / size as f64;
        Self {
            hop,
            spectrum: forward.make_output_vec(),
            samples: forward.make_input_vec(),
            scratch: vec![Complex::default(); scratch],
            window: (0..size)
                .map(|n| (0.5 - 0.5 * turn(n).cos()) as f32)
                .collect(),
            forward,
            inverse,
        }
    }

    pub fn hop(&self) -> usize {
        self.hop
    }

    pub fn bins(&self) -> usize {
        self.spectrum.len()
    }

    /// The spectrum of as many samples as a window has.
    pub fn of(&mut self, samples: &[f32]) -> &[Complex<f32>] {
        for ((to, from), window) in self.samples.iter_mut().zip(samples).zip(&self.window) {
            *to = from * window;
        }
        // It fails on buffers of other lengths only.
        let _ = self.forward.process_with_scratch(
            &mut self.samples,
            &mut self.spectrum,
            &mut self.scratch,
        );
        &self.spectrum
    }

    /// Adds what a spectrum stands for to as many samples as a window has.
    pub fn add(&mut self, bins: impl Iterator<Item = Complex<f32>>, samples: &mut [f32]) {
        for (to, from) in self.spectrum.iter_mut().zip(bins) {
            *to = from;
        }
        // Those have no phase.
        self.spectrum[0].im = 0.0;
        if let Some(last) = self.spectrum.last_mut() {
            last.im = 0.0;
        }
        let _ = self.inverse.process_with_scratch(
            &mut self.spectrum,
            &mut self.samples,
            &mut self.scratch,
        );
        let factor = 1.0 / (NORM * self.samples.len() as f32);
        for ((to, from), window) in samples.iter_mut().zip(&self.samples).zip(&self.window) {
            *to += factor * from * window;
        }
    }
}
