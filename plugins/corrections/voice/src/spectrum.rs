//! The long-term spectrum of a recording's speech, and of what is there in its pauses, in third octaves.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use retake_plugin_sdk::Block;

/// The middles of the third octaves (ISO 266) that are heard, in Hz.
pub const BANDS_HZ: [f64; 21] = [
    160.0, 200.0, 250.0, 315.0, 400.0, 500.0, 630.0, 800.0, 1_000.0, 1_250.0, 1_600.0, 2_000.0,
    2_500.0, 3_150.0, 4_000.0, 5_000.0, 6_300.0, 8_000.0, 10_000.0, 12_500.0, 16_000.0,
];
pub const BANDS: usize = BANDS_HZ.len();

/// Windows this long, one after the other with half of each over the next.
const WINDOW_S: f64 = 0.04;
/// Frames are sorted by their level, a dB each, from full scale down.
const LEVELS: usize = 120;
/// Speech is what is within so much of the level that a twentieth of the recording exceeds...
const LOUD_PART: f64 = 0.05;
const SPEECH_WITHIN_DB: usize = 20;
/// ...and a pause is the quietest tenth.
const QUIET_PART: f64 = 0.1;

pub struct Listener {
    forward: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    samples: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// For each band its first bin and the one after its last.
    edges: Vec<(usize, usize)>,
    /// Per channel what has not filled a window.
    held: Block,
    /// Windows that were heard.
    windows: u64,
    /// For each level how many frames had it, and the sum of their bands' powers.
    levels: Vec<(u64, [f64; BANDS])>,
}

/// Mean powers in the bands.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// So many of the bands lie below half the rate.
    pub bands: usize,
    pub speech: [f64; BANDS],
    pub pauses: [f64; BANDS],
}

impl Listener {
    pub fn new(rate_hz: f64, channels: usize) -> Self {
        let size = (rate_hz * WINDOW_S / 2.0).round() as usize * 2;
        let forward = RealFftPlanner::new().plan_fft_forward(size);
        let turn = |n: usize| std::f64::consts::TAU * n as f64 / size as f64;
        let third = 2f64.powf(1.0 / 6.0);
        let bin = |hz: f64| ((hz / rate_hz * size as f64).round() as usize).min(size / 2);
        Self {
            window: (0..size)
                .map(|n| (0.5 - 0.5 * turn(n).cos()) as f32)
                .collect(),
            samples: forward.make_input_vec(),
            spectrum: forward.make_output_vec(),
            scratch: forward.make_scratch_vec(),
            edges: BANDS_HZ
                .iter()
                // What half the rate cuts through is not there.
                .map(|&hz| match hz * third > 0.5 * rate_hz {
                    true => (0, 0),
                    false => (bin(hz / third), bin(hz * third).max(bin(hz / third) + 1)),
                })
                .collect(),
            held: vec![Vec::new(); channels],
            windows: 0,
            levels: vec![(0, [0.0; BANDS]); LEVELS],
            forward,
        }
    }

    /// `counts` says whether what is heard at a frame is to be counted.
    pub fn add(&mut self, block: &Block, counts: impl Fn(u64) -> bool) {
        for (held, channel) in self.held.iter_mut().zip(block) {
            held.extend_from_slice(channel);
        }
        let size = self.window.len();
        while self.held[0].len() >= size {
            let middle = self.windows * (size / 2) as u64 + (size / 2) as u64;
            self.windows += 1;
            if counts(middle) {
                self.hear(size);
            }
            for held in &mut self.held {
                held.drain(..size / 2);
            }
        }
    }

    fn hear(&mut self, size: usize) {
        let mut bands = [0.0; BANDS];
        for held in &self.held {
            for ((to, from), window) in self.samples.iter_mut().zip(held).zip(&self.window) {
                *to = from * window;
            }
            // It fails on buffers of other lengths only.
            let _ = self.forward.process_with_scratch(
                &mut self.samples,
                &mut self.spectrum,
                &mut self.scratch,
            );
            for (band, &(from, to)) in bands.iter_mut().zip(&self.edges) {
                let power: f32 = self.spectrum[from..to].iter().map(Complex::norm_sqr).sum();
                *band += f64::from(power) / (size * size) as f64;
            }
        }
        let level_db = -10.0 * bands.iter().sum::<f64>().max(1e-12).log10();
        let (count, sums) = &mut self.levels[(level_db.max(0.0) as usize).min(LEVELS - 1)];
        *count += 1;
        for (sum, band) in sums.iter_mut().zip(bands) {
            *sum += band;
        }
    }

    /// `None`: there was nothing but silence.
    pub fn spectrum(&self) -> Option<Spectrum> {
        // What is digital silence is no pause.
        let heard = &self.levels[..LEVELS - 1];
        let all: u64 = heard.iter().map(|(count, _)| count).sum();
        if all == 0 {
            return None;
        }
        let level_of = |part: f64| {
            let mut left = (part * all as f64) as u64;
            let found = heard.iter().position(|(count, _)| {
                let found = *count > left;
                left = left.saturating_sub(*count);
                found
            });
            found.unwrap_or(LEVELS - 2)
        };
        let loud = level_of(LOUD_PART);
        let quiet = level_of(1.0 - QUIET_PART);
        Some(Spectrum {
            bands: self.edges.iter().filter(|(_, to)| *to > 0).count(),
            speech: mean(&heard[..(loud + SPEECH_WITHIN_DB).min(LEVELS - 1)]),
            pauses: mean(&heard[quiet..]),
        })
    }
}

fn mean(levels: &[(u64, [f64; BANDS])]) -> [f64; BANDS] {
    let count: u64 = levels.iter().map(|(count, _)| count).sum();
    std::array::from_fn(|band| {
        levels.iter().map(|(_, sums)| sums[band]).sum::<f64>() / count.max(1) as f64
    })
}
