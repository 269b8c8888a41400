//! Shortens long pauses, and the silence before the first and after the last sound.
//!
//! Two passes. The first keeps the level of every 10 ms and tells pause from sound by a threshold,
//! set by hand or found between the noise floor and the level of the sound. The second leaves out
//! the middle of each pause that is too long, joined at the quietest place by a cross-fade. All
//! else comes out as it went in, to the bit.

mod levels;
mod plan;
mod splice;

use levels::Levels;
use plan::{Plan, Threshold, Wish};
use retake_plugin_sdk::prelude::*;
use splice::Splicer;

const THRESHOLD: ChoiceParam = ChoiceParam::new(
    "threshold",
    "Threshold",
    &[
        ("auto", "From the noise floor of the recording"),
        ("fixed", "As set below"),
    ],
    "auto",
)
.help("What is quieter is a pause.");
const THRESHOLD_DBFS: FloatParam =
    FloatParam::new("threshold-dbfs", "Fixed threshold", -80.0, -20.0, -50.0)
        .unit("dBFS")
        .step(1.0)
        .help("Level over 10 ms, without rumble; counts where the threshold is fixed.");
const SHORTEST_S: FloatParam = FloatParam::new("shortest-s", "Shortest pause", 0.2, 10.0, 1.0)
    .unit("s")
    .step(0.1)
    .help("Pauses that are no longer than this stay as they are.");
const REMAINS_S: FloatParam = FloatParam::new("remains-s", "What remains", 0.1, 5.0, 0.5)
    .unit("s")
    .step(0.1)
    .help("So much of a longer pause is kept, the end of one sound and the start of the next.");
const KEEP_ENDS: ToggleParam = ToggleParam::new("keep-ends", "Keep the ends", false)
    .help("Leaves silence before the first and after the last sound as it is.");

pub struct TrimSilence {
    wish: Wish,
    total_frames: u64,
    levels: Levels,
    rate_hz: u32,
    /// Made after the first pass.
    second: Option<(Plan, Splicer)>,
}

impl Corrector for TrimSilence {
    const FACTS: Facts = Facts {
        id: "org.retake.trim-silence",
        name: "Trim silence",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Shortens long pauses and the silence at both ends.",
        license: "MIT OR Apache-2.0",
        analyzes: true,
        // All channels are cut at the same places.
        channels: ChannelUse::Linked,
        may_shorten: true,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[
        &THRESHOLD,
        &THRESHOLD_DBFS,
        &SHORTEST_S,
        &REMAINS_S,
        &KEEP_ENDS,
    ];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let wish = Wish {
            threshold: match settings.get(&THRESHOLD) {
                "fixed" => Threshold::Fixed(settings.get(&THRESHOLD_DBFS)),
                _ => Threshold::Auto,
            },
            shortest_s: settings.get(&SHORTEST_S),
            remains_s: settings.get(&REMAINS_S),
            keep_ends: settings.get(&KEEP_ENDS),
        };
        Ok(Self {
            wish,
            total_frames: stream.total_frames,
            levels: Levels::new(stream.sample_rate, stream.channels as usize),
            rate_hz: stream.sample_rate,
            second: None,
        })
    }

    fn analyze(&mut self, block: &Block) -> Result<(), Refusal> {
        self.levels.add(block);
        Ok(())
    }

    fn process(&mut self, block: Block) -> Result<Block, Refusal> {
        let (_, splicer) = self.second.get_or_insert_with(|| {
            self.levels.finish();
            let plan = Plan::new(&self.wish, &self.levels, self.total_frames);
            let splicer = Splicer::new(&plan.cuts, block.len());
            (plan, splicer)
        });
        Ok(splicer.run(&block))
    }

    fn report(&mut self) -> Report {
        let Some((plan, _)) = &self.second else {
            return Report::default();
        };
        let removed: u64 = plan.cuts.iter().map(|cut| cut.to - cut.from).sum();
        let mut report = Report::default()
            .number(
                "removed",
                "Time removed",
                "s",
                removed as f64 / f64::from(self.rate_hz),
            )
            .count("pauses", "Pauses shortened", "", plan.cuts.len() as i64);
        match plan.threshold_dbfs {
            Some(threshold_dbfs) => {
                report = report.number("threshold", "Threshold", "dBFS", threshold_dbfs);
            }
            None => {
                let finding = "no pause can be told from the sound: nothing was cut";
                report = report.text("threshold", "Threshold", finding);
            }
        }
        if plan.left_over > 0 {
            let left_over = plan.left_over as i64;
            report = report.count("left-over", "Pauses beyond the most cuts", "", left_over);
        }
        plan.cuts.iter().fold(report, |report, cut| {
            report.cut(cut.from, cut.to - cut.from)
        })
    }
}

register!(TrimSilence);

#[cfg(test)]
mod tests;
