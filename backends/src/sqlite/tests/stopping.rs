//! What an orderly end leaves, and copies.

use std::path::PathBuf;

use futures_util::future::join_all;
use retake_jobs::seams::EventLog;

use super::*;
use crate::sqlite::{BackupError, back_up, verify};

fn beside(bench: &Bench, ending: &str) -> PathBuf {
    bench.folder.path().join(format!("retake.db{ending}"))
}

#[tokio::test]
async fn an_orderly_end_leaves_one_file_that_is_whole() {
    let bench = bench();
    let (recording, _) = bench.accepted(LONG).await;
    assert!(beside(&bench, "-wal").exists());
    bench.store.close().await;
    for ending in ["-wal", "-shm"] {
        assert!(!beside(&bench, ending).exists(), "{ending}");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("copy.db");
    std::fs::copy(beside(&bench, ""), &copy).unwrap();
    let store = SqliteStore::open(&copy, bench.clock.clone()).unwrap();
    let found = store.recording(bench.owner, recording.id).await.unwrap();
    assert_eq!(found.unwrap().recording.id, recording.id);
    let last = SqliteBlobs::new(&store)
        .read(BlobKey::Recording(recording.id), LONG as u64 - 1, 10)
        .await;
    assert_eq!(last.unwrap().as_ref(), [7]);
}

#[tokio::test]
async fn the_last_of_several_to_end_brings_the_log_in() {
    let bench = bench();
    let other = SqliteStore::open(beside(&bench, ""), bench.clock.clone()).unwrap();
    bench.accepted(LONG).await;
    bench.store.close().await;
    let session = other.add_session([1; 32]).await.unwrap();
    assert_eq!(other.session([1; 32]).await.unwrap(), Some(session));
    other.close().await;
    assert!(!beside(&bench, "-wal").exists());
}

#[tokio::test]
async fn what_was_asked_for_before_the_end_is_written_and_what_comes_after_is_refused() {
    let bench = bench();
    let asking = (0..200_u8).map(|n| bench.store.add_session([n; 32]));
    let (written, ()) = tokio::join!(join_all(asking), bench.store.close());
    let written = written.into_iter().filter(Result::is_ok).count() as i64;
    let late = bench.store.add_session([255; 32]).await;
    assert!(matches!(late, Err(StoreError::Broken(_))), "{late:?}");
    let late = bench.store.newest_event().await;
    assert!(matches!(late, Err(StoreError::Broken(_))), "{late:?}");

    let store = SqliteStore::open(beside(&bench, ""), bench.clock.clone()).unwrap();
    let count = |c: &Connection| -> Result<i64, SqliteError> {
        Ok(c.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0))?)
    };
    assert_eq!(store.database.read(count).await.unwrap(), written);
    assert!(written > 0, "those before it");
}

#[tokio::test]
async fn a_copy_made_while_everybody_writes_is_one_whole_state() {
    let bench = bench();
    let (first, _) = bench.accepted(LONG).await;
    let writing = async {
        for _ in 0..40 {
            bench.accepted(LONG / 3).await;
        }
    };
    let (from, into) = (beside(&bench, ""), beside(&bench, ".copy"));
    let copied = into.clone();
    let copying = tokio::task::spawn_blocking(move || back_up(&from, &copied));
    let (held, ()) = tokio::join!(copying, writing);
    let held = held.unwrap().unwrap();
    assert!((1..41).contains(&held.recordings), "{held:?}");
    assert!(!beside(&bench, ".copy-wal").exists(), "one file");
    assert_eq!(verify(&into).unwrap(), held);

    let store = SqliteStore::open(&into, bench.clock.clone()).unwrap();
    let found = store.recording(bench.owner, first.id).await.unwrap();
    assert_eq!(found.unwrap().recording.id, first.id);
}

#[tokio::test]
async fn a_damaged_copy_is_told_from_a_whole_one() {
    let bench = bench();
    bench.accepted(LONG).await;
    let into = beside(&bench, ".copy");
    let held = back_up(&beside(&bench, ""), &into).unwrap();
    assert_eq!((held.recordings, held.blob_bytes), (1, LONG as u64));

    let change = |sql: &str| {
        let changed = rusqlite::Connection::open(&into).unwrap();
        changed.execute_batch(sql).unwrap();
    };
    for (damage, repair) in [
        (
            "UPDATE blob_chunks SET bytes = zeroblob(length(bytes)) WHERE id % 65536 = 3",
            "UPDATE blob_chunks SET bytes = (SELECT bytes FROM blob_chunks WHERE id % 65536 = 2)
             WHERE id % 65536 = 3",
        ),
        (
            "UPDATE recordings SET size_bytes = size_bytes + 1",
            "UPDATE recordings SET size_bytes = size_bytes - 1",
        ),
        (
            "UPDATE recordings SET recording = zeroblob(length(recording))",
            "UPDATE recordings SET recording =
                 CAST(replace(hex(zeroblob(length(recording))), '00', char(7)) AS BLOB)",
        ),
        (
            "PRAGMA foreign_keys = OFF; UPDATE jobs SET recording_id = 'gone'",
            "PRAGMA foreign_keys = OFF; UPDATE jobs SET recording_id = (SELECT id FROM recordings)",
        ),
    ] {
        change(damage);
        let error = verify(&into).unwrap_err();
        assert!(
            matches!(error, BackupError::Damaged(_)),
            "{damage}: {error}"
        );
        change(repair);
        assert_eq!(verify(&into).unwrap(), held, "{repair}");
    }
    change("PRAGMA user_version = 99");
    let error = verify(&into).unwrap_err();
    assert!(matches!(error, BackupError::Newer { found: 99 }), "{error}");
}

#[test]
fn there_is_no_copy_of_what_is_not_there_nor_over_what_is() {
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("a.db"), folder.path().join("b.db"));
    let error = back_up(&from, &into).unwrap_err();
    assert!(matches!(error, BackupError::Missing(_)), "{error}");
    assert!(!from.exists() && !into.exists());
    SqliteStore::open(&from, Arc::new(SystemClock)).unwrap();
    std::fs::write(&into, "mine").unwrap();
    let error = back_up(&from, &into).unwrap_err();
    assert!(matches!(error, BackupError::File(_)), "{error}");
    assert_eq!(std::fs::read_to_string(&into).unwrap(), "mine");
}
