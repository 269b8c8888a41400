//! Rounds peaks off instead of clipping them. Replace it with your correction: everything a plugin
//! needs is here.

use retake_plugin_sdk::prelude::*;

// A parameter's id is for ever: stored chains refer to it.
const DRIVE_DB: FloatParam = FloatParam::new("drive-db", "Drive", 0.0, 24.0, 6.0)
    .unit("dB")
    .help("Gain before the curve: the more, the rounder.");

/// One stream being corrected.
pub struct @TYPE@ {
    drive: f32,
    peak: f32,
}

impl Corrector for @TYPE@ {
    const FACTS: Facts = Facts {
        id: "@ID@", // for ever, too
        name: "@TITLE@",
        vendor: "Example",
        license: "MIT",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Rounds peaks off instead of clipping them.",
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&DRIVE_DB];

    fn open(_stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        Ok(Self {
            drive: db_to_factor(settings.get(&DRIVE_DB)),
            peak: 0.0,
        })
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        for sample in block.iter_mut().flatten() {
            *sample = (*sample * self.drive).tanh();
            self.peak = self.peak.max(sample.abs());
        }
        Ok(block)
    }

    fn report(&mut self) -> Report {
        Report::default().number("peak", "Peak", "dB", factor_to_db(self.peak.into()))
    }
}

register!(@TYPE@);

#[cfg(test)]
mod tests {
    use super::*;
    use retake_plugin_sdk::testing::correct;

    #[test]
    fn nothing_exceeds_full_scale() {
        let input = vec![vec![0.0, 0.5, -3.0, 100.0]];
        let settings = Settings::defaults::<@TYPE@>().with(&DRIVE_DB, 24.0);
        let (output, report) = correct::<@TYPE@>(48_000, &settings, &input, 4800)
            .expect("it takes every stream");
        assert!(output[0].iter().all(|sample| sample.abs() <= 1.0));
        assert_eq!(report.get("peak"), Some(0.0));
    }
}
