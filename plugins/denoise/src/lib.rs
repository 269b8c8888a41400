//! Takes noise from speech with RNNoise, one channel at a time.

mod rnnoise;

use retake_plugin_sdk::prelude::*;
use rnnoise::{Denoiser, FRAME};

const STRENGTH: FloatParam = FloatParam::new("strength", "Strength", 0.0, 1.0, 1.0)
    .step(0.05)
    .help(
        "How much of the noise goes: 0 leaves the recording as it is, 1 takes all that is found.",
    );

/// What the network calls full scale: it was trained on 16-bit samples.
const FULL_SCALE: f32 = 32768.0;

pub struct Denoise {
    denoiser: Box<Denoiser>,
    strength: f32,
    /// The previous frame of input: what the output is aligned with.
    dry: [f32; FRAME],
}

impl Corrector for Denoise {
    const FACTS: Facts = Facts {
        id: "org.retake.denoise",
        name: "Denoise",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Removes steady and changing noise behind a voice (RNNoise).",
        license: "BSD-3-Clause AND (MIT OR Apache-2.0)",
        sample_rates: &[48_000],
        block_quantum: FRAME as u32,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&STRENGTH];

    fn open(_stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        Ok(Self {
            denoiser: Box::new(Denoiser::new()),
            strength: settings.get(&STRENGTH) as f32,
            dry: [0.0; FRAME],
        })
    }

    fn latency_frames(&self) -> u32 {
        FRAME as u32
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        let mut wet = [0.0; FRAME];
        // Channels are independent, so there is one; the quantum makes its frames whole.
        for frame in block
            .iter_mut()
            .flat_map(|channel| channel.as_chunks_mut::<FRAME>().0)
        {
            self.denoiser
                .run(&frame.map(|sample| sample * FULL_SCALE), &mut wet);
            let dry = std::mem::replace(&mut self.dry, *frame);
            for ((out, wet), dry) in frame.iter_mut().zip(&wet).zip(&dry) {
                *out = dry + self.strength * (wet / FULL_SCALE - dry);
            }
        }
        Ok(block)
    }
}

register!(Denoise);

#[cfg(test)]
mod tests;
