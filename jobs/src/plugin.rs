//! A plugin in the catalogue. What it says of itself is its manifest's.

use jiff::Timestamp;
use retake_chain::InstalledPlugin;
use serde::{Deserialize, Serialize};

/// One version of a plugin, as the catalogue holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginVersion {
    pub plugin: InstalledPlugin,
    pub size_bytes: u64,
    pub origin: Origin,
    pub published_at: Timestamp,
    pub removed_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It comes with the program, or lies in its folder of plugins.
    BuiltIn,
    Published,
}

/// The versions that a new job may run, in the order in which they came.
pub fn in_use(versions: Vec<PluginVersion>) -> Vec<InstalledPlugin> {
    versions
        .into_iter()
        .filter(|version| version.removed_at.is_none())
        .map(|version| version.plugin)
        .collect()
}
