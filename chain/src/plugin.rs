//! A plugin that a chain may name, as whoever runs it finds it.

use std::sync::Arc;

use retake_plugin_manifest::Manifest;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstalledPlugin {
    /// Shared: every request and every job looks at all of them.
    #[serde(with = "shared")]
    pub manifest: Arc<Manifest>,
    /// SHA-256 of the component, lower-case hex.
    pub digest: String,
    /// How many seconds of audio it corrects in one of CPU time (48 kHz, mono), as its check has
    /// measured. `None`: it was never checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realtime_factor: Option<f64>,
}

/// As what is shared.
mod shared {
    use std::sync::Arc;

    use retake_plugin_manifest::Manifest;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(manifest: &Manifest, to: S) -> Result<S::Ok, S::Error> {
        manifest.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Manifest>, D::Error> {
        Manifest::deserialize(from).map(Arc::new)
    }
}
