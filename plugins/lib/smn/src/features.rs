//! Frames of a spectrum in mel bands, as the network was trained with.

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};

use crate::{BANDS, HOP, RATE_HZ, WINDOW};

const FFT: usize = 512;
const BINS: usize = FFT / 2 + 1;
/// Bands from 100 Hz to 8 kHz, equally wide in mel. The network takes the lowest of them.
const ALL_BANDS: usize = 24;
const LOWEST_HZ: f64 = 100.0;
const HIGHEST_HZ: f64 = 8_000.0;
const PRE_EMPHASIS: f32 = 0.97;

/// The logarithm of the power in each band, and of the power of the frame's samples, pre-emphasized.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    pub bands: [f32; BANDS],
    pub energy: f32,
}

/// Makes frames of samples. Several channels go into one frame by their powers: channels that are turned around
/// do not cancel.
pub struct Features {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    bands: Vec<Band>,
    /// Per channel, what is left of the samples that came: less than a frame.
    held: Vec<Vec<f32>>,
    framed: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
}

/// A triangle over bins.
struct Band {
    first: usize,
    weights: Vec<f32>,
}

impl Features {
    pub fn new(channels: usize) -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(FFT);
        // Hann, and zero at both ends.
        let angle = |n: usize| std::f64::consts::TAU * n as f64 / (WINDOW - 1) as f64;
        Self {
            window: (0..WINDOW)
                .map(|n| (0.5 - 0.5 * angle(n).cos()) as f32)
                .collect(),
            bands: bands(),
            held: vec![Vec::with_capacity(2 * WINDOW); channels],
            framed: vec![0.0; FFT],
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
        }
    }

    /// Takes the same number of samples of each channel; what is no number counts as silence.
    pub fn push(&mut self, channels: &[Vec<f32>], mut take: impl FnMut(&Frame)) {
        let mut at = 0;
        let frames = channels.first().map_or(0, Vec::len);
        while at < frames {
            let count = (WINDOW - self.held[0].len()).min(frames - at);
            for (held, channel) in self.held.iter_mut().zip(channels) {
                let samples = channel[at..at + count].iter();
                held.extend(samples.map(|x| if x.is_finite() { *x } else { 0.0 }));
            }
            at += count;
            if self.held[0].len() == WINDOW {
                take(&self.frame());
                self.held
                    .iter_mut()
                    .for_each(|held| drop(held.drain(..HOP)));
            }
        }
    }

    fn frame(&mut self) -> Frame {
        let mut power = [0.0f32; BINS];
        let mut energy = 0.0;
        let share = 1.0 / self.held.len() as f32;
        for held in &self.held {
            let mut before = held[0];
            for ((framed, sample), window) in self.framed.iter_mut().zip(held).zip(&self.window) {
                let emphasized = sample - PRE_EMPHASIS * before;
                before = *sample;
                energy += share * emphasized * emphasized;
                *framed = emphasized * window;
            }
            self.framed[WINDOW..].fill(0.0);
            self.fft
                .process_with_scratch(&mut self.framed, &mut self.spectrum, &mut self.scratch)
                .expect("the buffers are of the plan's lengths");
            for (power, bin) in power.iter_mut().zip(&self.spectrum) {
                *power += share * bin.norm_sqr();
            }
        }
        let in_band = |band: &Band| {
            let powers = power[band.first..].iter().zip(&band.weights);
            powers
                .map(|(power, weight)| power * weight)
                .sum::<f32>()
                .ln()
        };
        Frame {
            bands: std::array::from_fn(|n| in_band(&self.bands[n])),
            energy: energy.ln(),
        }
    }
}

fn bands() -> Vec<Band> {
    let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
    let hz = |mel: f64| 700.0 * (10f64.powf(mel / 2595.0) - 1.0);
    let step = (mel(HIGHEST_HZ) - mel(LOWEST_HZ)) / (ALL_BANDS + 1) as f64;
    let edge = |n: usize| hz(mel(LOWEST_HZ) + n as f64 * step);
    let per_bin = f64::from(RATE_HZ) / FFT as f64;
    let band = |n: usize| {
        let [low, middle, high] = [0, 1, 2].map(|m| edge(n + m));
        let height = 2.0 / (high - low);
        let first = (low / per_bin) as usize + 1;
        // The authors' rise ends with the last bin below the middle, and their fall one bin before the end.
        let top = (middle / per_bin) as usize;
        let last = (high / per_bin) as usize - 1;
        let weight = |bin: usize| {
            let at = bin as f64 * per_bin;
            let slope = match bin <= top {
                true => (at - low) / (middle - low),
                false => (high - at) / (high - middle),
            };
            (height * slope) as f32
        };
        Band {
            first,
            weights: (first..=last.max(top)).map(weight).collect(),
        }
    };
    (0..BANDS).map(band).collect()
}
