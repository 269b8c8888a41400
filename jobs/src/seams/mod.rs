//! The seams to the outside: what server and worker ask of whatever keeps rows and bytes and carries
//! messages and news. The record is the truth; every change of it names the state it expects.
//!
//! Several small traits, one per who asks; a backend of rows implements all of theirs and is then a
//! [`Store`].

// Rows.
mod catalogue;
mod event_log;
mod leases;
mod outbox;
mod owners;
mod records;
mod submissions;

// Bytes, messages and news.
mod blobs;
mod events;
mod queue;

pub use blobs::{BlobError, BlobInfo, BlobKey, Blobs, ByteStream, SharedBlobs};
pub use catalogue::{Catalogue, Removal};
pub use event_log::EventLog;
pub use events::{Events, SharedEvents, Wake};
pub use leases::{Claim, Heartbeat, Leases, Progress};
pub use outbox::{Outbox, OutboxRow};
pub use owners::Owners;
pub use queue::{Delivery, Queue, QueueError, QueueLimits, SharedQueue, Tag, Topic};
pub use records::{JobRecord, RecordingWithJobs, Records};
pub use submissions::Submissions;

use std::sync::Arc;

pub trait Store: Records + Leases + Outbox + EventLog + Owners + Catalogue + Submissions {}
impl<T: Records + Leases + Outbox + EventLog + Owners + Catalogue + Submissions> Store for T {}
pub type SharedStore = Arc<dyn Store>;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Locked or unreachable for now: try again.
    #[error("the store is busy: {0}")]
    Busy(String),
    /// No room: reads still work.
    #[error("the store is full: {0}")]
    Full(String),
    /// Broken: someone should look.
    #[error("the store failed: {0}")]
    Broken(String),
}
