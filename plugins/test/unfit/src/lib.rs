//! A guest for the host's tests: everything it says about itself breaks a rule.

use retake_plugin_sdk::prelude::*;

const TWICE: FloatParam = FloatParam::new("Twice Over", "Twice", 1.0, 0.0, f64::NAN);
const WHICH: ChoiceParam = ChoiceParam::new("which", "Which", &[("a", "A")], "b");

pub struct Unfit;

impl Corrector for Unfit {
    const FACTS: Facts = Facts {
        id: "nothing like reverse DNS",
        name: "",
        version: "1",
        processes: false,
        sample_rates: &[4_000],
        block_quantum: 0,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&TWICE, &TWICE, &WHICH];

    fn open(_stream: &Stream, _settings: &Settings) -> Result<Self, Refusal> {
        Ok(Self)
    }
}

register!(Unfit);
