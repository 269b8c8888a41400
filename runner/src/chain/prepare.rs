//! From names in a chain to what runs: plugins as digests in the local cache, services as clients.
//!
//! What the names mean was settled when the chain was accepted, perhaps by another process: the step
//! runs those very bytes, whatever was published or removed since.

use retake_chain::{
    Chain, InstalledPlugin, NotAPlugin, OnFailure, Pins, Spare, Step, StepKind, Vocabulary,
    problem::{FieldError, Problem, ProblemKind, below},
    report::PluginRef,
};
use retake_plugin_host::Cache;
use retake_plugin_manifest::{Settings, Targets};

use super::{ChainFailure, Retry};
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
    /// What of the original stays where steps before it have found something.
    pub spare: Spare,
}

#[derive(Clone)]
pub enum PreparedKind {
    Plugin {
        plugin: PluginRef,
        /// All of them: what the chain left out has its default.
        params: serde_json::Map<String, serde_json::Value>,
        /// What its check has measured, if it was checked.
        realtime_factor: Option<f64>,
        /// Whether its output may be shorter than its input.
        shortens: bool,
        /// Whether its output is its input.
        only_looks: bool,
        /// What its output is to be.
        targets: Targets,
    },
    External(External),
    /// What it should run is no more, and its author allows that it is left out.
    Gone(Box<Problem>),
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
            PreparedKind::External(_) | PreparedKind::Gone(_) => Targets::default(),
        }
    }

    /// Whether what comes out is what goes in, and nobody wants to have that in a file.
    pub(super) fn only_looks(&self) -> bool {
        let looks = matches!(
            self.kind,
            PreparedKind::Plugin {
                only_looks: true,
                ..
            }
        );
        looks && !self.delta
    }

    pub(super) fn shortens(&self) -> bool {
        matches!(self.kind, PreparedKind::Plugin { shortens: true, .. })
    }
}

/// Finds everything a chain needs that was accepted with `pins`. `plugins` is the catalogue: every
/// version there is and was.
pub fn prepare(
    chain: &Chain,
    pins: &Pins,
    plugins: &[InstalledPlugin],
    cache: &Cache,
    externals: &[External],
) -> Result<Vec<PreparedStep>, ChainFailure> {
    let prepared = chain.steps.iter().enumerate().map(|(index, step)| {
        let kind = match &step.kind {
            StepKind::Plugin { params, .. } => {
                let found = pins.get(index).and_then(Option::as_ref);
                let found = found.and_then(|pin| pinned(pin, plugins));
                let prepared = match found {
                    Some(plugin) => prepare_plugin(index, step.name(), params, plugin, cache),
                    None => Err(gone(index, step.name())),
                };
                match prepared {
                    Err(ChainFailure::Failed {
                        problem,
                        retry: Retry::Never,
                        ..
                    }) if step.on_failure == OnFailure::Skip => PreparedKind::Gone(problem),
                    other => other?,
                }
            }
            StepKind::External { external } => {
                let known = externals.iter().find(|known| known.name() == external);
                let Some(known) = known else {
                    let detail =
                        format!("external service {external} is not configured for this worker");
                    let problem = Problem::new(ProblemKind::Unavailable, detail);
                    return Err(ChainFailure::lacking(problem));
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
            spare: step.spare.clone(),
        })
    });
    prepared.collect()
}

/// The same of a chain that means what its names mean now.
pub fn prepare_now(
    chain: &Chain,
    vocabulary: &Vocabulary,
    cache: &Cache,
    externals: &[External],
) -> Result<Vec<PreparedStep>, ChainFailure> {
    let pins = chain.pin(vocabulary).map_err(|error| not_found(&error))?;
    prepare(chain, &pins, &vocabulary.plugins, cache, externals)
}

/// A chain that names nothing: one that was checked names something.
pub fn not_found(error: &NotAPlugin) -> ChainFailure {
    ChainFailure::lasting(Problem::new(ProblemKind::InvalidChain, error.to_string()))
}

/// Those very bytes. Where a plugin that comes with the program was built anew without a new version,
/// they are the ones that stand for that version now; the report says which ran.
pub fn pinned<'a>(pin: &PluginRef, plugins: &'a [InstalledPlugin]) -> Option<&'a InstalledPlugin> {
    let mut same = plugins
        .iter()
        .filter(|plugin| plugin.manifest.id == pin.id && plugin.manifest.version == pin.version);
    let exact = same.clone().find(|plugin| plugin.digest == pin.digest);
    exact.or_else(|| same.next())
}

fn gone(index: usize, name: &str) -> ChainFailure {
    let detail = format!("step {index} ({name}): its plugin is not installed any more");
    let error = FieldError {
        detail: detail.clone(),
        pointer: format!("{}/plugin", pointer(index, None)),
    };
    let problem = Problem::new(ProblemKind::InvalidChain, detail);
    ChainFailure::lasting(problem.with_errors(vec![error]))
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
        let problem = Problem::new(ProblemKind::Unavailable, detail);
        return Err(ChainFailure::lacking(problem));
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
        realtime_factor: plugin.realtime_factor,
        shortens: plugin.manifest.may_shorten(),
        only_looks: !plugin.manifest.passes.process,
        targets: plugin.manifest.targets(&settings),
        plugin: PluginRef {
            id: plugin.manifest.id.clone(),
            version: plugin.manifest.version.clone(),
            digest: plugin.digest.clone(),
        },
        params: settings.to_json(),
    })
}

/// To a step of the chain, or to one of its parameters.
pub(super) fn pointer(written: usize, param: Option<&str>) -> String {
    let step = format!("/chain/steps/{written}");
    match param {
        Some(param) => below(&format!("{step}/params"), param),
        None => step,
    }
}
