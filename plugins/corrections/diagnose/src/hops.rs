//! The level of every 20 ms, and of its sharp part: from them come the noise floor, the level of the
//! voice, pauses and sibilance.

use std::f64::consts::PI;

use retake_plugin_sdk::prelude::Block;

use crate::{
    content::{Content, Kind},
    voice::Voice,
};

const HOPS_PER_S: u32 = 50;
/// Offset and rumble are no part of the noise floor that a listener hears.
const RUMBLE_HZ: f64 = 100.0;
/// Where sibilants are.
const SHARP_HZ: f64 = 5_000.0;
/// Levels are kept as whole half decibels from here up.
const LOWEST_DB: f64 = -120.0;
/// A pause that tires the listener.
const LONG_PAUSE_S: f64 = 2.0;
/// A noise floor: what is quietest stays within this.
const STEADY_DB: f64 = 5.0;

pub struct Hops {
    hop_frames: usize,
    filled: usize,
    channels: Vec<Channel>,
    has_sharp: bool,
    whole: Vec<u8>,
    sharp: Vec<u8>,
}

#[derive(Clone)]
struct Channel {
    /// Twice the same: hum and rumble are findings of their own, and no noise.
    rumble: [Biquad; 2],
    sharp: Biquad,
    whole_energy: f64,
    sharp_energy: f64,
}

/// What a recording's levels say, in dBFS over 20 ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    /// 95th percentile: voice, where there is one.
    pub voice_dbfs: f64,
    /// 10th percentile.
    pub floor_dbfs: f64,
    /// From the 5th to the 15th percentile: how steady the floor is.
    pub floor_spread_db: f64,
    /// The 98th percentile of what is above 5 kHz, against the voice.
    pub sharp_db: Option<f64>,
    /// How long a sound takes to die away, where enough of them could be heard to.
    pub decay_s: Option<f64>,
    /// How far louder phrases are above quieter ones.
    pub phrases_apart_db: Option<f64>,
    pub long_pauses: usize,
    pub longest_pause_s: f64,
}

impl Hops {
    pub fn new(rate_hz: u32, channels: usize) -> Self {
        let rate = f64::from(rate_hz);
        let channel = Channel {
            rumble: [(); 2].map(|()| Biquad::highpass(rate, RUMBLE_HZ)),
            sharp: Biquad::highpass(rate, SHARP_HZ.min(0.4 * rate)),
            whole_energy: 0.0,
            sharp_energy: 0.0,
        };
        Self {
            hop_frames: (rate_hz / HOPS_PER_S) as usize,
            filled: 0,
            channels: vec![channel; channels],
            has_sharp: rate_hz >= 16_000,
            whole: Vec::new(),
            sharp: Vec::new(),
        }
    }

    pub fn add(&mut self, block: &Block) {
        let frames = block[0].len();
        let mut from = 0;
        while from < frames {
            let to = frames.min(from + self.hop_frames - self.filled);
            for (channel, samples) in self.channels.iter_mut().zip(block) {
                for &sample in &samples[from..to] {
                    let [first, second] = &mut channel.rumble;
                    let whole = second.run(first.run(f64::from(sample)));
                    let sharp = channel.sharp.run(whole);
                    channel.whole_energy += whole * whole;
                    channel.sharp_energy += sharp * sharp;
                }
            }
            self.filled += to - from;
            from = to;
            if self.filled == self.hop_frames {
                self.end_hop();
            }
        }
    }

    fn end_hop(&mut self) {
        let (mut whole, mut sharp) = (0.0f64, 0.0f64);
        for channel in &mut self.channels {
            whole = whole.max(std::mem::take(&mut channel.whole_energy));
            sharp = sharp.max(std::mem::take(&mut channel.sharp_energy));
        }
        let level = |energy: f64| {
            let db = 10.0 * (energy / self.hop_frames as f64).log10();
            (2.0 * (db - LOWEST_DB)).clamp(0.0, 255.0) as u8
        };
        self.whole.push(level(whole));
        self.sharp.push(level(sharp));
        self.filled = 0;
    }

