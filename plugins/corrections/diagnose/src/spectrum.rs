//! The long-term spectrum: hum, rumble and bandwidth.
//!
//! Spectra of at least 0.3 s (Hann, half overlapped) are averaged twice: as powers,
//! which tells how much there is, and as decibels, which tells what is always there. A voice comes
//! and goes; hum stands in the second average like a needle.

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};
use retake_plugin_sdk::prelude::Block;

const WINDOW_S: f64 = 0.3;
/// Hum is looked for at so many multiples of the mains frequency.
const HARMONICS: usize = 6;
/// What a harmonic must stand out by to count as one.
const STANDS_OUT_DB: f64 = 9.0;
/// Bands of this width tell the bandwidth.
const BAND_HZ: f64 = 250.0;
/// Nothing is there where a band, averaged over the loud spectra, has less than this, …
const BAND_DBFS_MIN: f64 = -95.0;
/// … or not so much more than averaged as decibels over all.
const BAND_RISES_DB: f64 = 4.0;
/// There is nothing at all in a band that has this part of the power of the strongest: -70 dB.
const ANYTHING_PART: f64 = 1e-7;

pub struct Spectrum {
    rate_hz: f64,
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// The mean over the channels, waiting to be long enough.
    pending: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    power: Vec<f64>,
    db: Vec<f64>,
    count: u64,
}

/// Hum at a multiple of the mains frequency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hum {
    pub mains_hz: f64,
    /// Harmonics that stand out, the first six counted.
    pub harmonics: usize,
    /// By how much the strongest of them stands out of what is around it.
    pub stands_out_db: f64,
    /// All of them together.
    pub level_dbfs: f64,
}

impl Spectrum {
    pub fn new(rate_hz: u32) -> Self {
        let frames = ((f64::from(rate_hz) * WINDOW_S) as usize).next_power_of_two();
        let fft = RealFftPlanner::new().plan_fft_forward(frames);
        let hann = |n: usize| {
            let phase = std::f32::consts::TAU * n as f32 / frames as f32;
            0.5 - 0.5 * phase.cos()
        };
        Self {
            rate_hz: f64::from(rate_hz),
            window: (0..frames).map(hann).collect(),
            pending: Vec::new(),
            spectrum: fft.make_output_vec(),
            power: vec![0.0; frames / 2 + 1],
            db: vec![0.0; frames / 2 + 1],
            count: 0,
            fft,
        }
    }

    pub fn add(&mut self, block: &Block) {
        let scale = 1.0 / block.len() as f32;
        for frame in 0..block[0].len() {
            let sum: f32 = block.iter().map(|channel| channel[frame]).sum();
            self.pending.push(sum * scale);
        }
        let frames = self.window.len();
        while self.pending.len() >= frames {
            self.measure();
            self.pending.drain(..frames / 2);
        }
    }

    fn measure(&mut self) {
        let frames = self.window.len();
        let pending = self.pending.iter().zip(&self.window);
        let mut windowed: Vec<f32> = pending.map(|(sample, window)| sample * window).collect();
        if windowed.iter().all(|sample| *sample == 0.0) {
            return; // Digital silence says nothing of what is always there.
        }
        self.fft
            .process(&mut windowed, &mut self.spectrum)
            .expect("both are as long as the transform was made for");
        // A sine of full scale has -3 dBFS: half in its bin, and the rest of the Hann's lobe beside it.
        let scale = 2.0 / (frames as f64 * frames as f64 * 0.375);
        let bins = self.power.iter_mut().zip(&mut self.db);
        for ((power, db), bin) in bins.zip(&self.spectrum) {
            let here = scale * f64::from(bin.norm_sqr());
            *power += here;
            *db += 10.0 * (here + 1e-16).log10();
        }
        self.count += 1;
    }

    fn bin(&self, hz: f64) -> usize {
        (hz * self.window.len() as f64 / self.rate_hz).round() as usize
    }

