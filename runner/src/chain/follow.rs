//! What an analyser recommends, as steps that can run.

use retake_chain::{
    Chain, RECOMMENDED_CHAIN, Recommendation,
    problem::{FieldError, Problem, ProblemKind},
};
use retake_findings::{Code, Finding};
use retake_plugin_host::Cache;

use super::{ChainContext, ChainFailure, PreparedKind, PreparedStep, prepare_now};
use crate::{child::StepDone, words::plain};

/// So many characters of what is wrong with a recommendation are shown.
const WORDS_MAX: usize = 500;

pub(super) struct Followed {
    pub steps: Vec<PreparedStep>,
    pub findings: Vec<Finding>,
}

/// The steps that `analyser` recommends in its report; `steps_before` are in the chain already.
/// They are prepared, and have no places yet.
pub(super) fn follow(
    analyser: &PreparedStep,
    done: &StepDone,
    steps_before: usize,
    context: &ChainContext<'_>,
) -> Result<Followed, ChainFailure> {
    let name = &analyser.name;
    let Some(text) = recommended(done) else {
        return Ok(Followed {
            steps: Vec::new(),
            findings: vec![Finding::of_step(
                Code::NothingRecommended,
                analyser.index,
                name,
                [],
            )],
        });
    };
    let id = match &analyser.kind {
        PreparedKind::Plugin { plugin, .. } => plugin.id.as_str(),
        PreparedKind::External(_) | PreparedKind::Gone(_) => "",
    };
    let steps_left = context.vocabulary.steps_max.saturating_sub(steps_before);
    let recommendation = Recommendation::parse(text, id, context.vocabulary, steps_left)
        .map_err(|errors| refused(analyser, &errors))?;
    let missing = recommendation.missing.iter().map(|missing| {
        let params = [("plugin", plain(missing, WORDS_MAX).into())];
        Finding::of_step(Code::RecommendedMissing, analyser.index, name, params)
    });
    let findings = missing.collect();
    let chain = Chain {
        steps: recommendation.steps,
    };
    let cache = Cache::open(context.plugin_cache).map_err(ChainFailure::ours)?;
    let mut steps = prepare_now(&chain, context.vocabulary, &cache, &[])?;
    for step in &mut steps {
        step.recommended = true;
        step.written = analyser.written;
    }
    Ok(Followed { steps, findings })
}

fn recommended(done: &StepDone) -> Option<&str> {
    let measurements = done.report.get("measurements")?.as_array()?;
    let found = measurements
        .iter()
        .find(|measurement| measurement["id"] == RECOMMENDED_CHAIN);
    found?["value"].as_str()
}

fn refused(analyser: &PreparedStep, errors: &[FieldError]) -> ChainFailure {
    let first = errors.first().map_or_else(String::new, |error| {
        format!("{} {}", error.pointer, error.detail)
    });
    let words = format!(
        "its recommendation cannot be followed: {}",
        plain(first.trim_start(), WORDS_MAX)
    );
    let detail = format!("{}: {words}", analyser.called());
    let error = FieldError {
        detail: words,
        pointer: analyser.pointer(None),
    };
    ChainFailure::lasting(Problem::new(ProblemKind::StepFailed, detail).with_errors(vec![error]))
}
