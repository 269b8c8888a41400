//! One attempt at one job, from the claim to the acknowledgement.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use retake_chain::{
    Rendition, Vocabulary,
    problem::{Problem, ProblemKind},
    report::Report,
};
use retake_findings::Finding;
use retake_jobs::{
    backoff,
    correction::Correction,
    derivative::{Byproduct, Kind, PeaksForm, Side},
    job::{Job, Outcome},
    lease::{Attempt, Blame},
    plugin::vocabulary,
    recording::Recording,
    seams::{BlobKey, Delivery, Progress},
    trace::TraceContext,
};
use retake_runner::{
    chain::{
        ChainContext, ChainFailure, Retry, Trouble, Wish, not_found, prepare, run_chain, seed,
    },
    external::External,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    Worker, fetch,
    leased::{News, Stop, Taken, out_of_reach},
    passed,
};

/// A child that was told to stop is waited for this long.
const STOPPING: Duration = Duration::from_secs(5);

/// How the work came out.
enum Worked {
    Done(Made),
    Failed(ChainFailure),
    Stopped(Stop),
}

/// What it came to, all stored.
struct Made {
    correction: Box<Correction>,
    byproducts: Vec<Byproduct>,
    warnings: Vec<Finding>,
}

impl Worker {
    pub(super) async fn attempt(
        &self,
        attempt: Attempt<Job>,
        job: Job,
        recording: Recording,
        delivery: Delivery,
    ) {
        // What this attempt asks of others comes from it.
        let trace = job.traceparent.map(TraceContext::onward);
        let span = tracing::info_span!(
            "job",
            job.id = %job.id,
            job.attempt = attempt.attempt,
            request.id = job.request_id.as_deref().unwrap_or_default(),
            trace.id = trace.map(TraceContext::trace_id),
            trace.span = trace.map(TraceContext::span_id),
        );
        async {
            let started = Instant::now();
            tracing::info!("a job begins");
            let worked = self
                .work_while_ours(attempt, &job, &recording, &delivery, (started, trace))
                .await;
            let ended = self.conclude(attempt, &job, worked, started).await;
            let elapsed_ms = started.elapsed().as_millis() as u64;
            tracing::info!(elapsed_ms, ended, "an attempt ended");
            // Whatever became of it stands in the store. A message that comes again does no harm.
            passed(self.parts.queue.ack(delivery).await, Taken::Done);
        }
        .instrument(span)
        .await;
    }

    async fn work_while_ours(
        &self,
        attempt: Attempt<Job>,
        job: &Job,
        recording: &Recording,
        delivery: &Delivery,
        began: (Instant, Option<TraceContext>),
    ) -> Worked {
        let (progress, heard) = watch::channel(Progress::default());
        let cancel = CancellationToken::new();
        let mut work =
            std::pin::pin!(self.work(attempt, job, recording, began, &progress, &cancel));
        let news = News {
            progress: Some(heard),
            delivery: Some(delivery),
        };
        let grace = Duration::from_millis(self.config.grace_ms);
        let worked = self.while_ours(attempt, news, grace, work.as_mut()).await;
        match worked {
            Ok(Ok(made)) => Worked::Done(made),
            Ok(Err(failure)) => Worked::Failed(failure),
            Err(stop) => {
                cancel.cancel();
                // Dropping it ends the child too; waiting lets it clean up.
                if let Ok(Ok(made)) = tokio::time::timeout(STOPPING, work).await {
                    self.delete_byproducts(&made.byproducts).await;
                }
                Worked::Stopped(stop)
            }
        }
    }

