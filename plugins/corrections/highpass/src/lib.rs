//! Takes away rumble, handling noise and any constant offset below the voice.
//!
//! A Butterworth high-pass of fourth order (24 dB per octave): flat above the cut-off, -3 dB at it.
//! The filter is causal and minimum-phase: it adds no latency, and its phase turns near the
//! cut-off, as an analogue low-cut's does.

mod butterworth;

use butterworth::Highpass4;
use retake_plugin_sdk::prelude::*;

const CUTOFF_HZ: FloatParam = FloatParam::new("cutoff-hz", "Cut-off", 20.0, 500.0, 80.0)
    .unit("Hz")
    .logarithmic()
    .help("Where the level has fallen by 3 dB. 80 Hz suits speech; 30 Hz keeps music whole.");

pub struct Highpass {
    filter: Highpass4,
}

impl Corrector for Highpass {
    const FACTS: Facts = Facts {
        id: "org.retake.highpass",
        name: "High-pass",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Removes rumble, handling noise and DC offset below the cut-off.",
        license: "MIT OR Apache-2.0",
        extras: &[("equal-channels", "once")],
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&CUTOFF_HZ];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let rate_hz = f64::from(stream.sample_rate);
        Ok(Self {
            filter: Highpass4::new(rate_hz, settings.get(&CUTOFF_HZ)),
        })
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        // Channels are independent, so there is one.
        for channel in &mut block {
            self.filter.run(channel);
        }
        Ok(block)
    }
}

register!(Highpass);
