//! A guest for the host's tests: it measures and changes nothing.

use retake_plugin_sdk::prelude::*;

pub struct Listener {
    frames: i64,
    sum: f64,
}

impl Corrector for Listener {
    const FACTS: Facts = Facts {
        id: "org.retake.test.listener",
        name: "Listener",
        version: env!("CARGO_PKG_VERSION"),
        analyzes: true,
        processes: false,
        sample_rates: &[16_000],
        block_quantum: 1000,
        ..Facts::DEFAULT
    };

    fn open(_stream: &Stream, _settings: &Settings) -> Result<Self, Refusal> {
        Ok(Self {
            frames: 0,
            sum: 0.0,
        })
    }

    fn analyze(&mut self, block: &Block) -> Result<(), Refusal> {
        self.frames += block[0].len() as i64;
        self.sum += block[0].iter().map(|s| f64::from(*s)).sum::<f64>();
        Ok(())
    }

    fn process(&mut self, _block: Block) -> Result<Block, Refusal> {
        panic!("a plugin that changes nothing is not asked to")
    }

    fn report(&mut self) -> Report {
        Report::default()
            .count("frames", "Frames", "", self.frames)
            .number("sum", "Sum", "", self.sum)
    }
}

register!(Listener);
