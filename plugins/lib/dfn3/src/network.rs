//! The whole network: spectra in, answers out.

use crate::encoder::{Encoded, Encoder};
use crate::features::{BAND_BINS, Features};
use crate::filters::{Coefficients, Filters, PARTS};
use crate::gains::Gains;
use crate::spectrum::Spectrum;
use crate::weights::Weights;
use crate::{BANDS, BATCH, BINS, FILTERED, TAPS};

pub struct Network {
    features: Features,
    encoder: Encoder,
    gains: Gains,
    filters: Filters,
    encoded: Encoded,
    gains_made: Box<[[f32; BANDS]; BATCH]>,
    filters_made: Box<[Coefficients; BATCH]>,
}

/// What is to be done with one frame, two before the last that was heard.
#[derive(Clone)]
pub struct Answer {
    /// For each band; only for bins that are not filtered.
    pub gains: [f32; BANDS],
    /// Voice over noise as the network thinks, -15 to 35 dB.
    pub ratio_db: f32,
    /// Tap by tap, for frames from two before to two after.
    re: [[f32; FILTERED]; TAPS],
    im: [[f32; FILTERED]; TAPS],
}

impl Network {
    pub fn new() -> Self {
        let mut weights = Weights::open();
        let network = Self {
            features: Features::new(),
            encoder: Encoder::new(&mut weights),
            gains: Gains::new(&mut weights),
            filters: Filters::new(&mut weights),
            encoded: Encoded::new(),
            gains_made: Box::new([[0.0; BANDS]; BATCH]),
            filters_made: vec![[[0.0; PARTS]; FILTERED]; BATCH]
                .into_boxed_slice()
                .try_into()
                .expect("as many were made"),
        };
        debug_assert!(weights.is_empty());
        network
    }

    /// Hears the next frames, as many as a batch has, and answers for as many. Fewer are completed with
    /// silence, after which there should be no more.
    pub fn run(&mut self, spectra: &[Spectrum], answer: impl FnMut(Answer)) {
        debug_assert!(spectra.len() <= BATCH);
        let silence = Spectrum::SILENCE;
        let spectra = spectra.iter().chain(std::iter::repeat(&silence));
        for (frame, spectrum) in spectra.take(BATCH).enumerate() {
            let (levels, re, im) = self.encoder.hear(frame);
            self.features.hear(spectrum, levels, re, im);
        }
        self.encoder.run(&mut self.encoded);
        self.gains.run(&self.encoded, &mut self.gains_made);
        self.filters.run(&self.encoded, &mut self.filters_made);
        let answers = self
            .gains_made
            .iter()
            .zip(&*self.filters_made)
            .zip(&self.encoded.ratio_db);
        answers
            .map(|((gains, filters), ratio_db)| Answer::new(gains, filters, *ratio_db))
            .for_each(answer);
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Answer {
    fn new(gains: &[f32; BANDS], filters: &Coefficients, ratio_db: f32) -> Self {
        let part = |part: usize| std::array::from_fn(|bin| filters[bin][part]);
        Self {
            gains: *gains,
            ratio_db,
            re: std::array::from_fn(|tap| part(2 * tap)),
            im: std::array::from_fn(|tap| part(2 * tap + 1)),
        }
    }

    /// What it leaves of a frame, given that and its neighbours: two before, itself, two after. They may be those
    /// of another channel than was heard.
    pub fn apply(&self, frames: [&Spectrum; TAPS], output: &mut Spectrum) {
        for bin in 0..FILTERED {
            (output.re[bin], output.im[bin]) = (0.0, 0.0);
        }
        for ((frame, re), im) in frames.iter().zip(&self.re).zip(&self.im) {
            for bin in 0..FILTERED {
                output.re[bin] += frame.re[bin] * re[bin] - frame.im[bin] * im[bin];
                output.im[bin] += frame.re[bin] * im[bin] + frame.im[bin] * re[bin];
            }
        }
        let frame = frames[TAPS / 2];
        let mut first = 0;
        for (bins, gain) in BAND_BINS.iter().zip(&self.gains) {
            for bin in first.max(FILTERED)..first + bins {
                output.re[bin] = gain * frame.re[bin];
                output.im[bin] = gain * frame.im[bin];
            }
            first += bins;
        }
        debug_assert_eq!(first, BINS);
    }
}