    /// From the recording's blob to the correction's.
    async fn work(
        &self,
        attempt: Attempt<Job>,
        job: &Job,
        recording: &Recording,
        (started, trace): (Instant, Option<TraceContext>),
        progress: &watch::Sender<Progress>,
        cancel: &CancellationToken,
    ) -> Result<Made, ChainFailure> {
        let plugins = self.parts.store.plugins().await.map_err(|error| {
            out_of_reach(job.id, &error);
            let told = "the list of plugins is out of reach";
            ChainFailure::lacking(Problem::new(ProblemKind::Unavailable, told))
        })?;
        let steps_max = self.config.chain_steps_max;
        let within = |external: &External| external.within(trace.map(|trace| trace.to_string()));
        let externals: Vec<_> = self.parts.externals.iter().map(within).collect();
        // Nearly every job names its plugins itself: then nobody asks what there is besides.
        let asks = job.chain.steps.iter().any(|step| step.follow)
            || job.pins.len() != job.chain.steps.len();
        let vocabulary = if asks {
            let names = externals.iter().map(|external| external.name().to_owned());
            vocabulary(&plugins, Some(job.created_at), names.collect(), steps_max)
        } else {
            Vocabulary::default()
        };
        let pins = match job.pins.as_slice() {
            [] => job
                .chain
                .pin(&vocabulary)
                .map_err(|error| not_found(&error))?,
            pins => pins.to_vec(),
        };
        let all: Vec<_> = plugins.into_iter().map(|version| version.plugin).collect();
        cancel
            .run_until_cancelled(self.bring_in(&job.chain, &pins, &all, &vocabulary))
            .await
            .unwrap_or(Err(ChainFailure::Cancelled))?;
        let steps = prepare(&job.chain, &pins, &all, &self.cache, &externals)?;
        let scratch = self.scratch.attempt().map_err(ChainFailure::disk)?;
        let input = scratch.path().join("recording");
        let output = scratch.path().join("correction");
        let blobs = &*self.parts.blobs;
        let fetching = fetch::fetch(
            blobs,
            BlobKey::Recording(recording.id),
            recording.size_bytes,
            &input,
        );
        cancel
            .run_until_cancelled(fetching)
            .await
            .unwrap_or(Err(ChainFailure::Cancelled))?;

        let context = self.context(scratch.path(), recording, &vocabulary);
        let tell = |at: retake_runner::chain::Progress| {
            progress.send_replace(Progress {
                fraction: at.fraction,
                step: at.step,
            });
        };
        let wish = Wish {
            rendition: job.format.map(Rendition::from),
            track: job.track,
        };
        let ran = run_chain(&input, &output, &steps, wish, &context, &tell, cancel).await;
        if !input.exists() {
            self.scratch.something_is_gone();
        }
        let ran = ran?;
        let key = BlobKey::Correction {
            job: job.id,
            attempt: attempt.attempt,
        };
        let limit = self.config.limits.correction_bytes_max;
        let storing = fetch::store(blobs, key, &output, limit);
        let stored = cancel
            .run_until_cancelled(storing)
            .await
            .unwrap_or(Err(ChainFailure::Cancelled));
        let stored = match stored {
            Ok(stored) => stored,
            Err(failure) => {
                self.delete(key).await;
                return Err(failure);
            }
        };
        for delta in &ran.deltas {
            let key = BlobKey::Delta {
                job: job.id,
                attempt: attempt.attempt,
                step: delta.step,
            };
            let storing = fetch::store(blobs, key, &delta.path, limit);
            let stored = cancel
                .run_until_cancelled(storing)
                .await
                .unwrap_or(Err(ChainFailure::Cancelled));
            if let Err(failure) = stored {
                self.delete_all(attempt, &ran.report, &[]).await;
                return Err(failure);
            }
        }
        // The child has drawn what it read and what it wrote.
        let peaks = |side| Kind::Peaks(side, PeaksForm::Pyramid);
        let drawn = [
            (peaks(Side::Original), ran.input_pyramid.clone()),
            (peaks(Side::Corrected), ran.pyramid.clone()),
        ];
        let storing = self.store_besides(PeaksForm::Pyramid.content_type(), &drawn);
        let drawn = cancel
            .run_until_cancelled(storing)
            .await
            .unwrap_or(Err(ChainFailure::Cancelled));
        let byproducts = match drawn {
            Ok(byproducts) => byproducts,
            Err(failure) => {
                self.delete_all(attempt, &ran.report, &[]).await;
                return Err(failure);
            }
        };
        let warnings = ran.warnings();
        let mut report = ran.report;
        report.elapsed_ms = started.elapsed().as_millis() as u64;
        let correction = Correction {
            attempt: attempt.attempt,
            content_type: ran.format.content_type().to_owned(),
            size_bytes: stored.size_bytes,
            sha256: stored.sha256,
            report,
        };
        Ok(Made {
            correction: Box::new(correction),
            byproducts,
            warnings,
        })
    }

