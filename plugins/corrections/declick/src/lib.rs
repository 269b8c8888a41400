//! Takes clicks and crackle out: scratches, digital dropouts, static, and clicks of the mouth.
//!
//! Audio is predictable from what comes before it and from what comes after; a click is neither
//! (S. J. Godsill, P. J. W. Rayner, "Digital Audio Restoration", 1998, chapter 5). Where both predictions
//! fail, and by far more than anywhere near, the frames are thrown away and told anew from
//! both sides (Janssen, Veldhuis and Vries, 1986). All other frames pass unchanged, to the bit.
//!
//! What must not be taken for a click: the onset of a "t", because it is loud after the onset and a
//! click is not; and the pulse of the vocal cords, because there is another one a moment before
//! and after.

mod detect;
mod repair;

use repair::Repairer;
use retake_plugin_sdk::prelude::*;

const SENSITIVITY: FloatParam = FloatParam::new("sensitivity", "Sensitivity", 0.0, 100.0, 50.0)
    .unit("%")
    .step(5.0)
    .help("Higher finds fainter clicks, and takes more of the voice for clicks.");
const MAX_CLICK_MS: FloatParam = FloatParam::new("max-click-ms", "Longest click", 0.1, 8.0, 3.0)
    .unit("ms")
    .logarithmic()
    .help("What is longer is left alone. 0.5 suits crackle, 3 clicks of the mouth.");

pub struct Declick {
    sample_rate: u32,
    repairer: Repairer,
}

impl Corrector for Declick {
    const FACTS: Facts = Facts {
        id: "org.retake.declick",
        name: "De-click",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Finds clicks, crackle and mouth clicks and rebuilds what was under them.",
        license: "MIT OR Apache-2.0",
        extras: &[("equal-channels", "once")],
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&SENSITIVITY, &MAX_CLICK_MS];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        Ok(Self {
            sample_rate: stream.sample_rate,
            repairer: Repairer::new(
                stream.sample_rate,
                settings.get(&SENSITIVITY),
                settings.get(&MAX_CLICK_MS),
            ),
        })
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        self.repairer.push(&block[0]);
        block[0] = self.repairer.take(usize::MAX);
        Ok(block)
    }

    fn drain(&mut self, max_frames: usize) -> Result<Block, Refusal> {
        self.repairer.end();
        Ok(vec![self.repairer.take(max_frames)])
    }

    fn report(&mut self) -> Report {
        let tally = &self.repairer.tally;
        let rate = f64::from(self.sample_rate);
        let minutes = (tally.frames as f64 / rate / 60.0).max(f64::MIN_POSITIVE);
        let ms = |frames: u64| 1000.0 * frames as f64 / rate;
        let report = Report::default()
            .count("clicks", "Clicks repaired", "", tally.clicks as i64)
            .number(
                "clicks-per-minute",
                "Clicks per minute",
                "",
                tally.clicks as f64 / minutes,
            )
            .number("replaced", "Audio replaced", "ms", ms(tally.replaced))
            .number("longest", "Longest click", "ms", ms(tally.longest));
        let points = tally
            .per_second
            .iter()
            .map(|clicks| *clicks as f32)
            .collect();
        report.curve("clicks", "Clicks", "", rate, points)
    }
}

register!(Declick);

#[cfg(test)]
mod tests;
