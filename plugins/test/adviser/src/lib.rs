//! A guest for the tests of chains that listen first: it recommends what its parameter says, and
//! most of that must not be followed.

use retake_plugin_sdk::prelude::*;

const ADVICE: ChoiceParam = ChoiceParam::new(
    "advice",
    "Advice",
    &[
        ("none", "Recommend nothing at all"),
        ("empty", "Recommend a chain without steps"),
        ("gain", "Recommend 6 dB of gain"),
        ("cut", "Recommend the cutter, then gain"),
        ("missing", "Recommend a plugin that nobody has, then gain"),
        ("itself", "Recommend itself"),
        ("endless", "Recommend itself, to be followed"),
        ("crowd", "Recommend a thousand steps"),
        ("external", "Recommend an external service"),
        ("loud", "Recommend a gain beyond its range"),
        ("words", "Recommend in words"),
        ("panic", "Recommend a step that panics"),
    ],
    "none",
);

pub struct Adviser {
    advice: &'static str,
}

impl Corrector for Adviser {
    const FACTS: Facts = Facts {
        id: "org.retake.test.adviser",
        name: "Adviser",
        version: env!("CARGO_PKG_VERSION"),
        analyzes: true,
        processes: false,
        channels: ChannelUse::Linked,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&ADVICE];

    fn open(_stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        Ok(Self {
            advice: settings.get(&ADVICE),
        })
    }

    fn report(&mut self) -> Report {
        let gain = r#"{"plugin":"gain","params":{"gain-db":6}}"#;
        let steps = match self.advice {
            "none" => return Report::default(),
            "empty" => String::new(),
            "gain" => gain.to_owned(),
            "cut" => format!(r#"{{"plugin":"cutter"}},{gain}"#),
            "missing" => format!(r#"{{"plugin":"reverb"}},{gain}"#),
            "itself" => r#"{"plugin":"adviser"}"#.to_owned(),
            "endless" => r#"{"plugin":"adviser","follow":true}"#.to_owned(),
            "crowd" => [gain; 1000].join(","),
            "external" => r#"{"external":"default"}"#.to_owned(),
            "loud" => r#"{"plugin":"gain","params":{"gain-db":600}}"#.to_owned(),
            "words" => "a little louder".to_owned(),
            _ => r#"{"plugin":"puppet","params":{"deed":"panic"},"on_failure":"skip"}"#.to_owned(),
        };
        let chain = format!(r#"{{"steps":[{steps}]}}"#);
        Report::default().text("recommended-chain", "Recommended", &chain)
    }
}

register!(Adviser);
