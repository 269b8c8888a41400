//! RNNoise for 128-bit vectors.
//!
//! J.-M. Valin, "A Hybrid DSP/Deep Learning Approach to Real-Time Full-Band Speech Enhancement",
//! 2018. This is a rewrite of the hot parts of the crate nnnoiseless 0.5.2 (Joe Neeman's port of
//! Xiph's RNNoise, BSD-3-Clause, see `COPYING`) with its weights and its arithmetic: same features,
//! same network, same filter. What differs is how fast: lanes of four, spectra with real and
//! imaginary parts apart, weights unpacked once, tables for the bands, no allocation per frame. The
//! tests hold its output against the crate's.

mod activation;
mod bands;
mod features;
mod network;
mod pitch;
mod spectrum;

use crate::approximate::{at_least, at_most};
use bands::{BANDS, Bands};
use features::Features;
use network::{Network, Opinion};
pub use spectrum::{BINS, Spectrum, Transform};

/// Frames of audio per call, and by how much the output lags: 10 ms at 48 kHz.
pub const FRAME: usize = 480;

const WINDOW: usize = 2 * FRAME;

/// A word's end is held as speech a little longer: half of it for 230 ms.
const SPEECH_HELD: f32 = 0.97;

/// What the network may not take: a spectrum of the same frame, and how much of each bin is to come
/// from it, 0 to 1.
pub struct Spared {
    pub spectrum: Spectrum,
    pub share: [f32; BINS],
}

impl Spared {
    /// The network has its way.
    pub fn nothing() -> Self {
        Self {
            spectrum: Spectrum::empty(),
            share: [0.0; BINS],
        }
    }
}

/// One channel's noise suppression.
pub struct Denoiser {
    transform: Transform,
    bands: Bands,
    features: Features,
    network: Network,
    /// The band gains of the frame before: they fall by at most 40 % per frame, or reverberation
    /// would be chopped off.
    gains_before: [f32; BANDS],
    bin_gains: [f32; BINS],
    /// How likely it is that somebody speaks, or has just spoken, 0 to 1.
    speech: f32,
    /// Second half of the last synthesis window.
    overlap: [f32; FRAME],
}

impl Denoiser {
    pub fn new() -> Self {
        Self {
            transform: Transform::new(),
            bands: Bands::new(),
            features: Features::new(),
            network: Network::new(),
            gains_before: [0.0; BANDS],
            bin_gains: [0.0; BINS],
            speech: 0.0,
            overlap: [0.0; FRAME],
        }
    }

    /// Takes a frame at 48 kHz whose full scale is 32 768, and gives back the frame before it.
    /// `spared` belongs to the window that ends with `input`.
    pub fn run(&mut self, input: &[f32; FRAME], spared: &Spared, output: &mut [f32; FRAME]) {
        let audible = self
            .features
            .compute(input, &mut self.transform, &self.bands);
        if audible {
            let Opinion { mut gains, speech } = self.network.compute(self.features.network_input());
            self.speech = at_least(speech, SPEECH_HELD * self.speech);
            self.filter_pitch(&gains);
            for (gain, before) in gains.iter_mut().zip(&mut self.gains_before) {
                *gain = at_least(*gain, 0.6 * *before);
                *before = *gain;
            }
            self.bands.spread(&gains, &mut self.bin_gains);
            self.features.signal.scale(&self.bin_gains);
        }
        // What goes beyond steady noise may still be a door or a keyboard, where nobody speaks.
        self.features.signal.give_way(spared, self.speech);
        self.transform
            .inverse(&self.features.signal, &mut self.overlap, output);
    }

    /// Adds the signal of one pitch period ago where the gains say that the voice is noisy, and
    /// brings each band back to its energy: noise between the harmonics averages out.
    fn filter_pitch(&mut self, gains: &[f32; BANDS]) {
        let Features {
            signal,
            lagged,
            signal_energy,
            lagged_energy,
            correlation,
            ..
        } = &mut self.features;
        let mut shares = [0.0; BANDS];
        for (band, share) in shares.iter_mut().enumerate() {
            let (correlation, gain) = (correlation[band], gains[band]);
            let part = if correlation > gain {
                1.0
            } else {
                let (c, g) = (correlation * correlation, gain * gain);
                c * (1.0 - g) / (0.001 + g * (1.0 - c))
            };
            *share = at_least(at_most(part, 1.0), 0.0).sqrt()
                * (signal_energy[band] / (1e-8 + lagged_energy[band])).sqrt();
        }
        self.bands.spread(&shares, &mut self.bin_gains);
        signal.add_scaled(lagged, &self.bin_gains);

        let filtered_energy = self.bands.correlate(signal, signal);
        let mut restore = [0.0; BANDS];
        for (band, restore) in restore.iter_mut().enumerate() {
            *restore = (signal_energy[band] / (1e-8 + filtered_energy[band])).sqrt();
        }
        self.bands.spread(&restore, &mut self.bin_gains);
        signal.scale(&self.bin_gains);
    }
}
