//! Which sounds are sibilants, and by how much they are too loud.

use std::ops::Range;

use retake_plugin_sdk::prelude::Block;
use retake_signal::section::{Coefficients, Section};
use retake_signal::steps::Steps;

/// What of a voice is not sibilant: from the lowest vowel to the brightest.
const VOICE_HZ: [f64; 2] = [100.0, 3_500.0];
/// Where the rate leaves less room, it ends at this part of the sibilants' beginning.
const VOICE_BELOW_SIBILANTS: f64 = 0.8;
/// A sound is surely no sibilant where the high band is this far from the voice's, and surely one
/// from there on.
const SIBILANT_FROM_DB: f32 = -4.0;
const SIBILANT_SURELY_DB: f32 = 2.0;
/// What makes a sound an "s" is how far its high band stands out of the rest of it: so far it still does
/// afterwards. With less it is a lisp.
const STANDS_OUT_DB: f32 = 3.0;
/// Time constant of the two levels compared.
const SMOOTH_S: f64 = 0.006;

/// The voice's level around a moment is the mean over hops of 100 ms within 3 s on either side...
const HOPS_PER_SECOND: f64 = 10.0;
const AROUND_HOPS: usize = 30;
/// ...that are no weaker than this part of the strongest of them...
const GATE: f64 = 0.05;
/// ...but never under this part of the mean of all: in a long pause there is no voice.
const LEAST: f64 = 0.01;
/// Power that counts as silence, and keeps levels finite.
const NOTHING: f64 = 1e-14;

pub struct Detector {
    channels: Vec<Channel>,
    learning: Vec<Channel>,
    hops: Steps,
    energy: f64,
    /// The voice's mean power in each hop, then around each hop.
    powers: Vec<f64>,
    learnt: bool,
    /// Frames heard in the second pass.
    heard: u64,
    smooth: f64,
    step_high: f64,
    step_voice: f64,
    high: f64,
    voice: f64,
}

#[derive(Clone)]
struct Channel {
    high: [Section; 3],
    voice: [Section; 2],
}

impl Detector {
    pub fn new(rate_hz: f64, channels: usize, from_hz: f64, to_hz: f64) -> Self {
        // The Qs of a Butterworth high-pass of fourth order.
        let highpass = |q| Section::new(Coefficients::highpass(rate_hz, from_hz, q));
        let q = 0.5f64.sqrt();
        let voice_to_hz = VOICE_HZ[1].min(VOICE_BELOW_SIBILANTS * from_hz);
        let channel = Channel {
            high: [
                highpass(0.541_196),
                highpass(1.306_563),
                Section::new(Coefficients::lowpass(rate_hz, to_hz, q)),
            ],
            voice: [
                Section::new(Coefficients::highpass(rate_hz, VOICE_HZ[0], q)),
                Section::new(Coefficients::lowpass(rate_hz, voice_to_hz, q)),
            ],
        };
        Self {
            channels: vec![channel.clone(); channels],
            learning: vec![channel; channels],
            hops: Steps::new((rate_hz / HOPS_PER_SECOND).round() as usize),
            energy: 0.0,
            powers: Vec::new(),
            learnt: false,
            heard: 0,
            smooth: 0.0,
            step_high: 0.0,
            step_voice: 0.0,
            high: 0.0,
            voice: 0.0,
        }
    }

    /// The first pass.
    pub fn learn(&mut self, block: &Block) {
        let mut from = 0;
        while let Some(piece) = self.hops.piece(from, block[0].len()) {
            for (channel, samples) in self.learning.iter_mut().zip(block) {
                self.energy += energy(&mut channel.voice, &samples[piece.range.clone()]);
            }
            if piece.ends {
                self.end_hop(self.hops.frames());
            }
            from = piece.range.end;
        }
    }

    fn end_hop(&mut self, frames: usize) {
        let energy = std::mem::take(&mut self.energy);
        self.powers.push(energy / frames as f64);
    }

    /// The second pass: hears frames of a block.
    pub fn listen(&mut self, block: &Block, range: Range<usize>) {
        if !self.learnt {
            self.learnt = true;
            if self.hops.filled() > 0 {
                self.end_hop(self.hops.filled());
            }
            self.powers = around(&self.powers);
        }
        self.heard += range.len() as u64;
        for (channel, samples) in self.channels.iter_mut().zip(block) {
            let samples = &samples[range.clone()];
            self.step_high += energy(&mut channel.high, samples);
            self.step_voice += energy(&mut channel.voice, samples);
        }
    }

    /// At the end of a step: by how many dB a sibilant exceeds the threshold, less where it may be
    /// none, and no more than it may lose. 0 or more.
    pub fn decide(&mut self, step_frames: usize, threshold_db: f32) -> f32 {
        if self.smooth == 0.0 {
            let step_s = step_frames as f64 / (self.hops.frames() as f64 * HOPS_PER_SECOND);
            self.smooth = 1.0 - (-step_s / SMOOTH_S).exp();
        }
        let towards = |state: &mut f64, step: &mut f64| {
            *state += self.smooth * (std::mem::take(step) / step_frames as f64 - *state);
            if *state < NOTHING {
                *state = 0.0;
            }
        };
        towards(&mut self.high, &mut self.step_high);
        towards(&mut self.voice, &mut self.step_voice);
        let hop = ((self.heard - 1) / self.hops.frames() as u64) as usize;
        let reference = self.powers.get(hop).copied().unwrap_or(0.0);
        if self.high < NOTHING || reference < NOTHING {
            return 0.0;
        }
        let db = |ratio: f64| 10.0 * ratio.log10() as f32;
        let over_db = db(self.high / reference) - threshold_db;
        let sibilance_db = db(self.high / self.voice.max(NOTHING));
        let surely = (sibilance_db - SIBILANT_FROM_DB) / (SIBILANT_SURELY_DB - SIBILANT_FROM_DB);
        let spare_db = sibilance_db - STANDS_OUT_DB;
        (over_db * surely.clamp(0.0, 1.0)).min(spare_db).max(0.0)
    }
}

/// Energy of what comes through sections in a row.
fn energy<const N: usize>(sections: &mut [Section; N], samples: &[f32]) -> f64 {
    // A copy lets the compiler hold the whole state in registers.
    let mut running = *sections;
    let mut energy = 0.0;
    for &sample in samples {
        let out = running
            .iter_mut()
            .fold(f64::from(sample), |sample, section| section.step(sample));
        energy += out * out;
    }
    running.iter_mut().for_each(Section::settle);
    *sections = running;
    energy
}

/// The voice's power around each hop.
fn around(powers: &[f64]) -> Vec<f64> {
    let least = LEAST * gated(powers);
    (0..powers.len())
        .map(|at| {
            let near =
                &powers[at.saturating_sub(AROUND_HOPS)..powers.len().min(at + AROUND_HOPS + 1)];
            gated(near).max(least)
        })
        .collect()
}

fn gated(powers: &[f64]) -> f64 {
    let strongest = powers.iter().copied().fold(0.0, f64::max);
    let loud = || powers.iter().filter(|&&power| power >= GATE * strongest);
    loud().sum::<f64>() / loud().count().max(1) as f64
}
