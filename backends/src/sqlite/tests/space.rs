//! Room on the disk: given back, run out of, kept.

use std::path::PathBuf;

use retake_jobs::seams::{EventLog, Space};

use super::*;
use crate::sqlite::{connection::SqliteError, write_ahead::KEPT_BYTES, writer::Durability};

#[tokio::test]
async fn the_room_of_what_was_deleted_is_given_back_without_anybody_asking() {
    let bench = bench();
    let mut recordings = Vec::new();
    for _ in 0..4 {
        recordings.push(bench.accepted(LONG * 2).await.0);
    }
    let full = bench.store.space().await.unwrap();
    assert!(full.file_bytes + full.log_bytes > LONG as u64 * 8);
    for recording in recordings {
        let deleted = bench.store.delete_recording(bench.owner, recording.id);
        deleted.await.unwrap().unwrap();
    }
    // No sweep, no request.
    until(async || {
        let now = bench.store.space().await.unwrap();
        now.file_bytes < 4 << 20 && now.free_bytes <= 1 << 20 && now.log_bytes <= KEPT_BYTES
    })
    .await;
    let now = bench.store.space().await.unwrap();
    let length = std::fs::metadata(bench.folder.path().join("retake.db")).unwrap();
    assert_eq!(now.file_bytes, length.len());
}

/// As a full disk would: nothing can be written until somebody lets go of room.
fn on_a_full_disk(
    reserve: PathBuf,
) -> impl Fn(&Connection) -> Result<usize, SqliteError> + Clone + Send + 'static {
    move |connection| {
        if std::fs::metadata(&reserve).is_ok_and(|file| file.len() > 1 << 20) {
            return Err(StoreError::Full("a test".to_owned()).into());
        }
        Ok(connection.execute("DELETE FROM sessions", [])?)
    }
}

#[tokio::test]
async fn a_deletion_finds_the_room_that_was_kept_for_it_and_other_writes_do_not() {
    let bench = bench();
    bench.store.add_session([1; 32]).await.unwrap();
    let database = &bench.store.database;
    assert!(database.reserve.take(), "this disk has room");
    let kept = database.reserve.bytes();
    let work = on_a_full_disk(bench.folder.path().join("retake.db-reserve"));
    let refused = database.write(work.clone()).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    assert_eq!(database.reserve.bytes(), kept);
    let done = database.write_freeing(Durability::Machine, work.clone());
    assert_eq!(done.await.unwrap(), 1);
    let left = database.reserve.bytes();
    assert!(left < kept && left > 0, "the last piece is for a start");
    // There is room again.
    until(async || database.reserve.bytes() == kept).await;
}

#[tokio::test]
async fn without_room_kept_a_deletion_says_that_the_disk_is_full() {
    let bench = bench();
    let database = &bench.store.database;
    let always = |_: &Connection| -> Result<(), SqliteError> {
        Err(StoreError::Full("a test".to_owned()).into())
    };
    let refused = database.write_freeing(Durability::Machine, always).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
}

#[test]
fn every_way_in_which_sqlite_finds_no_room_is_told_as_no_room() {
    use rusqlite::ffi;
    for (code, full) in [
        (ffi::SQLITE_FULL, true),
        (ffi::SQLITE_IOERR_WRITE, true),
        (ffi::SQLITE_IOERR_SHMSIZE, true),
        (ffi::SQLITE_IOERR_READ, false),
        (ffi::SQLITE_IOERR_FSYNC, false),
        (ffi::SQLITE_CORRUPT, false),
    ] {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        let error: StoreError = SqliteError::from(error).into();
        assert_eq!(matches!(error, StoreError::Full(_)), full, "{error}");
    }
}

#[tokio::test]
async fn a_file_that_is_up_to_date_is_opened_without_writing() {
    let bench = bench();
    bench.accepted(10).await;
    bench.store.close().await;
    let path = bench.folder.path().join("retake.db");
    let before = std::fs::read(&path).unwrap();
    // No page more than there are: any write that needs one would fail.
    let options = SqliteOptions {
        size_bytes_max: Some(16_384),
        ..SqliteOptions::default()
    };
    let store = SqliteStore::open_with(&path, bench.clock.clone(), options).unwrap();
    assert_eq!(store.newest_event().await.unwrap().0, 1);
    store.close().await;
    assert!(before == std::fs::read(&path).unwrap());
}

#[tokio::test]
async fn as_much_room_is_kept_as_was_asked_for() {
    for (asked, kept) in [(0, 0), (21 << 20, 21 << 20)] {
        let bench = bench_with(SqliteOptions {
            reserve_bytes: asked,
            ..SqliteOptions::default()
        });
        assert!(bench.store.database.reserve.take(), "this disk has room");
        assert_eq!(bench.store.database.reserve.bytes(), kept);
    }
}
