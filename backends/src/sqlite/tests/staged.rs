//! Short blobs, which go into the file with the write that makes them matter.

use super::*;

async fn put(bench: &Bench, key: BlobKey, length: usize) {
    bench
        .blobs
        .put_draft(key, body(length), u64::MAX)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_short_recording_is_written_once_with_its_job() {
    let bench = bench();
    let (recording, job) = bench.made();
    let key = BlobKey::Recording(recording.id);
    put(&bench, key, 50_000).await;
    assert_eq!(bench.count("SELECT count(*) FROM recordings").await, 0);
    // Whoever asks here is told all the same.
    assert_eq!(bench.blobs.size(key).await.unwrap(), 50_000);
    let end = bench.blobs.read(key, 49_990, 100).await.unwrap();
    assert_eq!(end.as_ref(), [7; 10]);
    assert_eq!(bench.blobs.read(key, 60_000, 9).await.unwrap().len(), 0);

    bench.store.accept(&recording, &job, None).await.unwrap();
    let length = "SELECT length(recording) FROM recordings WHERE owner IS NOT NULL";
    assert_eq!(bench.count(length).await, 50_000);
    assert!(bench.store.database.staged.get(key).is_none());
    assert_eq!(
        bench.blobs.size(key).await.unwrap(),
        LONG as u64,
        "as accepted"
    );
}

#[tokio::test]
async fn a_write_that_fails_leaves_a_short_blob_for_the_next_try() {
    let bench = bench_with(SqliteOptions {
        size_bytes_max: Some(1 << 20),
        ..SqliteOptions::default()
    });
    let filling = |c: &Connection| {
        c.execute_batch(
            "CREATE TABLE filling (bytes BLOB);
             INSERT INTO filling VALUES (zeroblob(600000));",
        )?;
        Ok(())
    };
    bench.store.database.write(filling).await.unwrap();
    let (recording, job) = bench.made();
    let key = BlobKey::Recording(recording.id);
    put(&bench, key, 250_000).await;
    let error = bench
        .store
        .accept(&recording, &job, None)
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    let emptying = |c: &Connection| Ok(c.execute_batch("DROP TABLE filling")?);
    bench.store.database.write(emptying).await.unwrap();
    bench.store.accept(&recording, &job, None).await.unwrap();
    let length = "SELECT length(recording) FROM recordings";
    assert_eq!(bench.count(length).await, 250_000);
}

#[tokio::test]
async fn a_short_correction_is_written_once_with_the_job_s_end() {
    let bench = bench();
    let (_, job) = bench.accepted(10).await;
    let Claim::Won { attempt, .. } = bench.store.claim(job.id, "w", TERMS).await.unwrap() else {
        panic!("it waits")
    };
    let key = BlobKey::Correction {
        job: job.id,
        attempt: 1,
    };
    put(&bench, key, 70_000).await;
    assert_eq!(bench.count("SELECT count(*) FROM corrections").await, 0);
    let settled = bench.store.settle(attempt, completed(correction())).await;
    settled.unwrap().unwrap();
    let length = "SELECT length(correction) FROM corrections WHERE content_type IS NOT NULL";
    assert_eq!(bench.count(length).await, 70_000);
    assert!(bench.store.database.staged.get(key).is_none());
}

/// The draft of the longer one, its chunks included, is gone.
#[tokio::test]
async fn a_short_blob_replaces_a_long_one_and_a_long_one_a_short_one() {
    for lengths in [[LONG, 1_000], [1_000, LONG]] {
        let bench = bench();
        let (recording, job) = bench.made();
        let key = BlobKey::Recording(recording.id);
        for length in lengths {
            put(&bench, key, length).await;
            assert_eq!(bench.blobs.size(key).await.unwrap(), length as u64);
        }
        bench.store.accept(&recording, &job, None).await.unwrap();
        upload::reclaim(&bench.store.database).await.unwrap();
        let chunks = if lengths[1] == LONG { (8, 1) } else { (0, 0) };
        assert_eq!(bench.chunks().await, chunks);
        let length = bench.count("SELECT length(recording) FROM recordings");
        assert_eq!(length.await, lengths[1].min(1 << 20) as i64);
    }
}

#[tokio::test]
async fn what_nobody_comes_back_for_is_forgotten_and_room_is_bounded() {
    let bench = bench();
    let key = BlobKey::Recording(RecordingId::new(bench.clock.now()));
    put(&bench, key, 1_000).await;
    bench.clock.advance(SignedDuration::from_mins(61));
    bench.store.sweep(TERMS).await.unwrap();
    let gone = bench.blobs.size(key).await;
    assert!(matches!(gone, Err(BlobError::NotFound)), "{gone:?}");

    put(&bench, key, 1_000).await;
    bench.blobs.delete(key).await.unwrap();
    let gone = bench.blobs.size(key).await;
    assert!(matches!(gone, Err(BlobError::NotFound)), "{gone:?}");

    // 16 MiB of them, and what comes after goes into the file.
    for _ in 0..65 {
        put(
            &bench,
            BlobKey::Recording(RecordingId::new(bench.clock.now())),
            256 << 10,
        )
        .await;
    }
    assert_eq!(bench.count("SELECT count(*) FROM recordings").await, 1);
    put(
        &bench,
        BlobKey::Recording(RecordingId::new(bench.clock.now())),
        (256 << 10) + 1,
    )
    .await;
    assert_eq!(bench.count("SELECT count(*) FROM recordings").await, 2);
}

#[tokio::test]
async fn short_byproducts_are_written_once_with_the_job_s_end_and_long_ones_stay() {
    let bench = bench();
    let (_, job) = bench.accepted(10).await;
    let Claim::Won { attempt, .. } = bench.store.claim(job.id, "w", TERMS).await.unwrap() else {
        panic!("it waits")
    };
    let correction_key = BlobKey::Correction {
        job: job.id,
        attempt: 1,
    };
    put(&bench, correction_key, 5).await;
    let mut byproducts = Vec::new();
    for (side, size) in [(Side::Original, 200), (Side::Corrected, LONG)] {
        let id = DerivativeId::new(bench.clock.now());
        put(&bench, Byproduct::key_of(id), size).await;
        byproducts.push(Byproduct {
            id,
            kind: Kind::Peaks(side, PeaksForm::Pyramid),
            file: DerivedFile {
                content_type: "application/octet-stream".to_owned(),
                size_bytes: size as u64,
                sha256: String::new(),
                warnings: Vec::new(),
            },
        });
    }
    let kept = "SELECT count(*) FROM derivative_files WHERE kept = 1";
    let drafts = "SELECT count(*) FROM derivative_files WHERE kept = 0";
    assert_eq!((bench.count(kept).await, bench.count(drafts).await), (0, 1));
    let outcome = Outcome::Completed {
        correction: Box::new(correction()),
        byproducts: byproducts.clone(),
        warnings: Vec::new(),
    };
    bench.store.settle(attempt, outcome).await.unwrap().unwrap();
    assert_eq!((bench.count(kept).await, bench.count(drafts).await), (2, 0));
    for (byproduct, size) in byproducts.iter().zip([200, LONG]) {
        assert!(bench.store.database.staged.get(byproduct.key()).is_none());
        let there = bench.blobs.size(byproduct.key()).await.unwrap();
        assert_eq!(there, size as u64);
    }
    // Drafts are swept, and these are none.
    bench.clock.advance(SignedDuration::from_mins(61));
    bench.store.sweep(TERMS).await.unwrap();
    assert_eq!(bench.count(kept).await, 2);
}
