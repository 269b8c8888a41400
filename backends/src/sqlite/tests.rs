//! What is particular to SQLite; the claims common to all backends are in the conformance tests.

#![allow(clippy::unwrap_used)]

mod direct;
pub(super) mod plans;
mod plugins;
mod space;
mod staged;
mod stopping;
mod syncing;
mod time;
mod write_ahead;

use std::{
    io,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use retake_chain::{Chain, format::Format};
use retake_findings::Code;
use retake_jobs::{
    clock::{ManualClock, SystemClock},
    correction::Correction,
    derivative::{Byproduct, DerivedFile, Kind, PeaksForm, Side},
    entry::EntryQuery,
    id::{DerivativeId, OwnerId, RecordingId},
    job::{Job, Outcome, Status},
    lease::{Attempt, LeaseTerms},
    recording::Recording,
    seams::{
        BlobError, BlobKey, Blobs, ByteStream, Claim, Credentials, JobLeases, Leases, Library,
        Records, Sweep,
    },
};

use super::*;

const TERMS: LeaseTerms = LeaseTerms {
    lease_ms: 10_000,
    attempts_max: 3,
    give_up_ms: 60_000,
};
const LONG: usize = 3 << 20;

struct Bench {
    clock: Arc<ManualClock>,
    store: SqliteStore,
    blobs: SqliteBlobs,
    owner: OwnerId,
    folder: tempfile::TempDir,
}

fn bench() -> Bench {
    bench_with(SqliteOptions::default())
}

fn bench_with(options: SqliteOptions) -> Bench {
    let clock = Arc::new(ManualClock::new(
        Timestamp::from_second(1_800_000_000).unwrap(),
    ));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("retake.db");
    let store = SqliteStore::open_with(path, clock.clone(), options).unwrap();
    let blobs = SqliteBlobs::new(&store);
    Bench {
        clock,
        store,
        blobs,
        owner: OwnerId::new(),
        folder,
    }
}

fn body(length: usize) -> ByteStream<'static> {
    let piece = Bytes::from(vec![7; 65_536]);
    let whole = (0..length / piece.len()).map(move |_| Ok(piece.clone()));
    stream::iter(whole)
        .chain(stream::iter([Ok(Bytes::from(vec![7; length % 65_536]))]))
        .boxed()
}

fn completed(correction: Correction) -> Outcome {
    Outcome::Completed {
        correction: Box::new(correction),
        byproducts: Vec::new(),
        warnings: Vec::new(),
    }
}

/// Of the first attempt.
fn correction() -> Correction {
    let json = r#"{"attempt":1,"content_type":"audio/flac","size_bytes":5,"sha256":"",
        "report":{"source":"","steps":[],"elapsed_ms":1,
            "input":{"sample_rate":1,"channels":1,"frames":1,"duration_ms":1},
            "output":{"sample_rate":1,"channels":1,"frames":1,"duration_ms":1}}}"#;
    serde_json::from_str(json).unwrap()
}

impl Bench {
    fn made(&self) -> (Recording, Job) {
        let now = self.clock.now();
        let recording = Recording {
            id: RecordingId::new(now),
            owner: self.owner,
            user_email: "ann@example.org".parse().unwrap(),
            file_name: None,
            content_type: "audio/wav".to_owned(),
            size_bytes: LONG as u64,
            sha256: "ab".repeat(32),
            created_at: now,
        };
        let chain = Chain { steps: Vec::new() };
        let job = Job::queued(recording.id, self.owner, chain, Format::Wav, now);
        (recording, job)
    }

    async fn accepted(&self, length: usize) -> (Recording, Job) {
        let (recording, job) = self.made();
        let key = BlobKey::Recording(recording.id);
        self.blobs.put(key, body(length), u64::MAX).await.unwrap();
        self.store.accept(&recording, &job, None).await.unwrap();
        (recording, job)
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let database = &self.store.database;
        database
            .read(move |c| Ok(c.query_row(sql, [], |row| row.get(0))?))
            .await
            .unwrap()
    }

    async fn chunks(&self) -> (i64, i64) {
        let chunks = self.count("SELECT count(*) FROM blob_chunks").await;
        (chunks, self.count("SELECT count(*) FROM uploads").await)
    }
}

