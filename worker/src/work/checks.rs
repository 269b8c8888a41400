//! Checks plugins that somebody wants to publish, one at a time, beside the jobs.
//!
//! As with jobs the row is the truth: a worker claims a submission, keeps its lease while the kit runs
//! in child processes, and settles it. One that dies in between loses nothing but time.

use std::{io, path::PathBuf, time::Duration};

use retake_chain::{
    InstalledPlugin,
    problem::{FieldError, Problem, ProblemKind},
};
use retake_jobs::{
    lease::Attempt,
    seams::{BlobError, BlobKey},
    submission::{PluginName, Submission, SubmissionStatus, Verdict},
};
use retake_plugin_check::{CheckReport, CheckTerms, Outcome, check_in_child};
use retake_runner::{chain::Trouble, words::plain};
use tokio::sync::oneshot;

use super::{
    Worker,
    errands::{Doable, NotDone, Why},
    fetch,
};
use crate::config::Config;

/// So much of a check's words stands in the problem; the whole is in the report.
const WORDS_MAX: usize = 500;

impl Doable for Submission {
    const NAME: &'static str = "a plugin's check";

    fn poll_ms(config: &Config) -> u64 {
        config.plugin_poll_ms
    }

    async fn work(&self, worker: &Worker, _: Attempt<Submission>) -> Result<Verdict, NotDone> {
        worker.judge(self).await
    }

    async fn settled(&self, worker: &Worker) {
        let plugin = self.plugin.as_ref();
        tracing::info!(
            submission.id = %self.id,
            plugin.id = plugin.map(|plugin| plugin.id.as_str()),
            plugin.version = plugin.map(|plugin| plugin.version.as_str()),
            plugin.digest = self.digest,
            published = self.status == SubmissionStatus::Published,
            "a plugin's check ended"
        );
        worker.delete(BlobKey::Submission(self.id)).await;
    }

    /// The bytes are the next attempt's.
    async fn dropped(_: &Worker, _: Attempt<Submission>) {}
}

impl From<io::Error> for NotDone {
    fn from(error: io::Error) -> Self {
        let error = format!("a file of ours: {error}");
        Self::new(Why::Trouble(Trouble::Other), error)
    }
}

impl From<BlobError> for NotDone {
    fn from(error: BlobError) -> Self {
        Self::new(Why::OutOfReach, format!("the blob store: {error}"))
    }
}

impl Worker {
    async fn judge(&self, submission: &Submission) -> Result<Verdict, NotDone> {
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
    async fn run_kit(&self, cache: PathBuf, file: PathBuf) -> Result<CheckReport, NotDone> {
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
        let died = |_| {
            NotDone::new(
                Why::Trouble(Trouble::Other),
                "the checking thread ended without a word",
            )
        };
        Ok(told.await.map_err(died)??)
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
