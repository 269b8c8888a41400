//! Takes noise from speech with DeepFilterNet3, as much of it as there is.

mod engine;
mod levels;
mod lineup;
mod rule;

use engine::Engine;
use lineup::Lineup;
use retake_dfn3::{HOP, RATE_HZ};
use retake_plugin_sdk::{earlier, prelude::*};
use retake_spared::Spared;
use rule::{Found, Rule};

const STRENGTH: FloatParam = FloatParam::new("strength", "Strength", 0.0, 1.0, 1.0)
    .step(0.05)
    .help(
        "How much of the noise goes: 0 leaves the recording as it is, 1 takes all that is found.",
    );
const ROOM_DB: FloatParam = FloatParam::new("room-db", "Room that stays", -80.0, 0.0, -40.0)
    .unit("dB")
    .step(1.0)
    .help("The noise falls by no more than this, so that the room around a voice is still there: -20 is heard, -40 hardly.");

const UNDER_VOICE: ChoiceParam = ChoiceParam::new(
    "under-voice",
    "Music under a voice",
    &[
        ("remove", "Goes like noise"),
        ("duck", "Falls by 12 dB"),
        ("keep", "Stays, and what else is there with it"),
    ],
    "remove",
)
.help(
    "What becomes of music while somebody speaks, where a step before this one (segment) has found it. Music on its \
     own stays as it is.",
);

pub struct DenoiseBest {
    floor: f32,
    /// As much of music under a voice stays.
    under_voice: f32,
    total_frames: u64,
    lineup: Lineup,
    engine: Option<Engine>,
}

impl Corrector for DenoiseBest {
    const FACTS: Facts = Facts {
        id: "org.retake.denoise-best",
        name: "Denoise, best",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Removes all kinds of noise behind a voice, with a large network (DeepFilterNet3). Sounds better than denoise and takes nine times as long; leaves clean voices alone, and music where segment stands before it in the chain.",
        license: "MIT OR Apache-2.0",
        analyzes: true,
        channels: ChannelUse::Linked,
        sample_rates: &[RATE_HZ],
        block_quantum: HOP as u32,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&STRENGTH, &ROOM_DB, &UNDER_VOICE];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let room = db_to_factor(settings.get(&ROOM_DB)) as f32;
        let strength = settings.get(&STRENGTH) as f32;
        let channels = stream.channels as usize;
        Ok(Self {
            floor: 1.0 - strength * (1.0 - room),
            under_voice: match settings.get(&UNDER_VOICE) {
                "keep" => 1.0,
                "duck" => 0.25,
                _ => 0.0,
            },
            total_frames: stream.total_frames,
            lineup: Lineup::new(channels),
            engine: None,
        })
    }

    fn analyze(&mut self, block: &Block) -> Result<(), Refusal> {
        self.lineup.add(block);
        Ok(())
    }

    fn process(&mut self, block: Block) -> Result<Block, Refusal> {
        let engine = self.engine();
        let hops = block[0].len() / HOP;
        for hop in 0..hops {
            engine.take(
                block
                    .iter()
                    .map(|channel| &channel.as_chunks::<HOP>().0[hop]),
            );
        }
        Ok(engine.finished(usize::MAX))
    }

    fn drain(&mut self, max_frames: usize) -> Result<Block, Refusal> {
        let hops = self.total_frames.div_ceil(HOP as u64) as usize;
        let engine = self.engine();
        engine.end(hops, max_frames);
        Ok(engine.finished(max_frames))
    }

    fn report(&mut self) -> Report {
        let found = self.engine.as_ref().map(|engine| engine.found());
        let mut report = Report::default();
        if let Some(ratio_db) = found.and_then(Found::ratio_db) {
            report = report.number("voice-over-noise", "Voice over noise", "dB", ratio_db);
        }
        if let Some(dbfs) = found.and_then(Found::noise_dbfs) {
            report = report.number("noise", "Noise in pauses", "dBFS", dbfs);
        }
        let spared = self.engine.as_ref().map_or(0.0, Engine::spared_seconds);
        if spared > 0.0 {
            report = report.number("spared", "Left as it was", "s", spared);
        }
        report
    }
}

impl DenoiseBest {
    fn engine(&mut self) -> &mut Engine {
        let Self {
            engine,
            lineup,
            floor,
            under_voice,
            total_frames,
        } = self;
        engine.get_or_insert_with(|| {
            // What steps before this one have found is there by now.
            let spared = Spared::new(&earlier::reports(), RATE_HZ, *total_frames, *under_voice);
            Engine::new(lineup.shares(), Rule::new(*floor), spared)
        })
    }
}

register!(DenoiseBest);

#[cfg(test)]
mod tests;
