//! How a chain fails, as the problem that will stand in `job.error`, and whether another try may
//! help.

use std::time::Duration;

use retake_chain::problem::{FieldError, Problem, ProblemKind};
use retake_findings::Finding;

use super::prepare::{PreparedKind, PreparedStep, pointer};
use crate::{
    child::{AudioFault, Ended, Failed, Inside, Unfinished},
    deadline::Deadline,
    external::ExternalError,
    words::plain,
};

/// So many characters of what a child or a plugin says are shown.
const WORDS_MAX: usize = 500;

#[derive(Debug, Clone)]
pub enum ChainFailure {
    /// It was asked to stop.
    Cancelled,
    Failed {
        problem: Box<Problem>,
        retry: Retry,
        /// What was found before it failed and a person should hear of.
        warnings: Vec<Finding>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same again would fail the same way.
    Never,
    /// Passing trouble. Not before so long, if that is known.
    After(Option<Duration>),
    /// Trouble of this machine's own: the job has nothing to do with it, perhaps.
    Ours(Trouble),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No room on its disk, or none in its store.
    NoRoom,
    /// It lacks what another worker may have: a service, a plugin, a store within reach.
    Lacking,
    /// Killed from outside, on a machine that has what it needs: nothing in a job makes that.
    Killed,
    /// A file, a program, memory. Where it is still there when it is looked for, it was not the job's.
    Other,
}

impl ChainFailure {
    pub fn lasting(problem: Problem) -> Self {
        Self::Failed {
            problem: Box::new(problem),
            retry: Retry::Never,
            warnings: Vec::new(),
        }
    }

    pub fn passing(problem: Problem) -> Self {
        Self::Failed {
            problem: Box::new(problem),
            retry: Retry::After(None),
            warnings: Vec::new(),
        }
    }

    fn with_log(mut self, log: Vec<String>) -> Self {
        if let Self::Failed { problem, .. } = &mut self {
            problem.log = log;
        }
        self
    }

    /// Ahead of those it has.
    pub(super) fn with_warnings(mut self, mut before: Vec<Finding>) -> Self {
        if let Self::Failed { warnings, .. } = &mut self {
            before.append(warnings);
            *warnings = before;
        }
        self
    }

    /// Our own disk or the like.
    pub fn ours(detail: impl std::fmt::Display) -> Self {
        Self::trouble(Trouble::Other, detail)
    }

    /// An error of our own disk's.
    pub fn disk(error: std::io::Error) -> Self {
        Self::trouble(Trouble::of(&error), error)
    }

    /// Another worker may do better, or this one in a while: it is not the job's fault.
    pub fn lacking(problem: Problem) -> Self {
        Self::Failed {
            problem: Box::new(problem),
            retry: Retry::Ours(Trouble::Lacking),
            warnings: Vec::new(),
        }
    }

    pub fn trouble(trouble: Trouble, detail: impl std::fmt::Display) -> Self {
        tracing::error!(%detail, "a chain could not be run");
        let told = match trouble {
            Trouble::NoRoom => "the worker has no room left for the files it needs",
            Trouble::Lacking | Trouble::Killed | Trouble::Other => {
                "the worker could not read or write a file it needs"
            }
        };
        Self::Failed {
            problem: Box::new(Problem::new(ProblemKind::Unavailable, told)),
            retry: Retry::Ours(trouble),
            warnings: Vec::new(),
        }
    }
}

impl Trouble {
    pub fn of(error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded => Self::NoRoom,
            _ => Self::Other,
        }
    }
}

/// A failure, and the step to blame if it is one's: its place in the chain.
pub(super) struct Blamed {
    pub failure: ChainFailure,
    pub step: Option<usize>,
}

impl From<ChainFailure> for Blamed {
    fn from(failure: ChainFailure) -> Self {
        Self {
            failure,
            step: None,
        }
    }
}

fn lasting(kind: ProblemKind, detail: impl Into<String>) -> ChainFailure {
    ChainFailure::lasting(Problem::new(kind, detail))
}

pub(super) fn deadline_exceeded(deadline: &Deadline, steps: &[&PreparedStep]) -> ChainFailure {
    let allowed_s = deadline.allowed().as_secs_f64();
    let during = names(steps);
    let detail = format!("the job took longer than the {allowed_s:.1} s it may take, {during}");
    ChainFailure::lasting(about(
        Problem::new(ProblemKind::DeadlineExceeded, detail),
        steps,
    ))
}

