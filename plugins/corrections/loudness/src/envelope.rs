//! What is kept of a recording between the passes: for every 10 ms its loudness and its peak, in four
//! bytes: 1.4 MB an hour, whatever the rate and the channels.

/// Of each segment the peak and the weighted energy, as logarithms in 16 bits: steps of 0.006 dB.
#[derive(Default)]
pub struct Envelope {
    peaks: Vec<u16>,
    energies: Vec<u16>,
    highest: u16,
}

/// Binary logarithms: of peaks from 2^-32 to 2^32, of energies from 2^-64 to 2^64.
const PEAK_STEPS: f32 = 1024.0;
const ENERGY_STEPS: f32 = 512.0;
const MIDDLE: f32 = 32_768.0;
/// A step of a peak in dB.
const PEAK_STEP_DB: f32 = 6.020_6 / PEAK_STEPS;

impl Envelope {
    /// Peaks are rounded up, energies to the nearest.
    pub fn push(&mut self, peak: f32, energy: f64) {
        let peak = code((f64::from(peak).log2() as f32 * PEAK_STEPS).ceil());
        self.highest = self.highest.max(peak);
        self.peaks.push(peak);
        self.energies
            .push(code((energy.log2() as f32 * ENERGY_STEPS).round()));
    }

    pub fn segments(&self) -> usize {
        self.peaks.len()
    }

    /// In dB; far below everything for nothing, and beyond the ends.
    pub fn peak_db(&self, segment: usize) -> f32 {
        decibels(self.peaks.get(segment).copied().unwrap_or(0))
    }

    pub fn highest_db(&self) -> f32 {
        decibels(self.highest)
    }

    pub fn energy(&self, segment: usize) -> f64 {
        match self.energies[segment] {
            0 => 0.0,
            code => f64::from(((f32::from(code) - MIDDLE) / ENERGY_STEPS).exp2()),
        }
    }
}

/// 0 is for nothing: the logarithm of 0, and what is no number.
fn code(steps: f32) -> u16 {
    (steps + MIDDLE).clamp(0.0, 65_535.0) as u16
}

fn decibels(code: u16) -> f32 {
    (f32::from(code) - MIDDLE) * PEAK_STEP_DB
}
