//! The level, up or down: the smallest real plugin.

use retake_plugin_sdk::prelude::*;

const GAIN_DB: FloatParam = FloatParam::new("gain-db", "Gain", -60.0, 24.0, 0.0)
    .unit("dB")
    .step(0.5)
    .help("How much louder or quieter. Nothing is limited: too much of it clips later on.");

struct Gain {
    factor: f32,
}

impl Corrector for Gain {
    const FACTS: Facts = Facts {
        id: "org.retake.gain",
        name: "Gain",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Makes the recording louder or quieter by a fixed amount.",
        license: "MIT OR Apache-2.0",
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&GAIN_DB];

    fn open(_stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        Ok(Self { factor: db_to_factor(settings.get(&GAIN_DB)) })
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        block.iter_mut().flatten().for_each(|sample| *sample *= self.factor);
        Ok(block)
    }
}

register!(Gain);
