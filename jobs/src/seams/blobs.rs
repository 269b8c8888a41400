//! Bytes: recordings, corrections, plugins. A [`BlobKey`] makes every path; nothing else does.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use super::StoreError;
use crate::{
    digest::PluginDigest,
    id::{DerivativeId, JobId, RecordingId, SubmissionId},
};

pub type SharedBlobs = Arc<dyn Blobs>;

/// Bytes as they arrive; an `Err` means the sender broke off, and nothing is kept.
pub type ByteStream<'a> = BoxStream<'a, Result<Bytes, std::io::Error>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlobKey {
    Recording(RecordingId),
    /// Bears the attempt's number, so that two attempts never write the same blob.
    Correction {
        job: JobId,
        attempt: u32,
    },
    /// What a step took away.
    Delta {
        job: JobId,
        attempt: u32,
        /// The step's place in the report, from 0.
        step: u32,
    },
    /// Something made of a completed job.
    Derivative {
        id: DerivativeId,
        attempt: u32,
    },
    /// A plugin that waits to be checked.
    Submission(SubmissionId),
    /// A plugin in the catalogue.
    Plugin {
        digest: PluginDigest,
    },
}

/// The blob's path: its one name wherever things have names, in tables, folders and logs. Stored
/// under it, so that it never changes.
impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recording(id) => write!(f, "recording/{id}"),
            Self::Correction { job, attempt } => write!(f, "correction/{job}/{attempt}"),
            Self::Delta { job, attempt, step } => write!(f, "delta/{job}/{attempt}/{step}"),
            Self::Derivative { id, attempt } => write!(f, "derivative/{id}/{attempt}"),
            Self::Submission(id) => write!(f, "submission/{id}"),
            Self::Plugin { digest } => write!(f, "plugin/{digest}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobInfo {
    pub size_bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
}

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("there is no such blob")]
    NotFound,
    /// Longer than the limit given to `put`.
    #[error("more than {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64 },
    /// The body's own error: the sender broke off.
    #[error("the body broke off: {0}")]
    Body(#[source] std::io::Error),
    #[error("the blob store is full: {0}")]
    Full(String),
    /// Locked or unreachable for now: try again.
    #[error("the blob store is busy: {0}")]
    Busy(String),
    #[error("the blob store failed: {0}")]
    Broken(String),
}

impl From<StoreError> for BlobError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(detail) => Self::Full(detail),
            StoreError::Busy(detail) => Self::Busy(detail),
            StoreError::Broken(detail) => Self::Broken(detail),
        }
    }
}

#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores the whole body or nothing, in bounded memory. A blob half written when the process
    /// dies is a draft that `Leases::sweep` or the next `put` of the same key removes. Putting a key
    /// again replaces it.
    async fn put(
        &self,
        key: BlobKey,
        body: ByteStream<'_>,
        limit_bytes: u64,
    ) -> Result<BlobInfo, BlobError>;

    /// As `put`, for bytes that matter only once this process has their recording accepted or their attempt
    /// settled: until then nobody else need see them.
    async fn put_draft(
        &self,
        key: BlobKey,
        body: ByteStream<'_>,
        limit_bytes: u64,
    ) -> Result<BlobInfo, BlobError> {
        self.put(key, body, limit_bytes).await
    }

    async fn size(&self, key: BlobKey) -> Result<u64, BlobError>;

    /// At most `len_max` bytes from `offset`; shorter than that only where the backend stores in
    /// pieces or the blob ends; empty only at the end. Readers pull: nothing is held between calls.
    async fn read(&self, key: BlobKey, offset: u64, len_max: usize) -> Result<Bytes, BlobError>;

    /// Deleting what is not there is not an error.
    async fn delete(&self, key: BlobKey) -> Result<(), BlobError>;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn paths_stay_as_they_were_when_things_were_stored_under_them() {
        let (hex, id) = ("0a".repeat(32), "0198c0de-0000-7000-8000-000000000001");
        let job: JobId = id.parse().unwrap();
        let paths = [
            BlobKey::Recording(id.parse().unwrap()),
            BlobKey::Correction { job, attempt: 2 },
            BlobKey::Delta {
                job,
                attempt: 2,
                step: 3,
            },
            BlobKey::Derivative {
                id: id.parse().unwrap(),
                attempt: 4,
            },
            BlobKey::Submission(id.parse().unwrap()),
            BlobKey::Plugin {
                digest: hex.parse().unwrap(),
            },
        ];
        assert_eq!(
            paths.map(|key| key.to_string()),
            [
                format!("recording/{id}"),
                format!("correction/{id}/2"),
                format!("delta/{id}/2/3"),
                format!("derivative/{id}/4"),
                format!("submission/{id}"),
                format!("plugin/{hex}"),
            ]
        );
    }
}
