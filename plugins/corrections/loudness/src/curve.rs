//! The gain over time, made from the envelope of the whole recording, and the loudness that it will
//! have.
//!
//! Where a gain would lift peaks over the ceiling, two stages turn it down. The slow one follows the
//! mean of what is too much within 200 ms on either side: it takes dense peaks down together, as a hand
//! on a fader would, and hardly moves for a single knock. The quick one takes the rest: it is down in
//! full for the segments that need it and comes and goes within 20 ms, bent without corners. Both know
//! what comes, so neither has an attack that lets anything through; how long they stay down depends on
//! the programme alone. Between the segments' ends the gain is a straight line.

use std::ops::Range;

use crate::envelope::Envelope;
use crate::music::Music;
use crate::segments::{SEGMENTS_PER_HOP, Segments};

/// How far the slow stage looks on either side, in segments.
const SLOW: usize = 20;
/// Its part of what is too much, and the most of a single segment that it minds, in dB.
const SLOW_PART: f32 = 0.7;
const SLOW_MINDS_DB: f32 = 12.0;

/// The limiter's margin, and what common material has more between the samples than the quick reading of
/// peaks says.
const BELOW_CEILING_DB: f32 = 0.3;

/// Segments that are worked out together, and how many around them have a say.
const CHUNK: usize = 256;
const AROUND: usize = SLOW + 4;

const HOPS_PER_BLOCK: usize = 4;

/// Gates of ITU-R BS.1770-5.
const ABSOLUTE_LUFS: f64 = -70.0;
const RELATIVE: f64 = 0.1;

/// An envelope and what is to be made of it.
pub struct Curve {
    envelope: Envelope,
    music: Music,
    segments: Segments,
    total_frames: u64,
    ceiling_db: f32,
    slow_weights: [f32; 2 * SLOW],
}

/// By how much the gain is turned down at the start of each of [`CHUNK`] segments, and at the end of the last, in dB:
/// 0 or more.
struct Nodes {
    turned: [f32; CHUNK + 1],
    /// Of it, what is there because music is not limited.
    lowered: [f32; CHUNK + 1],
}

impl Nodes {
    fn new() -> Self {
        Self {
            turned: [0.0; CHUNK + 1],
            lowered: [0.0; CHUNK + 1],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// All but the music that was told of.
    Talk,
}

/// What a gain comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// `None`: silence.
    pub lufs: Option<f64>,
    /// By how much what counts towards the loudness is turned down, in the mean of blocks, in dB.
    pub squashed_db: f64,
}

impl Curve {
    /// `music` is told as starts and lengths.
    pub fn new(
        envelope: Envelope,
        segments: Segments,
        total_frames: u64,
        ceiling_db: f64,
        music: &[(u64, u64)],
    ) -> Self {
        let mut slow_weights = [0.0; 2 * SLOW];
        for (place, weight) in slow_weights.iter_mut().enumerate() {
            let turn = (place as f32 + 0.5) / (2 * SLOW) as f32 * std::f32::consts::TAU;
            *weight = SLOW_PART * (1.0 - turn.cos()) / (2 * SLOW) as f32;
        }
        Self {
            music: Music::new(music, segments, &envelope),
            envelope,
            segments,
            total_frames,
            ceiling_db: ceiling_db as f32 - BELOW_CEILING_DB,
            slow_weights,
        }
    }

    /// Of the recording as it is, in dBTP; far below everything for silence.
    pub fn peak_db(&self) -> f64 {
        f64::from(self.envelope.highest_db())
    }

    pub fn is_limiting(&self, gain_db: f64) -> bool {
        self.envelope.highest_db() + gain_db as f32 > self.ceiling_db
    }

    pub fn has_music(&self) -> bool {
        !self.music.is_empty()
    }

    /// Where music is lower than the rest, in frames, and by how much.
    pub fn lowered(&self, gain_db: f64) -> impl Iterator<Item = (Range<u64>, f64)> {
        let lowered = self.music.lowered(self.ceiling_db - gain_db as f32);
        lowered.map(|(stretch, db)| (stretch.told.clone(), f64::from(db)))
    }

    /// What comes out of a gain, limited or not.
    pub fn outcome(&self, part: Part, gain_db: f64, limited: bool) -> Outcome {
        let gain = 10f64.powf(gain_db / 10.0);
        let mut blocks = Blocks::new(self.segments.hop_frames);
        let mut hop = Hop::default();
        let mut whole = Hop::default();
        let mut nodes = Nodes::new();
        for first in (0..self.envelope.segments()).step_by(CHUNK) {
            let turned = limited && self.reductions(first, gain_db as f32, &mut nodes);
            let music = self.music.near(first..first + CHUNK);
            for segment in first..self.envelope.segments().min(first + CHUNK) {
                let mut plain = gain * self.envelope.energy(segment);
                if part == Part::Talk && music.has(segment) {
                    plain = 0.0;
                }
                let mut limited = plain;
                if turned {
                    let mean = |nodes: &[f32]| {
                        let [start, end] =
                            [0, 1].map(|side| f64::from(factor(-nodes[segment - first + side])));
                        (start * start + start * end + end * end) / 3.0
                    };
                    limited *= mean(&nodes.turned);
                    if !music.is_empty() {
                        // Lower is not squashed.
                        plain *= mean(&nodes.lowered);
                    }
                }
                hop.add(plain, limited);
                whole.add(plain, limited);
                // The last hop may lack a few frames; then it is none.
                let is_there = self.segments.start(segment + 1) <= self.total_frames;
                if (segment + 1) % SEGMENTS_PER_HOP == 0 && is_there {
                    blocks.push(std::mem::take(&mut hop));
                }
            }
        }
        let shorter_than_a_block =
            self.total_frames < (HOPS_PER_BLOCK * self.segments.hop_frames) as u64;
        if shorter_than_a_block {
            whole.alone(self.total_frames)
        } else {
            blocks.outcome()
        }
    }

