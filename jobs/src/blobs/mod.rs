//! Bytes: recordings, corrections, plugins. A [`BlobKey`] makes every path; nothing else does.

mod memory;

pub use memory::MemoryBlobs;

use std::{fmt, str::FromStr, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use sha2::{Digest, Sha256};

use crate::id::{JobId, RecordingId, SubmissionId};

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
    /// A plugin that waits to be checked.
    Submission(SubmissionId),
    /// A plugin in the catalogue.
    Plugin {
        digest: PluginDigest,
    },
}

/// SHA-256 of a plugin's file. Text of anything but 64 lower-case hex digits is none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PluginDigest([u8; 32]);

impl FromStr for PluginDigest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(NotADigest),
        };
        let text: &[u8; 64] = text.as_bytes().try_into().map_err(|_| NotADigest)?;
        let mut digest = [0; 32];
        for (byte, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(digest))
    }
}

impl fmt::Display for PluginDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for PluginDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest has 64 lower-case hexadecimal digits")]
pub struct NotADigest;

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
    #[error("the blob store failed: {0}")]
    Broken(String),
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

    async fn size(&self, key: BlobKey) -> Result<u64, BlobError>;

    /// At most `len_max` bytes from `offset`; shorter than that only where the backend stores in
    /// pieces or the blob ends; empty only at the end. Readers pull: nothing is held between calls.
    async fn read(&self, key: BlobKey, offset: u64, len_max: usize) -> Result<Bytes, BlobError>;

    /// Deleting what is not there is not an error.
    async fn delete(&self, key: BlobKey) -> Result<(), BlobError>;
}

fn hex_sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower case.
pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
