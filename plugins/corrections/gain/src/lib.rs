//! The level, up or down: the smallest real plugin.

use retake_plugin_sdk::prelude::*;

const GAIN_DB: FloatParam = FloatParam::new("gain-db", "Gain", -60.0, 24.0, 0.0)
    .unit("dB")
    .step(0.5)
    .help("How much louder or quieter. Nothing is limited: too much of it clips later on.");

pub struct Gain {
    factor: f32,
}

impl Corrector for Gain {
    const FACTS: Facts = Facts {
        id: "org.retake.gain",
        name: "Gain",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Makes the recording louder or quieter by a fixed amount.",
        license: "MIT OR Apache-2.0",
        // The range of its one parameter.
        level_change_db: Some((-60.0, 24.0)),
        extras: &[("equal-channels", "once")],
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&GAIN_DB];

    fn open(_stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        Ok(Self {
            factor: db_to_factor(settings.get(&GAIN_DB)),
        })
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        block
            .iter_mut()
            .flatten()
            .for_each(|sample| *sample *= self.factor);
        Ok(block)
    }
}

register!(Gain);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use retake_plugin_sdk::testing::correct;

    #[test]
    fn the_level_changes_by_as_many_decibels_as_asked() {
        let input = vec![vec![0.5, -0.25, 0.0, 1.0]];
        for gain_db in [-60.0, -6.0, 0.0, 12.5, 24.0] {
            let settings = Settings::defaults::<Gain>().with(&GAIN_DB, gain_db);
            let (output, _) = correct::<Gain>(48_000, &settings, &input, 3).unwrap();
            for (out, sample) in output[0].iter().zip(&input[0]) {
                let expected = sample * 10f32.powf(gain_db as f32 / 20.0);
                assert!(
                    (out - expected).abs() <= 1e-6 * expected.abs(),
                    "{gain_db} dB: {out}"
                );
            }
        }
    }

    #[test]
    fn the_default_changes_nothing() {
        let input = vec![vec![0.1, -0.7, 1.5], vec![0.0, 1e-20, -1.0]];
        let settings = Settings::defaults::<Gain>();
        assert_eq!(
            correct::<Gain>(8_000, &settings, &input, 1).unwrap().0,
            input
        );
    }
}
