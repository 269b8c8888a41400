//! A parametric equaliser: a low shelf, three peaks, a high shelf.
//!
//! The bands are the analogue ones of R. Bristow-Johnson's "Cookbook formulae for audio EQ biquad
//! filter coefficients": a boost and the same cut undo each other. But the cookbook's bilinear
//! transform squeezes all of the analogue axis below half the rate, so that its bands become narrow and
//! lopsided up there. Here each band is fitted to the analogue curve where it can be heard, see
//! [`fit`]; the aim is that of S. Orfanidis (JAES 45(6), 1997) and M. Vicanek ("Matched second order
//! digital filters", 2016), and holds for a band above half the rate too.
//!
//! Causal and minimum-phase: no latency. A band without gain is not there: with none, the signal
//! comes through to the last bit.

mod bands;
mod fit;

use bands::{BANDS, Band};
use retake_plugin_sdk::prelude::*;
use retake_signal::section::Section;

pub struct Eq {
    /// Gain, frequency and Q of the bands that are on.
    bands: Vec<Band>,
    sections: Vec<Section>,
    rate_hz: f64,
}

impl Corrector for Eq {
    const FACTS: Facts = Facts {
        id: "org.retake.eq",
        name: "Equaliser",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Lifts and lowers parts of the spectrum: two shelves and three peaks.",
        license: "MIT OR Apache-2.0",
        extras: &[("equal-channels", "once")],
        ..Facts::DEFAULT
    };
    const PARAMS: Params = bands::PARAMS;

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let rate_hz = f64::from(stream.sample_rate);
        let bands: Vec<Band> = BANDS
            .iter()
            .map(|params| params.band(settings))
            .filter(Band::is_on)
            .collect();
        Ok(Self {
            sections: bands
                .iter()
                .map(|band| Section::new(fit::digital(band, rate_hz)))
                .collect(),
            bands,
            rate_hz,
        })
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        // Channels are independent, so there is one.
        for channel in &mut block {
            for section in &mut self.sections {
                // A copy lets the compiler hold the whole state in registers.
                let mut running = *section;
                for sample in channel.iter_mut() {
                    *sample = running.step(f64::from(*sample)) as f32;
                }
                running.settle();
                *section = running;
            }
        }
        Ok(block)
    }

    fn report(&mut self) -> Report {
        let curve: Vec<f64> = fit::thirds(self.rate_hz)
            .map(|hz| self.bands.iter().map(|band| band.gain_db_at(hz)).sum())
            .collect();
        let extreme = |pick: fn(f64, f64) -> f64| curve.iter().copied().fold(0.0, pick);
        Report::default()
            .count("bands", "Bands that are on", "", self.bands.len() as i64)
            .number("boost", "Most boost", "dB", extreme(f64::max))
            .number("cut", "Most cut", "dB", extreme(f64::min))
    }
}

register!(Eq);

#[cfg(test)]
mod tests;