#[tokio::test]
async fn every_connection_has_the_settings() {
    let bench = bench();
    let settings = |c: &Connection| -> Result<(String, i64, i64, i64, i64, i64), SqliteError> {
        Ok((
            c.pragma_query_one(None, "journal_mode")?,
            c.pragma_query_one(None, "page_size")?,
            c.pragma_query_one(None, "auto_vacuum")?,
            c.pragma_query_one(None, "foreign_keys")?,
            c.pragma_query_one(None, "busy_timeout")?,
            // In memory: there may be no folder for temporary files.
            c.pragma_query_one(None, "temp_store")?,
        ))
    };
    let expected = ("wal".to_owned(), 4_096, 2, 1, 10_000, 2);
    assert_eq!(bench.store.database.read(settings).await.unwrap(), expected);
    assert_eq!(
        bench.store.database.write(settings).await.unwrap(),
        expected
    );
}

#[tokio::test]
async fn warnings_of_an_older_program_are_read_as_notes() {
    let bench = bench();
    let (_, job) = bench.accepted(10).await;
    let older = |c: &Connection| {
        Ok(c.execute_batch("UPDATE jobs SET warnings = '[\"the file is cut off\"]'")?)
    };
    bench.store.database.write(older).await.unwrap();
    let found = bench.store.job(bench.owner, job.id).await.unwrap();
    let warnings = found.unwrap().job.warnings;
    assert!(warnings[0].is(Code::Note), "{warnings:?}");
    assert_eq!(warnings[0].message, "the file is cut off");
}

#[tokio::test]
async fn a_schema_of_a_newer_program_is_refused() {
    let bench = bench();
    let newer = |c: &Connection| Ok(c.execute_batch("CREATE TABLE later (id INTEGER)")?);
    bench.store.database.write(newer).await.unwrap();
    let path = bench.folder.path().join("retake.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    let error = SqliteStore::open(&path, bench.clock.clone())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("99") && error.contains("newer Retake"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("retake.db");
    std::fs::write(
        &path,
        "this is not a database, and long enough to be looked at".repeat(100),
    )
    .unwrap();
    let error = SqliteStore::open(&path, Arc::new(SystemClock))
        .err()
        .unwrap();
    assert!(matches!(error, StoreError::Broken(_)), "{error}");
}

#[tokio::test]
async fn a_write_that_fails_or_panics_hurts_no_other() {
    let bench = bench();
    let database = &bench.store.database;
    let insert = |c: &Connection, id: &str| -> Result<(), SqliteError> {
        c.execute("INSERT INTO owners (id, created_at) VALUES (?1, 0)", [id])?;
        Ok(())
    };
    // Polled together, so that they share a batch.
    let (good, failing, panicking, after) = tokio::join!(
        database.write(move |c| insert(c, "good")),
        database.write(move |c| {
            insert(c, "failing")?;
            insert(c, "failing")
        }),
        database.write(move |c| {
            insert(c, "panicking")?;
            panic!("a test")
        }),
        database.write(move |c| insert(c, "after")),
    );
    good.unwrap();
    assert!(matches!(failing, Err(StoreError::Broken(_))));
    let panicked: Result<(), _> = panicking;
    assert!(matches!(panicked, Err(StoreError::Broken(_))));
    after.unwrap();
    assert_eq!(bench.count("SELECT count(*) FROM owners").await, 2);
}

#[tokio::test]
async fn a_recording_whose_bytes_are_not_there_is_not_accepted() {
    let bench = bench();
    let (recording, job) = bench.made();
    let error = bench
        .store
        .accept(&recording, &job, None)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("bytes"), "{error}");
    assert_eq!(bench.count("SELECT count(*) FROM recordings").await, 0);
}

#[tokio::test]
async fn a_draft_is_seen_by_nobody_until_it_is_accepted() {
    let bench = bench();
    let (recording, job) = bench.made();
    bench
        .blobs
        .put(BlobKey::Recording(recording.id), body(LONG), u64::MAX)
        .await
        .unwrap();
    assert_eq!(
        bench
            .store
            .recording(bench.owner, recording.id)
            .await
            .unwrap(),
        None
    );
    let all = EntryQuery {
        limit: 10,
        ..EntryQuery::default()
    };
    let listed = bench.store.recordings(bench.owner, &all).await.unwrap();
    assert_eq!(listed.items, []);
    assert_eq!(
        bench
            .store
            .delete_recording(bench.owner, recording.id)
            .await
            .unwrap(),
        None
    );
    bench.store.accept(&recording, &job, None).await.unwrap();
    let found = bench
        .store
        .recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.recording.size_bytes, LONG as u64);
    assert_eq!(
        bench
            .blobs
            .size(BlobKey::Recording(recording.id))
            .await
            .unwrap(),
        LONG as u64
    );
}

