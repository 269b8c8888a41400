//! What whoever wires the program chooses.

use std::{path::PathBuf, sync::Arc};

use retake_jobs::{
    clock::Clock,
    health::Health,
    seams::{ServerStore, SharedBlobs, SharedEvents, SharedQueue},
};
use retake_outgoing::Outgoing;

/// What the server stands on.
pub struct Parts {
    /// One that tells what was written.
    pub store: Arc<dyn ServerStore>,
    pub blobs: SharedBlobs,
    pub queue: SharedQueue,
    pub events: SharedEvents,
    pub clock: Arc<dyn Clock>,
    /// For what clients have us send and fetch.
    pub outgoing: Outgoing,
    /// The folder of uploads that are not whole yet.
    pub partials: PathBuf,
    /// Of the worker in this process, if there is one.
    pub worker: Option<Health>,
}
