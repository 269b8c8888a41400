//! Blobs in one process's memory, for tests and simulations.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use retake_jobs::{
    digest::hex,
    seams::{BlobError, BlobInfo, BlobKey, Blobs, ByteStream},
};

use sha2::{Digest, Sha256};

#[derive(Default)]
pub struct MemoryBlobs(Mutex<HashMap<BlobKey, Bytes>>);

impl MemoryBlobs {
    pub fn new() -> Self {
        Self::default()
    }

    /// What is there, in no order: tests look for leftovers.
    pub fn keys(&self) -> Vec<BlobKey> {
        self.blobs().keys().copied().collect()
    }

    fn blobs(&self) -> MutexGuard<'_, HashMap<BlobKey, Bytes>> {
        self.0.lock().expect("no panic while held")
    }
}

#[async_trait]
impl Blobs for MemoryBlobs {
    async fn put(
        &self,
        key: BlobKey,
        mut body: ByteStream<'_>,
        limit_bytes: u64,
    ) -> Result<BlobInfo, BlobError> {
        let mut bytes = BytesMut::new();
        while let Some(chunk) = body.next().await {
            bytes.extend_from_slice(&chunk.map_err(BlobError::Body)?);
            if bytes.len() as u64 > limit_bytes {
                return Err(BlobError::TooLarge { limit_bytes });
            }
        }
        let info = BlobInfo {
            size_bytes: bytes.len() as u64,
            sha256: hex_sha256(&bytes),
        };
        self.blobs().insert(key, bytes.freeze());
        Ok(info)
    }

    async fn size(&self, key: BlobKey) -> Result<u64, BlobError> {
        self.blobs()
            .get(&key)
            .map(|bytes| bytes.len() as u64)
            .ok_or(BlobError::NotFound)
    }

    async fn read(&self, key: BlobKey, offset: u64, len_max: usize) -> Result<Bytes, BlobError> {
        let blobs = self.blobs();
        let bytes = blobs.get(&key).ok_or(BlobError::NotFound)?;
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        Ok(bytes.slice(start..start.saturating_add(len_max).min(bytes.len())))
    }

    async fn delete(&self, key: BlobKey) -> Result<(), BlobError> {
        self.blobs().remove(&key);
        Ok(())
    }
}

fn hex_sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