#[tokio::test]
async fn a_short_recording_stands_whole_in_its_row() {
    let bench = bench();
    bench.accepted(50_000).await;
    assert_eq!(
        bench
            .count("SELECT length(recording) FROM recordings")
            .await,
        50_000
    );
    assert_eq!(bench.chunks().await, (0, 0));
}

#[tokio::test]
async fn a_settled_job_adopts_the_bytes_its_attempt_stored() {
    let bench = bench();
    let (_, job) = bench.accepted(10).await;
    let Claim::Won { attempt, .. } = bench.store.claim(job.id, "w", TERMS).await.unwrap() else {
        panic!("it waits")
    };
    let correction = self::correction();
    let settle = |correction| bench.store.settle(attempt, completed(correction));
    let error = settle(correction.clone()).await.unwrap_err();
    assert!(error.to_string().contains("not there"), "{error}");
    let untouched = bench
        .store
        .job(bench.owner, job.id)
        .await
        .unwrap()
        .unwrap()
        .job;
    assert_eq!(
        untouched.status,
        Status::Running,
        "the whole transaction was undone"
    );

    let key = BlobKey::Correction {
        job: job.id,
        attempt: 1,
    };
    bench.blobs.put(key, body(LONG), u64::MAX).await.unwrap();
    settle(correction).await.unwrap().unwrap();
    let record = bench.store.job(bench.owner, job.id).await.unwrap().unwrap();
    assert_eq!(record.correction.unwrap().attempt, 1);
    assert_eq!(bench.blobs.size(key).await.unwrap(), LONG as u64);
    assert_eq!(
        bench
            .count("SELECT count(*) FROM attempts WHERE outcome = 'completed'")
            .await,
        1,
        "who tried what is on record"
    );
}

#[tokio::test]
async fn deleting_a_recording_frees_its_chunks() {
    let bench = bench();
    let (kept, _) = bench.accepted(LONG).await;
    let (recording, job) = bench.accepted(LONG).await;
    let key = BlobKey::Correction {
        job: job.id,
        attempt: 1,
    };
    bench.store.claim(job.id, "w", TERMS).await.unwrap();
    bench.blobs.put(key, body(LONG), u64::MAX).await.unwrap();
    assert_eq!(bench.chunks().await, (24, 3));
    bench
        .store
        .delete_recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(bench.chunks().await, (8, 1));
    assert_eq!(bench.count("SELECT count(*) FROM corrections").await, 0);
    assert_eq!(
        bench.blobs.size(BlobKey::Recording(kept.id)).await.unwrap(),
        LONG as u64
    );
}

#[tokio::test]
async fn deltas_stay_with_their_correction_and_go_with_the_recording() {
    let bench = bench();
    let (recording, job) = bench.accepted(10).await;
    let delta = |attempt, step| BlobKey::Delta {
        job: job.id,
        attempt,
        step,
    };
    bench.store.claim(job.id, "w", TERMS).await.unwrap();
    let correction = BlobKey::Correction {
        job: job.id,
        attempt: 1,
    };
    for key in [correction, delta(1, 0), delta(2, 0)] {
        bench.blobs.put(key, body(LONG), u64::MAX).await.unwrap();
    }
    let json = r#"{"attempt":1,"content_type":"audio/flac","size_bytes":5,"sha256":"",
        "report":{"source":"WAV","input":{"sample_rate":1,"channels":1,"frames":1,"duration_ms":1},
        "output":{"sample_rate":1,"channels":1,"frames":1,"duration_ms":1},"steps":[],"elapsed_ms":1}}"#;
    let attempt: Attempt<Job> = Attempt {
        id: job.id,
        attempt: 1,
    };
    let settled = serde_json::from_str(json).unwrap();
    let settling = bench.store.settle(attempt, completed(settled));
    settling.await.unwrap().unwrap();

    // What an attempt left that nobody settled is a draft; what belongs to the correction stays.
    bench.clock.advance(SignedDuration::from_mins(61));
    bench.store.sweep(TERMS).await.unwrap();
    assert_eq!(bench.blobs.size(delta(1, 0)).await.unwrap(), LONG as u64);
    let gone = bench.blobs.size(delta(2, 0)).await;
    assert!(matches!(gone, Err(BlobError::NotFound)), "{gone:?}");

    let removed = bench.store.delete_recording(bench.owner, recording.id);
    let removed = removed.await.unwrap().unwrap();
    assert!(removed.contains(&delta(1, 0)), "{removed:?}");
    assert_eq!(bench.count("SELECT count(*) FROM deltas").await, 0);
    assert_eq!(bench.chunks().await, (0, 0));
}

