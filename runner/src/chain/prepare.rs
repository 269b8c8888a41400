//! From names in a chain to what runs: plugins as digests in the local cache, services as clients.
//!
//! The chain was checked when it was asked for, perhaps by another process; since then a plugin may
//! have been replaced by a version with other parameters, and it may not be in the cache here.

use retake_chain::{
    Chain, InstalledPlugin, NotAPlugin, OnFailure, Step, StepKind, find_plugin,
    problem::{FieldError, Problem, ProblemKind},
    report::PluginRef,
};
use retake_plugin_host::Cache;
use retake_plugin_manifest::{Settings, Targets};

use super::ChainFailure;
use crate::external::External;

#[derive(Clone)]
pub struct PreparedStep {
    /// Place among the steps that run, and in the report, from 0.
    pub index: usize,
    /// Place in the chain as its author wrote it. A recommended step has that of its analyser.
    pub written: usize,
    /// As the chain names it.
    pub name: String,
    pub kind: PreparedKind,
    pub mix: f64,
    pub on_failure: OnFailure,
    /// Whether what the step takes away is to be kept.
    pub delta: bool,
    /// Whether the steps that it recommends run after it.
    pub follow: bool,
    /// Whether an analyser recommended it.
    pub recommended: bool,
}

#[derive(Clone)]
pub enum PreparedKind {
    Plugin {
        plugin: PluginRef,
        /// All of them: what the chain left out has its default.
        params: serde_json::Map<String, serde_json::Value>,
        /// Whether its output may be shorter than its input.
        shortens: bool,
        /// What its output is to be.
        targets: Targets,
    },
    External(External),
}

impl PreparedStep {
    /// For people: which step it is.
    pub(super) fn called(&self) -> String {
        let (written, name) = (self.written, &self.name);
        match self.recommended {
            false => format!("step {written} ({name})"),
            true => format!("step {written} ({name}, as recommended)"),
        }
    }

    /// Where the step stands in the request, or one of its parameters.
    pub(super) fn pointer(&self, param: Option<&str>) -> String {
        // The parameters of a recommended step stand in no request.
        pointer(self.written, param.filter(|_| !self.recommended))
    }

    pub(super) fn targets(&self) -> Targets {
        match &self.kind {
            PreparedKind::Plugin { targets, .. } => *targets,
            PreparedKind::External(_) => Targets::default(),
        }
    }

    pub(super) fn shortens(&self) -> bool {
        matches!(self.kind, PreparedKind::Plugin { shortens: true, .. })
    }
}

/// Finds everything a chain needs. `plugins` is the catalogue: every version that is in use.
pub fn prepare(
    chain: &Chain,
    plugins: &[InstalledPlugin],
    cache: &Cache,
    externals: &[External],
) -> Result<Vec<PreparedStep>, ChainFailure> {
    let prepared = chain.steps.iter().enumerate().map(|(index, step)| {
        let kind = match &step.kind {
            StepKind::Plugin {
                plugin,
                version,
                params,
            } => {
                let plugin = find(index, plugin, version.as_deref(), plugins)?;
                prepare_plugin(index, step.name(), params, plugin, cache)?
            }
            StepKind::External { external } => {
                let known = externals.iter().find(|known| known.name() == external);
                let Some(known) = known else {
                    let detail =
                        format!("external service {external} is not configured for this worker");
                    return Err(ChainFailure::passing(Problem::new(
                        ProblemKind::Unavailable,
                        detail,
                    )));
                };
                PreparedKind::External(known.clone())
            }
        };
        let Step {
            mix,
            on_failure,
            delta,
            follow,
            ..
        } = *step;
        Ok(PreparedStep {
            index,
            written: index,
            name: step.name().to_owned(),
            kind,
            mix,
            on_failure,
            delta,
            follow,
            recommended: false,
        })
    });
    prepared.collect()
}

/// What was found when the chain was asked for may have been removed since.
fn find<'a>(
    index: usize,
    name: &str,
    version: Option<&str>,
    plugins: &'a [InstalledPlugin],
) -> Result<&'a InstalledPlugin, ChainFailure> {
    find_plugin(plugins, |plugin| &plugin.manifest, name, version).map_err(|error| {
        let key = match error {
            NotAPlugin::Unknown { .. } => {
                let detail = format!("plugin {name} is not installed");
                return ChainFailure::passing(Problem::new(ProblemKind::Unavailable, detail));
            }
            NotAPlugin::Ambiguous { .. } => "plugin",
            NotAPlugin::NoSuchVersion { .. } => "version",
        };
        let error = FieldError {
            detail: error.to_string(),
            pointer: format!("/chain/steps/{index}/{key}"),
        };
        let problem = Problem::new(ProblemKind::InvalidChain, error.detail.clone());
        ChainFailure::lasting(problem.with_errors(vec![error]))
    })
}

fn prepare_plugin(
    index: usize,
    name: &str,
    params: &serde_json::Map<String, serde_json::Value>,
    plugin: &InstalledPlugin,
    cache: &Cache,
) -> Result<PreparedKind, ChainFailure> {
    if cache.lookup(&plugin.digest).is_none() {
        let detail = format!(
            "plugin {name} {} is not in this worker's cache",
            plugin.manifest.version
        );
        return Err(ChainFailure::passing(Problem::new(
            ProblemKind::Unavailable,
            detail,
        )));
    }
    let settings = match Settings::resolve(&plugin.manifest, params) {
        Ok(settings) => settings,
        Err(errors) => {
            let detail = format!("step {index} ({name}): {}", errors[0]);
            let errors = errors.into_iter().map(|error| FieldError {
                pointer: pointer(index, Some(&error.param)),
                detail: error.detail,
            });
            let problem = Problem::new(ProblemKind::InvalidChain, detail);
            return Err(ChainFailure::lasting(problem.with_errors(errors.collect())));
        }
    };
    Ok(PreparedKind::Plugin {
        shortens: plugin.manifest.may_shorten(),
        targets: plugin.manifest.targets(&settings),
        plugin: PluginRef {
            id: plugin.manifest.id.clone(),
            version: plugin.manifest.version.clone(),
            digest: plugin.digest.clone(),
        },
        params: settings.to_json(),
    })
}

/// RFC 6901: to a step of the chain, or to one of its parameters.
pub(super) fn pointer(written: usize, param: Option<&str>) -> String {
    let step = format!("/chain/steps/{written}");
    match param {
        Some(param) => {
            let param = param.replace('~', "~0").replace('/', "~1");
            format!("{step}/params/{param}")
        }
        None => step,
    }
}