    /// `None` where there is nothing but digital silence.
    ///
    /// Where it is known what is what, the voice is heard where somebody speaks, what is sharp likewise (applause is
    /// sharp too), and the floor where there is no music.
    pub fn levels(&self, content: Option<&Content>, rate_hz: u32) -> Option<Levels> {
        let kinds = match content.filter(|content| content.has_speech()) {
            Some(content) => content.kinds(self.whole.len(), u64::from(rate_hz / HOPS_PER_S)),
            // All of it is what we are here for.
            None => vec![Kind::Speech; self.whole.len()],
        };
        let of = |levels: &[u8], is_wanted: fn(Kind) -> bool| {
            let levels = levels.iter().zip(&kinds);
            let wanted = levels.filter(|(_, kind)| is_wanted(**kind));
            let mut levels: Vec<u8> = wanted.map(|(level, _)| *level).collect();
            levels.sort_unstable();
            levels
        };
        let of_speech = |kind: Kind| kind == Kind::Speech;
        let db = |level: u8| LOWEST_DB + f64::from(level) / 2.0;
        let spoken = of(&self.whole, of_speech);
        let spoken = &spoken[spoken.partition_point(|&level| level == 0)..];
        let voice_dbfs = db(*spoken.get(spoken.len().checked_sub(1)? * 95 / 100)?);
        let around = of(&self.whole, |kind| kind != Kind::Music);
        let silent = around.partition_point(|&level| level == 0);
        let heard = &around[silent..];
        let last = heard.len().checked_sub(1)?;
        let percentile = |percent: usize| db(heard[last * percent / 100]);
        // Silence between sounds is the best floor there is.
        // But beside stretches that were muted there may be noise all the same.
        let floor_spread_db = percentile(15) - percentile(5);
        let muted = silent * 10 > around.len() && floor_spread_db > STEADY_DB;
        let floor_dbfs = if muted { LOWEST_DB } else { percentile(10) };
        let sharp = of(&self.sharp, of_speech);
        let sharpest = sharp
            .len()
            .checked_sub(1)
            .map(|last| db(sharp[last * 98 / 100]));
        let pause_below = floor_dbfs + 0.35 * (voice_dbfs - floor_dbfs);
        let pauses = self.pauses_s(|level| db(level) < pause_below);
        let levels = self.whole.iter().zip(&kinds);
        let levels = levels.filter(|(_, kind)| of_speech(**kind));
        let hops_db: Vec<f64> = levels.map(|(level, _)| db(*level)).collect();
        let voice = Voice {
            hops_db: &hops_db,
            hops_per_s: f64::from(HOPS_PER_S),
            voice_dbfs,
            floor_dbfs,
        };
        Some(Levels {
            voice_dbfs,
            floor_dbfs,
            floor_spread_db,
            sharp_db: sharpest
                .filter(|_| self.has_sharp)
                .map(|sharpest| sharpest - voice_dbfs),
            decay_s: voice.decay_s(),
            phrases_apart_db: voice.phrases_apart_db(),
            long_pauses: pauses
                .iter()
                .filter(|&&seconds| seconds >= LONG_PAUSE_S)
                .count(),
            longest_pause_s: pauses.into_iter().fold(0.0, f64::max),
        })
    }

    fn pauses_s(&self, is_quiet: impl Fn(u8) -> bool) -> Vec<f64> {
        let runs = self.whole.chunk_by(|&a, &b| is_quiet(a) == is_quiet(b));
        runs.filter(|run| is_quiet(run[0]))
            .map(|run| run.len() as f64 / f64::from(HOPS_PER_S))
            .collect()
    }
}

/// A Butterworth high-pass of second order (Bristow-Johnson's cookbook), transposed direct form 2.
#[derive(Clone)]
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    fn highpass(rate_hz: f64, cutoff_hz: f64) -> Self {
        let w = 2.0 * PI * cutoff_hz / rate_hz;
        let alpha = w.sin() / std::f64::consts::SQRT_2;
        let scale = 1.0 / (1.0 + alpha);
        let b = (1.0 + w.cos()) / 2.0 * scale;
        Self {
            b: [b, -2.0 * b, b],
            a: [-2.0 * w.cos() * scale, (1.0 - alpha) * scale],
            state: [0.0; 2],
        }
    }

    fn run(&mut self, x: f64) -> f64 {
        /// Keeps a decay out of subnormal numbers, far below what counts.
        const FLOOR: f64 = 1e-18;
        let y = self.b[0] * x + self.state[0];
        self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1] + FLOOR;
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }
}
