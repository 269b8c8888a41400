//! What the network hears: the level of 32 bands and the lower bins, both held against how they were over the
//! last second.

use crate::spectrum::Spectrum;
use crate::{BANDS, BINS, FILTERED};

/// How many bins each band holds: as wide as hearing's (ERB), at least two.
pub const BAND_BINS: [usize; BANDS] = [
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 5, 5, 7, 7, 8, 10, 12, 13, 15, 18, 20, 24, 28, 31, 37,
    42, 50, 56, 67,
];
/// How much of the mean a frame leaves.
const MEMORY: f32 = 0.99;
/// Power of a frame below which there is nothing to learn: that of noise at -90 dBFS.
const SILENCE: f32 = 2.5e-10;
/// Where the means begin, from the lowest to the highest: dB, and magnitude.
const LEVEL_START: (f32, f32) = (-60.0, -90.0);
const MAGNITUDE_START: (f32, f32) = (0.001, 0.0001);

/// The means over time.
pub struct Features {
    levels: [f32; BANDS],
    magnitudes: [f32; FILTERED],
}

impl Features {
    pub fn new() -> Self {
        Self {
            levels: ramp(LEVEL_START),
            magnitudes: ramp(MAGNITUDE_START),
        }
    }

    /// The levels of the bands, and real and imaginary parts of the lower bins. Silence is heard, and teaches
    /// nothing: after a second of it any voice would be out of all proportion.
    pub fn hear(
        &mut self,
        spectrum: &Spectrum,
        levels: &mut [f32; BANDS],
        re: &mut [f32; FILTERED],
        im: &mut [f32; FILTERED],
    ) {
        let power: [f32; BINS] = std::array::from_fn(|bin| spectrum.power(bin));
        let total = band_levels(&power, levels);
        let memory = if total < SILENCE { 1.0 } else { MEMORY };
        for (level, mean) in levels.iter_mut().zip(&mut self.levels) {
            *mean = *level * (1.0 - memory) + *mean * memory;
            *level = (*level - *mean) / 40.0;
        }
        for bin in 0..FILTERED {
            let mean = &mut self.magnitudes[bin];
            *mean = power[bin].sqrt() * (1.0 - memory) + *mean * memory;
            let factor = 1.0 / mean.sqrt();
            re[bin] = spectrum.re[bin] * factor;
            im[bin] = spectrum.im[bin] * factor;
        }
    }
}

/// The level of each band, dB; returns the power of all.
fn band_levels(power: &[f32; BINS], levels: &mut [f32; BANDS]) -> f32 {
    let mut first = 0;
    let mut total = 0.0;
    for (bins, level) in BAND_BINS.iter().zip(levels) {
        let sum: f32 = power[first..first + bins].iter().sum();
        *level = 10.0 * (sum / *bins as f32 + 1e-10).log10();
        total += sum;
        first += bins;
    }
    total
}

fn ramp<const N: usize>((first, last): (f32, f32)) -> [f32; N] {
    let step = (last - first) / (N - 1) as f32;
    std::array::from_fn(|n| first + n as f32 * step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RATE_HZ, WINDOW};

    /// As the authors' runtime makes the bands.
    #[test]
    fn the_bands_are_those_of_the_scale() {
        let erb = |hz: f32| 9.265 * (hz / (24.7 * 9.265)).ln_1p();
        let hz = |erb: f32| 24.7 * 9.265 * ((erb / 9.265).exp() - 1.0);
        let width = RATE_HZ as f32 / WINDOW as f32;
        let highest = erb(RATE_HZ as f32 / 2.0);
        let (mut below, mut owed) = (0, 0);
        let mut bands: Vec<i32> = Vec::new();
        for n in 1..=BANDS {
            let edge = (hz(n as f32 * (highest / BANDS as f32)) / width).round() as i32;
            let bins = edge - below - owed;
            owed = (2 - bins).max(0);
            bands.push(bins.max(2));
            below = edge;
        }
        *bands.last_mut().expect("there are 32") += 1;
        let bands: Vec<usize> = bands.into_iter().map(|bins| bins as usize).collect();
        assert_eq!(bands, BAND_BINS);
        assert_eq!(BAND_BINS.iter().sum::<usize>(), BINS);
    }
}
