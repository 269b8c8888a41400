//! The compressor after the ride: feed-forward, soft knee, look-ahead, release in dB. It is a
//! limiter too.

use retake_plugin_sdk::prelude::{Block, factor_to_db};
use retake_signal::reducer::Reducer;
use retake_signal::steps::Steps;

/// The gain is decided this often, and looks so many decisions ahead: 5 ms.
const STEPS_PER_SECOND: u32 = 2000;
const AHEAD_STEPS: usize = 10;
/// Time constant of the release.
pub const RELEASE_S: f64 = 0.15;
/// Peaks of speech stand 10 to 15 dB above its loudness. Compression begins among the highest: lower,
/// voices with sharp peaks would be made quieter than others, which the ride had made equal.
pub const ABOVE_LOUDNESS_DB: f64 = 14.0;
const KNEE_DB: f64 = 6.0;

/// The gain computer.
#[derive(Debug, Clone, Copy)]
pub struct Curve {
    threshold_db: f32,
    /// By how much of what is above the threshold it is turned down.
    slope: f32,
    ceiling_db: f32,
}

impl Curve {
    /// For speech of a loudness.
    pub fn new(speech_lufs: f64, ratio: f64, ceiling_dbfs: f64) -> Self {
        Self {
            threshold_db: (speech_lufs + ABOVE_LOUDNESS_DB) as f32,
            slope: (1.0 - 1.0 / ratio) as f32,
            ceiling_db: ceiling_dbfs as f32,
        }
    }

    /// By how much a peak is turned down: 0 or more.
    pub fn reduction_db(&self, peak_db: f32) -> f32 {
        let knee = KNEE_DB as f32;
        let over = peak_db - self.threshold_db;
        let compressed = if 2.0 * over <= -knee {
            0.0
        } else if 2.0 * over < knee {
            self.slope * (over + 0.5 * knee).powi(2) / (2.0 * knee)
        } else {
            self.slope * over
        };
        compressed.max(peak_db - self.ceiling_db)
    }
}

pub struct Compressor {
    ratio: f64,
    curve: Option<Curve>,
    reducer: Reducer,
    steps: Steps,
    peak: f32,
    latency: usize,
    /// Per channel the last `latency` frames of input.
    held: Block,
    lowest: f32,
}

impl Compressor {
    pub fn new(rate_hz: u32, channels: usize, ratio: f64) -> Self {
        let reducer = Reducer::new(AHEAD_STEPS, RELEASE_S * f64::from(STEPS_PER_SECOND));
        let steps = Steps::new((rate_hz / STEPS_PER_SECOND) as usize);
        let latency = reducer.latency_steps() * steps.frames();
        Self {
            ratio,
            curve: None,
            reducer,
            steps,
            peak: 0.0,
            latency,
            held: vec![vec![0.0; latency]; channels],
            lowest: 1.0,
        }
    }

    /// Sets what it works towards. Without speech it only delays.
    pub fn aim(&mut self, speech_lufs: Option<f64>, ceiling_dbfs: f64) {
        self.curve = speech_lufs.map(|lufs| Curve::new(lufs, self.ratio, ceiling_dbfs));
    }

    pub fn latency_frames(&self) -> usize {
        self.latency
    }

    /// The strongest reduction so far, in dB: 0 or more.
    pub fn reduction_max_db(&self) -> f64 {
        -factor_to_db(f64::from(self.lowest)) + 0.0
    }

    /// Takes a block and gives back as many frames, `latency_frames` late.
    pub fn run(&mut self, mut block: Block) -> Block {
        let frames = block[0].len();
        for (held, channel) in self.held.iter_mut().zip(&block) {
            held.extend_from_slice(channel);
        }
        let mut from = 0;
        while let Some(piece) = self.steps.piece(from, frames) {
            for channel in &block {
                self.peak = self.peak.max(peak(&channel[piece.range.clone()]));
            }
            let ramp = self.reducer.ramp();
            self.lowest = self.lowest.min(ramp.to);
            for (held, channel) in self.held.iter().zip(&mut block) {
                let out = &mut channel[piece.range.clone()];
                out.copy_from_slice(&held[piece.range.clone()]);
                if !ramp.is_one() {
                    for (n, sample) in out.iter_mut().enumerate() {
                        *sample *= ramp.at(piece.offset + n, self.steps.frames());
                    }
                }
            }
            if piece.ends {
                let peak_db = factor_to_db(f64::from(std::mem::take(&mut self.peak))) as f32;
                let demand = self.curve.map_or(0.0, |curve| curve.reduction_db(peak_db));
                self.reducer.demand(demand.max(0.0));
            }
            from = piece.range.end;
        }
        for held in &mut self.held {
            held.drain(..frames);
        }
        block
    }
}

/// The largest size of a sample.
pub fn peak(samples: &[f32]) -> f32 {
    // Lanes of their own, or the compiler has to keep the order of a single maximum.
    let mut lanes = [0.0f32; 8];
    let (runs, rest) = samples.as_chunks::<8>();
    for run in runs {
        for (lane, sample) in lanes.iter_mut().zip(run) {
            *lane = if sample.abs() > *lane {
                sample.abs()
            } else {
                *lane
            };
        }
    }
    rest.iter()
        .map(|sample| sample.abs())
        .chain(lanes)
        .fold(0.0, f32::max)
}
