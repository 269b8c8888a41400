//! The first pass: how loud each 10 ms are.

use retake_plugin_sdk::prelude::Block;

/// Below this nothing is a voice; offset and rumble must not hide a pause.
const HIGHPASS_HZ: f64 = 100.0;
const HOPS_PER_S: u32 = 100;

/// Digital silence, and whatever is as quiet.
pub const SILENCE_DB: f32 = -100.0;

pub struct Levels {
    pub hop_frames: usize,
    /// dBFS of every hop, that of the louder channel.
    pub db: Vec<f32>,
    channels: Vec<Channel>,
    filled: usize,
}

/// A high-pass of first order, and the energy of the hop so far.
#[derive(Clone, Default)]
struct Channel {
    input: f64,
    output: f64,
    energy: f64,
    keep: f64,
}

impl Levels {
    pub fn new(rate_hz: u32, channels: usize) -> Self {
        let keep = (-2.0 * std::f64::consts::PI * HIGHPASS_HZ / f64::from(rate_hz)).exp();
        let channel = Channel {
            keep,
            ..Channel::default()
        };
        Self {
            hop_frames: rate_hz.div_ceil(HOPS_PER_S) as usize,
            db: Vec::new(),
            channels: vec![channel; channels],
            filled: 0,
        }
    }

    pub fn add(&mut self, block: &Block) {
        let frames = block[0].len();
        let mut from = 0;
        while from < frames {
            let to = frames.min(from + self.hop_frames - self.filled);
            for (channel, samples) in self.channels.iter_mut().zip(block) {
                channel.run(&samples[from..to]);
            }
            self.filled += to - from;
            from = to;
            if self.filled == self.hop_frames {
                self.end_hop();
            }
        }
    }

    /// What is left makes a hop too, a short one.
    pub fn finish(&mut self) {
        if self.filled > 0 {
            self.end_hop();
        }
    }

    fn end_hop(&mut self) {
        let energies = self.channels.iter_mut();
        let loudest = energies
            .map(|channel| std::mem::take(&mut channel.energy))
            .fold(0.0, f64::max);
        let db = 10.0 * (loudest / self.filled as f64).log10();
        self.db.push((db as f32).max(SILENCE_DB));
        self.filled = 0;
    }
}

impl Channel {
    fn run(&mut self, samples: &[f32]) {
        /// So quiet that it may as well be nothing: a decay must not end in subnormal numbers.
        const NOTHING: f64 = 1e-20;
        for &sample in samples {
            let sample = f64::from(sample);
            self.output = self.keep * (self.output + sample - self.input);
            self.input = sample;
            self.energy += self.output * self.output;
        }
        if self.output.abs() < NOTHING {
            self.output = 0.0;
        }
    }
}
