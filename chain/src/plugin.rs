//! A plugin that a chain may name, as whoever runs it finds it.

use retake_plugin_manifest::Manifest;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstalledPlugin {
    pub manifest: Manifest,
    /// SHA-256 of the component, lower-case hex.
    pub digest: String,
    /// How many seconds of audio it corrects in one of CPU time (48 kHz, mono), as its check has
    /// measured. `None`: it was never checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realtime_factor: Option<f64>,
}
