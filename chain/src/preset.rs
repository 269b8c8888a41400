//! The built-in presets: chains with a name.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{Chain, ShortNames, StepKind, Vocabulary, problem::FieldError};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preset {
    pub name: &'static str,
    pub summary: &'static str,
    /// As a client would write it in a request, with whole ids: a preset means the same plugins
    /// whatever else is published.
    pub chain: Value,
}

impl Preset {
    /// With the shortest names that mean its plugins.
    #[must_use]
    pub fn named(&self, names: &ShortNames) -> Self {
        let mut named = self.clone();
        let steps = named.chain.get_mut("steps").and_then(Value::as_array_mut);
        for step in steps.into_iter().flatten() {
            if let Some(Value::String(plugin)) = step.get_mut("plugin") {
                *plugin = names.shortest(plugin).to_owned();
            }
        }
        named
    }

    /// Checks the chain against what is installed now: a preset may want a plugin that is missing.
    /// The steps are called by the shortest names that mean their plugins, for people to read.
    pub fn resolve(&self, vocabulary: &Vocabulary) -> Result<Chain, Vec<FieldError>> {
        let mut chain = Chain::parse(&self.chain, "/preset", vocabulary)?;
        for step in &mut chain.steps {
            if let StepKind::Plugin { plugin, .. } = &mut step.kind {
                *plugin = vocabulary.short_names.shortest(plugin).to_owned();
            }
        }
        Ok(chain)
    }
}

/// What is meant where neither a preset nor a chain is named.
pub const DEFAULT: &str = "auto";

pub fn built_in() -> &'static [Preset] {
    &BUILT_IN
}

pub fn find(name: &str) -> Option<&'static Preset> {
    built_in().iter().find(|preset| preset.name == name)
}

