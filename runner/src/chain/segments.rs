//! The walk through a chain's segments, skipping what may be skipped.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use retake_chain::{
    OnFailure,
    format::Format,
    problem::Problem,
    report::{Measurement, Peaks, Report, StepReport},
};
use tokio_util::sync::CancellationToken;

use super::{
    ChainContext, ChainFailure, ChainReport, Delta, PreparedKind, PreparedStep, Progress, Retry,
    failure::{Blamed, deadline_exceeded, of_child, of_external},
    follow::follow,
    harm,
    plan::{self, EXTERNAL_WEIGHT, Segment, Then},
    progress::Meter,
};
use crate::{
    child::{
        Correction, Done, Expect, Harmless, Length, Origin, Output, Request, StepDone, StepRequest,
        run_child,
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
    format: Format,
    context: &ChainContext<'_>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<ChainReport, ChainFailure> {
    let started = Instant::now();
    let absolute = |path| std::path::absolute(path).map_err(ChainFailure::ours);
    let (input, output) = (absolute(input)?, absolute(output)?);
    let mut walk = Walk {
        steps: steps.to_vec(),
        context,
        scratch_dir: absolute(context.scratch_dir)?,
        plugin_cache: absolute(context.plugin_cache)?,
        deadline: Deadline::new(context.deadline, context.limits, &input),
        meter: Meter::new(plan::weight(steps, 0), progress),
        cancel,
        ran: Vec::new(),
        skipped: BTreeMap::new(),
        warnings: Vec::new(),
    };

    match walk.through(input, output, format).await {
        Ok((first, last)) => Ok(walk.report(first.as_ref().unwrap_or(&last), &last, started)),
        // What was found on the way is worth knowing all the more.
        Err(failure) => Err(failure.with_warnings(walk.warnings)),
    }
}

/// What a child is asked for.
struct Ask<'a> {
    segment: &'a Segment,
    to: &'a Path,
    /// What was asked for, in the end.
    format: Format,
    is_last: bool,
}

/// Where the audio is between two segments.
struct Here {
    file: PathBuf,
    origin: Origin,
    answer: Option<Answer>,
}

/// `file` came from a service; this is what it was sent.
struct Answer {
    step: PreparedStep,
    sent: PathBuf,
    length: Length,
}

struct Walk<'a> {
    /// With those that were recommended on the way.
    steps: Vec<PreparedStep>,
    context: &'a ChainContext<'a>,
    scratch_dir: PathBuf,
    plugin_cache: PathBuf,
    deadline: Deadline,
    meter: Meter<'a>,
    cancel: &'a CancellationToken,
    ran: Vec<StepDone>,
    /// Why, by indices of steps.
    skipped: BTreeMap<usize, Problem>,
    warnings: Vec<String>,
}

impl Walk<'_> {
    /// All segments, one after the other. Gives what the first child said, where it was not the last
    /// as well, and the last.
    async fn through(
        &mut self,
        input: PathBuf,
        output: PathBuf,
        format: Format,
    ) -> Result<(Option<Done>, Done), ChainFailure> {
        let mut at = Here {
            file: input,
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
            let ask = Ask {
                segment: &segment,
                to: &to,
                format,
                is_last: next.is_none(),
            };
            let mut done = self.child(&mut at, &ask).await?;
            if place == 0 {
                at.origin = Origin::of(&done.source);
            } else {
                // All of it is ours, and disk is dear where recordings are long.
                self.remove(&at).await;
            }
            self.ran.append(&mut done.steps);
            at = match segment.then {
                Then::External(step) => self.external(place, to, step, &done, at.origin).await?,
                Then::Follow(_) | Then::Shortened | Then::End => Here {
                    file: to,
                    origin: at.origin,
                    answer: None,
                },
            };
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
        self.warnings.extend(
            done.warnings
                .iter()
                .map(|warning| crate::words::plain(warning, 500)),
        );
        Ok(done)
    }

    fn request(&self, at: &Here, ask: &Ask<'_>) -> Request {
        let correction = Correction {
            format: ask.format,
            origin: at.origin,
        };
        let steps = self.steps[ask.segment.plugins.clone()]
            .iter()
            .filter(|step| !self.skipped.contains_key(&step.index));
        let steps = steps.filter_map(|step| match &step.kind {
            PreparedKind::Plugin { plugin, params, .. } => Some(StepRequest {
                index: step.index,
                name: step.name.clone(),
                digest: plugin.digest.clone(),
                params: params.clone(),
                mix: step.mix,
                delta: self.delta_file(step),
            }),
            PreparedKind::External(_) => None,
        });
        let expect = at.answer.as_ref().map(|answer| Expect {
            step: answer.step.index,
            name: answer.step.name.clone(),
            length: answer.length,
            sent: answer.sent.clone(),
            mix: answer.step.mix,
            delta: self.delta_file(&answer.step),
        });
        Request {
            parent_pid: rustix::process::getpid().as_raw_pid(),
            input: at.file.clone(),
            output: ask.to.to_owned(),
            scratch_dir: self.scratch_dir.clone(),
            plugin_cache: self.plugin_cache.clone(),
            steps: steps.collect(),
            output_as: if ask.is_last {
                Output::Correction(correction)
            } else {
                Output::Handover
            },
            deltas_as: correction,
            expect,
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
                    origin,
                    answer: None,
                });
            }
            Ok(()) => Answer {
                step: step.clone(),
                sent,
                length: Length {
                    sample_rate: done.output.sample_rate,
                    channels: done.output.channels,
                    frames: done.output.frames,
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
        self.warnings.extend(followed.warnings);
        let after = index + 1;
        self.steps.splice(after..after, followed.steps);
        // None of those that move has run.
        for (index, step) in self.steps.iter_mut().enumerate() {
            step.index = index;
        }
        self.meter.replan(plan::weight(&self.steps, after));
        Ok(())
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
                self.warnings
                    .push(format!("{} was left out: {}", step.name, problem.detail));
                self.skipped.insert(step.index, *problem);
                Ok(step.index)
            }
            (failure, _) => Err(failure),
        }
    }
}

