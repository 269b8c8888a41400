//! Plugins that are submitted are checked and published or refused, and a worker runs what was
//! published after it started.

use retake_chain::{
    InstalledPlugin, Pins,
    problem::{Problem, ProblemKind},
    report::PluginRef,
};
use retake_child::ChildProgram;
use retake_jobs::{
    id::SubmissionId,
    job::Status,
    seams::{BlobKey, Blobs, Catalogue, Removal, Submissions},
    submission::{Submission, SubmissionStatus},
};
use retake_plugin_host::Cache;
use retake_worker::Config;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::house::{Fault, House};
use crate::support::{built, eventually, false_child, recording};

fn digest_of(wasm: &[u8]) -> String {
    let digest = Sha256::digest(wasm);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn plugin_key(wasm: &[u8]) -> BlobKey {
    BlobKey::Plugin {
        digest: digest_of(wasm).parse().unwrap(),
    }
}

fn body(bytes: &[u8]) -> retake_jobs::seams::ByteStream<'static> {
    let bytes = bytes.to_vec().into();
    Box::pin(futures_util::stream::once(async { Ok(bytes) }))
}

impl House {
    async fn submit(&self, wasm: &[u8]) -> SubmissionId {
        let now = jiff::Timestamp::now();
        let id = SubmissionId::new(now);
        let new = Submission::new(id, digest_of(wasm), wasm.len() as u64, now);
        let key = BlobKey::Submission(id);
        self.blobs.put(key, body(wasm), u64::MAX).await.unwrap();
        assert!(self.store.add_submission(&new, 10).await.unwrap());
        id
    }

    async fn verdict_of(&self, id: SubmissionId) -> Submission {
        let find = async || self.store.submission(id).await.unwrap().unwrap();
        eventually("there is a verdict", async || {
            find().await.status != SubmissionStatus::Checking
        })
        .await;
        find().await
    }

    /// And its bytes are gone.
    async fn verdict(&self, id: SubmissionId) -> Submission {
        let submission = self.verdict_of(id).await;
        let bytes = BlobKey::Submission(id);
        eventually("the submission's bytes are gone", async || {
            self.blobs.size(bytes).await.is_err()
        })
        .await;
        submission
    }

    /// In the catalogue, its bytes stored, and in nobody's cache.
    async fn publish(&self, name: &str) -> InstalledPlugin {
        let wasm = built(name);
        let elsewhere = self.path("elsewhere");
        let installed = Cache::open(&elsewhere).unwrap().install(&wasm).unwrap();
        let plugin = InstalledPlugin {
            manifest: installed.manifest.into(),
            digest: installed.digest,
            realtime_factor: None,
        };
        let key = plugin_key(&wasm);
        self.blobs.put(key, body(&wasm), u64::MAX).await.unwrap();
        self.store
            .put_plugin(&plugin, wasm.len() as u64)
            .await
            .unwrap();
        plugin
    }

    /// The problem that a job with that chain fails with, after one attempt or all of them.
    async fn fails(&self, chain: serde_json::Value) -> Problem {
        let job = self.accept(recording(4_800), chain).await;
        self.ended(job).await;
        let job = self.record(job).await.job;
        assert_eq!(job.status, Status::Failed);
        job.error.unwrap()
    }
}

