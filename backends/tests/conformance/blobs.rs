//! The claims of `Blobs`.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use retake_backends::{
    memory::MemoryBlobs,
    sqlite::{SqliteBlobs, SqliteStore},
};
use retake_jobs::{
    clock::SystemClock,
    digest::PluginDigest,
    id::{JobId, RecordingId, SubmissionId},
    seams::{BlobError, BlobKey, ByteStream, SharedBlobs},
};
use sha2::{Digest, Sha256};

use crate::{claims, eventually};

/// `a` and `b` see the same blobs as two processes would, where the backend can do that.
struct Bench {
    a: SharedBlobs,
    b: SharedBlobs,
    _folder: Option<tempfile::TempDir>,
}

impl Bench {
    async fn memory() -> Self {
        let blobs: SharedBlobs = Arc::new(MemoryBlobs::new());
        Self {
            a: blobs.clone(),
            b: blobs,
            _folder: None,
        }
    }

    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = || -> SharedBlobs {
            let path = folder.path().join("retake.db");
            let store = SqliteStore::open(path, Arc::new(SystemClock)).unwrap();
            Arc::new(SqliteBlobs::new(&store))
        };
        Self {
            a: open(),
            b: open(),
            _folder: Some(folder),
        }
    }
}

const NO_LIMIT: u64 = u64::MAX;
const MIB: usize = 1 << 20;

fn recording() -> BlobKey {
    BlobKey::Recording(RecordingId::new(Timestamp::now()))
}

/// No two stretches of it are alike, so that a piece in the wrong place shows.
fn made(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 16).to_le_bytes()
    });
    words.flatten().take(length).collect()
}

fn body(bytes: &[u8]) -> ByteStream<'static> {
    let pieces: Vec<_> = bytes
        .chunks(70_001)
        .map(|c| Ok(Bytes::copy_from_slice(c)))
        .collect();
    stream::iter(pieces).boxed()
}

fn broken(bytes: &[u8]) -> ByteStream<'static> {
    let end = stream::iter([Err(io::Error::from(io::ErrorKind::ConnectionReset))]);
    body(bytes).chain(end).boxed()
}

async fn whole(blobs: &SharedBlobs, key: BlobKey) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let piece = blobs.read(key, bytes.len() as u64, 64 << 10).await.unwrap();
        assert!(piece.len() <= 64 << 10);
        if piece.is_empty() {
            return bytes;
        }
        bytes.extend_from_slice(&piece);
    }
}

async fn is_absent(blobs: &SharedBlobs, key: BlobKey) -> bool {
    let size = matches!(blobs.size(key).await, Err(BlobError::NotFound));
    let read = matches!(blobs.read(key, 0, 1).await, Err(BlobError::NotFound));
    assert_eq!(size, read);
    size
}

claims! { Bench on memory sqlite; [
    a_blob_of_any_length_reads_back_whole
    a_20_mb_blob_reads_back_by_ranges
    a_correction_is_kept_apart_by_job_and_attempt
    a_delta_is_kept_apart_by_job_attempt_and_step
    a_plugin_is_kept_apart_from_the_submission_it_came_as
    a_broken_upload_leaves_nothing
    a_broken_upload_leaves_what_was_there_before
    a_blob_longer_than_the_limit_is_refused
    putting_again_replaces
    a_draft_reads_back_where_it_was_put_until_it_is_deleted
    an_upload_whose_request_is_gone_leaves_nothing
    deleting_removes_and_may_be_repeated
] }

async fn a_blob_of_any_length_reads_back_whole(bench: Bench) {
    let chunk = MIB / 4;
    for length in [
        0,
        1,
        70_001,
        MIB - 1,
        MIB,
        MIB + 1,
        MIB + chunk,
        MIB + chunk + 1,
    ] {
        let (key, bytes) = (recording(), made(length));
        let info = bench.a.put(key, body(&bytes), NO_LIMIT).await.unwrap();
        assert_eq!(info.size_bytes, length as u64);
        let digest: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(info.sha256, digest, "{length}");
        assert_eq!(bench.b.size(key).await.unwrap(), length as u64);
        assert!(whole(&bench.b, key).await == bytes, "{length}");
    }
}

