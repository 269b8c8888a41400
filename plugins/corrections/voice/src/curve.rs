//! What gain each band gets: towards the long-term average spectrum of speech, and never far.

use crate::spectrum::{BANDS, BANDS_HZ, Spectrum};

/// The long-term average speech spectrum of men and women in twelve languages, third octaves from 160 Hz on
/// in dB (D. Byrne et al., "An international comparison of long-term average speech spectra", JASA 96(4), 1994).
pub const SPEECH_DB: [f64; BANDS] = [
    56.8, 60.2, 60.3, 59.0, 62.1, 62.1, 60.5, 56.8, 53.7, 53.0, 52.0, 48.7, 48.1, 46.8, 45.6, 44.5,
    44.3, 43.7, 43.4, 41.3, 40.7,
];
/// Levels are compared over these bands: where every voice is.
const COMPARED_HZ: std::ops::Range<f64> = 250.0..5_000.0;
/// Voices differ by so much from the average, and are meant to.
const OWN_DB: f64 = 3.0;
/// Of what lies beyond, this part is corrected at full strength.
const PART: f64 = 0.8;
/// A band where speech stands out of the pauses by less says nothing of the voice, and is not lifted: that would
/// lift the noise.
const ABOVE_PAUSES_DB: f64 = 10.0;
/// Nor is one that has so little that the recording ends below it.
const MISSING_DB: f64 = 25.0;
/// Weights over neighbouring bands: an octave and a half, or single harmonics and formants would be corrected.
const SMOOTH: [f64; 5] = [1.0, 2.0, 3.0, 2.0, 1.0];
/// Less is not heard: then the recording stays as it is.
const NOTHING_DB: f64 = 0.5;

/// Gains in dB, in the middle of each band.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve(pub [f64; BANDS]);

impl Curve {
    pub fn new(spectrum: &Spectrum, strength: f64, limit_db: f64) -> Self {
        let last = spectrum.bands.max(1) - 1;
        let db = |power: f64| 10.0 * power.max(1e-15).log10();
        let apart: [f64; BANDS] =
            std::array::from_fn(|band| SPEECH_DB[band] - db(spectrum.speech[band]));
        let compared = |band: &usize| COMPARED_HZ.contains(&BANDS_HZ[*band]);
        let middle = {
            let mut apart: Vec<f64> = (0..BANDS)
                .filter(compared)
                .map(|band| apart[band])
                .collect();
            apart.sort_by(f64::total_cmp);
            apart[apart.len() / 2]
        };
        let there: [bool; BANDS] = std::array::from_fn(|band| {
            let stands_out =
                db(spectrum.speech[band]) - db(spectrum.pauses[band]) >= ABOVE_PAUSES_DB;
            stands_out && apart[band] - middle < MISSING_DB
        });
        // Where a recording ends, it ends within a band: that one has lost a part.
        let counts: [bool; BANDS] =
            std::array::from_fn(|band| there[band] && there[(band + 1).min(last)]);
        let wanted: [f64; BANDS] = std::array::from_fn(|band| {
            let apart = apart[band] - middle;
            let beyond = (apart.abs() - OWN_DB).max(0.0) * apart.signum();
            if counts[band] {
                beyond * PART * strength
            } else {
                0.0
            }
        });
        let mut gains: [f64; BANDS] = std::array::from_fn(|band| {
            let (mut sum, mut weights) = (0.0, 0.0);
            for (n, weight) in SMOOTH.iter().enumerate() {
                if let Some(wanted) = (band + n)
                    .checked_sub(SMOOTH.len() / 2)
                    .and_then(|at| wanted[..=last].get(at))
                {
                    sum += weight * wanted;
                    weights += weight;
                }
            }
            (sum / f64::max(weights, 1.0)).clamp(-limit_db, limit_db)
        });
        for (gain, counts) in gains.iter_mut().zip(counts) {
            if !counts {
                *gain = gain.min(0.0);
            }
        }
        let top = gains[last];
        gains[last..].fill(top);
        if gains.iter().all(|gain| gain.abs() < NOTHING_DB) {
            gains = [0.0; BANDS];
        }
        Self(gains)
    }

    pub fn is_flat(&self) -> bool {
        self.0.iter().all(|gain| *gain == 0.0)
    }

    /// At any frequency: straight lines over octaves, level below the first band and above the last.
    pub fn gain_db_at(&self, hz: f64) -> f64 {
        let place = 3.0 * (hz.max(1.0) / BANDS_HZ[0]).log2();
        let place = place.clamp(0.0, (BANDS - 1) as f64);
        let band = (place as usize).min(BANDS - 2);
        self.0[band] + (self.0[band + 1] - self.0[band]) * (place - band as f64)
    }

    pub fn most_db(&self) -> f64 {
        self.0.iter().copied().fold(0.0, f64::max)
    }

    pub fn least_db(&self) -> f64 {
        self.0.iter().copied().fold(0.0, f64::min)
    }

    /// The mean between two frequencies.
    pub fn mean_db(&self, hz: std::ops::Range<f64>) -> f64 {
        let gains = BANDS_HZ
            .iter()
            .zip(self.0)
            .filter(|(band, _)| hz.contains(band));
        let (sum, count) = gains.fold((0.0, 0.0), |(sum, count), (_, gain)| {
            (sum + gain, count + 1.0)
        });
        sum / f64::max(count, 1.0)
    }
}