#[tokio::test]
async fn a_plugin_that_passes_is_published_and_run_by_a_worker_that_started_before() {
    let house = House::new();
    let worker = house.worker(house.parts());
    let wasm = built("gain");
    let submission = house.verdict(house.submit(&wasm).await).await;
    assert_eq!(
        submission.status,
        SubmissionStatus::Published,
        "{submission:?}"
    );
    assert_eq!(submission.plugin.unwrap().id, "org.retake.gain");
    assert_eq!(submission.check.unwrap()["passed"], true);
    let [version] = house.store.plugins().await.unwrap().try_into().unwrap();
    assert_eq!(version.plugin.digest, digest_of(&wasm));
    assert_eq!(house.blob(plugin_key(&wasm)).await, wasm);

    let chain = json!({"steps": [{"plugin": "gain", "version": version.plugin.manifest.version}]});
    let job = house.accept(recording(48_000), chain).await;
    house.ended(job).await;
    worker.stop().await;
    let record = house.record(job).await;
    assert_eq!(
        record.job.status,
        Status::Completed,
        "{:?}",
        record.job.error
    );
    let ran = record.correction.unwrap().report.steps[0]
        .plugin
        .clone()
        .unwrap();
    assert_eq!(ran.digest, digest_of(&wasm));
    house.assert_nothing_left_over();
}

#[tokio::test]
async fn what_fails_its_checks_is_refused_with_words_and_leaves_nothing() {
    let house = House::new();
    let worker = house.worker(house.parts());
    for (wasm, words) in [
        (b"no plugin at all".to_vec(), "not a WebAssembly file"),
        (built("unfit"), ""),
    ] {
        let refused = house.verdict(house.submit(&wasm).await).await;
        assert_eq!(refused.status, SubmissionStatus::Refused, "{refused:?}");
        let problem = refused.error.unwrap();
        assert_eq!(problem.kind(), Some(ProblemKind::PluginRefused));
        assert!(problem.detail.contains(words), "{problem:?}");
        assert!(!problem.errors.is_empty(), "{problem:?}");
        let check = refused.check.unwrap();
        assert_eq!(check["passed"], false);
        for error in &problem.errors {
            let place = error.pointer.strip_prefix("/check").unwrap();
            let check = check.pointer(place).expect("it points into the report");
            assert_eq!(check["outcome"], "failed");
        }
        assert!(house.blobs.size(plugin_key(&wasm)).await.is_err());
    }
    assert_eq!(house.store.plugins().await.unwrap(), []);
    worker.stop().await;
    house.assert_nothing_left_over();
}

#[tokio::test]
async fn a_submission_outlives_a_kit_that_breaks_and_is_refused_at_last() {
    let house = House::new();
    let mut parts = house.parts();
    let broken = false_child("exit 3");
    parts.checker.program = broken.program;
    parts.checker.arguments = broken.arguments;
    let worker = house.worker(parts);
    let submission = house.verdict_of(house.submit(&built("gain")).await).await;
    worker.stop().await;
    assert_eq!(submission.status, SubmissionStatus::Refused);
    assert_eq!(submission.attempt, house.terms().attempts_max);
    assert_eq!(
        submission.error.unwrap().kind(),
        Some(ProblemKind::TooManyAttempts)
    );
}

#[tokio::test]
async fn workers_that_are_stopped_hand_a_check_on_at_once_and_it_costs_the_plugin_nothing() {
    let house = House::new();
    let id = house.submit(&built("gain")).await;
    let now = async || house.store.submission(id).await.unwrap().unwrap();
    for attempt in 1..=2 * house.terms().attempts_max {
        let mut parts = house.parts();
        let hangs = false_child("exec sleep 1000");
        parts.checker.program = hangs.program;
        parts.checker.arguments = hangs.arguments;
        let worker = house.worker(parts);
        // The store's clock stands still: no lease runs out.
        eventually("the check begins", async || now().await.attempt == attempt).await;
        worker.stop().await;
        assert_eq!(now().await.lease, None);
    }
    let worker = house.worker(house.parts());
    let submission = house.verdict(id).await;
    worker.stop().await;
    assert_eq!(
        submission.status,
        SubmissionStatus::Published,
        "{submission:?}"
    );
    house.assert_nothing_left_over();
}

#[tokio::test]
async fn a_verdict_is_told_until_the_store_has_heard() {
    let house = House::new();
    house.store.fail(Fault::SettleErrand, 2);
    let worker = house.worker(house.parts());
    let submission = house.verdict(house.submit(b"no plugin").await).await;
    assert_eq!(submission.status, SubmissionStatus::Refused);
    assert_eq!(submission.attempt, 1);
    worker.stop().await;
}

