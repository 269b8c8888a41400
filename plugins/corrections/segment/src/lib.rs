//! Says where a recording is speech, music, noise and silence. Other steps heed it.

mod listener;
mod path;
mod said;

use listener::Listener;
use retake_plugin_sdk::prelude::*;
use retake_smn::RATE_HZ;

pub struct Segment {
    listener: Listener,
    total_frames: u64,
}

impl Corrector for Segment {
    const FACTS: Facts = Facts {
        id: "org.retake.segment",
        name: "Segment",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Finds where a recording is speech, music, noise or silence, with a small network. Changes nothing: steps after it heed what it finds, and leave music alone.",
        license: "MIT OR Apache-2.0",
        analyzes: true,
        processes: false,
        channels: ChannelUse::Linked,
        sample_rates: &[RATE_HZ],
        ..Facts::DEFAULT
    };

    fn open(stream: &Stream, _settings: &Settings) -> Result<Self, Refusal> {
        Ok(Self {
            listener: Listener::new(stream.channels as usize),
            total_frames: stream.total_frames,
        })
    }

    fn analyze(&mut self, block: &Block) -> Result<(), Refusal> {
        self.listener.hear(block);
        Ok(())
    }

    fn report(&mut self) -> Report {
        let heard = self.listener.end();
        said::report(heard, &path::stretches(heard), self.total_frames)
    }
}

register!(Segment);

#[cfg(test)]
mod tests;
