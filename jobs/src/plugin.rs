//! A plugin in the catalogue. What it says of itself is its manifest's.

use jiff::Timestamp;
use retake_chain::{InstalledPlugin, ShortNames, Vocabulary};
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

/// What a chain may refer to that was accepted at `accepted_at`; `None` is now. `versions` is all of
/// the catalogue, with what was removed.
pub fn vocabulary(
    versions: &[PluginVersion],
    accepted_at: Option<Timestamp>,
    externals: Vec<String>,
    steps_max: usize,
) -> Vocabulary {
    let in_use = versions
        .iter()
        .filter(|version| version.in_use(accepted_at))
        .map(|version| version.plugin.clone());
    Vocabulary {
        plugins: in_use.collect(),
        short_names: short_names(versions),
        externals,
        steps_max,
    }
}

/// A short name belongs to the plugin whose first version came first. Those that come with the
/// program come first where it first starts.
pub fn short_names(versions: &[PluginVersion]) -> ShortNames {
    let mut came: Vec<_> = versions
        .iter()
        .map(|version| {
            let id = version.plugin.manifest.id.as_str();
            (version.published_at, version.origin != Origin::BuiltIn, id)
        })
        .collect();
    came.sort_unstable();
    ShortNames::of(came.into_iter().map(|(_, _, id)| id))
}

impl PluginVersion {
    fn in_use(&self, at: Option<Timestamp>) -> bool {
        match at {
            None => self.removed_at.is_none(),
            Some(at) => {
                self.published_at <= at && self.removed_at.is_none_or(|removed| removed > at)
            }
        }
    }
}
