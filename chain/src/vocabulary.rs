//! What a chain may refer to: the plugins installed, the external services configured.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use retake_plugin_manifest::Manifest;

use crate::InstalledPlugin;

#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// All versions of all plugins that a new job may run.
    pub plugins: Vec<InstalledPlugin>,
    /// Which of them a short name means.
    pub short_names: ShortNames,
    /// Names of the external services that are configured.
    pub externals: Vec<String>,
    pub steps_max: usize,
}

/// Which plugin each short name means: the one that came with it first, whoever comes later. Nobody
/// can change what other people's chains mean by publishing something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShortNames(BTreeMap<String, String>);

impl ShortNames {
    /// `ids` in the order in which the plugins came. One that was removed keeps its name: a chain
    /// that meant it must not mean another.
    pub fn of<'a>(ids: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names = BTreeMap::new();
        for id in ids {
            names
                .entry(last_part(id).to_owned())
                .or_insert_with(|| id.to_owned());
        }
        Self(names)
    }

    /// The id that `short` means.
    fn meaning(&self, short: &str) -> Option<&str> {
        self.0.get(short).map(String::as_str)
    }

    /// The shortest name that means `id`.
    pub fn shortest<'a>(&self, id: &'a str) -> &'a str {
        let short = last_part(id);
        match self.meaning(short) {
            Some(owner) if owner == id => short,
            _ => id,
        }
    }
}

fn last_part(id: &str) -> &str {
    id.rsplit('.').next().unwrap_or(id)
}

/// Why a name in a chain means no plugin. The text lists what would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAPlugin {
    #[error("there is no plugin \"{name}\"; there are: {known}")]
    Unknown { name: String, known: String },
    #[error("plugin {name} has no version \"{version}\"; it has: {versions}")]
    NoSuchVersion {
        name: String,
        version: String,
        versions: String,
    },
}

/// Among `all`, which may hold several versions of each plugin, the one that `name` and `version`
/// mean: a whole id before a short name. Without a version it is the newest.
pub fn find_plugin<'a, T>(
    all: &'a [T],
    manifest: impl Fn(&T) -> &Manifest,
    short_names: &ShortNames,
    name: &str,
    version: Option<&str>,
) -> Result<&'a T, NotAPlugin> {
    let ids: BTreeSet<&str> = all.iter().map(|one| manifest(one).id.as_str()).collect();
    let named = ids.get(name).copied();
    let meant = || {
        short_names
            .meaning(name)
            .and_then(|id| ids.get(id).copied())
    };
    let Some(id) = named.or_else(meant) else {
        return Err(NotAPlugin::Unknown {
            name: shown(name),
            known: shortest_names(&ids, short_names),
        });
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

/// Every plugin by the shortest name that means it.
fn shortest_names(ids: &BTreeSet<&str>, short_names: &ShortNames) -> String {
    let mut names: Vec<_> = ids.iter().map(|id| short_names.shortest(id)).collect();
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
    /// Of plugins that came in this order.
    pub fn new(plugins: Vec<InstalledPlugin>, externals: Vec<String>, steps_max: usize) -> Self {
        let ids = plugins.iter().map(|plugin| plugin.manifest.id.as_str());
        Self {
            short_names: ShortNames::of(ids),
            plugins,
            externals,
            steps_max,
        }
    }

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
        Ok(&self.installed(name, version)?.manifest)
    }

    pub(crate) fn installed(
        &self,
        name: &str,
        version: Option<&str>,
    ) -> Result<&InstalledPlugin, NotAPlugin> {
        let (plugins, names) = (&self.plugins, &self.short_names);
        find_plugin(plugins, |plugin| &plugin.manifest, names, name, version)
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
