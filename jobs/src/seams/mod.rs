//! The seams to the outside: what server and worker ask of whatever keeps rows and bytes and carries
//! messages and news. The record is the truth; every change of it names the state it expects.
//!
//! Rows have several small traits, one per who asks; a backend implements them all and is then a
//! [`Store`]. Each side holds only its part, so that no handler of the server can settle a job.

// Rows.
mod catalogue;
mod credentials;
mod derivatives;
mod event_log;
mod leases;
mod library;
mod outbox;
mod presets;
mod records;
mod shares;
mod space;
mod submissions;
mod sweep;
mod usages;
mod webhooks;

// Bytes, messages and news.
mod blobs;
mod events;
mod queue;

pub use blobs::{BlobError, BlobInfo, BlobKey, Blobs, ByteStream, SharedBlobs};
pub use catalogue::{Catalogue, Removal};
pub use credentials::Credentials;
pub use derivatives::{Derivatives, Derive, Source, Sources};
pub use event_log::EventLog;
pub use events::{Events, SharedEvents, Wake};
pub use leases::{Claim, Errands, Heartbeat, JobLeases, Leases, Progress};
pub use library::{Changed, Library};
pub use outbox::{Outbox, OutboxRow};
pub use presets::Presets;
pub use queue::{Delivery, Queue, QueueError, QueueLimits, SharedQueue, Tag, Topic};
pub use records::{JobRecord, Records};
pub use shares::Shares;
pub use space::{Space, SpaceUsed};
pub use submissions::Submissions;
pub use sweep::Sweep;
pub use usages::Usages;
pub use webhooks::{Parcel, Settled, Webhooks};

use std::sync::Arc;

use crate::{derivative::Derivative, submission::Submission};

/// What the server may do: take in, show, cancel, delete, and send what webhooks are to hear. It settles no job.
pub trait ServerStore:
    Records
    + Library
    + EventLog
    + Credentials
    + Shares
    + Presets
    + Usages
    + Catalogue
    + Submissions
    + Derivatives
    + Space
    + Webhooks
{
}
impl<T> ServerStore for T where
    T: Records
        + Library
        + EventLog
        + Credentials
        + Shares
        + Presets
        + Usages
        + Catalogue
        + Submissions
        + Derivatives
        + Space
        + Webhooks
{
}

/// What a worker may do: whatever its leases allow, and read which plugins there are.
pub trait WorkerStore:
    JobLeases + Errands<Submission> + Errands<Derivative> + Sources + Catalogue
{
}
impl<T: JobLeases + Errands<Submission> + Errands<Derivative> + Sources + Catalogue> WorkerStore
    for T
{
}

/// What the relay may do, in whichever process it runs.
pub trait RelayStore: Outbox + Sweep {}
impl<T: Outbox + Sweep> RelayStore for T {}

/// All of them: what a backend is, and what the wiring hands each side its part of.
pub trait Store: ServerStore + WorkerStore + RelayStore {}
impl<T: ServerStore + WorkerStore + RelayStore> Store for T {}
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