    fn mean_power(&self, bins: std::ops::Range<usize>) -> f64 {
        self.power[bins].iter().sum::<f64>() / self.count.max(1) as f64
    }

    fn mean_db(&self, bin: usize) -> f64 {
        self.db[bin] / self.count.max(1) as f64
    }

    /// How loud the hum is that was found; `None` where no harmonic stands out.
    pub fn hum_at(&self, mains_hz: f64) -> Option<Hum> {
        let mut hum = Hum {
            mains_hz,
            harmonics: 0,
            stands_out_db: 0.0,
            level_dbfs: 0.0,
        };
        let mut power = 0.0;
        for harmonic in 1..=HARMONICS {
            let hz = mains_hz * harmonic as f64;
            // 300 Hz is a multiple of both.
            if hz >= 300.0 || hz > 0.45 * self.rate_hz {
                break;
            }
            let bin = self.bin(hz);
            let here = [bin - 1, bin, bin + 1];
            let peak_db = here
                .map(|bin| self.mean_db(bin))
                .into_iter()
                .fold(f64::MIN, f64::max);
            // Beyond the Hann's lobe, and short of the next harmonic of the other frequency.
            let beside = (4..=7).flat_map(|offset| [bin.checked_sub(offset), Some(bin + offset)]);
            let mut beside: Vec<f64> = beside.flatten().map(|bin| self.mean_db(bin)).collect();
            beside.sort_unstable_by(f64::total_cmp);
            // The upper middle: a slope on either side must not make a needle.
            let out_db = peak_db - beside[beside.len() * 5 / 8];
            if out_db >= STANDS_OUT_DB {
                hum.harmonics += 1;
                hum.stands_out_db = hum.stands_out_db.max(out_db);
                power += here
                    .iter()
                    .map(|&bin| 10f64.powf(self.mean_db(bin) / 10.0))
                    .sum::<f64>();
            }
        }
        hum.level_dbfs = 10.0 * power.log10();
        (hum.harmonics > 0).then_some(hum)
    }

    /// What is below 60 Hz, without hum at 50, against the voice from 150 Hz to 4 kHz.
    pub fn rumble_db(&self) -> Option<f64> {
        let below = self.mean_power(self.bin(12.0)..self.bin(44.0));
        let voice = self.mean_power(self.bin(150.0)..self.bin(3_800.0));
        (voice > 0.0).then(|| 10.0 * (below / voice).log10())
    }

    /// Up to where there is anything at all, noise as well; `None` in silence.
    pub fn ends_hz(&self) -> Option<f64> {
        let bands = (self.rate_hz / 2.0 / BAND_HZ) as usize;
        let power = |band: usize| {
            let bins = self.bin(band as f64 * BAND_HZ)..self.bin((band + 1) as f64 * BAND_HZ);
            self.mean_power(bins)
        };
        let most = (0..bands).map(power).fold(0.0, f64::max);
        let heard = |band: &usize| power(*band) > most * ANYTHING_PART;
        let last = (0..bands).rev().find(heard).filter(|_| most > 0.0)?;
        Some((last + 1) as f64 * BAND_HZ)
    }

    /// Up to where there is anything but noise; `None` in silence.
    pub fn bandwidth_hz(&self) -> Option<f64> {
        let bands = (self.rate_hz / 2.0 / BAND_HZ) as usize;
        let rises = |band: usize| {
            let bins = self.bin(band as f64 * BAND_HZ)..self.bin((band + 1) as f64 * BAND_HZ);
            let power_db = 10.0 * self.mean_power(bins.clone()).log10();
            let always: f64 = bins.clone().map(|bin| self.mean_db(bin)).sum();
            let always_db = always / bins.len() as f64 + 10.0 * (bins.len() as f64).log10();
            power_db > BAND_DBFS_MIN && power_db > always_db + BAND_RISES_DB
        };
        (0..bands)
            .rev()
            .find(|&band| rises(band))
            .map(|band| (band + 1) as f64 * BAND_HZ)
    }
}
