//! Between blobs and files: recordings and plugins in, corrections out, a piece at a time.

use std::{io, path::Path};

use futures_util::StreamExt;
use retake_chain::problem::{Problem, ProblemKind};
use retake_jobs::{
    digest::hex,
    seams::{BlobError, BlobInfo, BlobKey, Blobs},
};
use retake_runner::chain::{ChainFailure, Retry, Trouble};
use sha2::{Digest, Sha256};
use tokio::{fs::File, io::AsyncWriteExt};
use tokio_util::io::ReaderStream;

const PIECE_BYTES: usize = 256 * 1024;

/// Copies a whole blob into a file, pulling; nothing is held between pieces.
pub(super) async fn fetch(
    blobs: &dyn Blobs,
    key: BlobKey,
    size_bytes: u64,
    to: &Path,
) -> Result<(), ChainFailure> {
    let mut file = File::create(to).await.map_err(ChainFailure::disk)?;
    let mut offset = 0;
    while offset < size_bytes {
        let piece = blobs
            .read(key, offset, PIECE_BYTES)
            .await
            .map_err(blob_failed)?;
        if piece.is_empty() {
            break;
        }
        offset += piece.len() as u64;
        file.write_all(&piece).await.map_err(ChainFailure::disk)?;
    }
    file.flush().await.map_err(ChainFailure::disk)?;
    if offset != size_bytes {
        let detail = format!("the stored recording has {offset} of its {size_bytes} bytes");
        return Err(ChainFailure::passing(Problem::new(
            ProblemKind::Unavailable,
            detail,
        )));
    }
    Ok(())
}

/// Copies a plugin's blob into a file; the answer is the SHA-256 of what came, in lower-case hex.
/// The outer error is our own disk's.
pub(super) async fn fetch_plugin(
    blobs: &dyn Blobs,
    key: BlobKey,
    to: &Path,
) -> io::Result<Result<String, BlobError>> {
    let mut file = File::create(to).await?;
    let mut sha256 = Sha256::new();
    let mut offset = 0;
    loop {
        let piece = match blobs.read(key, offset, PIECE_BYTES).await {
            Ok(piece) => piece,
            Err(error) => return Ok(Err(error)),
        };
        if piece.is_empty() {
            break;
        }
        offset += piece.len() as u64;
        sha256.update(&piece);
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    Ok(Ok(hex(&sha256.finalize())))
}

/// Puts a plugin's file under its digest, where it is not there yet.
pub(super) async fn store_plugin(
    blobs: &dyn Blobs,
    key: BlobKey,
    from: &Path,
    size_bytes: u64,
) -> io::Result<Result<(), BlobError>> {
    // Under its digest there is nothing else than these bytes.
    if blobs.size(key).await.is_ok_and(|size| size == size_bytes) {
        return Ok(Ok(()));
    }
    let file = File::open(from).await?;
    let body = ReaderStream::with_capacity(file, PIECE_BYTES).boxed();
    Ok(blobs.put(key, body, size_bytes).await.map(drop))
}

pub(super) async fn store(
    blobs: &dyn Blobs,
    key: BlobKey,
    from: &Path,
    limit_bytes: u64,
) -> Result<BlobInfo, ChainFailure> {
    let file = File::open(from).await.map_err(ChainFailure::disk)?;
    let body = ReaderStream::with_capacity(file, PIECE_BYTES).boxed();
    blobs
        .put_draft(key, body, limit_bytes)
        .await
        .map_err(blob_failed)
}

fn blob_failed(error: BlobError) -> ChainFailure {
    match error {
        BlobError::TooLarge { limit_bytes } => {
            let detail = format!("the correction has more than the {limit_bytes} bytes it may");
            ChainFailure::lasting(Problem::new(ProblemKind::TooLarge, detail))
        }
        BlobError::Full(detail) => {
            tracing::error!(detail, "there is no room for audio");
            let told = "there is no room to store the correction";
            ours(
                Trouble::NoRoom,
                Problem::new(ProblemKind::StorageFull, told),
            )
        }
        // Deleted, perhaps: then the lease is gone as well, and the next call to the store says so.
        BlobError::NotFound => {
            let told = "the recording's audio is not there";
            ChainFailure::passing(Problem::new(ProblemKind::Unavailable, told))
        }
        error @ (BlobError::Body(_) | BlobError::Busy(_) | BlobError::Broken(_)) => {
            tracing::warn!(%error, "audio could not be read or stored");
            let told = "the store of audio is out of reach";
            ChainFailure::lacking(Problem::new(ProblemKind::Unavailable, told))
        }
    }
}

fn ours(trouble: Trouble, problem: Problem) -> ChainFailure {
    ChainFailure::Failed {
        problem: Box::new(problem),
        retry: Retry::Ours(trouble),
        warnings: Vec::new(),
    }
}
