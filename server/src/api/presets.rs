//! Chains that have a name: ours and their owners'.

use jiff::Timestamp;
use retake_chain::preset::Preset;
use retake_jobs::saved_preset::SavedPreset;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{addresses::preset_address, words};

/// A chain that has a name.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Preset")]
pub struct PresetView {
    name: String,
    summary: String,
    /// As an order would have it.
    #[schemars(with = "words::Chain")]
    chain: Value,
    /// It comes with the program and cannot be changed.
    built_in: bool,
    /// Counts savings, from 1; null where it is built in, as what follows.
    version: Option<u64>,
    #[schemars(with = "Option<words::Time>")]
    saved_at: Option<Timestamp>,
    links: PresetLinks,
}

#[derive(Serialize, JsonSchema)]
struct PresetLinks {
    #[serde(rename = "self")]
    #[schemars(with = "words::Address")]
    itself: String,
}

impl PresetView {
    pub fn built_in(base: &str, preset: &Preset) -> Self {
        Self {
            name: preset.name.to_owned(),
            summary: preset.summary.to_owned(),
            chain: preset.chain.clone(),
            built_in: true,
            version: None,
            saved_at: None,
            links: links(base, preset.name),
        }
    }

    pub fn saved(base: &str, preset: &SavedPreset) -> Self {
        Self {
            name: preset.name.as_str().to_owned(),
            summary: preset.summary.as_str().to_owned(),
            chain: preset.chain.clone(),
            built_in: false,
            version: Some(preset.version),
            saved_at: Some(preset.saved_at),
            links: links(base, preset.name.as_str()),
        }
    }
}

fn links(base: &str, name: &str) -> PresetLinks {
    PresetLinks {
        itself: preset_address(base, name),
    }
}
