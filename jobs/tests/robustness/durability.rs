//! What the SQLite store has accepted survives `kill -9`.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use retake_jobs::{blobs::BlobKey, id::OwnerId, queue::Topic, store::open_sqlite};
use serde::{Deserialize, Serialize};

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
    let accepted = accepted_until_killed(&path);

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
        assert_eq!(found.jobs.len(), 1);
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

/// Runs this very test in a child and kills it in the middle of its work.
fn accepted_until_killed(path: &Path) -> Vec<Accepted> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "durability::what_was_reported",
            "--nocapture",
            "--test-threads",
            "1",
        ])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let accepted: Vec<Accepted> = lines
        .map(|line| line.unwrap())
        .filter_map(|line| serde_json::from_str(&line).ok())
        .take(ACCEPTED)
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(accepted.len(), ACCEPTED, "the child ended on its own");
    accepted
}

async fn accept_for_ever(path: &Path) {
    let (store, blobs, ..) = open_sqlite(path).unwrap();
    let owner = OwnerId::new();
    let mut stdout = std::io::stdout();
    for n in 0.. {
        let length = if n % 5 == 0 { LONG } else { 50_000 };
        let recording = made::recording(owner, Timestamp::now());
        let job = made::job(&recording, Timestamp::now());
        let body = stream::iter([Ok(Bytes::from(vec![b'z'; length]))]).boxed();
        blobs
            .put(BlobKey::Recording(recording.id), body, u64::MAX)
            .await
            .unwrap();
        store.accept(&recording, &job).await.unwrap();
        let said = Accepted {
            owner,
            recording: recording.id,
            job: job.id,
            length,
        };
        writeln!(stdout, "\n{}", serde_json::to_string(&said).unwrap()).unwrap();
    }
}
