//! A chain: the ordered steps a recording goes through.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{NotAPlugin, Vocabulary, report::PluginRef};

/// Checked: its plugins were known, its parameter values in range, when it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    #[serde(flatten)]
    pub kind: StepKind,
    /// 1 is only the corrected signal, 0 only the original; latency-compensated.
    #[serde(default = "full")]
    pub mix: f64,
    #[serde(default)]
    pub on_failure: OnFailure,
    /// Keep what the step takes away: its input less its output.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delta: bool,
    /// Whether the steps that the plugin's report recommends are run after it. A plugin's only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow: bool,
    /// What steps before it have found and what of the original stays there, whatever the step does. A
    /// plugin's only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spare: Spare,
}

/// By the id of the measurements whose spans are meant, "music" say: the part of the original, 0 to 1.
pub type Spare = BTreeMap<String, f64>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StepKind {
    Plugin {
        /// The manifest's id or its short name, as the chain's author wrote it.
        plugin: String,
        /// Exactly this version; else the newest when the job is accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
        params: serde_json::Map<String, serde_json::Value>,
    },
    External {
        external: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The job fails.
    #[default]
    Fail,
    /// The chain goes on without the step, and the job carries a warning.
    Skip,
}

pub(crate) fn full() -> f64 {
    1.0
}

/// What each step of a chain runs, in the chain's order; `None` for an external service. Settled
/// when a job is accepted: what is published or removed later changes nothing for it.
pub type Pins = Vec<Option<PluginRef>>;

impl Chain {
    /// What the steps mean by `vocabulary`, which the chain was checked against.
    pub fn pin(&self, vocabulary: &Vocabulary) -> Result<Pins, NotAPlugin> {
        let steps = self.steps.iter().map(|step| match &step.kind {
            StepKind::Plugin {
                plugin, version, ..
            } => {
                let found = vocabulary.installed(plugin, version.as_deref())?;
                Ok(Some(PluginRef {
                    id: found.manifest.id.clone(),
                    version: found.manifest.version.clone(),
                    digest: found.digest.clone(),
                }))
            }
            StepKind::External { .. } => Ok(None),
        });
        steps.collect()
    }
}

impl Step {
    /// How the step is called in progress, reports and problems.
    pub fn name(&self) -> &str {
        match &self.kind {
            StepKind::Plugin { plugin, .. } => plugin,
            StepKind::External { external } => external,
        }
    }
}