/// With the plugins of those steps, so that the failed job says which bytes ran.
fn about(mut problem: Problem, steps: &[&PreparedStep]) -> Problem {
    let plugin = |step: &&PreparedStep| match &step.kind {
        PreparedKind::Plugin { plugin, .. } => Some(plugin.clone()),
        PreparedKind::External(_) | PreparedKind::Gone(_) => None,
    };
    problem.plugins = steps.iter().filter_map(plugin).collect();
    problem
}

/// `came_from` is the external step whose answer the child read, if one did.
pub(super) fn of_child(
    unfinished: Unfinished,
    steps: &[PreparedStep],
    came_from: Option<&PreparedStep>,
    deadline: &Deadline,
) -> Blamed {
    let Unfinished { ended, said } = unfinished;
    // A step that was running alone is the one whose log tells something, also where it is not to
    // blame for good.
    let running = match &ended {
        Ended::Deadline { inside } | Ended::Killed { inside } | Ended::Crashed { inside, .. } => {
            match inside {
                Inside::Steps(indices) if indices.len() == 1 => Some(indices[0]),
                _ => None,
            }
        }
        _ => None,
    };
    let Blamed { failure, step } = of_ended(ended, steps, came_from, deadline);
    let log = step.or(running).map(|index| said.log_of(index));
    Blamed {
        failure: failure
            .with_log(log.unwrap_or_default())
            .with_warnings(said.into_warnings()),
        step,
    }
}

fn of_ended(
    ended: Ended,
    steps: &[PreparedStep],
    came_from: Option<&PreparedStep>,
    deadline: &Deadline,
) -> Blamed {
    // A child's words: an index that means nothing blames nobody.
    let step = |index: usize| steps.iter().find(|step| step.index == index);
    match ended {
        Ended::Cancelled => ChainFailure::Cancelled.into(),
        Ended::NotStarted(error) => {
            let detail = format!("a child cannot be started: {error}");
            ChainFailure::trouble(Trouble::of(&error), detail).into()
        }
        Ended::Deadline { inside } => deadline_exceeded(deadline, &within(&inside, steps)).into(),
        Ended::Killed { inside } => {
            let during = described(&inside, steps);
            let detail = format!("the audio work was killed from outside, {during}");
            let problem = Problem::new(ProblemKind::StepCrashed, detail);
            // It has limits of its own for what it may take: this machine was short of memory, or
            // somebody meant it.
            ChainFailure::Failed {
                problem: Box::new(about(problem, &within(&inside, steps))),
                retry: Retry::Ours(Trouble::Killed),
                warnings: Vec::new(),
            }
            .into()
        }
        Ended::TooMuchScratch { inside } => {
            let during = described(&inside, steps);
            let detail = format!("the audio needs a larger file than a job may write, {during}");
            lasting(ProblemKind::TooMuchScratch, detail).into()
        }
        Ended::Crashed { how, inside } => {
            let how = plain(&how, WORDS_MAX);
            let during = described(&inside, steps);
            let blamed = match (&inside, came_from) {
                (Inside::Steps(indices), _) if indices.len() == 1 => Some(indices[0]),
                (Inside::Reading, Some(external)) => Some(external.index),
                _ => None,
            };
            let detail = format!("the audio work crashed, {during}: {how}");
            let problem = Problem::new(ProblemKind::StepCrashed, detail);
            Blamed {
                failure: ChainFailure::lasting(about(problem, &within(&inside, steps))),
                step: blamed,
            }
        }
        Ended::Failed(failed) => of_failed(failed, &step, came_from),
    }
}