    /// For [`CHUNK`] segments from `first` on. `false`, and nothing written: nowhere.
    fn reductions(&self, first: usize, gain_db: f32, nodes: &mut Nodes) -> bool {
        // By how much each segment is too high; the first is `AROUND` before `first`.
        let mut over = [0.0f32; CHUNK + 2 * AROUND];
        let room_db = self.ceiling_db - gain_db;
        let music = self
            .music
            .near(first.saturating_sub(AROUND)..first + CHUNK + AROUND);
        nodes.lowered = [0.0; CHUNK + 1];
        let mut any = false;
        for (place, over) in over.iter_mut().enumerate() {
            let Some(segment) = (first + place).checked_sub(AROUND) else {
                continue;
            };
            *over = (self.envelope.peak_db(segment) - room_db).max(0.0);
            if !music.is_empty() {
                let sides = [segment, segment + 1].map(|node| music.lowered_db(node, room_db));
                let lowered = sides[0].min(sides[1]);
                *over = match music.has(segment) {
                    true => 0.0,
                    false => (*over - lowered).max(0.0),
                };
                any |= lowered > 0.0;
            }
            any |= *over > 0.0;
        }
        if !any {
            return false;
        }
        if !music.is_empty() {
            for (place, lowered) in nodes.lowered.iter_mut().enumerate() {
                *lowered = music.lowered_db(first + place, room_db);
            }
        }
        // Places of nodes are those of the segments that begin with them.
        let mut slow = [0.0f32; CHUNK + 2 * AROUND];
        for node in SLOW..over.len() - SLOW + 1 {
            let around = &over[node - SLOW..node + SLOW];
            let weighted = around.iter().zip(&self.slow_weights);
            slow[node] = weighted
                .map(|(over, weight)| over.min(SLOW_MINDS_DB) * weight)
                .sum();
        }
        let mut rest = [0.0f32; CHUNK + 2 * AROUND];
        for segment in SLOW..over.len() - SLOW {
            let taken = slow[segment].min(slow[segment + 1]);
            rest[segment] = (over[segment] - taken).max(0.0);
        }
        // Over the two segments on either side of a node and its neighbours.
        let held = |node: usize| {
            rest[node - 2..=node + 1]
                .iter()
                .copied()
                .fold(0.0, f32::max)
        };
        for (place, reduction) in nodes.turned.iter_mut().enumerate() {
            let node = place + AROUND;
            let quick = 0.25 * held(node - 1) + 0.5 * held(node) + 0.25 * held(node + 1);
            *reduction = slow[node] + quick + nodes.lowered[place];
        }
        true
    }
}

fn factor(db: f32) -> f32 {
    // 10^(db / 20)
    (db * 0.166_096_4).exp2()
}

/// Applies the gain over time to a recording that passes by.
pub struct Ride {
    curve: Curve,
    gain_db: f64,
    done: u64,
    chunk: Option<usize>,
    /// Factors at the ends of the chunk's segments.
    factors: [f32; CHUNK + 1],
    nodes: Nodes,
    pub reduction_max_db: f32,
}

impl Ride {
    pub fn new(curve: Curve, gain_db: f64) -> Self {
        Self {
            curve,
            gain_db,
            done: 0,
            chunk: None,
            factors: [1.0; CHUNK + 1],
            nodes: Nodes::new(),
            reduction_max_db: 0.0,
        }
    }

    /// Where music is lower than the rest, in frames, and by how much.
    pub fn lowered(&self) -> impl Iterator<Item = (Range<u64>, f64)> {
        self.curve.lowered(self.gain_db)
    }

    /// Whether the limiter behind this may have something to do, so that the result must be measured.
    pub fn is_near_ceiling(&self) -> bool {
        const NEAR_DB: f64 = 6.0;
        self.curve.is_limiting(self.gain_db + NEAR_DB)
    }

    pub fn apply(&mut self, block: &mut [Vec<f32>]) {
        let frames = block.first().map_or(0, Vec::len);
        let segments = self.curve.segments;
        let mut segment = segments.of(self.done);
        let mut from = 0;
        while from < frames {
            let start = segments.start(segment);
            let length = segments.frames(segment);
            let offset = (self.done + from as u64 - start) as usize;
            let to = frames.min(from + length - offset);
            let (before, after) = self.factors(segment);
            let slope = (after - before) / length as f32;
            for channel in block.iter_mut() {
                for (n, sample) in channel[from..to].iter_mut().enumerate() {
                    *sample *= before + slope * (offset + n) as f32;
                }
            }
            from = to;
            segment += 1;
        }
        self.done += frames as u64;
    }

