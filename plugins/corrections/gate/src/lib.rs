//! Turns pauses down, and breaths, and leaves speech alone.
//!
//! Two passes. The first measures loudness (K-weighted, ITU-R BS.1770-4) every 10 ms and listens
//! whether it is a voice, see [`listener`]. From the whole of it follows the plan: the threshold, from the
//! recording's own noise and speech; where the gate is open, with hysteresis and a hold as every
//! gate has; where somebody draws breath (after D. Ruinskiy, Y. Lavner, "An effective algorithm for
//! automatic detection and exact demarcation of breath sounds in speech and song signals", IEEE
//! TASLP 15(3), 2007). See [`plan`]. The second pass applies it.
//!
//! As the plan knows what is to come, the gate is open before a word begins, and no latency is needed
//! for it. It never closes further than its range: a pause that goes silent sounds like a fault. All
//! channels have the same gain.

mod listener;
mod plan;

use listener::Listener;
use plan::{Plan, Wish};
use retake_plugin_sdk::prelude::*;
use retake_signal::line::{GainLine, thinned};
use retake_signal::weights::loudness_weights;

/// A curve in the report has about this many points at most.
const CURVE_POINTS_MAX: usize = 1000;

const THRESHOLD: ChoiceParam = ChoiceParam::new(
    "threshold",
    "Threshold",
    &[
        ("auto", "From the recording's noise and speech"),
        ("fixed", "A loudness"),
    ],
    "auto",
)
.help("What is quieter is a pause.");
const THRESHOLD_LUFS: FloatParam =
    FloatParam::new("threshold-lufs", "Loudness", -70.0, -20.0, -45.0)
        .unit("LUFS")
        .step(0.5)
        .help("The threshold, where it is a loudness.");
const RANGE_DB: FloatParam = FloatParam::new("range-db", "Range", 0.0, 60.0, 12.0)
    .unit("dB")
    .step(0.5)
    .help("By how much pauses are turned down. Little sounds natural.");
const HOLD_MS: FloatParam = FloatParam::new("hold-ms", "Hold", 0.0, 1_000.0, 150.0)
    .unit("ms")
    .step(10.0)
    .help("How long it stays open after the last of a word.");
const BREATHS_DB: FloatParam = FloatParam::new("breaths-db", "Breaths", 0.0, 24.0, 6.0)
    .unit("dB")
    .step(0.5)
    .help("By how much breaths are turned down. 0 leaves them.");

pub struct Gate {
    wish: Wish,
    listener: Listener,
    /// Made after the first pass.
    plan: Option<(Plan, GainLine)>,
}

impl Corrector for Gate {
    const FACTS: Facts = Facts {
        id: "org.retake.gate",
        name: "Gate",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Turns the noise in pauses down, and breaths, and leaves speech alone.",
        license: "MIT OR Apache-2.0",
        analyzes: true,
        channels: ChannelUse::Linked,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[
        &THRESHOLD,
        &THRESHOLD_LUFS,
        &RANGE_DB,
        &HOLD_MS,
        &BREATHS_DB,
    ];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let fixed = settings.get(&THRESHOLD) == "fixed";
        Ok(Self {
            wish: Wish {
                threshold_lufs: fixed.then(|| settings.get(&THRESHOLD_LUFS)),
                range_db: settings.get(&RANGE_DB),
                hold_hops: (settings.get(&HOLD_MS) / 10.0).round() as usize,
                breaths_db: settings.get(&BREATHS_DB),
            },
            listener: Listener::new(stream.sample_rate, &loudness_weights(&stream.positions())),
            plan: None,
        })
    }

    fn analyze(&mut self, block: &Block) -> Result<(), Refusal> {
        self.listener.add(block);
        Ok(())
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        let (_, line) = self.plan.get_or_insert_with(|| {
            self.listener.finish();
            let plan = Plan::new(&self.wish, self.listener.powers(), &self.listener.breathy);
            let factors = plan
                .gains_db
                .iter()
                .map(|&gain| db_to_factor(gain))
                .collect();
            (plan, GainLine::new(factors, self.listener.hop_frames()))
        });
        line.apply(&mut block);
        Ok(block)
    }

    fn report(&mut self) -> Report {
        let Some((plan, _)) = &self.plan else {
            return Report::default();
        };
        let report = match &plan.levels {
            Some(levels) => Report::default()
                .number("threshold", "Threshold", "LUFS", levels.threshold_lufs)
                .number("noise", "Noise in the pauses", "LUFS", levels.noise_lufs)
                .number("speech", "Speech", "LUFS", levels.speech_lufs),
            None => Report::default().text("threshold", "Threshold", "there is nothing to hear"),
        };
        let (points, every) = thinned(&plan.gains_db, CURVE_POINTS_MAX);
        let frames = (self.listener.hop_frames() * every) as f64;
        report
            .number("share", "Part turned down", "%", 100.0 * plan.share())
            .count("breaths", "Breaths", "", plan.breaths.len() as i64)
            .curve("gain", "Gain", "dB", frames, points)
    }
}

register!(Gate);

#[cfg(test)]
mod tests;
