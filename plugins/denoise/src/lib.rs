//! Takes noise from speech with RNNoise, one channel at a time.

use nnnoiseless::DenoiseState;
use retake_plugin_sdk::prelude::*;

const STRENGTH: FloatParam = FloatParam::new("strength", "Strength", 0.0, 1.0, 1.0)
    .step(0.05)
    .help(
        "How much of the noise goes: 0 leaves the recording as it is, 1 takes all that is found.",
    );

/// What the network calls full scale: it was trained on 16-bit samples.
const FULL_SCALE: f32 = 32768.0;

const FRAME: usize = DenoiseState::FRAME_SIZE;

pub struct Denoise {
    network: Box<DenoiseState<'static>>,
    strength: f32,
    /// The previous frame of input: what the network's output is aligned with.
    dry: Vec<f32>,
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
            network: DenoiseState::new(),
            strength: settings.get(&STRENGTH) as f32,
            dry: vec![0.0; FRAME],
        })
    }

    fn latency_frames(&self) -> u32 {
        FRAME as u32
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        for frame in block[0].chunks_exact_mut(FRAME) {
            let input: Vec<f32> = frame.iter().map(|s| s * FULL_SCALE).collect();
            let mut wet = vec![0.0; FRAME];
            self.network.process_frame(&mut wet, &input);
            let dry = std::mem::replace(&mut self.dry, frame.to_vec());
            for ((out, wet), dry) in frame.iter_mut().zip(&wet).zip(&dry) {
                *out = dry + self.strength * (wet / FULL_SCALE - dry);
            }
        }
        Ok(block)
    }
}

register!(Denoise);