    /// At the start and the end of a segment.
    fn factors(&mut self, segment: usize) -> (f32, f32) {
        let chunk = segment / CHUNK;
        if self.chunk != Some(chunk) {
            self.chunk = Some(chunk);
            let first = chunk * CHUNK;
            let gain = 10f64.powf(self.gain_db / 20.0) as f32;
            self.factors = [gain; CHUNK + 1];
            let turned = self
                .curve
                .reductions(first, self.gain_db as f32, &mut self.nodes);
            if turned {
                let Nodes { turned, lowered } = &self.nodes;
                for ((turn, &reduction), lowered) in
                    self.factors.iter_mut().zip(turned).zip(lowered)
                {
                    self.reduction_max_db = self.reduction_max_db.max(reduction - lowered);
                    if reduction > 0.0 {
                        *turn = gain * factor(-reduction);
                    }
                }
            }
        }
        let place = segment % CHUNK;
        (self.factors[place], self.factors[place + 1])
    }
}

/// Energies of a stretch, with the gain alone and turned down.
#[derive(Default, Clone, Copy)]
struct Hop {
    plain: f64,
    turned: f64,
}

impl Hop {
    fn add(&mut self, plain: f64, turned: f64) {
        self.plain += plain;
        self.turned += turned;
    }

    fn squashed_db(self) -> f64 {
        10.0 * (self.plain / self.turned).log10()
    }

    /// Of a recording that is shorter than a block: what is there, without gates but for silence.
    fn alone(self, frames: u64) -> Outcome {
        let lufs = -0.691 + 10.0 * (self.turned / frames.max(1) as f64).log10();
        let heard = lufs > ABSOLUTE_LUFS;
        Outcome {
            lufs: heard.then_some(lufs),
            squashed_db: if heard { self.squashed_db() } else { 0.0 },
        }
    }
}

/// Blocks of 400 ms: one by one for an hour, and by their loudness, in bins of 0.1 LU from the absolute
/// gate up, beyond. Sums within a bin are exact, only the relative gate is rounded; but in a short
/// recording a single block at the gate can be worth half a LU.
struct Blocks {
    frames: f64,
    last: [Hop; HOPS_PER_BLOCK],
    hops: usize,
    bins: Vec<Bin>,
    /// Every block that is no silence, if there are no more than [`EXACT_MAX`].
    exact: Vec<Bin>,
    heard: usize,
}

const EXACT_MAX: usize = 36_000;

#[derive(Clone, Copy, Default)]
struct Bin {
    blocks: f64,
    power: f64,
    squashed_db: f64,
}

impl Bin {
    fn add(&mut self, other: Self) {
        self.blocks += other.blocks;
        self.power += other.power;
        self.squashed_db += other.squashed_db;
    }
}

impl Blocks {
    fn new(hop_frames: usize) -> Self {
        Self {
            frames: (HOPS_PER_BLOCK * hop_frames) as f64,
            last: Default::default(),
            hops: 0,
            bins: vec![Bin::default(); 1000],
            exact: Vec::new(),
            heard: 0,
        }
    }

    fn push(&mut self, hop: Hop) {
        self.last[self.hops % HOPS_PER_BLOCK] = hop;
        self.hops += 1;
        if self.hops < HOPS_PER_BLOCK {
            return;
        }
        let mut block = Hop::default();
        for hop in self.last {
            block.add(hop.plain, hop.turned);
        }
        let power = block.turned / self.frames;
        let above = -0.691 + 10.0 * power.log10() - ABSOLUTE_LUFS;
        if above >= 0.0 {
            let last = self.bins.len() - 1;
            let one = Bin {
                blocks: 1.0,
                power,
                squashed_db: block.squashed_db(),
            };
            self.bins[((above * 10.0) as usize).min(last)].add(one);
            self.heard += 1;
            if self.heard <= EXACT_MAX {
                self.exact.push(one);
            }
        }
    }

    fn outcome(&self) -> Outcome {
        let sum = |threshold: f64| {
            let loud = |bin: &&Bin| bin.power >= threshold * bin.blocks;
            let all = if self.heard <= EXACT_MAX {
                &self.exact
            } else {
                &self.bins
            };
            let mut sum = Bin::default();
            all.iter().filter(loud).for_each(|bin| sum.add(*bin));
            sum
        };
        let heard = sum(0.0);
        if heard.blocks == 0.0 {
            return Outcome {
                lufs: None,
                squashed_db: 0.0,
            };
        }
        let loud = sum(RELATIVE * heard.power / heard.blocks);
        Outcome {
            lufs: Some(-0.691 + 10.0 * (loud.power / loud.blocks).log10()),
            squashed_db: loud.squashed_db / loud.blocks,
        }
    }
}
