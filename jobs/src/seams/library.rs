//! What an owner's recordings are to them: lists, what they call them, and the trash.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::StoreError;
use crate::{
    entry::{Edit, Entry, EntryPlace, EntryQuery, Found, JobQuery},
    id::{JobId, OwnerId, RecordingId},
    job::Job,
};

#[async_trait]
pub trait Library: Send + Sync {
    /// What it costs does not depend on how many jobs a recording has.
    async fn recordings(
        &self,
        owner: OwnerId,
        query: &EntryQuery,
    ) -> Result<Found<Entry, EntryPlace>, StoreError>;

    async fn jobs(&self, owner: OwnerId, query: &JobQuery)
    -> Result<Found<Job, JobId>, StoreError>;

    /// Writes `recording.changed`, where something changed. `None`: no such recording; an error of the inner result:
    /// its version is not the `expected` one.
    async fn edit_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
        edit: &Edit,
        expected: Option<u64>,
    ) -> Result<Option<Result<Entry, Changed>>, StoreError>;

    /// From now on it and its jobs belong to an owner whom nobody is, so that nobody finds them; jobs that have not
    /// ended are held, and running attempts lose their leases. Writes `recording.deleted`. Returns until when it can
    /// be restored; after that [`Sweep::empty_trash`](super::Sweep::empty_trash) removes it. `None`: no such recording.
    async fn trash_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
        grace: SignedDuration,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// As it was; jobs that were held wait again, from now on. Writes `recording.restored`. `None`: the owner has
    /// none such in the trash, or it can no longer be restored.
    async fn restore_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<Entry>, StoreError>;
}

/// Somebody else was faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the recording was changed in the meantime")]
pub struct Changed;
