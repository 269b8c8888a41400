//! The walk through a chain's segments, skipping what may be skipped.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use retake_jobs::{
    chain::OnFailure,
    format::Format,
    report::{Measurement, Peaks, Report, StepReport},
};
use tokio_util::sync::CancellationToken;

use super::{
    ChainContext, ChainFailure, ChainReport, PreparedKind, PreparedStep, Progress, Retry,
    failure::{Blamed, deadline_exceeded, of_child, of_external},
    follow::follow,
    plan::{self, EXTERNAL_WEIGHT, Segment, Then},
    progress::Meter,
};
use crate::{
    child::{Done, Dry, Expect, Length, Origin, Output, Request, StepDone, StepRequest, run_child},
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
        skipped: Vec::new(),
        warnings: Vec::new(),
    };

    let mut at = Here {
        file: input,
        origin: Origin::Input,
        answer: None,
    };
    let mut first: Option<Done> = None;
    let mut from = 0;
    for place in 0.. {
        let segment = Segment::next(&walk.steps, from);
        let next = segment.after();
        let to = match next {
            None => output.clone(),
            Some(_) => walk.file(place, "sent"),
        };
        let format = next.is_none().then_some(format);
        let mut done = walk.child(&mut at, &segment, &to, format).await?;
        if place == 0 {
            at.origin = Origin::of(&done.source);
        } else {
            // All of it is ours, and disk is dear where recordings are long.
            walk.remove(&at).await;
        }
        walk.ran.append(&mut done.steps);
        at = match segment.then {
            Then::External(step) => walk.external(place, to, step, &done, at.origin).await?,
            Then::Follow(_) | Then::Shortened | Then::End => Here {
                file: to,
                origin: at.origin,
                answer: None,
            },
        };
        if let Then::Follow(step) = segment.then {
            walk.follow(step)?;
        }
        match next {
            Some(next) => from = next,
            None => return Ok(walk.report(first.as_ref().unwrap_or(&done), &done, started)),
        }
        first.get_or_insert(done);
    }
    unreachable!("every segment takes a step at least, and the last one returns")
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
    /// Indices of steps.
    skipped: Vec<usize>,
    warnings: Vec<String>,
}

impl Walk<'_> {
    fn file(&self, place: usize, name: &str) -> PathBuf {
        self.scratch_dir.join(format!("{place}-{name}.wav"))
    }

    /// One segment's child, again without each step that fails and may be skipped.
    async fn child(
        &mut self,
        at: &mut Here,
        segment: &Segment,
        to: &Path,
        last: Option<Format>,
    ) -> Result<Done, ChainFailure> {
        let weight = segment.weight();
        let done = loop {
            let request = self.request(at, segment, to, last);
            let heard = |fraction, step: Option<usize>| {
                let step = step.and_then(|index| self.steps.get(index));
                self.meter
                    .at(weight, fraction, step.map(|step| step.name.as_str()));
            };
            let program = self.context.child;
            let ran = run_child(program, &request, &self.deadline, &heard, self.cancel).await;
            match ran {
                Ok(done) => break done,
                Err(ended) => {
                    let came_from = at.answer.as_ref().map(|answer| &answer.step);
                    let blamed = of_child(ended, &self.steps, came_from, &self.deadline);
                    let skipped = self.skip(blamed)?;
                    if let Some(answer) = at.answer.take_if(|answer| answer.step.index == skipped) {
                        at.file = answer.sent;
                    }
                }
            }
        };
        self.meter.at(weight, 1.0, None);
        self.meter.passed(weight);
        self.warnings.extend(
            done.warnings
                .iter()
                .map(|warning| crate::words::plain(warning, 500)),
        );
        Ok(done)
    }

    fn request(&self, at: &Here, segment: &Segment, to: &Path, last: Option<Format>) -> Request {
        let steps = self.steps[segment.plugins.clone()]
            .iter()
            .filter(|step| !self.skipped.contains(&step.index));
        let steps = steps.filter_map(|step| match &step.kind {
            PreparedKind::Plugin { plugin, params, .. } => Some(StepRequest {
                index: step.index,
                name: step.name.clone(),
                digest: plugin.digest.clone(),
                params: params.clone(),
                mix: step.mix,
            }),
            PreparedKind::External(_) => None,
        });
        let expect = at.answer.as_ref().map(|answer| Expect {
            length: answer.length,
            dry: (answer.step.mix < 1.0).then(|| Dry {
                path: answer.sent.clone(),
                mix: answer.step.mix,
            }),
        });
        Request {
            parent_pid: rustix::process::getpid().as_raw_pid(),
            input: at.file.clone(),
            output: to.to_owned(),
            scratch_dir: self.scratch_dir.clone(),
            plugin_cache: self.plugin_cache.clone(),
            steps: steps.collect(),
            output_as: match last {
                None => Output::Handover,
                Some(format) => Output::Correction {
                    format,
                    origin: at.origin,
                },
            },
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
                if step.on_failure == OnFailure::Skip && !self.skipped.contains(&step.index) =>
            {
                self.warnings
                    .push(format!("{} was left out: {}", step.name, problem.detail));
                self.skipped.push(step.index);
                Ok(step.index)
            }
            (failure, _) => Err(failure),
        }
    }
}

impl Walk<'_> {
    /// `first` read the recording, `last` wrote the correction.
    fn report(self, first: &Done, last: &Done, started: Instant) -> ChainReport {
        let report = Report {
            source: format!("{}, {}", first.source.container, first.source.codec),
            input: measurement(&first.input),
            output: measurement(&last.output),
            steps: self.step_reports(),
            elapsed_ms: started.elapsed().as_millis() as u64,
        };
        ChainReport {
            report,
            input_peaks: peaks(&first.input_peaks),
            peaks: peaks(&last.output_peaks),
            warnings: self.warnings,
        }
    }

    /// In the order in which they ran. A step that was skipped is there too.
    fn step_reports(&self) -> Vec<StepReport> {
        let report = |step: &PreparedStep| {
            let skipped = self.skipped.contains(&step.index);
            let ran = self
                .ran
                .iter()
                .find(|ran| ran.index == step.index && !skipped);
            StepReport {
                step: step.name.clone(),
                plugin: match &step.kind {
                    PreparedKind::Plugin { plugin, .. } => Some(plugin.clone()),
                    PreparedKind::External(_) => None,
                },
                skipped,
                recommended: step.recommended,
                params: match &step.kind {
                    PreparedKind::Plugin { params, .. } => params.clone(),
                    PreparedKind::External(_) => serde_json::Map::new(),
                },
                latency_frames: ran.map_or(0, |ran| ran.latency_frames),
                cpu_ms: ran.map_or(0, |ran| ran.cpu_ms),
                measurements: ran.map_or(serde_json::Value::Null, |ran| ran.report.clone()),
                cuts: ran.map_or_else(Vec::new, |ran| ran.cuts.clone()),
                log: ran.map_or_else(Vec::new, |ran| ran.log.clone()),
            }
        };
        self.steps.iter().map(report).collect()
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