#[tokio::test]
async fn a_plugin_whose_bytes_are_nowhere_or_damaged_fails_the_job_by_name() {
    let house = House::new();
    let worker = house.worker(house.parts());
    let gain = house.publish("gain").await;
    let key = plugin_key(&built("gain"));
    let chain = json!({"steps": [{"plugin": "gain"}]});

    house
        .blobs
        .put(key, body(b"something else"), u64::MAX)
        .await
        .unwrap();
    let problem = house.fails(chain.clone()).await;
    assert_eq!(problem.kind(), Some(ProblemKind::Unavailable));
    let named = format!("plugin org.retake.gain {}", gain.manifest.version);
    assert!(problem.detail.contains(&named), "{problem:?}");
    assert!(problem.detail.contains("damaged"), "{problem:?}");

    house.blobs.delete(key).await.unwrap();
    let problem = house.fails(chain.clone()).await;
    assert!(problem.detail.contains("nothing is stored"), "{problem:?}");

    // Once it is there again the next job runs.
    house.publish("gain").await;
    let job = house.accept(recording(4_800), chain).await;
    house.ended(job).await;
    assert_eq!(house.record(job).await.job.status, Status::Completed);
    worker.stop().await;
}

#[tokio::test]
async fn a_compiler_that_hangs_is_ended_and_the_job_says_so() {
    let house = House::new();
    let mut parts = house.parts();
    parts.installer = ChildProgram {
        ..false_child("exec sleep 1000")
    };
    let config = Config {
        plugin_install_ms_max: 1_000,
        attempts_max: 1,
        ..house.config()
    };
    let worker = house.worker_with(parts, config);
    house.publish("gain").await;
    let problem = house.fails(json!({"steps": [{"plugin": "gain"}]})).await;
    assert_eq!(problem.kind(), Some(ProblemKind::Unavailable));
    assert!(
        problem.detail.contains("longer than the 1 s"),
        "{problem:?}"
    );
    worker.stop().await;
}

fn pin(plugin: &InstalledPlugin) -> Pins {
    vec![Some(PluginRef {
        id: plugin.manifest.id.clone(),
        version: plugin.manifest.version.clone(),
        digest: plugin.digest.clone(),
    })]
}

#[tokio::test]
async fn a_job_runs_what_its_chain_meant_when_it_was_accepted() {
    let house = House::new();
    let worker = house.worker(house.parts());
    house.verdict(house.submit(&built("gain")).await).await;
    worker.stop().await;
    let [gain] = house.store.plugins().await.unwrap().try_into().unwrap();
    let gain = gain.plugin;
    let chain = json!({"steps": [{"plugin": "gain"}]});
    let job = house
        .accept_pinned(recording(4_800), chain.clone(), pin(&gain))
        .await;
    // While it waits the version goes, and another plugin comes that answers to its name.
    let (id, version) = (&gain.manifest.id, &gain.manifest.version);
    let removed = house.store.remove_plugin(id, version).await.unwrap();
    assert_eq!(removed, Removal::Removed);
    let mut other = gain.clone();
    std::sync::Arc::make_mut(&mut other.manifest).id = "com.example.gain".to_owned();
    other.digest = "ab".repeat(32);
    house.store.put_plugin(&other, 1).await.unwrap();

    let worker = house.worker(house.parts());
    house.ended(job).await;
    let record = house.record(job).await;
    assert_eq!(
        record.job.status,
        Status::Completed,
        "{:?}",
        record.job.error
    );
    let report = record.correction.unwrap().report;
    assert_eq!(report.steps[0].plugin, pin(&gain)[0]);
    worker.stop().await;
}

