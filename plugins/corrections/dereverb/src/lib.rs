//! Takes the late sound of a room from a voice: weighted prediction error (T. Nakatani, T. Yoshioka,
//! K. Kinoshita, M. Miyoshi, B.-H. Juang, "Speech dereverberation based on variance-normalized delayed
//! linear prediction", IEEE Trans. ASLP 18(7), 2010).
//!
//! Every band of a short spectrum is predicted from what was heard in it some frames before. A voice cannot
//! be: it has changed by then. A room's sound can, because it is a filtered voice of before. What is predicted is
//! taken away. The filters are those that leave the least, where each frame counts the less the louder the
//! voice is in it: that keeps what is the voice's own. As the voice is not known, its power is first that of
//! what is heard and then that of what is left.
//!
//! Filters are found for blocks of at most 10 s, so memory does not grow; blocks are faded into each other.
//! Where too little would be taken to be a room, nothing is: see [`dryness`]. Music, where a step before
//! has found it, neither loses anything nor teaches.

mod dryness;
mod engine;
mod hermitian;
mod prediction;
mod spectra;

use engine::Engine;
use retake_plugin_sdk::{earlier, prelude::*};
use retake_spared::Spared;

const STRENGTH: FloatParam = FloatParam::new("strength", "Strength", 0.0, 1.0, 1.0)
    .step(0.05)
    .help("How much of the room that is found goes: 0 leaves the recording as it is.");

pub struct Dereverb {
    stream: Stream,
    strength: f32,
    /// Made when what others have found is there.
    engine: Option<Engine>,
}

impl Corrector for Dereverb {
    const FACTS: Facts = Facts {
        id: "org.retake.dereverb",
        name: "Dereverb",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Takes the sound of the room from a voice: what echoes on after it. Leaves dry voices alone, and music where segment stands before it in the chain; best in front of denoise-best.",
        license: "MIT OR Apache-2.0",
        sample_rates: &[16_000, 48_000],
        extras: &[("equal-channels", "once")],
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&STRENGTH];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        Ok(Self {
            stream: *stream,
            strength: settings.get(&STRENGTH) as f32,
            engine: None,
        })
    }

    fn process(&mut self, block: Block) -> Result<Block, Refusal> {
        let frames = block[0].len();
        let engine = self.engine();
        // Channels are independent, so there is one.
        engine.take(&block[0]);
        // A block of seconds is finished at once; it need not be handed out at once.
        Ok(vec![engine.finished(2 * frames)])
    }

    fn drain(&mut self, max_frames: usize) -> Result<Block, Refusal> {
        let engine = self.engine();
        engine.end();
        Ok(vec![engine.finished(max_frames)])
    }

    fn report(&mut self) -> Report {
        let found = self.engine.as_ref().map(Engine::dryness);
        let mut report = Report::default();
        if let Some(db) = found.and_then(|found| found.room_db()) {
            report = report.number("room", "Room in the voice", "dB", db);
        }
        if let Some(db) = found.and_then(|found| found.taken_db()) {
            report = report.number("taken", "Taken, against what was heard", "dB", db);
        }
        report
    }
}

impl Dereverb {
    fn engine(&mut self) -> &mut Engine {
        let Self {
            stream,
            strength,
            engine,
        } = self;
        engine.get_or_insert_with(|| {
            let (rate, total) = (stream.sample_rate, stream.total_frames);
            // What steps before this one have found is there by now.
            let spared = Spared::new(&earlier::reports(), rate, total, 0.0);
            Engine::new(rate, total, *strength, spared)
        })
    }
}

register!(Dereverb);

#[cfg(test)]
mod tests;
