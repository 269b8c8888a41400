//! Which sounds are pops, and by how much they are too loud.

use std::ops::Range;

use retake_plugin_sdk::prelude::Block;
use retake_signal::section::{Coefficients, Section};
use retake_signal::steps::Steps;

/// Breath that blows into a microphone is here. What is lower is rumble, which highpass takes.
const LOW_HZ: f64 = 20.0;
/// The voice, but for the lowest of it.
const VOICE_HZ: [f64; 2] = [250.0, 3_500.0];
/// Time constant of the two levels compared.
const SMOOTH_S: f64 = 0.005;

/// A pop is louder than the voice around it less this, as low as it is...
const UNDER_VOICE_DB: f32 = 3.0;
/// ...and louder than what is as low around it, a deep voice or hum: by less it is none, by more surely one.
const SUDDEN_FROM_DB: f32 = 5.0;
const SUDDEN_SURELY_DB: f32 = 9.0;
/// And it outweighs the voice in the same moment: by less it is none, by more surely one.
const ALONE_FROM_DB: f32 = 2.0;
const ALONE_SURELY_DB: f32 = 8.0;

/// Levels around a moment are taken from hops of 100 ms within 2 s on either side.
const HOPS_PER_SECOND: f64 = 10.0;
const AROUND_HOPS: usize = 20;
/// The voice is the mean over those that are no weaker than this part of the strongest.
const GATE: f64 = 0.05;
/// Power that counts as silence, and keeps levels finite.
const NOTHING: f64 = 1e-14;

pub struct Detector {
    channels: Vec<Channel>,
    learning: Vec<Channel>,
    hops: Steps,
    sums: Pair,
    /// Powers in each hop, then around each hop.
    levels: Vec<Pair>,
    learnt: bool,
    /// Frames heard in the second pass.
    heard: u64,
    smooth: f64,
    step: Pair,
    now: Pair,
}

#[derive(Debug, Clone, Copy, Default)]
struct Pair {
    low: f64,
    voice: f64,
}

#[derive(Clone)]
struct Channel {
    low: [Section; 3],
    voice: [Section; 2],
}

impl Detector {
    pub fn new(rate_hz: f64, channels: usize, below_hz: f64, step_frames: usize) -> Self {
        let highpass = |hz, q| Section::new(Coefficients::highpass(rate_hz, hz, q));
        let lowpass = |hz, q| Section::new(Coefficients::lowpass(rate_hz, hz, q));
        let q = 0.5f64.sqrt();
        let channel = Channel {
            // The Qs of a Butterworth low-pass of fourth order.
            low: [
                lowpass(below_hz, 0.541_196),
                lowpass(below_hz, 1.306_563),
                highpass(LOW_HZ, q),
            ],
            voice: [
                highpass(VOICE_HZ[0], q),
                lowpass(VOICE_HZ[1].min(0.4 * rate_hz), q),
            ],
        };
        let step_s = step_frames as f64 / rate_hz;
        Self {
            channels: vec![channel.clone(); channels],
            learning: vec![channel; channels],
            hops: Steps::new((rate_hz / HOPS_PER_SECOND).round() as usize),
            sums: Pair::default(),
            levels: Vec::new(),
            learnt: false,
            heard: 0,
            smooth: 1.0 - (-step_s / SMOOTH_S).exp(),
            step: Pair::default(),
            now: Pair::default(),
        }
    }

    /// The first pass.
    pub fn learn(&mut self, block: &Block) {
        let mut from = 0;
        while let Some(piece) = self.hops.piece(from, block[0].len()) {
            hear(
                &mut self.learning,
                block,
                piece.range.clone(),
                &mut self.sums,
            );
            if piece.ends {
                self.end_hop(self.hops.frames());
            }
            from = piece.range.end;
        }
    }

    fn end_hop(&mut self, frames: usize) {
        let Pair { low, voice } = std::mem::take(&mut self.sums);
        let frames = frames as f64;
        self.levels.push(Pair {
            low: low / frames,
            voice: voice / frames,
        });
    }

    /// The second pass: hears frames of a block.
    pub fn listen(&mut self, block: &Block, range: Range<usize>) {
        if !self.learnt {
            self.learnt = true;
            if self.hops.filled() > 0 {
                self.end_hop(self.hops.filled());
            }
            self.levels = around(&self.levels);
        }
        self.heard += range.len() as u64;
        hear(&mut self.channels, block, range, &mut self.step);
    }

    /// At the end of a step: by how many dB a pop is too loud, less where it may be none. 0 or more.
    pub fn decide(&mut self, step_frames: usize) -> f32 {
        let towards = |state: &mut f64, step: f64| {
            *state += self.smooth * (step / step_frames as f64 - *state);
            if *state < NOTHING {
                *state = 0.0;
            }
        };
        let step = std::mem::take(&mut self.step);
        towards(&mut self.now.low, step.low);
        towards(&mut self.now.voice, step.voice);
        let hop = ((self.heard - 1) / self.hops.frames() as u64) as usize;
        let usual = self.levels.get(hop).copied().unwrap_or_default();
        if self.now.low < NOTHING || usual.voice < NOTHING {
            return 0.0;
        }
        let db = |ratio: f64| 10.0 * ratio.log10() as f32;
        let over_voice_db = db(self.now.low / usual.voice) + UNDER_VOICE_DB;
        let over_usual_db = db(self.now.low / usual.low.max(NOTHING));
        let over_now_db = db(self.now.low / self.now.voice.max(NOTHING));
        let part = |db: f32, from: f32, to: f32| ((db - from) / (to - from)).clamp(0.0, 1.0);
        let sudden = part(over_usual_db, SUDDEN_FROM_DB, SUDDEN_SURELY_DB);
        let alone = part(over_now_db, ALONE_FROM_DB, ALONE_SURELY_DB);
        over_voice_db.min(over_usual_db).max(0.0) * sudden * alone
    }
}

fn hear(channels: &mut [Channel], block: &Block, range: Range<usize>, sums: &mut Pair) {
    for (channel, samples) in channels.iter_mut().zip(block) {
        sums.low += energy(&mut channel.low, &samples[range.clone()]);
        sums.voice += energy(&mut channel.voice, &samples[range.clone()]);
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

/// The voice around each hop, and what is usual below it: the median, which a pop does not move.
fn around(levels: &[Pair]) -> Vec<Pair> {
    (0..levels.len())
        .map(|at| {
            let near =
                &levels[at.saturating_sub(AROUND_HOPS)..levels.len().min(at + AROUND_HOPS + 1)];
            let strongest = near.iter().map(|hop| hop.voice).fold(0.0, f64::max);
            let loud = || near.iter().filter(|hop| hop.voice >= GATE * strongest);
            let mut low: Vec<f64> = loud().map(|hop| hop.low).collect();
            let middle = low.len() / 2;
            let usual = low
                .get_mut(..)
                .filter(|low| !low.is_empty())
                .map_or(0.0, |low| {
                    *low.select_nth_unstable_by(middle, f64::total_cmp).1
                });
            Pair {
                low: usual,
                voice: loud().map(|hop| hop.voice).sum::<f64>() / loud().count().max(1) as f64,
            }
        })
        .collect()
}