    /// What a child is run with, for a job and for what is made of one.
    pub(super) fn context<'a>(
        &'a self,
        scratch: &'a Path,
        recording: &Recording,
        vocabulary: &'a Vocabulary,
    ) -> ChainContext<'a> {
        ChainContext {
            child: &self.parts.child,
            plugin_cache: &self.parts.plugin_cache,
            scratch_dir: scratch,
            limits: &self.config.limits,
            deadline: (&self.config).into(),
            seed: seed(&recording.sha256),
            vocabulary,
        }
    }

    /// Trouble that is still there when it is looked for has nothing to do with the job; nor has a
    /// full disk, of which there may be more once the attempt's files are gone, nor what only this
    /// worker lacks, nor files that somebody took away meanwhile.
    pub(super) async fn whose(&self, trouble: Trouble, started: Instant) -> Blame {
        let ailment = self.look().await;
        let gone = self.scratch.was_gone_since(started);
        match trouble {
            Trouble::Killed if ailment.is_none() => Blame::Nobody,
            Trouble::Other if ailment.is_none() && !gone => Blame::Job,
            Trouble::Other | Trouble::NoRoom | Trouble::Lacking | Trouble::Killed => Blame::Worker,
        }
    }

    /// Before another try.
    fn pause(&self, attempt: Attempt<Job>) -> Duration {
        let first = Duration::from_millis(self.config.retry_ms);
        let longest = Duration::from_millis(self.config.retry_ms_max);
        backoff::nth(first, longest, attempt.attempt.saturating_sub(1))
    }

    /// Writes down what became of the attempt; the answer is for the log.
    async fn conclude(
        &self,
        attempt: Attempt<Job>,
        job: &Job,
        worked: Worked,
        started: Instant,
    ) -> &'static str {
        let blame = match &worked {
            Worked::Failed(ChainFailure::Failed {
                retry: Retry::Ours(trouble),
                ..
            }) => self.whose(*trouble, started).await,
            _ => Blame::Job,
        };
        match worked {
            Worked::Done(made) => {
                let outcome = Outcome::Completed {
                    correction: made.correction,
                    byproducts: made.byproducts,
                    warnings: made.warnings,
                };
                self.settle(attempt, outcome).await
            }
            Worked::Failed(ChainFailure::Failed {
                problem,
                retry: Retry::Never,
                warnings,
            }) => {
                let outcome = Outcome::Failed {
                    problem: *problem,
                    warnings,
                };
                self.settle(attempt, outcome).await
            }
            Worked::Failed(ChainFailure::Failed {
                problem, warnings, ..
            }) if blame == Blame::Job && job.tried() >= self.config.attempts_max => {
                // Nobody tries again: what was found on the way goes into the job.
                let outcome = Outcome::Failed {
                    problem: *problem,
                    warnings,
                };
                self.settle(attempt, outcome).await
            }
            Worked::Failed(ChainFailure::Failed { problem, retry, .. }) => {
                let pause = match retry {
                    // Another worker may have it at once.
                    Retry::Ours(_) if self.parts.health.ailment().is_some() => Duration::ZERO,
                    Retry::After(Some(asked)) => self.pause(attempt).max(asked),
                    _ => self.pause(attempt),
                };
                self.release(attempt, job, pause, blame, *problem).await
            }
            Worked::Failed(ChainFailure::Cancelled) | Worked::Stopped(Stop::Shutdown) => {
                let told = "the worker was stopped before the job was done";
                let problem = Problem::new(ProblemKind::Unavailable, told);
                self.release(attempt, job, Duration::ZERO, Blame::Worker, problem)
                    .await
            }
            Worked::Stopped(Stop::CancelRequested) => {
                self.settle(attempt, Outcome::Cancelled).await
            }
            Worked::Stopped(Stop::LeaseLost) => {
                self.delete(BlobKey::Correction {
                    job: job.id,
                    attempt: attempt.attempt,
                })
                .await;
                for (step, _) in (0..).zip(&job.chain.steps).filter(|(_, step)| step.delta) {
                    let (job, attempt) = (job.id, attempt.attempt);
                    self.delete(BlobKey::Delta { job, attempt, step }).await;
                }
                "the lease was lost"
            }
        }
    }

    /// All that an attempt stored and that nobody will ever point to.
    pub(super) async fn delete_all(
        &self,
        attempt: Attempt<Job>,
        report: &Report,
        byproducts: &[Byproduct],
    ) {
        let Attempt { id: job, attempt } = attempt;
        self.delete(BlobKey::Correction { job, attempt }).await;
        for (step, _) in (0..).zip(&report.steps).filter(|(_, step)| step.delta) {
            self.delete(BlobKey::Delta { job, attempt, step }).await;
        }
        self.delete_byproducts(byproducts).await;
    }

    /// A blob that nobody will ever point to.
    pub(super) async fn delete(&self, key: BlobKey) {
        if let Err(error) = self.parts.blobs.delete(key).await {
            tracing::warn!(%error, %key, "a blob that was not published stays behind");
        }
    }
}
