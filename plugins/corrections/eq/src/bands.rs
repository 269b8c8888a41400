//! The five bands, their parameters, and the analogue filters that they stand for.

use retake_plugin_sdk::prelude::*;

/// Less is no gain.
const NOTHING_DB: f64 = 0.01;

/// A band's parameters.
pub struct BandParams {
    shape: Shape,
    gain_db: FloatParam,
    frequency_hz: FloatParam,
    q: FloatParam,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    LowShelf,
    Peak,
    HighShelf,
}

#[derive(Debug, Clone, Copy)]
pub struct Band {
    pub shape: Shape,
    pub gain_db: f64,
    pub frequency_hz: f64,
    pub q: f64,
}

macro_rules! band {
    ($shape:expr, $id:literal, $label:literal, $hz:literal) => {
        BandParams {
            shape: $shape,
            gain_db: FloatParam::new(concat!($id, "-db"), "Gain", -18.0, 18.0, 0.0)
                .unit("dB")
                .step(0.5)
                .group($label)
                .help("0 switches the band off."),
            frequency_hz: FloatParam::new(concat!($id, "-hz"), "Frequency", 20.0, 20_000.0, $hz)
                .unit("Hz")
                .logarithmic()
                .group($label)
                .help(match $shape {
                    Shape::Peak => "The middle of the band.",
                    _ => "Where half of the gain in dB is reached.",
                }),
            q: match $shape {
                Shape::Peak => FloatParam::new(concat!($id, "-q"), "Q", 0.2, 16.0, 1.0)
                    .help("The higher, the narrower: 1.4 is about an octave."),
                _ => FloatParam::new(concat!($id, "-q"), "Q", 0.3, 1.0, 0.7)
                    .help("The higher, the steeper; above 0.7 it overshoots."),
            }
            .logarithmic()
            .group($label),
        }
    };
}

const LOW: BandParams = band!(Shape::LowShelf, "low", "Low shelf", 120.0);
const PEAK_1: BandParams = band!(Shape::Peak, "peak-1", "Peak 1", 300.0);
const PEAK_2: BandParams = band!(Shape::Peak, "peak-2", "Peak 2", 1_000.0);
const PEAK_3: BandParams = band!(Shape::Peak, "peak-3", "Peak 3", 3_500.0);
const HIGH: BandParams = band!(Shape::HighShelf, "high", "High shelf", 8_000.0);

pub const BANDS: &[&BandParams] = &[&LOW, &PEAK_1, &PEAK_2, &PEAK_3, &HIGH];

#[rustfmt::skip]
pub const PARAMS: Params = &[
    &LOW.gain_db, &LOW.frequency_hz, &LOW.q,
    &PEAK_1.gain_db, &PEAK_1.frequency_hz, &PEAK_1.q,
    &PEAK_2.gain_db, &PEAK_2.frequency_hz, &PEAK_2.q,
    &PEAK_3.gain_db, &PEAK_3.frequency_hz, &PEAK_3.q,
    &HIGH.gain_db, &HIGH.frequency_hz, &HIGH.q,
];

impl BandParams {
    pub fn band(&self, settings: &Settings) -> Band {
        Band {
            shape: self.shape,
            gain_db: settings.get(&self.gain_db),
            frequency_hz: settings.get(&self.frequency_hz),
            q: settings.get(&self.q),
        }
    }

    #[cfg(test)]
    pub fn set(&self, settings: Settings, gain_db: f64, frequency_hz: f64, q: f64) -> Settings {
        settings
            .with(&self.gain_db, gain_db)
            .with(&self.frequency_hz, frequency_hz)
            .with(&self.q, q)
    }
}

impl Band {
    pub fn is_on(&self) -> bool {
        self.gain_db.abs() >= NOTHING_DB
    }

    /// Numerator and denominator in rising powers of s, where s = j is the band's frequency
    /// (the cookbook's analogue prototypes).
    pub fn analogue(&self) -> ([f64; 3], [f64; 3]) {
        let a = 10f64.powf(self.gain_db / 40.0);
        let width = a.sqrt() / self.q;
        match self.shape {
            Shape::Peak => ([1.0, a / self.q, 1.0], [1.0, 1.0 / (a * self.q), 1.0]),
            Shape::LowShelf => ([a * a, a * width, a], [1.0, width, a]),
            Shape::HighShelf => ([a, a * width, a * a], [a, width, 1.0]),
        }
    }

    /// The analogue gain at a frequency.
    pub fn gain_db_at(&self, hz: f64) -> f64 {
        let (n, d) = self.analogue();
        let v = (hz / self.frequency_hz).powi(2);
        10.0 * (power(&n, v) / power(&d, v)).log10()
    }
}

/// The squared size of `c0 + c1 s + c2 s^2` where s squared is `-v`.
pub fn power([c0, c1, c2]: &[f64; 3], v: f64) -> f64 {
    (c0 - c2 * v).powi(2) + c1 * c1 * v
}
