//! A link that opens one correction, with the recording that it was made of, to whoever has it. Of the
//! token in it only the SHA-256 is kept.

use jiff::Timestamp;

use crate::id::{JobId, OwnerId, RecordingId, ShareId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub id: ShareId,
    pub owner: OwnerId,
    pub recording: RecordingId,
    pub job: JobId,
    /// Whether the files may be taken away, or only be listened to.
    pub may_download: bool,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Share {
    pub fn opens(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

/// What became of a share that was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    Made,
    /// The owner has no such job.
    Gone,
    /// The owner has as many as there may be.
    TooMany,
}