async fn a_20_mb_blob_reads_back_by_ranges(bench: Bench) {
    let (key, bytes) = (recording(), made(20_000_000));
    bench.a.put(key, body(&bytes), 20_000_000).await.unwrap();
    let end = bytes.len();
    for (from, length) in [
        (0, 10),
        (MIB - 5, 10),
        (MIB, 1),
        (MIB + (256 << 10) - 1, 2),
        (12_345_678, 100_000),
        (end - 65_536, 65_536),
        (end - 1, 100),
    ] {
        let expected = &bytes[from..(from + length).min(end)];
        let mut found = Vec::new();
        while found.len() < expected.len() {
            let offset = (from + found.len()) as u64;
            let piece = bench
                .b
                .read(key, offset, length - found.len())
                .await
                .unwrap();
            assert!(!piece.is_empty(), "{from}: empty before the end");
            found.extend_from_slice(&piece);
        }
        assert!(found == expected, "{from}");
    }
    for beyond in [end as u64, end as u64 + 1, u64::MAX] {
        assert!(bench.b.read(key, beyond, 10).await.unwrap().is_empty());
    }
}

async fn a_delta_is_kept_apart_by_job_attempt_and_step(bench: Bench) {
    let job = JobId::new(Timestamp::now());
    let delta = |job, attempt, step| BlobKey::Delta { job, attempt, step };
    let keys = [
        BlobKey::Correction { job, attempt: 1 },
        delta(job, 1, 0),
        delta(job, 1, 2),
        delta(job, 2, 0),
        delta(JobId::new(Timestamp::now()), 1, 0),
    ];
    let long = MIB + 100_000;
    for (n, key) in keys.into_iter().enumerate() {
        let bytes = made(long + n);
        bench.a.put(key, body(&bytes), NO_LIMIT).await.unwrap();
    }
    let short = made(3);
    bench.a.put(keys[1], body(&short), NO_LIMIT).await.unwrap();
    bench.b.delete(keys[3]).await.unwrap();
    assert!(is_absent(&bench.a, keys[3]).await);
    assert!(is_absent(&bench.a, delta(job, 1, 1)).await);
    assert!(whole(&bench.b, keys[1]).await == short);
    for n in [0, 2, 4] {
        assert!(whole(&bench.b, keys[n]).await == made(long + n), "{n}");
    }
}

async fn a_correction_is_kept_apart_by_job_and_attempt(bench: Bench) {
    let job = JobId::new(Timestamp::now());
    let keys = [
        BlobKey::Correction { job, attempt: 1 },
        BlobKey::Correction { job, attempt: 2 },
        BlobKey::Correction {
            job: JobId::new(Timestamp::now()),
            attempt: 1,
        },
    ];
    for (n, key) in keys.into_iter().enumerate() {
        bench
            .a
            .put(key, body(&made(MIB + 100 + n)), NO_LIMIT)
            .await
            .unwrap();
    }
    bench.a.delete(keys[1]).await.unwrap();
    assert!(is_absent(&bench.b, keys[1]).await);
    assert!(whole(&bench.b, keys[0]).await == made(MIB + 100));
    assert!(whole(&bench.b, keys[2]).await == made(MIB + 102));
}

async fn a_plugin_is_kept_apart_from_the_submission_it_came_as(bench: Bench) {
    let digest = |hex: &str| hex.repeat(32).parse::<PluginDigest>().unwrap();
    let keys = [
        BlobKey::Submission(SubmissionId::new(Timestamp::now())),
        BlobKey::Submission(SubmissionId::new(Timestamp::now())),
        BlobKey::Plugin {
            digest: digest("0a"),
        },
        BlobKey::Plugin {
            digest: digest("a0"),
        },
    ];
    for (n, key) in keys.into_iter().enumerate() {
        let bytes = made(MIB + 300_000 + n);
        bench.a.put(key, body(&bytes), NO_LIMIT).await.unwrap();
    }
    bench.a.delete(keys[0]).await.unwrap();
    bench.a.delete(keys[2]).await.unwrap();
    assert!(is_absent(&bench.b, keys[0]).await && is_absent(&bench.b, keys[2]).await);
    assert!(whole(&bench.b, keys[1]).await == made(MIB + 300_001));
    assert!(whole(&bench.b, keys[3]).await == made(MIB + 300_003));
    bench
        .a
        .put(keys[3], body(b"again"), NO_LIMIT)
        .await
        .unwrap();
    assert_eq!(whole(&bench.b, keys[3]).await, b"again");
    for not_a_digest in [
        "",
        "0a",
        &"0A".repeat(32),
        &"0g".repeat(32),
        &"0a".repeat(33),
    ] {
        assert!(
            not_a_digest.parse::<PluginDigest>().is_err(),
            "{not_a_digest}"
        );
    }
}

