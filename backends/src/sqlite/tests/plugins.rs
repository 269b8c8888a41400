//! Plugins' bytes: there for as long as anybody may need them, and no longer.

use retake_chain::InstalledPlugin;
use retake_jobs::{
    id::SubmissionId,
    seams::{Catalogue, Errands, Removal, Submissions},
    submission::{Submission, Verdict},
};
use retake_plugin_manifest::{ChannelUse, Manifest, Passes};
use serde_json::Value;

use super::{super::connection::MIGRATIONS, *};

pub fn plugin(version: &str, digest: u8) -> InstalledPlugin {
    InstalledPlugin {
        manifest: Manifest {
            id: "a.gain".to_owned(),
            name: "Gain".to_owned(),
            version: version.to_owned(),
            vendor: String::new(),
            summary: String::new(),
            license: String::new(),
            params: Vec::new(),
            passes: Passes {
                analyze: false,
                process: true,
            },
            channels: ChannelUse::Linked,
            max_channels: 0,
            sample_rates: Vec::new(),
            block_quantum: 1,
            extras: Vec::new(),
        }
        .into(),
        digest: format!("{digest:02x}").repeat(32),
        realtime_factor: None,
    }
}

pub fn key(plugin: &InstalledPlugin) -> BlobKey {
    let digest = plugin.digest.parse().unwrap();
    BlobKey::Plugin { digest }
}

impl Bench {
    async fn put(&self, key: BlobKey) {
        self.blobs.put(key, body(LONG), u64::MAX).await.unwrap();
    }

    async fn has(&self, key: BlobKey) -> bool {
        self.blobs.size(key).await.is_ok()
    }

    async fn submitted(&self, plugin: &InstalledPlugin) -> Submission {
        let now = self.clock.now();
        let new = Submission::new(SubmissionId::new(now), plugin.digest.clone(), 1, now);
        self.put(BlobKey::Submission(new.id)).await;
        assert!(self.store.add_submission(&new, 10).await.unwrap());
        new
    }

    async fn settle(&self, plugin: &InstalledPlugin) -> Result<Submission, StoreError> {
        let (attempt, _) = self.store.claim_errand("w", TERMS).await.unwrap().unwrap();
        let verdict = Verdict::Passed {
            plugin: plugin.clone(),
            check: Value::Null,
        };
        let settled = self.store.settle(attempt, verdict).await;
        settled.map(|settled| settled.unwrap())
    }

    async fn sweep_after(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
        self.store.sweep(TERMS).await.unwrap();
    }
}

#[tokio::test]
async fn a_plugin_whose_bytes_are_not_there_is_not_published() {
    let bench = bench();
    let gain = plugin("1.0.0", 1);
    let submission = bench.submitted(&gain).await;
    assert!(matches!(
        bench.settle(&gain).await,
        Err(StoreError::Broken(_))
    ));
    assert!(matches!(
        bench.store.put_plugin(&gain, 1).await,
        Err(StoreError::Broken(_))
    ));
    assert_eq!(bench.store.plugins().await.unwrap(), []);
    // It waits for the next attempt, with its bytes.
    bench.clock.advance(SignedDuration::from_secs(11));
    bench.put(key(&gain)).await;
    assert_eq!(bench.settle(&gain).await.unwrap().id, submission.id);
}

#[tokio::test]
async fn the_sweep_removes_bytes_that_no_plugin_in_use_and_no_submission_has() {
    let bench = bench();
    let [published, built_in, orphan] = [1, 2, 3].map(|n| plugin(&format!("{n}.0.0"), n));
    for one in [&published, &built_in, &orphan] {
        bench.put(key(one)).await;
    }
    bench.store.put_plugin(&built_in, 1).await.unwrap();
    bench.submitted(&published).await;
    let ended = bench.settle(&published).await.unwrap();
    let waiting = bench.submitted(&plugin("4.0.0", 4)).await;

    bench.sweep_after(0).await;
    assert!(
        bench.has(key(&orphan)).await,
        "its worker may be about to settle"
    );
    assert!(bench.has(BlobKey::Submission(ended.id)).await);

    bench.sweep_after(2).await;
    assert!(!bench.has(key(&orphan)).await);
    assert!(!bench.has(BlobKey::Submission(ended.id)).await);
    assert!(bench.has(BlobKey::Submission(waiting.id)).await);
    assert!(bench.has(key(&published)).await && bench.has(key(&built_in)).await);

    let (_, job) = bench.accepted(1).await;
    let removed = bench.store.remove_plugin("a.gain", "1.0.0").await.unwrap();
    assert_eq!(removed, Removal::Removed);
    bench.sweep_after(0).await;
    assert!(
        bench.has(key(&published)).await,
        "a job waits that may run it"
    );
    let cancelled = bench.store.cancel(job.owner, job.id).await.unwrap();
    cancelled.unwrap().unwrap();
    bench.sweep_after(0).await;
    assert!(!bench.has(key(&published)).await);
    let rows = bench.count("SELECT count(*) FROM plugin_files").await;
    assert_eq!(rows, 2);
    let chunks = bench
        .count("SELECT count(DISTINCT id / 65536) FROM blob_chunks")
        .await;
    assert_eq!(chunks, 2, "and their chunks with them");
}

#[tokio::test]
async fn a_file_of_the_first_release_keeps_its_plugins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("retake.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../migrations/0001_start.sql"))
        .unwrap();
    let gain = plugin("1.0.0", 1);
    old.execute(
        "INSERT INTO plugins VALUES ('a.gain', '1.0.0', ?1, ?2, 5)",
        (
            &gain.digest,
            serde_json::to_string(&*gain.manifest).unwrap(),
        ),
    )
    .unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(old);
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let store = SqliteStore::open(&path, clock).unwrap();
    let [version] = store.plugins().await.unwrap().try_into().unwrap();
    assert_eq!(version.plugin, gain);
    assert_eq!(version.published_at.as_nanosecond(), 5);
    assert_eq!(version.removed_at, None);
}

#[tokio::test]
async fn what_the_checks_of_earlier_releases_have_measured_is_found_in_their_reports() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("retake.db");
    let old = Connection::open(&path).unwrap();
    for sql in &MIGRATIONS[..8] {
        old.execute_batch(sql).unwrap();
    }
    let reports = [
        (
            "1.0.0",
            Some(r#"{"cost": {"realtime_factor": 412.5}}"#),
            Some(412.5),
        ),
        (
            "1.0.1",
            Some(r#"{"cost": {"realtime_factor": 3}}"#),
            Some(3.0),
        ),
        ("1.0.2", Some(r#"{"cost": null}"#), None),
        ("1.0.3", None, None),
    ];
    for (version, report, _) in reports {
        let gain = plugin(version, 1);
        old.execute(
            "INSERT INTO plugins (id, version, digest, manifest, published_at, check_report)
             VALUES ('a.gain', ?1, ?2, ?3, 5, ?4)",
            (
                version,
                &gain.digest,
                serde_json::to_string(&*gain.manifest).unwrap(),
                report,
            ),
        )
        .unwrap();
    }
    old.pragma_update(None, "user_version", 8).unwrap();
    drop(old);
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let store = SqliteStore::open(&path, clock).unwrap();
    let found = store.plugins().await.unwrap();
    let found = found
        .iter()
        .rev()
        .map(|version| version.plugin.realtime_factor);
    let expected = reports.map(|(_, _, factor)| factor);
    assert_eq!(found.collect::<Vec<_>>(), expected);
}
