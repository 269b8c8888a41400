//! Short blobs between `put` and the write that makes them matter: a recording's acceptance, the
//! settlement of a job or of a derivative. They wait in memory and go into the file with that write, once and in one commit; written by
//! themselves before, their row would be written twice, because SQLite moves a row that grows.
//!
//! What is lost with the process was not accepted. What is longer, or more than there is room for here, goes into
//! the file at once, as a draft.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use jiff::Timestamp;
use retake_jobs::seams::{BlobInfo, BlobKey};

/// One blob.
const BLOB_BYTES_MAX: usize = 256 << 10;
/// All of them.
const BYTES_MAX: usize = 16 << 20;

#[derive(Debug)]
pub(super) struct StagedBlob {
    pub info: BlobInfo,
    pub bytes: Bytes,
    at: Timestamp,
}

#[derive(Default)]
pub(super) struct Staged(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    blobs: HashMap<BlobKey, Arc<StagedBlob>>,
    bytes: usize,
}

impl Staged {
    /// Gives the bytes back where they must go into the file.
    pub fn put(
        &self,
        key: BlobKey,
        info: &BlobInfo,
        bytes: Vec<u8>,
        at: Timestamp,
    ) -> Result<(), Vec<u8>> {
        match key {
            BlobKey::Recording(_) | BlobKey::Correction { .. } | BlobKey::Derivative { .. } => {}
            BlobKey::Delta { .. } | BlobKey::Submission(_) | BlobKey::Plugin { .. } => {
                return Err(bytes);
            }
        }
        let mut waiting = self.waiting();
        waiting.remove(key);
        if bytes.len() > BLOB_BYTES_MAX || waiting.bytes + bytes.len() > BYTES_MAX {
            return Err(bytes);
        }
        waiting.bytes += bytes.len();
        let blob = StagedBlob {
            info: info.clone(),
            bytes: bytes.into(),
            at,
        };
        waiting.blobs.insert(key, Arc::new(blob));
        Ok(())
    }

    pub fn get(&self, key: BlobKey) -> Option<Arc<StagedBlob>> {
        self.waiting().blobs.get(&key).map(Arc::clone)
    }

    /// It is in the file, or nobody wants it.
    pub fn remove(&self, key: BlobKey) {
        self.waiting().remove(key);
    }

    pub fn remove_all(&self, keys: impl IntoIterator<Item = BlobKey>) {
        let mut waiting = self.waiting();
        keys.into_iter().for_each(|key| waiting.remove(key));
    }

    /// What nobody has come back for, as drafts in the file are swept.
    pub fn forget_before(&self, time: Timestamp) {
        let mut waiting = self.waiting();
        let old: Vec<_> = waiting
            .blobs
            .iter()
            .filter(|(_, blob)| blob.at < time)
            .map(|(key, _)| *key)
            .collect();
        old.into_iter().for_each(|key| waiting.remove(key));
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().expect("no panic while held")
    }
}

impl Waiting {
    fn remove(&mut self, key: BlobKey) {
        if let Some(blob) = self.blobs.remove(&key) {
            self.bytes -= blob.bytes.len();
        }
    }
}
