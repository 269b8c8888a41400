//! The walk through a chain's segments, skipping what may be skipped.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use retake_audio::KeptRecording;
use retake_chain::{OnFailure, problem::Problem};
use retake_findings::{Code, Finding};
use tokio_util::sync::CancellationToken;

use super::{
    ChainContext, ChainFailure, ChainReport, PreparedKind, PreparedStep, Progress, Retry, Wish,
    failure::{Blamed, deadline_exceeded, of_child, of_external},
    follow::follow,
    plan::{self, EXTERNAL_WEIGHT, Segment, Then},
    progress::Meter,
};
use crate::{
    audio_work::natural,
    child::{
        Correction, Done, Expect, Harmless, Length, Origin, Original, Output, Request, StepDone,
        StepRequest, run_child,
    },
    deadline::Deadline,
};

/// Corrects `input` into `output`. `progress` never falls. Files on their way are made in the
/// context's scratch folder.
///
/// After `cancel` it ends soon, with [`ChainFailure::Cancelled`]; dropping the future ends the child
/// as well.
pub async fn run_chain(
    input: &Path,
    output: &Path,
    steps: &[PreparedStep],
    wish: impl Into<Wish>,
    context: &ChainContext<'_>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<ChainReport, ChainFailure> {
    let started = Instant::now();
    let absolute = |path| std::path::absolute(path).map_err(ChainFailure::ours);
    let (input, output) = (absolute(input)?, absolute(output)?);
    let mut walk = Walk {
        steps: steps.to_vec(),
        wish: wish.into(),
        recording: input.clone(),
        context,
        scratch_dir: absolute(context.scratch_dir)?,
        plugin_cache: absolute(context.plugin_cache)?,
        deadline: Deadline::new(context.deadline, context.limits, &input),
        meter: Meter::new(plan::weight(steps, 0), progress),
        cancel,
        ran: Vec::new(),
        skipped: BTreeMap::new(),
        findings: Vec::new(),
    };

    walk.leave_out_what_is_gone();
    match walk.through(input, output).await {
        Ok((first, last)) => Ok(walk.report(first.as_ref().unwrap_or(&last), &last, started)),
        // What was found on the way is worth knowing all the more.
        Err(failure) => {
            walk.findings.retain(Finding::is_warning);
            Err(failure.with_warnings(walk.findings))
        }
    }
}

/// What a child is asked for.
struct Ask<'a> {
    segment: &'a Segment,
    to: &'a Path,
    output_as: Output,
}

/// Where the audio is between two segments.
struct Here {
    file: PathBuf,
    /// The child before has read the recording, and its samples wait in that file.
    kept: Option<Box<KeptRecording>>,
    origin: Origin,
    answer: Option<Answer>,
}

/// `file` came from a service; this is what it was sent.
struct Answer {
    step: PreparedStep,
    sent: PathBuf,
    length: Length,
}

pub(super) struct Walk<'a> {
    /// With those that were recommended on the way.
    pub(super) steps: Vec<PreparedStep>,
    wish: Wish,
    recording: PathBuf,
    context: &'a ChainContext<'a>,
    scratch_dir: PathBuf,
    plugin_cache: PathBuf,
    deadline: Deadline,
    meter: Meter<'a>,
    cancel: &'a CancellationToken,
    pub(super) ran: Vec<StepDone>,
    /// Why, by indices of steps.
    pub(super) skipped: BTreeMap<usize, Problem>,
    pub(super) findings: Vec<Finding>,
}

