//! A plugin that a chain may name, as whoever runs it finds it.

use retake_plugin_manifest::Manifest;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstalledPlugin {
    pub manifest: Manifest,
    /// SHA-256 of the component, lower-case hex.
    pub digest: String,
}