impl Walk<'_> {
    /// `first` and `last` are what the children at both ends of the chain said.
    fn report(mut self, first: &Done, last: &Done, started: Instant) -> ChainReport {
        let promised = self.ran.iter().map(|ran| ran.harmless);
        let promised_db = promised
            .filter(|harmless| harmless.promised)
            .filter_map(|harmless| harmless.level_change_db)
            .sum();
        let found = harm::warnings(&first.input, &last.output, promised_db);
        self.warnings.extend(found);
        let report = Report {
            source: format!("{}, {}", first.source.container, first.source.codec),
            input: measurement(&first.input),
            output: measurement(&last.output),
            steps: self
                .steps
                .iter()
                .map(|step| self.step_report(step))
                .collect(),
            elapsed_ms: started.elapsed().as_millis() as u64,
        };
        let deltas = self.steps.iter().zip(&report.steps).enumerate();
        let deltas = deltas.filter(|(_, (_, report))| report.delta);
        let deltas = deltas.filter_map(|(place, (step, _))| {
            Some(Delta {
                step: place as u32,
                path: self.delta_file(step)?,
            })
        });
        ChainReport {
            deltas: deltas.collect(),
            report,
            input_peaks: peaks(&first.input_peaks),
            peaks: peaks(&last.output_peaks),
            warnings: self.warnings,
        }
    }

    /// Where the child writes a step's delta, if one is wanted.
    fn delta_file(&self, step: &PreparedStep) -> Option<PathBuf> {
        let name = format!("{}-delta", step.index);
        step.delta.then(|| self.scratch_dir.join(name))
    }

    /// In the chain's order. A step that was skipped is there too.
    fn step_report(&self, step: &PreparedStep) -> StepReport {
        let skipped = self.skipped.get(&step.index);
        let ran = match skipped {
            Some(_) => None,
            None => self.ran.iter().find(|ran| ran.index == step.index),
        };
        let log = match skipped {
            Some(problem) => problem.log.clone(),
            None => ran.map_or_else(Vec::new, |ran| ran.log.clone()),
        };
        StepReport {
            step: step.name.clone(),
            plugin: match &step.kind {
                PreparedKind::Plugin { plugin, .. } => Some(plugin.clone()),
                PreparedKind::External(_) => None,
            },
            skipped: skipped.is_some(),
            recommended: step.recommended,
            params: match &step.kind {
                PreparedKind::Plugin { params, .. } => params.clone(),
                PreparedKind::External(_) => serde_json::Map::new(),
            },
            error: skipped.map(|problem| problem.clone().with_log(Vec::new())),
            level_change_db: ran.and_then(|ran| ran.harmless.level_change_db),
            delta: ran.is_some_and(|ran| ran.harmless.delta),
            latency_frames: ran.map_or(0, |ran| ran.latency_frames),
            cpu_ms: ran.map_or(0, |ran| ran.cpu_ms),
            measurements: ran.map_or(serde_json::Value::Null, |ran| ran.report.clone()),
            cuts: ran.map_or_else(Vec::new, |ran| ran.cuts.clone()),
            log,
        }
    }
}

fn measurement(measured: &retake_audio::Measurement) -> Measurement {
    let seconds = measured.frames as f64 / f64::from(measured.sample_rate.max(1));
    Measurement {
        sample_rate: measured.sample_rate,
        channels: measured.channels,
        frames: measured.frames,
        duration_ms: (seconds * 1_000.0).round() as u64,
        integrated_lufs: measured.integrated_lufs,
        loudness_range_lu: measured.loudness_range_lu,
        true_peak_dbtp: measured.true_peak_dbtp,
        sample_peak_dbfs: measured.sample_peak_dbfs,
    }
}

fn peaks(peaks: &retake_audio::Peaks) -> Peaks {
    Peaks {
        frames_per_point: peaks.frames_per_point,
        min: peaks.min.clone(),
        max: peaks.max.clone(),
    }
}