impl Walk<'_> {
    /// All segments, one after the other. Gives what the first child said, where it was not the last
    /// as well, and the last.
    async fn through(
        &mut self,
        input: PathBuf,
        output: PathBuf,
    ) -> Result<(Option<Done>, Done), ChainFailure> {
        let mut at = Here {
            file: input,
            kept: None,
            origin: Origin::Input,
            answer: None,
        };
        let mut first: Option<Done> = None;
        let mut from = 0;
        for place in 0.. {
            let segment = Segment::next(&self.steps, from);
            let next = segment.after();
            let to = match next {
                None => output.clone(),
                Some(_) => self.file(place, "sent"),
            };
            let output_as = match next {
                None => Output::Correction,
                Some(_) if self.is_look(&segment, &at) => Output::Kept,
                Some(_) => Output::Handover,
            };
            let ask = Ask {
                segment: &segment,
                to: &to,
                output_as,
            };
            let mut done = self.child(&mut at, &ask).await?;
            if place == 0 {
                at.origin = Origin::of(&done.source);
                // Those that follow do not see the recording.
                let channels = done.input.measurement.channels;
                let natural = || natural(&done.source, channels);
                self.wish.rendition.get_or_insert_with(natural);
            }
            self.ran.append(&mut done.steps);
            let here = match segment.then {
                Then::External(step) => self.external(place, to, step, &done, at.origin).await?,
                Then::Follow(_) | Then::Shortened | Then::End => {
                    let kept = done.kept.take();
                    let is_there = kept.as_ref().is_some_and(|kept| kept.is_recording());
                    Here {
                        file: if is_there { at.file.clone() } else { to },
                        kept,
                        origin: at.origin,
                        answer: None,
                    }
                }
            };
            // All but the recording is ours, and disk is dear where recordings are long.
            if at.file != self.recording && at.file != here.file {
                self.remove(&at).await;
            }
            at = here;
            if let Then::Follow(step) = segment.then {
                self.follow(step)?;
            }
            match next {
                Some(next) => from = next,
                None => return Ok((first, done)),
            }
            first.get_or_insert(done);
        }
        unreachable!("every segment takes a step at least, and the last one returns")
    }

    /// Whether the segment's steps change nothing of the recording.
    fn is_look(&self, segment: &Segment, at: &Here) -> bool {
        let steps = &self.steps[segment.plugins.clone()];
        matches!(segment.then, Then::Follow(_))
            && at.answer.is_none()
            && steps.iter().all(PreparedStep::only_looks)
    }

    fn file(&self, place: usize, name: &str) -> PathBuf {
        self.scratch_dir.join(format!("{place}-{name}.wav"))
    }

    /// One segment's child, again without each step that fails and may be skipped.
    async fn child(&mut self, at: &mut Here, ask: &Ask<'_>) -> Result<Done, ChainFailure> {
        let weight = ask.segment.weight();
        let done = loop {
            let request = self.request(at, ask);
            let heard = |fraction, step: Option<usize>| {
                let step = step.and_then(|index| self.steps.get(index));
                self.meter
                    .at(weight, fraction, step.map(|step| step.name.as_str()));
            };
            let program = self.context.child;
            let ran = run_child(program, &request, &self.deadline, &heard, self.cancel).await;
            match ran {
                Ok(done) => break done,
                Err(unfinished) => {
                    let came_from = at.answer.as_ref().map(|answer| &answer.step);
                    let blamed = of_child(unfinished, &self.steps, came_from, &self.deadline);
                    let skipped = self.skip(blamed)?;
                    if let Some(answer) = at.answer.take_if(|answer| answer.step.index == skipped) {
                        at.file = answer.sent;
                    }
                }
            }
        };
        self.meter.at(weight, 1.0, None);
        self.meter.passed(weight);
        if let Some(answer) = &at.answer
            && let Some(ran) = self
                .ran
                .iter_mut()
                .find(|ran| ran.index == answer.step.index)
        {
            ran.harmless = done.answer;
        }
        self.findings.extend(done.findings.iter().cloned());
        Ok(done)
    }

    fn request(&self, at: &Here, ask: &Ask<'_>) -> Request {
        let correction = Correction {
            rendition: self.wish.rendition,
            origin: at.origin,
        };
        let steps = self.steps[ask.segment.plugins.clone()]
            .iter()
            .filter(|step| !self.skipped.contains_key(&step.index));
        let steps = steps.filter_map(|step| match &step.kind {
            PreparedKind::Plugin {
                plugin,
                params,
                realtime_factor,
                ..
            } => Some(StepRequest {
                index: step.index,
                name: step.name.clone(),
                digest: plugin.digest.clone(),
                realtime_factor: *realtime_factor,
                params: params.clone(),
                mix: step.mix,
                spare: step.spare.clone(),
                delta: self.delta_file(step),
            }),
            PreparedKind::External(_) | PreparedKind::Gone(_) => None,
        });
        let expect = at.answer.as_ref().map(|answer| Expect {
            step: answer.step.index,
            name: answer.step.name.clone(),
            length: answer.length,
            sent: answer.sent.clone(),
            mix: answer.step.mix,
            delta: self.delta_file(&answer.step),
        });
        let is_last = matches!(ask.output_as, Output::Correction);
        Request {
            parent_pid: rustix::process::getpid().as_raw_pid(),
            input: at.file.clone(),
            track: self.wish.track.filter(|_| at.origin == Origin::Input),
            output: ask.to.to_owned(),
            scratch_dir: self.scratch_dir.clone(),
            plugin_cache: self.plugin_cache.clone(),
            steps: steps.collect(),
            earlier: self.earlier(),
            kept: at.kept.clone(),
            output_as: ask.output_as,
            deltas_as: correction,
            original: is_last.then(|| Original {
                file: self.recording.clone(),
                cuts: self.ran.iter().map(|ran| ran.cuts.clone()).collect(),
            }),
            expect,
            input_peaks: (at.origin == Origin::Input).then(|| self.peaks_file("input")),
            output_peaks: is_last.then(|| self.peaks_file("output")),
            look: None,
            limits: self.context.limits.clone(),
            seed: self.context.seed,
        }
    }

    /// Sends `sent`, a child's output, to the service. What comes back is looked at by the next
    /// child.
    async fn external(
        &mut self,
        place: usize,
        sent: PathBuf,
        step: usize,
        done: &Done,
        origin: Origin,
    ) -> Result<Here, ChainFailure> {
        let step = self.steps[step].clone();
        let PreparedKind::External(service) = &step.kind else {
            unreachable!("the segment says that a service is next");
        };
        let back = self.file(place, "back");
        let started = Instant::now();
        let told = |fraction| self.meter.at(EXTERNAL_WEIGHT, fraction, Some(&step.name));
        told(0.0);
        let answered = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return Err(ChainFailure::Cancelled),
            () = self.deadline.passed() => return Err(deadline_exceeded(&self.deadline, &[&step])),
            answered = service.correct(&sent, &back, &told) => answered,
        };
        self.meter.passed(EXTERNAL_WEIGHT);
        let answer = match answered {
            Err(error) => {
                self.skip(of_external(error, &step))?;
                return Ok(Here {
                    file: sent,
                    kept: None,
                    origin,
                    answer: None,
                });
            }
            Ok(()) => Answer {
                step: step.clone(),
                sent,
                length: Length {
                    sample_rate: done.output.measurement.sample_rate,
                    channels: done.output.measurement.channels,
                    frames: done.output.measurement.frames,
                },
            },
        };
        self.ran.push(StepDone {
            index: step.index,
            latency_frames: 0,
            cpu_ms: started.elapsed().as_millis() as u64,
            report: serde_json::Value::Null,
            cuts: Vec::new(),
            log: Vec::new(),
            harmless: Harmless::default(),
        });
        Ok(Here {
            file: back,
            kept: None,
            origin,
            answer: Some(answer),
        })
    }

    async fn remove(&self, at: &Here) {
        let sent = at.answer.as_ref().map(|answer| &answer.sent);
        for file in sent.into_iter().chain([&at.file]) {
            // What is left is removed with the folder.
            let _ = tokio::fs::remove_file(file).await;
        }
    }

    /// Puts what the analyser recommends in its place.
    fn follow(&mut self, index: usize) -> Result<(), ChainFailure> {
        let done = self.ran.iter().find(|ran| ran.index == index);
        let Some(done) = done else {
            return Ok(()); // It was left out.
        };
        let followed = match follow(&self.steps[index], done, self.steps.len(), self.context) {
            Ok(followed) => followed,
            Err(
                failure @ ChainFailure::Failed {
                    retry: Retry::Never,
                    ..
                },
            ) => {
                let step = Some(index);
                self.skip(Blamed { failure, step })?;
                return Ok(());
            }
            Err(passing) => return Err(passing),
        };
        self.findings.extend(followed.findings);
        let after = index + 1;
        self.steps.splice(after..after, followed.steps);
        // None of those that move has run.
        for (index, step) in self.steps.iter_mut().enumerate() {
            step.index = index;
        }
        self.meter.replan(plan::weight(&self.steps, after));
        Ok(())
    }

    fn leave_out_what_is_gone(&mut self) {
        for step in &self.steps {
            if let PreparedKind::Gone(problem) = &step.kind {
                self.findings.push(skipped(step, problem));
                self.skipped.insert(step.index, (**problem).clone());
            }
        }
    }

    /// Notes that the step to blame is left out, if there is one and its author allows it.
    fn skip(&mut self, blamed: Blamed) -> Result<usize, ChainFailure> {
        let Blamed { failure, step } = blamed;
        let step = step.and_then(|index| self.steps.iter().find(|step| step.index == index));
        match (failure, step) {
            (ChainFailure::Failed { problem, .. }, Some(step))
                if step.on_failure == OnFailure::Skip
                    && !self.skipped.contains_key(&step.index) =>
            {
                self.findings.push(skipped(step, &problem));
                self.skipped.insert(step.index, *problem);
                Ok(step.index)
            }
            (failure, _) => Err(failure),
        }
    }

    /// Of the recording, and of the correction.
    pub(super) fn peaks_file(&self, of: &str) -> PathBuf {
        self.scratch_dir.join(format!("{of}.peaks"))
    }

    /// Where the child writes a step's delta, if one is wanted.
    pub(super) fn delta_file(&self, step: &PreparedStep) -> Option<PathBuf> {
        let name = format!("{}-delta", step.index);
        step.delta.then(|| self.scratch_dir.join(name))
    }
}

fn skipped(step: &PreparedStep, problem: &Problem) -> Finding {
    let why = [("why", problem.detail.as_str().into())];
    Finding::of_step(Code::StepSkipped, step.index, &step.name, why)
}