fn of_failed<'a>(
    failed: Failed,
    step: &impl Fn(usize) -> Option<&'a PreparedStep>,
    came_from: Option<&PreparedStep>,
) -> Blamed {
    match failed {
        Failed::Audio { fault, detail } => {
            let kind = match fault {
                AudioFault::NotAudio => ProblemKind::NotAudio,
                AudioFault::UnknownCodec => ProblemKind::UnknownCodec,
                AudioFault::Empty => ProblemKind::EmptyAudio,
                AudioFault::TooLong => ProblemKind::TooLong,
                AudioFault::UnsupportedStream => ProblemKind::UnsupportedStream,
                AudioFault::NoSuchTrack => return no_such_track(&detail).into(),
                AudioFault::Damaged => ProblemKind::DamagedAudio,
            };
            lasting(kind, plain(&detail, WORDS_MAX)).into()
        }
        Failed::Unexpected { detail } => {
            let service = came_from.map_or("", |step| step.name.as_str());
            let detail = format!("external service {service}: {}", plain(&detail, WORDS_MAX));
            Blamed {
                failure: lasting(ProblemKind::ExternalInvalid, detail),
                step: came_from.map(|step| step.index),
            }
        }
        Failed::Refused {
            index,
            detail,
            param,
        } => {
            let words = plain(&detail, WORDS_MAX);
            let param = param.map(|param| plain(&param, WORDS_MAX));
            let error = FieldError {
                detail: words.clone(),
                pointer: points_at(index, step(index), param.as_deref()),
            };
            let detail = format!("{}: {words}", called(index, step(index)));
            let problem = Problem::new(ProblemKind::StepFailed, detail).with_errors(vec![error]);
            let blamed: Vec<_> = step(index).into_iter().collect();
            Blamed {
                failure: ChainFailure::lasting(about(problem, &blamed)),
                step: Some(index),
            }
        }
        Failed::Crashed { index, detail } => {
            of_step(ProblemKind::StepCrashed, index, &detail, step(index))
        }
        Failed::OverBudget { index, detail } => {
            of_step(ProblemKind::StepOverBudget, index, &detail, step(index))
        }
        Failed::Harmful { index, detail } => {
            of_step(ProblemKind::StepHarmful, index, &detail, step(index))
        }
        Failed::Ours { detail, no_room } => {
            let trouble = match no_room {
                true => Trouble::NoRoom,
                false => Trouble::Other,
            };
            ChainFailure::trouble(trouble, plain(&detail, WORDS_MAX)).into()
        }
    }
}

/// The one fault of a recording that lies in the request as well.
fn no_such_track(detail: &str) -> ChainFailure {
    let detail = plain(detail, WORDS_MAX);
    let error = FieldError {
        detail: detail.clone(),
        pointer: "/track".to_owned(),
    };
    let problem = Problem::new(ProblemKind::NoSuchTrack, detail);
    ChainFailure::lasting(problem.with_errors(vec![error]))
}

/// A child's words: an index that means nothing is still said.
fn called(index: usize, step: Option<&PreparedStep>) -> String {
    step.map_or_else(|| format!("step {index} (a step)"), PreparedStep::called)
}

fn points_at(index: usize, step: Option<&PreparedStep>, param: Option<&str>) -> String {
    step.map_or_else(|| pointer(index, param), |step| step.pointer(param))
}

fn of_step(kind: ProblemKind, index: usize, detail: &str, step: Option<&PreparedStep>) -> Blamed {
    let words = plain(detail, WORDS_MAX);
    let detail = format!("{}: {words}", called(index, step));
    let error = FieldError {
        detail: words,
        pointer: points_at(index, step, None),
    };
    let problem = Problem::new(kind, detail).with_errors(vec![error]);
    let blamed: Vec<_> = step.into_iter().collect();
    Blamed {
        failure: ChainFailure::lasting(about(problem, &blamed)),
        step: Some(index),
    }
}

pub(super) fn of_external(error: ExternalError, step: &PreparedStep) -> Blamed {
    let detail = plain(&error.to_string(), WORDS_MAX);
    let failure = match error {
        ExternalError::Unavailable { retry_after, .. } => ChainFailure::Failed {
            problem: Box::new(Problem::new(ProblemKind::ExternalUnavailable, detail)),
            retry: Retry::After(retry_after),
            warnings: Vec::new(),
        },
        ExternalError::Refused { .. } => lasting(ProblemKind::ExternalRefused, detail),
        ExternalError::Invalid { .. } => lasting(ProblemKind::ExternalInvalid, detail),
        ExternalError::File { source, .. } => {
            return ChainFailure::trouble(Trouble::of(&source), detail).into();
        }
    };
    Blamed {
        failure,
        step: Some(step.index),
    }
}

fn within<'a>(inside: &Inside, steps: &'a [PreparedStep]) -> Vec<&'a PreparedStep> {
    match inside {
        Inside::Reading => Vec::new(),
        Inside::Steps(indices) => {
            let inside = steps.iter().filter(|step| indices.contains(&step.index));
            inside.collect()
        }
    }
}

fn described(inside: &Inside, steps: &[PreparedStep]) -> String {
    match inside {
        Inside::Reading => "reading the recording".to_owned(),
        Inside::Steps(_) => names(&within(inside, steps)),
    }
}

fn names(steps: &[&PreparedStep]) -> String {
    match steps {
        [] => "between steps".to_owned(),
        [step] => format!("in {}", step.called()),
        steps => {
            let called: Vec<_> = steps.iter().map(|step| step.called()).collect();
            format!("in one of {}", called.join(", "))
        }
    }
}
