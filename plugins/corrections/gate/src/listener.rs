//! The first pass: every 10 ms, how loud it is and whether it could be breath.
//!
//! Breath is noise: it does not repeat itself as the pitch of a voice does, and it is dark: unlike in
//! "s" or "sh" more of it lies below 4 kHz than above.

use retake_plugin_sdk::prelude::Block;
use retake_signal::hops::Hops;
use retake_signal::section::{Coefficients, Section};
use retake_signal::steps::Steps;
use retake_signal::voicing::Voicing;

pub const HOPS_PER_SECOND: usize = 100;
/// Where darkness ends, but for rates that have nothing above.
const DARK_HZ: f64 = 4_000.0;
const DARK_PER_RATE: f64 = 0.4;
/// What is lower is no breath, and would hide the pitch.
const LOW_HZ: f64 = 100.0;

pub struct Listener {
    hops: Hops,
    steps: Steps,
    low_cut: Section,
    above: Section,
    energy: f64,
    energy_above: f64,
    voicing: Voicing,
    /// Of the hop before this one, if there was one.
    dark: bool,
    begun: bool,
    /// Whether each hop could be breath.
    pub breathy: Vec<bool>,
}

impl Listener {
    /// `weights` says how much each channel counts for loudness.
    pub fn new(rate_hz: u32, weights: &[f64]) -> Self {
        let hops = Hops::new(rate_hz, weights, HOPS_PER_SECOND);
        let rate = f64::from(rate_hz);
        let q = 0.5f64.sqrt();
        let dark_hz = DARK_HZ.min(DARK_PER_RATE * rate);
        Self {
            steps: Steps::new(hops.hop_frames()),
            hops,
            low_cut: Section::new(Coefficients::highpass(rate, LOW_HZ, q)),
            above: Section::new(Coefficients::highpass(rate, dark_hz, q)),
            energy: 0.0,
            energy_above: 0.0,
            voicing: Voicing::new(rate_hz),
            dark: false,
            begun: false,
            breathy: Vec::new(),
        }
    }

    pub fn hop_frames(&self) -> usize {
        self.hops.hop_frames()
    }

    /// K-weighted power of each hop.
    pub fn powers(&self) -> &[f32] {
        &self.hops.powers
    }

    pub fn add(&mut self, block: &Block) {
        self.hops.add(block);
        let scale = 1.0 / block.len() as f32;
        let mut from = 0;
        while let Some(piece) = self.steps.piece(from, block[0].len()) {
            for frame in piece.range.clone() {
                let mix = block.iter().map(|channel| channel[frame]).sum::<f32>() * scale;
                self.hear(mix);
            }
            if piece.ends {
                self.end_hop();
            }
            from = piece.range.end;
        }
    }

    pub fn finish(&mut self) {
        self.hops.finish();
        // A hop is judged when the one after it has been heard. One that is not full is no breath.
        self.end_hop();
        self.breathy.resize(self.hops.powers.len(), false);
    }

    fn hear(&mut self, sample: f32) {
        let sample = self.low_cut.step(f64::from(sample));
        let above = self.above.step(sample);
        self.energy += sample * sample;
        self.energy_above += above * above;
        self.voicing.hear(sample as f32);
    }

    /// The window, three hops long, has the hop before this one in its middle.
    fn end_hop(&mut self) {
        self.low_cut.settle();
        self.above.settle();
        let voiced = self.voicing.is_voiced();
        if std::mem::replace(&mut self.begun, true) {
            self.breathy.push(self.dark && !voiced);
        }
        let above = std::mem::take(&mut self.energy_above);
        self.dark = 2.0 * above < std::mem::take(&mut self.energy);
    }
}
