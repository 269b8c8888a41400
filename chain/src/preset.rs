//! The built-in presets: chains with a name.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{Chain, Vocabulary, problem::FieldError};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preset {
    pub name: &'static str,
    pub summary: &'static str,
    /// As a client would write it in a request.
    pub chain: Value,
}

impl Preset {
    /// Checks the chain against what is installed now: a preset may want a plugin that is missing.
    pub fn resolve(&self, vocabulary: &Vocabulary) -> Result<Chain, Vec<FieldError>> {
        Chain::parse(&self.chain, "/preset", vocabulary)
    }
}

pub fn built_in() -> &'static [Preset] {
    &BUILT_IN
}

pub fn find(name: &str) -> Option<&'static Preset> {
    built_in().iter().find(|preset| preset.name == name)
}

static BUILT_IN: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    vec![
        Preset {
            name: "speech",
            summary: "A voice: rumble and noise removed, at podcast loudness",
            chain: json!({"steps": [
                // Below every voice's fundamental.
                {"plugin": "highpass", "params": {"cutoff-hz": 80.0}},
                // A tenth of the room stays: a voice in a perfectly silent room sounds cut out.
                {"plugin": "denoise", "params": {"strength": 0.9}},
                {"plugin": "loudness", "params": {"target-lufs": -16.0, "true-peak-dbtp": -1.5}},
            ]}),
        },
        Preset {
            name: "auto",
            summary: "Listens first, then corrects what it finds",
            chain: json!({"steps": [{"plugin": "diagnose", "follow": true}]}),
        },
        Preset {
            name: "music",
            summary: "Music: inaudible rumble removed, at streaming loudness",
            chain: json!({"steps": [
                {"plugin": "highpass", "params": {"cutoff-hz": 25.0}},
                {"plugin": "loudness", "params": {"target-lufs": -14.0, "true-peak-dbtp": -1.0}},
            ]}),
        },
        Preset {
            name: "loudness-only",
            summary: "Nothing but an even loudness",
            chain: json!({"steps": [
                {"plugin": "loudness", "params": {"target-lufs": -16.0, "true-peak-dbtp": -1.5}},
            ]}),
        },
        Preset {
            name: "external",
            summary: "Corrected by the external service, at podcast loudness",
            chain: json!({"steps": [
                {"external": "default"},
                {"plugin": "loudness", "params": {"target-lufs": -16.0, "true-peak-dbtp": -1.5}},
            ]}),
        },
    ]
});

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use retake_plugin_manifest::{ChannelUse, Manifest, Param, ParamKind, Passes, Scale};

    use super::*;

    fn plugin(name: &str, params: &[&str]) -> Manifest {
        Manifest {
            id: format!("org.retake.{name}"),
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            vendor: String::new(),
            summary: String::new(),
            license: String::new(),
            params: params
                .iter()
                .map(|id| Param {
                    id: (*id).to_owned(),
                    label: String::new(),
                    help: String::new(),
                    unit: String::new(),
                    group: String::new(),
                    kind: ParamKind::Float {
                        min: -100.0,
                        max: 1000.0,
                        default: 0.0,
                        step: None,
                        scale: Scale::Linear,
                    },
                })
                .collect(),
            passes: Passes {
                analyze: false,
                process: true,
            },
            channels: ChannelUse::Linked,
            max_channels: 0,
            sample_rates: Vec::new(),
            block_quantum: 1,
            extras: Vec::new(),
        }
    }

    #[test]
    fn every_built_in_preset_is_a_valid_chain_of_the_bundled_plugins() {
        let vocabulary = Vocabulary {
            manifests: vec![
                plugin("highpass", &["cutoff-hz"]),
                plugin("denoise", &["strength"]),
                plugin("diagnose", &[]),
                plugin(
                    "loudness",
                    &["target-lufs", "true-peak-dbtp", "max-gain-db"],
                ),
            ],
            externals: vec!["default".to_owned()],
            steps_max: 16,
        };
        let names: Vec<_> = built_in().iter().map(|p| p.name).collect();
        let expected = ["speech", "auto", "music", "loudness-only", "external"];
        assert_eq!(names, expected);
        for preset in built_in() {
            preset.resolve(&vocabulary).unwrap();
            assert_eq!(find(preset.name), Some(preset));
        }
    }

    #[test]
    fn a_preset_whose_plugin_is_missing_says_so() {
        let errors = find("speech").unwrap().resolve(&Vocabulary {
            steps_max: 16,
            ..Default::default()
        });
        let errors = errors.unwrap_err();
        assert_eq!(errors.len(), 3);
        assert_eq!(errors[0].pointer, "/preset/steps/0/plugin");
    }
}
