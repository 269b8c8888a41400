//! Brings a recording to a loudness (EBU R 128, ITU-R BS.1770-4) and keeps its true peaks under a
//! ceiling.
//!
//! Two passes. The first measures integrated loudness and true peak. The second applies one gain to
//! the whole recording, and where that lifts peaks over the ceiling, a look-ahead limiter. Nothing
//! is compressed: the dynamics stay, but for those peaks.
//!
//! Limiting costs loudness, so the gain is a little higher where it will be needed, by an estimate
//! from the first pass (how much of the loudness stands under how high peaks); the result is within
//! 0.5 LU of the target on speech and music. It stays below the target where more than
//! [`plan::EXTRA_DB_MAX`] would be needed, since that is not limiting any more but squashing, and
//! where the gain is capped.

mod analysis;
mod limiter;
mod plan;
mod true_peak;

use analysis::Analysis;
use limiter::Limiter;
use plan::{Plan, Wish};
use retake_plugin_sdk::prelude::*;

const TARGET_LUFS: FloatParam = FloatParam::new("target-lufs", "Target", -40.0, -5.0, -16.0)
    .unit("LUFS")
    .step(0.5)
    .help("Integrated loudness of the result. -16 suits podcasts, -23 is EBU R 128.");
const TRUE_PEAK_DBTP: FloatParam = FloatParam::new("true-peak-dbtp", "Ceiling", -9.0, 0.0, -1.5)
    .unit("dBTP")
    .step(0.1)
    .help("No peak of the result exceeds this, between the samples either.");
const MAX_GAIN_DB: FloatParam = FloatParam::new("max-gain-db", "Most gain", 0.0, 40.0, 30.0)
    .unit("dB")
    .step(1.0)
    .help("A very quiet recording is made louder by no more than this, and its noise with it.");

pub struct Loudness {
    wish: Wish,
    analysis: Analysis,
    /// Made after the first pass.
    plan: Option<Plan>,
    limiter: Limiter,
}

impl Corrector for Loudness {
    const FACTS: Facts = Facts {
        id: "org.retake.loudness",
        name: "Loudness",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Brings the recording to a loudness and keeps its true peaks under a ceiling.",
        license: "MIT OR Apache-2.0",
        analyzes: true,
        channels: ChannelUse::Linked,
        // Up by the most gain there is; down from any recording that is not far beyond full scale.
        level_change_db: Some((-110.0, 40.0)),
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&TARGET_LUFS, &TRUE_PEAK_DBTP, &MAX_GAIN_DB];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let wish = Wish {
            target_lufs: settings.get(&TARGET_LUFS),
            ceiling_dbtp: settings.get(&TRUE_PEAK_DBTP),
            max_gain_db: settings.get(&MAX_GAIN_DB),
        };
        let channels = stream.channels as usize;
        let ceiling = db_to_factor(wish.ceiling_dbtp);
        Ok(Self {
            wish,
            analysis: Analysis::new(stream.sample_rate, channels),
            plan: None,
            limiter: Limiter::new(stream.sample_rate, channels, ceiling),
        })
    }

    fn latency_frames(&self) -> u32 {
        self.limiter.latency() as u32
    }

    fn analyze(&mut self, block: &Block) -> Result<(), Refusal> {
        self.analysis.add(block);
        Ok(())
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        let plan = self.plan.get_or_insert_with(|| {
            self.analysis.finish();
            Plan::new(&self.wish, &self.analysis)
        });
        let factor = db_to_factor(plan.gain_db);
        block
            .iter_mut()
            .flatten()
            .for_each(|sample| *sample *= factor);
        Ok(self.limiter.run(block, plan.limiting))
    }

    fn report(&mut self) -> Report {
        let Some(plan) = &self.plan else {
            return Report::default();
        };
        let report = Report::default()
            .number("gain", "Gain applied", "dB", plan.gain_db)
            .number(
                "limited",
                "Strongest limiting",
                "dB",
                self.limiter.reduction_max_db(),
            )
            .number(
                "input-true-peak",
                "True peak before",
                "dBTP",
                plan.input_dbtp,
            );
        match plan.input_lufs {
            Some(lufs) => report.number("input-lufs", "Loudness before", "LUFS", lufs),
            None => report.text(
                "input-lufs",
                "Loudness before",
                "too quiet or short to measure",
            ),
        }
    }
}

register!(Loudness);

#[cfg(test)]
mod tests;
