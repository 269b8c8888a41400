//! Takes noise from speech, one channel at a time: what is steady by a classic estimator, the rest by
//! RNNoise, each hearing what it is good at.

mod approximate;
mod noise;
mod omlsa;
mod rnnoise;
mod start;

use omlsa::Omlsa;
use retake_plugin_sdk::prelude::*;
use rnnoise::{Denoiser, FRAME};
use start::{Next, Start};

const STRENGTH: FloatParam = FloatParam::new("strength", "Strength", 0.0, 1.0, 1.0)
    .step(0.05)
    .help(
        "How much of the noise goes: 0 leaves the recording as it is, 1 takes all that is found.",
    );

/// What the network calls full scale: it was trained on 16-bit samples.
const FULL_SCALE: f32 = 32768.0;
/// Each of the two lags by one.
const LATENCY_FRAMES: usize = 2 * FRAME;

pub struct Denoise {
    start: Start,
    chain: Chain,
    strength: f32,
    /// The last two frames of input, the older first: what the output is aligned with.
    dry: [[f32; FRAME]; 2],
}

/// One after the other.
struct Chain {
    omlsa: Box<Omlsa>,
    denoiser: Box<Denoiser>,
}

impl Corrector for Denoise {
    const FACTS: Facts = Facts {
        id: "org.retake.denoise",
        name: "Denoise",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Removes steady and changing noise behind a voice (OMLSA and RNNoise); leaves clean recordings nearly alone.",
        license: "BSD-3-Clause AND (MIT OR Apache-2.0)",
        sample_rates: &[48_000],
        block_quantum: FRAME as u32,
        extras: &[("equal-channels", "once")],
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&STRENGTH];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        Ok(Self {
            start: Start::new(stream.total_frames),
            chain: Chain::new(),
            strength: settings.get(&STRENGTH) as f32,
            dry: [[0.0; FRAME]; 2],
        })
    }

    fn latency_frames(&self) -> u32 {
        LATENCY_FRAMES as u32
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        // Channels are independent, so there is one; the quantum makes its frames whole.
        for channel in &mut block {
            let mut ready = Vec::with_capacity(channel.len());
            for frame in channel.as_chunks_mut().0 {
                match self.start.take(frame) {
                    Next::Frame => {
                        self.correct(frame);
                        ready.extend_from_slice(frame);
                    }
                    Next::Wait => {}
                    Next::Held(mut held) => {
                        self.hear_backwards(&held);
                        held.as_chunks_mut()
                            .0
                            .iter_mut()
                            .for_each(|frame| self.correct(frame));
                        if ready.is_empty() {
                            ready = held;
                        } else {
                            ready.append(&mut held);
                        }
                    }
                }
            }
            *channel = ready;
        }
        Ok(block)
    }
}

impl Denoise {
    fn hear_backwards(&mut self, held: &[f32]) {
        for frame in held.as_chunks().0.iter().rev() {
            let mut backwards: [f32; FRAME] = *frame;
            backwards.reverse();
            self.chain.run(&backwards);
        }
        if start::is_clean(held) {
            // There is no noise to know: a voice that begins at once is better left alone a while.
            self.chain = Chain::new();
        }
    }

    fn correct(&mut self, frame: &mut [f32; FRAME]) {
        let wet = self.chain.run(frame);
        let dry = self.dry[0];
        self.dry = [self.dry[1], *frame];
        for ((out, wet), dry) in frame.iter_mut().zip(&wet).zip(&dry) {
            *out = dry + self.strength * (wet / FULL_SCALE - dry);
        }
    }
}

impl Chain {
    fn new() -> Self {
        Self {
            omlsa: Box::new(Omlsa::new()),
            denoiser: Box::new(Denoiser::new()),
        }
    }

    /// Gives the frame of [`LATENCY_FRAMES`] before, at [`FULL_SCALE`].
    fn run(&mut self, frame: &[f32; FRAME]) -> [f32; FRAME] {
        let (mut steadied, mut wet) = ([0.0; FRAME], [0.0; FRAME]);
        self.omlsa
            .run(&frame.map(|sample| sample * FULL_SCALE), &mut steadied);
        self.denoiser.run(&steadied, self.omlsa.spared(), &mut wet);
        wet
    }
}

register!(Denoise);

#[cfg(test)]
mod tests;
