//! The long-term spectrum: how high it reaches, and whether the mains hums in it.
//!
//! Every second stretch of about 0.7 s is transformed, of one channel after the other, so that it costs
//! little and no channel is overlooked.

use std::{
    f64::consts::PI,
    sync::{Arc, Mutex, PoisonError},
};

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};

use crate::{Block, Spec};

/// Bins of the transform lie about this far apart.
const BIN_HZ: f64 = 1.5;
/// Mains hum is looked for below this.
const HUM_HZ_MAX: f64 = 400.0;
/// A line stands out of its surroundings by so much, as the mean over all transforms in dB.
const LINE_DB_MIN: f64 = 9.0;
/// Bands in which the upper end is looked for.
const BAND_HZ: f64 = 125.0;
/// The spectrum falls by so much within [`EDGE_HZ`] where somebody cut it off.
const EDGE_DB: f64 = 15.0;
const EDGE_HZ: f64 = 500.0;
/// Above the edge nothing stands out of the rest by more than this.
const REST_DB: f64 = 12.0;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spectrum {
    /// Where it was cut off, or half the rate. `None`: there is nothing to judge.
    pub bandwidth_hz: Option<f64>,
    /// The frequency of the mains and the level of its lines together, if they stand out.
    pub hum: Option<Hum>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hum {
    pub mains_hz: u32,
    pub level_dbfs: f64,
}

pub(super) struct SpectrumMeter {
    rate: f64,
    fft: Arc<dyn RealToComplex<f32>>,
    window: Arc<[f32]>,
    input: Vec<f32>,
    output: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// Frames that are still let pass before the next stretch.
    skip: usize,
    channel: usize,
    transforms: u64,
    power: Vec<f64>,
    /// Sum of the levels in dB, of the lowest bins.
    levels: Vec<f64>,
}

#[derive(Clone)]
struct Tables {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Arc<[f32]>,
}

/// The meters of a job nearly always want the same: making it anew would be most of what measuring a short
/// recording costs.
fn tables(frames: usize) -> Tables {
    static LATEST: Mutex<Option<(usize, Tables)>> = Mutex::new(None);
    let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*latest {
        Some((of, tables)) if *of == frames => tables.clone(),
        _ => {
            let hann = |n: usize| (0.5 - 0.5 * (2.0 * PI * n as f64 / frames as f64).cos()) as f32;
            let half: Vec<f32> = (0..=frames / 2).map(hann).collect();
            let mirrored = half[1..frames / 2].iter().rev();
            let made = Tables {
                fft: RealFftPlanner::new().plan_fft_forward(frames),
                window: half.iter().chain(mirrored).copied().collect(),
            };
            *latest = Some((frames, made.clone()));
            made
        }
    }
}

impl SpectrumMeter {
    pub(super) fn new(spec: Spec) -> Self {
        let rate = f64::from(spec.sample_rate);
        let frames = ((rate / BIN_HZ) as usize).next_power_of_two();
        let Tables { fft, window } = tables(frames);
        let low_bins = (HUM_HZ_MAX / rate * frames as f64) as usize + 16;
        Self {
            rate,
            window,
            input: Vec::with_capacity(frames),
            output: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            skip: 0,
            channel: 0,
            transforms: 0,
            power: vec![0.0; frames / 2 + 1],
            levels: vec![0.0; low_bins.min(frames / 2)],
            fft,
        }
    }

    pub(super) fn push(&mut self, block: &Block) {
        let mut from = 0;
        while from < block.frames() {
            if self.skip > 0 {
                let skipped = self.skip.min(block.frames() - from);
                self.skip -= skipped;
                from += skipped;
                continue;
            }
            let taken = (self.window.len() - self.input.len()).min(block.frames() - from);
            let plane = block.plane(self.channel % block.channels());
            self.input.extend_from_slice(&plane[from..from + taken]);
            from += taken;
            if self.input.len() == self.window.len() {
                self.transform();
                self.channel += 1;
                self.skip = self.window.len();
            }
        }
    }

    fn transform(&mut self) {
        for (x, window) in self.input.iter_mut().zip(&*self.window) {
            *x *= window;
        }
        self.fft
            .process_with_scratch(&mut self.input, &mut self.output, &mut self.scratch)
            .expect("the buffers were made by the transform itself");
        self.input.clear();
        // Hann's window takes half of the amplitude.
        let scale = 2.0 / (self.window.len() as f64 * 0.5);
        let mut loudest = 0.0f64;
        for (sum, bin) in self.power.iter_mut().zip(&self.output) {
            let power = f64::from(bin.norm_sqr()) * scale * scale / 2.0;
            *sum += power;
            loudest = loudest.max(power);
        }
        if loudest == 0.0 {
            return;
        }
        self.transforms += 1;
        for (sum, bin) in self.levels.iter_mut().zip(&self.output) {
            *sum += decibels(f64::from(bin.norm_sqr()) * scale * scale / 2.0);
        }
    }

    pub(super) fn finish(mut self) -> Spectrum {
        if self.transforms == 0 && !self.input.is_empty() {
            self.input.resize(self.window.len(), 0.0);
            self.transform();
        }
        if self.transforms == 0 {
            return Spectrum {
                bandwidth_hz: None,
                hum: None,
            };
        }
        Spectrum {
            bandwidth_hz: Some(self.bandwidth()),
            hum: self.hum(),
        }
    }

    fn bin_of(&self, hz: f64) -> usize {
        (hz / self.rate * self.window.len() as f64).round() as usize
    }

    /// From the top down: the place where the level rises at once out of a rest that is flat.
    fn bandwidth(&self) -> f64 {
        let nyquist = self.rate / 2.0;
        let bands: Vec<f64> = self
            .power
            .chunks(self.bin_of(BAND_HZ).max(1))
            .map(|band| decibels(band.iter().sum::<f64>() / self.transforms as f64))
            .collect();
        let width_hz = nyquist / bands.len() as f64;
        let reach = (EDGE_HZ / width_hz).ceil() as usize;
        let mut highest = f64::MIN;
        let mut lowest = f64::MAX;
        for band in (reach..bands.len()).rev() {
            (highest, lowest) = (highest.max(bands[band]), lowest.min(bands[band]));
            if highest - lowest > REST_DB && bands[band] == highest {
                // It rises here; was it at once?
                let above = bands.get(band + reach).copied().unwrap_or(lowest);
                let below = bands[band - reach.min(band)..=band]
                    .iter()
                    .fold(f64::MIN, |a, b| a.max(*b));
                let is_edge = below - above >= EDGE_DB && band + reach < bands.len();
                return if is_edge {
                    ((band + 1) as f64 * width_hz).min(nyquist)
                } else {
                    nyquist
                };
            }
        }
        nyquist
    }

    /// At least the fundamental or two of its harmonics stand out.
    fn hum(&self) -> Option<Hum> {
        let mean = |bin: usize| self.levels[bin] / self.transforms as f64;
        let line = |hz: f64| {
            let center = self.bin_of(hz);
            let at = (center.saturating_sub(1)..=center + 1)
                .max_by(|a, b| mean(*a).total_cmp(&mean(*b)))?;
            let around = (4..=12).flat_map(|n| [center.checked_sub(n), Some(center + n)]);
            let mut around: Vec<f64> = around.flatten().map(mean).collect();
            around.sort_by(f64::total_cmp);
            let floor = around[around.len() / 2];
            (mean(at) - floor >= LINE_DB_MIN).then(|| 10f64.powf(mean(at) / 10.0))
        };
        let found = [50u32, 60].map(|mains_hz| {
            let harmonics = (1..=6).map(|n| f64::from(n * mains_hz));
            let in_range = harmonics.filter(|hz| self.bin_of(*hz) + 13 < self.levels.len());
            let lines: Vec<Option<f64>> = in_range.map(line).collect();
            let count = lines.iter().flatten().count();
            let power: f64 = lines.iter().flatten().sum();
            let is_hum = count >= 2 || lines.first().is_some_and(Option::is_some);
            (is_hum.then_some(mains_hz), count, power)
        });
        let (mains_hz, _, power) = found.into_iter().max_by_key(|(_, count, _)| *count)?;
        Some(Hum {
            mains_hz: mains_hz?,
            level_dbfs: decibels(power),
        })
    }
}

fn decibels(power: f64) -> f64 {
    10.0 * power.max(1e-20).log10()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::channels::ChannelMask;

    fn measure(rate: u32, signal: impl Fn(f64, f64) -> f64) -> Spectrum {
        let spec = Spec {
            sample_rate: rate,
            channels: 1,
            mask: ChannelMask::usual(1),
        };
        let mut state = 1u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 23) - 1.0
        };
        let samples =
            (0..rate * 6).map(|n| signal(f64::from(n) / f64::from(rate), random()) as f32);
        let mut meter = SpectrumMeter::new(spec);
        meter.push(&Block::from_planes(vec![samples.collect()]).unwrap());
        meter.finish()
    }

    #[test]
    fn hum_is_found_at_its_frequency_and_level() {
        for (mains, rate) in [(50.0, 48_000), (60.0, 44_100), (50.0, 8_000)] {
            let found = measure(rate, |t, noise| {
                let line = |n: f64| (2.0 * PI * n * mains * t).sin();
                0.01 * noise + 0.01 * line(1.0) + 0.005 * line(2.0) + 0.005 * line(3.0)
            });
            let hum = found.hum.unwrap();
            assert_eq!(f64::from(hum.mains_hz), mains);
            // A sine of 0.01 is -43 dBFS; the three together are 1.8 dB more.
            assert!((hum.level_dbfs - -41.3).abs() < 1.5, "{}", hum.level_dbfs);
        }
        let none = measure(48_000, |t, noise| {
            0.01 * noise + 0.1 * (2.0 * PI * 220.0 * t).sin()
        });
        assert_eq!(none.hum, None);
    }

    #[test]
    fn a_spectrum_that_was_cut_off_is_told_from_one_that_falls() {
        // Half of the rate above is nothing but the noise of 16 bits.
        let cut = measure(48_000, |t, noise| {
            let tones =
                (1..160).map(|n| (2.0 * PI * 50.3 * f64::from(n) * t + f64::from(n * n)).sin());
            0.005 * tones.sum::<f64>() + 1e-5 * noise
        });
        assert!(
            (cut.bandwidth_hz.unwrap() - 8_000.0).abs() < 300.0,
            "{cut:?}"
        );
        let full = measure(48_000, |_, noise| 0.1 * noise);
        assert_eq!(full.bandwidth_hz, Some(24_000.0));
    }

    #[test]
    fn silence_has_nothing_to_judge() {
        let silent = measure(48_000, |_, _| 0.0);
        assert_eq!((silent.bandwidth_hz, silent.hum), (None, None));
    }
}
