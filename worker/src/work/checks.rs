//! Checks plugins that somebody wants to publish, one at a time, beside the jobs.
//!
//! As with jobs the row is the truth: a worker claims a submission, keeps its lease while the kit runs
//! in child processes, and settles it. One that dies in between loses nothing but time.

use std::{
    convert::Infallible,
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use retake_chain::{
    InstalledPlugin,
    problem::{FieldError, Problem, ProblemKind},
};
use retake_jobs::{
    lease::{Attempt, Blame},
    seams::{BlobError, BlobKey},
    submission::{PluginName, Submission, SubmissionStatus, Verdict},
};
use retake_plugin_check::{CheckReport, CheckTerms, Outcome, check_in_child};
use retake_runner::{chain::Trouble, words::plain};
use tokio::{sync::oneshot, time::sleep};

use super::{
    Worker, fetch,
    leased::{Heard, News, Source, Stop, Taken},
};

/// So much of a check's words stands in the problem; the whole is in the report.
const WORDS_MAX: usize = 500;

/// Why a submission could not be judged here. It is another attempt's turn.
#[derive(Debug, thiserror::Error)]
enum NotJudged {
    #[error("a file of ours: {0}")]
    File(#[from] io::Error),
    #[error("the blob store: {0}")]
    Blobs(#[from] BlobError),
    #[error("the checking thread ended without a word")]
    Thread,
}

/// What waits to be checked. Nobody says when something comes.
pub(super) struct Submissions;

impl Source for Submissions {
    type Hint = ();
    type Error = Infallible;

    async fn hint(&self, _: &Worker) -> Result<(), Infallible> {
        Ok(())
    }

    async fn take(&self, worker: &Worker, (): ()) -> Taken {
        let claiming = worker
            .parts
            .store
            .claim_submission(&worker.name, worker.terms());
        match claiming.await {
            Ok(Some((attempt, submission))) => {
                worker.check(attempt, submission).await;
                Taken::Done
            }
            Ok(None) => Taken::Nothing(Duration::from_millis(worker.config.plugin_poll_ms)),
            Err(error) => {
                tracing::warn!(%error, "no submission can be claimed");
                Taken::OutOfReach
            }
        }
    }
}

impl Worker {
    async fn check(&self, attempt: Attempt<Submission>, submission: Submission) {
        let id = submission.id;
        tracing::info!(submission.id = %id, attempt = attempt.attempt, "a plugin's check begins");
        let judging = std::pin::pin!(self.judge(&submission));
        let started = Instant::now();
        // Without grace: another worker begins anew.
        let judged = self.while_ours(attempt, News::default(), Duration::ZERO, judging);
        match judged.await {
            Ok(Ok(verdict)) => self.settle_check(attempt, verdict).await,
            Ok(Err(error)) => {
                let blame = match error {
                    NotJudged::Blobs(_) => Blame::Nobody,
                    NotJudged::File(_) | NotJudged::Thread => {
                        self.whose(Trouble::Other, started).await
                    }
                };
                tracing::error!(submission.id = %id, %error, ?blame, "a plugin could not be checked");
                self.release_check(attempt, blame).await;
                // Not at once again by us: others may be luckier.
                sleep(Duration::from_millis(self.config.retry_ms)).await;
            }
            Err(Stop::LeaseLost | Stop::CancelRequested) => {
                tracing::warn!(submission.id = %id, "the check is another's by now");
            }
            Err(Stop::Shutdown) => {
                self.release_check(attempt, Blame::Worker).await;
            }
        }
    }

    async fn judge(&self, submission: &Submission) -> Result<Verdict, NotJudged> {
        let scratch = self.scratch.attempt()?;
        let file = scratch.path().join("plugin.wasm");
        let blobs = &*self.parts.blobs;
        let key = BlobKey::Submission(submission.id);
        match fetch::fetch_plugin(blobs, key, &file).await? {
            Ok(digest) if digest == submission.digest => {}
            Ok(_) | Err(BlobError::NotFound) => {
                let detail = "what was stored of the plugin is not what was sent; send it again";
                return Ok(refused(Problem::new(ProblemKind::Internal, detail)));
            }
            Err(error) => return Err(error.into()),
        }
        // A cache of its own: what is refused leaves nothing behind.
        let report = self
            .run_kit(scratch.path().join("cache"), file.clone())
            .await?;
        let check = serde_json::to_value(&report).map_err(io::Error::from)?;
        let passed = report.passed();
        let problem = problem(&report);
        let Some(manifest) = report.manifest else {
            return Ok(Verdict::Refused {
                problem,
                plugin: None,
                check: Some(check),
            });
        };
        if !passed {
            let plugin = PluginName {
                id: manifest.id,
                version: manifest.version,
            };
            return Ok(Verdict::Refused {
                problem,
                plugin: Some(plugin),
                check: Some(check),
            });
        }
        let digest = submission.digest.parse().map_err(io::Error::other)?;
        let key = BlobKey::Plugin { digest };
        fetch::store_plugin(blobs, key, &file, submission.size_bytes).await??;
        let plugin = InstalledPlugin {
            manifest: manifest.into(),
            digest: submission.digest.clone(),
            realtime_factor: report.cost.map(|cost| cost.realtime_factor),
        };
        Ok(Verdict::Passed { plugin, check })
    }

    /// On a thread of its own, which the program's end does not wait for; the kit's children end with
    /// it.
    async fn run_kit(&self, cache: PathBuf, file: PathBuf) -> Result<CheckReport, NotJudged> {
        let checker = self.parts.checker.clone();
        let deadline = Duration::from_millis(self.config.plugin_check_ms_max);
        let default = CheckTerms::default();
        let terms = CheckTerms {
            deadline,
            check_deadline: default.check_deadline.min(deadline),
            memory_bytes_max: self.config.plugin_check_memory_bytes_max,
            ..default
        };
        let (tell, told) = oneshot::channel();
        std::thread::Builder::new()
            .name("check".to_owned())
            .spawn(move || {
                // Nobody waits any more where the lease was lost.
                let _ = tell.send(check_in_child(&checker, &cache, &file, &terms));
            })?;
        Ok(told.await.map_err(|_| NotJudged::Thread)??)
    }

    /// For others, at once.
    async fn release_check(&self, attempt: Attempt<Submission>, blame: Blame) {
        let store = &self.parts.store;
        let detail = format!(
            "the plugin's check was begun {} times and came to no verdict",
            attempt.attempt
        );
        let reason = Problem::new(ProblemKind::TooManyAttempts, detail);
        let release = || store.release_submission(attempt, self.terms(), blame, reason.clone());
        match self.until_heard(attempt.id, release).await {
            Heard::Ended(submission) => tracing::info!(
                submission.id = %submission.id,
                status = submission.status.name(),
                "a plugin's check was given back"
            ),
            Heard::LeaseLost { .. } => {
                tracing::warn!(submission.id = %attempt.id, "the check is another's by now");
            }
            Heard::Never => {}
        }
    }

    /// Tells the store until it has heard.
    async fn settle_check(&self, attempt: Attempt<Submission>, verdict: Verdict) {
        let store = &self.parts.store;
        let settle = || store.settle(attempt, verdict.clone());
        let submission = match self.until_heard(attempt.id, settle).await {
            Heard::Ended(submission) => submission,
            Heard::LeaseLost { .. } => {
                tracing::warn!(submission.id = %attempt.id, "the check was another's by then");
                return;
            }
            Heard::Never => return,
        };
        let plugin = submission.plugin.as_ref();
        tracing::info!(
            submission.id = %submission.id,
            plugin.id = plugin.map(|plugin| plugin.id.as_str()),
            plugin.version = plugin.map(|plugin| plugin.version.as_str()),
            plugin.digest = submission.digest,
            published = submission.status == SubmissionStatus::Published,
            "a plugin's check ended"
        );
        let key = BlobKey::Submission(submission.id);
        if let Err(error) = self.parts.blobs.delete(key).await {
            tracing::warn!(%error, "a checked plugin's bytes are left to the sweep");
        }
    }
}

fn refused(problem: Problem) -> Verdict {
    Verdict::Refused {
        problem,
        plugin: None,
        check: None,
    }
}

/// What did not hold, each with a pointer into the submission's JSON.
fn problem(report: &CheckReport) -> Problem {
    let failed = report.checks.iter().enumerate();
    let failed = failed.filter(|(_, check)| check.outcome == Outcome::Failed);
    let errors: Vec<_> = failed
        .map(|(place, check)| FieldError {
            detail: plain(
                &format!("the check \"{}\" failed: {}", check.id, check.detail),
                WORDS_MAX,
            ),
            pointer: format!("/check/checks/{place}"),
        })
        .collect();
    let detail = match &errors[..] {
        [] => "the plugin could not be installed".to_owned(),
        [one] => one.detail.clone(),
        [first, ..] => format!("{} checks failed; {}", errors.len(), first.detail),
    };
    Problem::new(ProblemKind::PluginRefused, detail).with_errors(errors)
}
