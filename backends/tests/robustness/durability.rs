//! What the SQLite store has accepted survives `kill -9`.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use retake_backends::sqlite::open_sqlite;
use retake_chain::InstalledPlugin;
use retake_jobs::{
    id::{OwnerId, SubmissionId},
    seams::{BlobKey, Topic},
    submission::{Submission, SubmissionStatus, Verdict},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::made;

/// Set in the child: the database to write to until it is killed.
const CHILD: &str = "RETAKE_TEST_ACCEPT_INTO";
const ACCEPTED: usize = 60;
/// Beyond the first MiB, so that chunks and heads are in play.
const LONG: usize = (1 << 20) + 300_000;

/// What the child says once `accept` has returned.
#[derive(Serialize, Deserialize)]
struct Accepted {
    owner: OwnerId,
    recording: retake_jobs::id::RecordingId,
    job: retake_jobs::id::JobId,
    length: usize,
}

#[tokio::test]
async fn what_was_reported_as_accepted_is_there_after_kill_9() {
    if let Some(path) = std::env::var_os(CHILD) {
        return accept_for_ever(&PathBuf::from(path)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("retake.db");
    let accepted: Vec<Accepted> = said_until_killed("durability::what_was_reported", &path);

    let (store, blobs, ..) = open_sqlite(&path).unwrap();
    let messages = store.unsent(Timestamp::MAX, 10_000).await.unwrap();
    let bodies: Vec<String> = messages
        .iter()
        .filter(|row| row.topic == Topic::Jobs)
        .map(|row| String::from_utf8(row.body.clone()).unwrap())
        .collect();
    for Accepted {
        owner,
        recording,
        job,
        length,
    } in accepted
    {
        let found = store
            .recording(owner, recording)
            .await
            .unwrap()
            .expect("it was accepted");
        assert_eq!(found.jobs.total(), 1);
        assert!(
            bodies.iter().any(|body| body.contains(&job.to_string())),
            "its message waits"
        );
        let key = BlobKey::Recording(recording);
        assert_eq!(blobs.size(key).await.unwrap(), length as u64);
        let last = blobs.read(key, length as u64 - 1, 10).await.unwrap();
        assert_eq!(last.as_ref(), [b'z']);
    }
}

/// What the child says of a submission once the store has answered.
#[derive(Serialize, Deserialize)]
struct Submitted {
    id: SubmissionId,
    digest: String,
    published: bool,
}

#[tokio::test]
async fn a_submission_survives_kill_9_and_publishes_once() {
    if let Some(path) = std::env::var_os(CHILD) {
        return publish_for_ever(&PathBuf::from(path)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("retake.db");
    let told: Vec<Submitted> = said_until_killed("durability::a_submission_survives_kill_9", &path);

    let (store, blobs, ..) = open_sqlite(&path).unwrap();
    let versions = store.plugins().await.unwrap();
    for Submitted {
        id,
        digest,
        published,
    } in told
    {
        let found = store
            .submission(id)
            .await
            .unwrap()
            .expect("it was accepted");
        if published {
            assert_eq!(found.status, SubmissionStatus::Published);
            let rows = versions.iter().filter(|row| row.plugin.digest == digest);
            assert_eq!(rows.count(), 1);
        }
        if found.status == SubmissionStatus::Checking {
            let size = blobs.size(BlobKey::Submission(id)).await.unwrap();
            assert_eq!(size, LONG as u64);
        }
    }
    // Nothing can be named whose bytes are not there, whatever the child was at.
    for row in versions {
        let digest = row.plugin.digest.parse().unwrap();
        let size = blobs.size(BlobKey::Plugin { digest }).await.unwrap();
        assert_eq!(size, LONG as u64);
    }
}

async fn publish_for_ever(path: &Path) {
    let (store, blobs, ..) = open_sqlite(path).unwrap();
    let bytes = || stream::iter([Ok(Bytes::from(vec![b'z'; LONG]))]).boxed();
    for n in 0.. {
        let (id, digest) = (SubmissionId::new(Timestamp::now()), format!("{n:064x}"));
        let new = Submission::new(id, digest.clone(), LONG as u64, Timestamp::now());
        let key = BlobKey::Submission(id);
        blobs.put(key, bytes(), u64::MAX).await.unwrap();
        assert!(store.add_submission(&new, 10).await.unwrap());
        let mut told = Submitted {
            id,
            digest: digest.clone(),
            published: false,
        };
        say(&told);

        let (attempt, _): (_, retake_jobs::submission::Submission) =
            store.claim_errand("w", made::TERMS).await.unwrap().unwrap();
        let published = BlobKey::Plugin {
            digest: digest.parse().unwrap(),
        };
        blobs.put(published, bytes(), u64::MAX).await.unwrap();
        let verdict = Verdict::Passed {
            plugin: InstalledPlugin {
                manifest: made::manifest("a.gain", &format!("1.0.{n}")).into(),
                digest,
                realtime_factor: None,
            },
            check: serde_json::Value::Null,
        };
        store.settle(attempt, verdict).await.unwrap().unwrap();
        told.published = true;
        say(&told);
        blobs.delete(key).await.unwrap();
    }
}

fn say(what: &impl Serialize) {
    let line = serde_json::to_string(what).unwrap();
    let mut stdout = std::io::stdout();
    writeln!(stdout, "\n{line}").unwrap();
}

/// Runs a test of this file in a child, and kills it in the middle of its work.
fn said_until_killed<T: DeserializeOwned>(test: &str, path: &Path) -> Vec<T> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--nocapture", "--test-threads", "1"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said: Vec<T> = lines
        .map(|line| line.unwrap())
        .filter_map(|line| serde_json::from_str(&line).ok())
        .take(ACCEPTED)
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(said.len(), ACCEPTED, "the child ended on its own");
    said
}

async fn accept_for_ever(path: &Path) {
    let (store, blobs, ..) = open_sqlite(path).unwrap();
    let owner = OwnerId::new();
    for n in 0.. {
        let length = if n % 5 == 0 { LONG } else { 50_000 };
        let recording = made::recording(owner, Timestamp::now());
        let job = made::job(&recording, Timestamp::now());
        let body = stream::iter([Ok(Bytes::from(vec![b'z'; length]))]).boxed();
        blobs
            .put(BlobKey::Recording(recording.id), body, u64::MAX)
            .await
            .unwrap();
        store.accept(&recording, &job, None).await.unwrap();
        say(&Accepted {
            owner,
            recording: recording.id,
            job: job.id,
            length,
        });
    }
}
