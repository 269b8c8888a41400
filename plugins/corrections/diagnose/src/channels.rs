//! What the channels are to each other: a dead one, one with its plug turned, two that are the same.

use retake_plugin_sdk::prelude::{Block, factor_to_db};

/// Silence, or the hiss of an input that nothing is plugged into: this quiet, …
const DEAD_DBFS: f64 = -70.0;
/// … and so far below the loudest channel.
const DEAD_BELOW_DB: f64 = 40.0;
/// Two channels quieter than this say nothing about each other.
const HEARD_DBFS: f64 = -70.0;
/// From here on one is the other turned over.
const INVERTED: f64 = -0.9;
/// What two channels differ by is so far below them: they are one.
const SAME_DB: f64 = -70.0;

/// Sums over a whole recording. Means are taken out: an offset is a finding of its own.
pub struct Channels {
    /// Whether each is meant for a speaker that plays everything. A recorder's track may be empty.
    speakers: Vec<bool>,
    frames: f64,
    sums: Vec<f64>,
    squares: Vec<f64>,
    /// Of the first two channels, where there are no more.
    product: f64,
    difference: f64,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Relations {
    /// Counted from 1, as people count.
    pub dead: Vec<usize>,
    pub correlation: Option<f64>,
    pub inverted: bool,
    pub identical: bool,
}

impl Channels {
    /// `positions` as in the contract. Two channels are left and right, whatever they say.
    pub fn new(positions: &[u32]) -> Self {
        const LOW_FREQUENCY: u32 = 0x8;
        let channels = positions.len();
        let speaker = |&position: &u32| match position {
            0 => channels == 2,
            position => position != LOW_FREQUENCY,
        };
        Self {
            speakers: positions.iter().map(speaker).collect(),
            frames: 0.0,
            sums: vec![0.0; channels],
            squares: vec![0.0; channels],
            product: 0.0,
            difference: 0.0,
        }
    }

    pub fn add(&mut self, block: &Block) {
        self.frames += block[0].len() as f64;
        let sums = self.sums.iter_mut().zip(&mut self.squares);
        for ((sum, square), samples) in sums.zip(block) {
            for &sample in samples {
                let sample = f64::from(sample);
                *sum += sample;
                *square += sample * sample;
            }
        }
        if let [left, right] = block.as_slice() {
            for (&left, &right) in left.iter().zip(right) {
                let (left, right) = (f64::from(left), f64::from(right));
                self.product += left * right;
                self.difference += (left - right) * (left - right);
            }
        }
    }

    pub fn relations(&self) -> Relations {
        let frames = self.frames.max(1.0);
        let power = |channel: usize| {
            let mean = self.sums[channel] / frames;
            (self.squares[channel] / frames - mean * mean).max(0.0)
        };
        let level = |channel: usize| factor_to_db(power(channel).sqrt());
        let channels = 0..self.sums.len();
        let loudest = channels
            .clone()
            .map(level)
            .fold(f64::NEG_INFINITY, f64::max);
        let is_dead = |&channel: &usize| {
            let dbfs = level(channel);
            self.speakers[channel] && dbfs < DEAD_DBFS && dbfs < loudest - DEAD_BELOW_DB
        };
        let mut relations = Relations {
            dead: channels
                .filter(is_dead)
                .map(|channel| channel + 1)
                .collect(),
            ..Relations::default()
        };
        if self.sums.len() == 2 && level(0) > HEARD_DBFS && level(1) > HEARD_DBFS {
            let product = self.product / frames - self.sums[0] * self.sums[1] / (frames * frames);
            let correlation = product / (power(0) * power(1)).sqrt();
            let difference_db = 10.0 * (self.difference / frames / power(0)).log10();
            relations.correlation = Some(correlation);
            relations.inverted = correlation < INVERTED;
            relations.identical = difference_db < SAME_DB;
        }
        relations
    }
}
