//! What a chain may refer to: the plugins installed, the external services configured.

use retake_plugin_manifest::Manifest;

#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    pub manifests: Vec<Manifest>,
    /// Names of the external services that are configured.
    pub externals: Vec<String>,
    pub steps_max: usize,
}

/// Why a name in a chain means no plugin. The text lists what would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAPlugin {
    #[error("there is no plugin \"{name}\"; there are: {known}")]
    Unknown { name: String, known: String },
    #[error("\"{name}\" means several plugins; write the whole id: {ids}")]
    Ambiguous { name: String, ids: String },
}

impl Vocabulary {
    /// The plugin that `name` means: a whole id before a short name, and a short name only where
    /// one plugin answers to it.
    pub fn plugin(&self, name: &str) -> Result<&Manifest, NotAPlugin> {
        if let Some(manifest) = self.manifests.iter().find(|m| m.id == name) {
            return Ok(manifest);
        }
        let found: Vec<_> = self
            .manifests
            .iter()
            .filter(|m| m.answers_to(name))
            .collect();
        match found[..] {
            [manifest] => Ok(manifest),
            [] => Err(NotAPlugin::Unknown {
                name: shown(name),
                known: self.plugin_names(),
            }),
            _ => Err(NotAPlugin::Ambiguous {
                name: shown(name),
                ids: found
                    .iter()
                    .map(|m| m.id.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }

    /// Every plugin by the shortest name that means it.
    fn plugin_names(&self) -> String {
        let mut names: Vec<_> = self
            .manifests
            .iter()
            .map(|m| {
                let short = m.short_name();
                let alone = self
                    .manifests
                    .iter()
                    .filter(|o| o.answers_to(short))
                    .count()
                    == 1;
                if alone { short } else { m.id.as_str() }
            })
            .collect();
        names.sort_unstable();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    }

    pub(super) fn external_names(&self) -> String {
        if self.externals.is_empty() {
            "none".to_owned()
        } else {
            self.externals.join(", ")
        }
    }
}

/// What a stranger wrote, short enough to be quoted in an error.
pub(super) fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