async fn a_broken_upload_leaves_nothing(bench: Bench) {
    for length in [0, 10, 3 * MIB] {
        let key = recording();
        let error = bench
            .a
            .put(key, broken(&made(length)), NO_LIMIT)
            .await
            .unwrap_err();
        assert!(matches!(error, BlobError::Body(_)), "{error}");
        assert!(is_absent(&bench.b, key).await);
    }
}

async fn a_broken_upload_leaves_what_was_there_before(bench: Bench) {
    let (key, bytes) = (recording(), made(2 * MIB));
    bench.a.put(key, body(&bytes), NO_LIMIT).await.unwrap();
    bench
        .a
        .put(key, broken(&made(3 * MIB)), NO_LIMIT)
        .await
        .unwrap_err();
    assert!(whole(&bench.b, key).await == bytes);
}

async fn a_blob_longer_than_the_limit_is_refused(bench: Bench) {
    for limit_bytes in [0_u64, 10, 2 * MIB as u64] {
        let (key, length) = (recording(), limit_bytes as usize);
        let error = bench
            .a
            .put(key, body(&made(length + 1)), limit_bytes)
            .await
            .unwrap_err();
        assert!(matches!(error, BlobError::TooLarge { limit_bytes: l } if l == limit_bytes));
        assert!(is_absent(&bench.b, key).await);
        bench
            .a
            .put(key, body(&made(length)), limit_bytes)
            .await
            .unwrap();
        assert_eq!(bench.b.size(key).await.unwrap(), limit_bytes);
    }
}

async fn putting_again_replaces(bench: Bench) {
    let key = recording();
    for length in [3 * MIB, 10, 0, 2 * MIB, 2 * MIB + 7, MIB] {
        let bytes = made(length);
        bench.a.put(key, body(&bytes), NO_LIMIT).await.unwrap();
        assert_eq!(bench.b.size(key).await.unwrap(), length as u64);
        assert!(whole(&bench.b, key).await == bytes, "{length}");
    }
}

async fn a_draft_reads_back_where_it_was_put_until_it_is_deleted(bench: Bench) {
    for length in [0, 1, 70_001, MIB / 4, MIB / 4 + 1, 3 * MIB] {
        let (key, bytes) = (recording(), made(length));
        let info = bench.a.put_draft(key, body(&bytes), NO_LIMIT).await;
        assert_eq!(info.unwrap().size_bytes, length as u64);
        assert_eq!(bench.a.size(key).await.unwrap(), length as u64);
        assert!(whole(&bench.a, key).await == bytes, "{length}");
        let again = made(length / 2 + 1);
        bench.a.put(key, body(&again), NO_LIMIT).await.unwrap();
        assert!(whole(&bench.b, key).await == again, "{length}");
        let info = bench.a.put_draft(key, body(&bytes), NO_LIMIT).await;
        assert_eq!(info.unwrap().size_bytes, length as u64);
        bench.a.delete(key).await.unwrap();
        assert!(is_absent(&bench.a, key).await);
        assert!(is_absent(&bench.b, key).await);
    }
}

async fn an_upload_whose_request_is_gone_leaves_nothing(bench: Bench) {
    let key = recording();
    let (reached, here) = tokio::sync::oneshot::channel();
    let stalled = stream::once(async move {
        let _ = reached.send(());
        std::future::pending::<Result<Bytes, io::Error>>().await
    });
    let blobs = bench.a.clone();
    let put = tokio::spawn(async move {
        blobs
            .put(key, body(&made(3 * MIB)).chain(stalled).boxed(), NO_LIMIT)
            .await
    });
    here.await.unwrap();
    put.abort();
    assert!(put.await.unwrap_err().is_cancelled());
    assert!(is_absent(&bench.b, key).await);
    bench.a.put(key, body(b"again"), NO_LIMIT).await.unwrap();
    assert_eq!(whole(&bench.b, key).await, b"again");
}

async fn deleting_removes_and_may_be_repeated(bench: Bench) {
    for length in [10, 5 * MIB] {
        let key = recording();
        bench
            .a
            .put(key, body(&made(length)), NO_LIMIT)
            .await
            .unwrap();
        bench.b.delete(key).await.unwrap();
        bench.b.delete(key).await.unwrap();
        eventually("the blob's end", || is_absent(&bench.a, key)).await;
    }
}