static BUILT_IN: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    vec![
        Preset {
            name: "auto",
            summary: "Listens first, then does what the recording needs, and says why; leaves music alone",
            chain: json!({"steps": [
                // Music needs none of what diagnose would recommend for a voice.
                {"plugin": "org.retake.segment", "on_failure": "skip"},
                {"plugin": "org.retake.diagnose", "follow": true},
            ]}),
        },
        Preset {
            name: "speech",
            summary: "A voice: rumble and noise removed, music left alone, at podcast loudness",
            chain: json!({"steps": [
                // Finds the music that others spare.
                {"plugin": "org.retake.segment", "on_failure": "skip"},
                // Below every voice's fundamental.
                {"plugin": "org.retake.highpass", "params": {"cutoff-hz": 80.0}, "spare": {"music": 1.0}},
                // A tenth of the room stays: a voice in a perfectly silent room sounds cut out.
                {"plugin": "org.retake.denoise", "params": {"strength": 0.9}, "spare": {"music": 1.0}},
                {"plugin": "org.retake.loudness", "params": {"target-lufs": -16.0, "true-peak-dbtp": -1.5}},
            ]}),
        },
        Preset {
            name: "speech-best",
            summary: "A voice: rumble and noise of all kinds removed by a large network, music left alone, at podcast loudness; takes longer",
            chain: json!({"steps": [
                // denoise-best hears from it where there is music, and need not listen there.
                {"plugin": "org.retake.segment", "on_failure": "skip"},
                {"plugin": "org.retake.highpass", "params": {"cutoff-hz": 80.0}, "spare": {"music": 1.0}},
                {"plugin": "org.retake.denoise-best", "params": {"strength": 1.0}},
                {"plugin": "org.retake.loudness", "params": {"target-lufs": -16.0, "true-peak-dbtp": -1.5}},
            ]}),
        },
        Preset {
            name: "speech-room",
            summary: "A voice in a room that echoes: the room taken away, then rumble and noise as in speech-best",
            chain: json!({"steps": [
                {"plugin": "org.retake.segment", "on_failure": "skip"},
                {"plugin": "org.retake.highpass", "params": {"cutoff-hz": 80.0}, "spare": {"music": 1.0}},
                // The network would take a room's sound for a voice's, and what follows from it could no longer be told.
                {"plugin": "org.retake.dereverb"},
                {"plugin": "org.retake.denoise-best", "params": {"strength": 1.0}},
                {"plugin": "org.retake.loudness", "params": {"target-lufs": -16.0, "true-peak-dbtp": -1.5}},
            ]}),
        },
        Preset {
            name: "music",
            summary: "Music: inaudible rumble removed, at streaming loudness",
            chain: json!({"steps": [
                {"plugin": "org.retake.highpass", "params": {"cutoff-hz": 25.0}},
                {"plugin": "org.retake.loudness", "params": {"target-lufs": -14.0, "true-peak-dbtp": -1.0}},
            ]}),
        },
        Preset {
            name: "loudness-only",
            summary: "Nothing but an even loudness",
            chain: json!({"steps": [
                {"plugin": "org.retake.loudness", "params": {"target-lufs": -16.0, "true-peak-dbtp": -1.5}},
            ]}),
        },
        Preset {
            name: "external",
            summary: "Corrected by the external service, at podcast loudness",
            chain: json!({"steps": [
                {"external": "default"},
                {"plugin": "org.retake.loudness", "params": {"target-lufs": -16.0, "true-peak-dbtp": -1.5}},
            ]}),
        },
    ]
});

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use retake_plugin_manifest::{ChannelUse, Manifest, Param, ParamKind, Passes, Scale};

    use super::*;
    use crate::{InstalledPlugin, Step};

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

    fn installed(manifest: Manifest) -> InstalledPlugin {
        InstalledPlugin {
            digest: format!("digest of {}", manifest.id),
            manifest: manifest.into(),
            realtime_factor: None,
        }
    }

    fn bundled() -> Vocabulary {
        let loudness = ["target-lufs", "true-peak-dbtp", "max-gain-db"];
        let plugins = [
            plugin("highpass", &["cutoff-hz"]),
            plugin("denoise", &["strength"]),
            plugin("denoise-best", &["strength"]),
            plugin("dereverb", &["strength"]),
            plugin("diagnose", &[]),
            plugin("segment", &[]),
            plugin("loudness", &loudness),
        ];
        let plugins = plugins.map(installed).into();
        Vocabulary::new(plugins, vec!["default".to_owned()], 16)
    }

    #[test]
    fn a_preset_means_its_own_plugins_whoever_had_their_short_names_first() {
        let foreign = Manifest {
            id: "com.evil.denoise".to_owned(),
            ..plugin("denoise", &[])
        };
        let mut plugins = bundled().plugins;
        plugins.insert(0, installed(foreign));
        let vocabulary = Vocabulary::new(plugins, Vec::new(), 16);
        let chain = find("speech").unwrap().resolve(&vocabulary).unwrap();
        let names: Vec<_> = chain.steps.iter().map(Step::name).collect();
        assert_eq!(
            names,
            ["segment", "highpass", "org.retake.denoise", "loudness"]
        );
        let shown = find("speech").unwrap().named(&vocabulary.short_names).chain;
        assert_eq!(shown["steps"][1]["plugin"], "highpass");
        assert_eq!(shown["steps"][2]["plugin"], "org.retake.denoise");
        let pins = chain.pin(&vocabulary).unwrap();
        let ids = pins.iter().flatten().map(|pin| pin.id.as_str());
        let expected =
            ["segment", "highpass", "denoise", "loudness"].map(|name| format!("org.retake.{name}"));
        assert!(ids.eq(expected.iter().map(String::as_str)), "{pins:?}");
    }

    #[test]
    fn every_built_in_preset_is_a_valid_chain_of_the_bundled_plugins() {
        let vocabulary = bundled();
        let names: Vec<_> = built_in().iter().map(|p| p.name).collect();
        let expected = [
            "auto",
            "speech",
            "speech-best",
            "speech-room",
            "music",
            "loudness-only",
            "external",
        ];
        assert_eq!(names, expected);
        assert!(find(DEFAULT).is_some());
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
        assert_eq!(errors.len(), 4);
        assert_eq!(errors[0].pointer, "/preset/steps/0/plugin");
    }
}