#[tokio::test]
async fn a_step_whose_plugin_is_gone_is_left_out_where_its_author_allows_that() {
    let house = House::new();
    let gain = house.publish("gain").await;
    let mut gone = gain.clone();
    std::sync::Arc::make_mut(&mut gone.manifest).version = "7.0.0".to_owned();
    gone.digest = "cd".repeat(32);
    let pins: Pins = [pin(&gone), pin(&gain)].concat();
    let chain = |on_failure: &str| json!({"steps": [{"plugin": "gain", "on_failure": on_failure}, {"plugin": "gain"}]});
    let worker = house.worker(house.parts());
    let job = house
        .accept_pinned(recording(4_800), chain("skip"), pins.clone())
        .await;
    house.ended(job).await;
    let record = house.record(job).await;
    assert_eq!(
        record.job.status,
        Status::Completed,
        "{:?}",
        record.job.error
    );
    let skipped: Vec<_> = record
        .job
        .warnings
        .iter()
        .map(|found| found.code.as_str())
        .collect();
    assert!(skipped.contains(&"step-skipped"), "{skipped:?}");

    let job = house
        .accept_pinned(recording(4_800), chain("fail"), pins)
        .await;
    house.ended(job).await;
    let job = house.record(job).await.job;
    assert_eq!((job.status, job.attempt), (Status::Failed, 1));
    let problem = job.error.unwrap();
    assert_eq!(problem.errors[0].pointer, "/chain/steps/0/plugin");
    worker.stop().await;
}

#[tokio::test]
async fn a_job_for_a_version_that_was_removed_fails_at_once_and_lists_what_there_is() {
    let house = House::new();
    house.publish("gain").await;
    let worker = house.worker(house.parts());
    let problem = house
        .fails(json!({"steps": [{"plugin": "gain", "version": "99.0.0"}]}))
        .await;
    assert_eq!(problem.kind(), Some(ProblemKind::InvalidChain));
    assert!(problem.detail.contains("it has: 0.1.0"), "{problem:?}");
    worker.stop().await;
}

#[tokio::test]
async fn a_plugin_that_loops_on_longer_audio_than_its_check_is_stopped_early_and_only_its_step_fails()
 {
    let house = House::new();
    let mut config = house.config();
    // As by default, with less patience.
    config.limits.step_cpu_ms = 500;
    config.limits.step_cpu_per_audio_s_ms = 1;
    let worker = house.worker_with(house.parts(), config);
    let submission = house.verdict(house.submit(&built("dawdler")).await).await;
    assert_eq!(
        submission.status,
        SubmissionStatus::Published,
        "{submission:?}"
    );
    let [version] = house.store.plugins().await.unwrap().try_into().unwrap();
    let factor = version.plugin.realtime_factor.unwrap();
    assert_eq!(submission.check.unwrap()["cost"]["realtime_factor"], factor);

    let step = |on_failure: &str| json!({"plugin": "dawdler", "on_failure": on_failure});
    let long = || recording(31 * 48_000);
    let failed = house.accept(long(), json!({"steps": [step("fail")]})).await;
    house.ended(failed).await;
    let failed = house.record(failed).await.job;
    let error = failed.error.unwrap();
    assert_eq!(error.kind(), Some(ProblemKind::StepOverBudget), "{error:?}");
    assert!(
        error
            .detail
            .contains(&format!("its check measured {factor:.1} times realtime"))
    );
    assert_eq!(failed.attempt, 1, "no other attempt would be shorter");

    let skipping = house.accept(long(), json!({"steps": [step("skip")]})).await;
    house.ended(skipping).await;
    let record = house.record(skipping).await;
    assert_eq!(
        record.job.status,
        Status::Completed,
        "{:?}",
        record.job.error
    );
    let steps = record.correction.unwrap().report.steps;
    let error = steps[0].error.as_ref().unwrap();
    assert_eq!(error.kind(), Some(ProblemKind::StepOverBudget));
    worker.stop().await;
}
