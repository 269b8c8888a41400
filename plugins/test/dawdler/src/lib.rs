//! A guest for the tests of a step's budget: it passes every check, whose signals are short, and loops
//! for ever where a recording is longer than any of them.

use retake_plugin_sdk::prelude::*;

/// Longer than whatever the conformance kit sends.
const LONG_S: u64 = 30;

pub struct Dawdler {
    dawdles: bool,
}

impl Corrector for Dawdler {
    const FACTS: Facts = Facts {
        id: "org.retake.test.dawdler",
        name: "Dawdler",
        version: env!("CARGO_PKG_VERSION"),
        channels: ChannelUse::Linked,
        extras: &[("level-change-db", "0..0")],
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[];

    fn open(stream: &Stream, _: &Settings) -> Result<Self, Refusal> {
        let long = LONG_S * u64::from(stream.sample_rate);
        Ok(Self {
            dawdles: stream.total_frames > long,
        })
    }

    fn process(&mut self, block: Block) -> Result<Block, Refusal> {
        if self.dawdles {
            loop {
                std::hint::black_box(&block);
            }
        }
        Ok(block)
    }
}

register!(Dawdler);
