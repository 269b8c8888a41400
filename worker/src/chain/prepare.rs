//! From names in a chain to what runs: plugins as digests in the local cache, services as clients.
//!
//! The server checked the chain when it took the job; since then a plugin may have been replaced by
//! a version with other parameters, and this worker may not have what another has.

use retake_jobs::{
    chain::{Chain, NotAPlugin, OnFailure, Step, StepKind, find_plugin},
    problem::{FieldError, Problem, ProblemKind},
    report::PluginRef,
    store::InstalledPlugin,
};
use retake_plugin_host::Cache;
use retake_plugin_manifest::Settings;

use super::ChainFailure;
use crate::external::External;

#[derive(Clone)]
pub struct PreparedStep {
    /// Place in the chain, from 0.
    pub index: usize,
    /// As the chain names it.
    pub name: String,
    pub kind: PreparedKind,
    pub mix: f64,
    pub on_failure: OnFailure,
}

#[derive(Clone)]
pub enum PreparedKind {
    Plugin {
        plugin: PluginRef,
        params: serde_json::Map<String, serde_json::Value>,
    },
    External(External),
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
            mix, on_failure, ..
        } = *step;
        Ok(PreparedStep {
            index,
            name: step.name().to_owned(),
            kind,
            mix,
            on_failure,
        })
    });
    prepared.collect()
}

/// What the server found when it took the job may have been removed since.
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
    if let Err(errors) = Settings::resolve(&plugin.manifest, params) {
        let detail = format!("step {index} ({name}): {}", errors[0]);
        let errors = errors.into_iter().map(|error| FieldError {
            pointer: param_pointer(index, &error.param),
            detail: error.detail,
        });
        let problem = Problem::new(ProblemKind::InvalidChain, detail);
        return Err(ChainFailure::lasting(problem.with_errors(errors.collect())));
    }
    let plugin = PluginRef {
        id: plugin.manifest.id.clone(),
        version: plugin.manifest.version.clone(),
        digest: plugin.digest.clone(),
    };
    Ok(PreparedKind::Plugin {
        plugin,
        params: params.clone(),
    })
}

/// RFC 6901.
pub(super) fn param_pointer(index: usize, param: &str) -> String {
    let param = param.replace('~', "~0").replace('/', "~1");
    format!("/chain/steps/{index}/params/{param}")
}
