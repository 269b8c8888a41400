//! What has happened to jobs, in order.

use async_trait::async_trait;

use super::StoreError;
use crate::{
    event::Event,
    id::{EventId, JobId, OwnerId},
    job::Job,
};

/// The event log: what SSE replays from.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// The owner's events after `after`, oldest first.
    async fn events(
        &self,
        owner: OwnerId,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError>;

    /// The newest event of anybody's: where a stream without `Last-Event-ID` begins.
    async fn newest_event(&self) -> Result<EventId, StoreError>;

    /// What lies up to here may be gone, whoever's it was: a reader with an earlier place has missed
    /// something and must look at everything anew.
    async fn forgotten_up_to(&self) -> Result<EventId, StoreError>;

    /// The job as it stands, whoever's it is: a completion names no owner, and its hearer must know
    /// whom to tell. Never to answer a client.
    async fn job_now(&self, id: JobId) -> Result<Option<Job>, StoreError>;
}