#[tokio::test]
async fn a_broken_upload_leaves_no_rows() {
    let bench = bench();
    let key = BlobKey::Recording(RecordingId::new(Timestamp::now()));
    let broken = stream::iter([Err(io::Error::from(io::ErrorKind::UnexpectedEof))]);
    let error = bench
        .blobs
        .put(key, body(LONG).chain(broken).boxed(), u64::MAX)
        .await;
    assert!(matches!(error, Err(BlobError::Body(_))));
    assert_eq!(bench.chunks().await, (0, 0));
    assert_eq!(bench.count("SELECT count(*) FROM recordings").await, 0);
}

#[tokio::test]
async fn an_upload_whose_request_is_gone_is_removed() {
    let bench = bench();
    let key = BlobKey::Recording(RecordingId::new(Timestamp::now()));
    let stalled = body(LONG).chain(stream::pending()).boxed();
    let put = tokio::spawn({
        let blobs = bench.blobs.clone();
        async move { blobs.put(key, stalled, u64::MAX).await }
    });
    until(async || bench.chunks().await.0 > 0).await;
    put.abort();
    until(async || bench.chunks().await == (0, 0)).await;
}

#[tokio::test]
async fn the_sweep_removes_what_was_uploaded_and_never_accepted() {
    let bench = bench();
    let draft = BlobKey::Recording(RecordingId::new(Timestamp::now()));
    bench.blobs.put(draft, body(LONG), u64::MAX).await.unwrap();
    let (kept, _) = bench.accepted(LONG).await;
    let sweep = || bench.store.sweep(TERMS);
    bench.clock.advance(SignedDuration::from_mins(59));
    sweep().await.unwrap();
    assert!(
        bench.blobs.size(draft).await.is_ok(),
        "it may still be accepted"
    );
    bench.clock.advance(SignedDuration::from_mins(2));
    sweep().await.unwrap();
    assert!(matches!(
        bench.blobs.size(draft).await,
        Err(BlobError::NotFound)
    ));
    assert_eq!(bench.chunks().await, (8, 1));
    assert!(bench.blobs.size(BlobKey::Recording(kept.id)).await.is_ok());
}

#[tokio::test]
async fn a_full_store_says_so_and_goes_on_reading() {
    let bench = bench_with(SqliteOptions {
        size_bytes_max: Some(4 << 20),
        ..SqliteOptions::default()
    });
    let (recording, _) = bench.accepted(1 << 20).await;
    let key = BlobKey::Recording(RecordingId::new(Timestamp::now()));
    let error = bench
        .blobs
        .put(key, body(16 << 20), u64::MAX)
        .await
        .unwrap_err();
    assert!(matches!(error, BlobError::Full(_)), "{error}");
    let found = bench
        .store
        .recording(bench.owner, recording.id)
        .await
        .unwrap();
    assert!(found.is_some());
    let whole = bench
        .blobs
        .read(BlobKey::Recording(recording.id), 0, 10)
        .await
        .unwrap();
    assert_eq!(whole.as_ref(), [7; 10]);
    until(async || bench.chunks().await == (0, 0)).await;
    bench.accepted(100_000).await;
}

#[tokio::test]
async fn a_write_waits_for_another_process() {
    let bench = bench();
    let path = bench.folder.path().join("retake.db");
    let mut other = rusqlite::Connection::open(path).unwrap();
    let held = other
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .unwrap();
    let writing = bench.store.add_session([1; 32]);
    tokio::pin!(writing);
    let waits = tokio::time::timeout(Duration::from_millis(100), &mut writing).await;
    assert!(waits.is_err(), "the lock is the other's");
    held.commit().unwrap();
    writing.await.unwrap();
}

async fn until(ask: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !ask().await {
        assert!(Instant::now() < deadline, "it did not come about in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
