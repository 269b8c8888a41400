//! What a chain may refer to: the plugins installed, the external services configured.

use std::{cmp::Reverse, collections::BTreeSet};

use retake_plugin_manifest::Manifest;

#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// All versions of all plugins that a new job may run.
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
    #[error("plugin {name} has no version \"{version}\"; it has: {versions}")]
    NoSuchVersion {
        name: String,
        version: String,
        versions: String,
    },
}

/// Among `all`, which may hold several versions of each plugin, the one that `name` and `version`
/// mean: a whole id before a short name, and a short name only where one plugin answers to it.
/// Without a version it is the newest.
pub fn find_plugin<'a, T>(
    all: &'a [T],
    manifest: impl Fn(&T) -> &Manifest,
    name: &str,
    version: Option<&str>,
) -> Result<&'a T, NotAPlugin> {
    let ids: BTreeSet<&str> = all.iter().map(|one| manifest(one).id.as_str()).collect();
    let found: Vec<&str> = match ids.get(name) {
        Some(id) => vec![id],
        None => answering(&ids, name),
    };
    let id = match found[..] {
        [id] => id,
        [] => {
            return Err(NotAPlugin::Unknown {
                name: shown(name),
                known: shortest_names(&ids),
            });
        }
        _ => {
            return Err(NotAPlugin::Ambiguous {
                name: shown(name),
                ids: found.join(", "),
            });
        }
    };
    let mut versions: Vec<&T> = all.iter().filter(|one| manifest(one).id == id).collect();
    versions.sort_by_key(|one| Reverse(version_rank(&manifest(one).version)));
    match version {
        None => Ok(versions[0]),
        Some(wanted) => versions
            .iter()
            .find(|one| manifest(one).version == wanted)
            .copied()
            .ok_or_else(|| NotAPlugin::NoSuchVersion {
                name: shown(name),
                version: shown(wanted),
                versions: listed(versions.iter().map(|one| manifest(one).version.as_str())),
            }),
    }
}

/// How new a version is. A pre-release is older than every release: whoever wants one names it. What
/// is no semantic version is the oldest of all.
pub fn version_rank(version: &str) -> impl Ord + use<> {
    let parsed = semver::Version::parse(version).ok();
    let is_release = parsed.as_ref().is_some_and(|parsed| parsed.pre.is_empty());
    (is_release, parsed)
}

fn answering<'a>(ids: &BTreeSet<&'a str>, short: &str) -> Vec<&'a str> {
    let answers = |id: &&str| id.rsplit('.').next() == Some(short);
    ids.iter().copied().filter(answers).collect()
}

/// Every plugin by the shortest name that means it.
fn shortest_names(ids: &BTreeSet<&str>) -> String {
    let mut names: Vec<_> = ids
        .iter()
        .map(|id| match id.rsplit('.').next() {
            Some(short) if answering(ids, short).len() == 1 => short,
            _ => id,
        })
        .collect();
    names.sort_unstable();
    listed(names.into_iter())
}

/// A list for an error's text: the first few of many.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const NAMES_MAX: usize = 50;
    let names: Vec<_> = names.collect();
    match names.len() {
        0 => "none".to_owned(),
        1..=NAMES_MAX => names.join(", "),
        more => format!(
            "{} and {} more",
            names[..NAMES_MAX].join(", "),
            more - NAMES_MAX
        ),
    }
}

impl Vocabulary {
    /// The newest version of the plugin that `name` means.
    pub fn plugin(&self, name: &str) -> Result<&Manifest, NotAPlugin> {
        self.plugin_version(name, None)
    }

    /// The plugin that `name` means, in that very version.
    pub fn plugin_version(
        &self,
        name: &str,
        version: Option<&str>,
    ) -> Result<&Manifest, NotAPlugin> {
        find_plugin(&self.manifests, |manifest| manifest, name, version)
    }

    pub(crate) fn external_names(&self) -> String {
        listed(self.externals.iter().map(String::as_str))
    }
}

/// What a stranger wrote, short enough to be quoted in an error.
pub(crate) fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
