//! Messages that wait to be sent.

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::{
    id::JobId,
    job::{Job, Status, changes::job_message},
    seams::{Outbox, OutboxRow, StoreError, Topic},
};

use super::{MemoryStore, Tables};

#[async_trait]
impl Outbox for MemoryStore {
    async fn unsent(
        &self,
        written_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let now = self.clock.now();
        let tables = self.tables();
        let due = tables
            .outbox
            .values()
            .filter(|m| m.written_at < written_before && m.not_before <= now);
        Ok(due.take(limit).map(|m| m.row.clone()).collect())
    }

    async fn sent(&self, ids: &[i64]) -> Result<(), StoreError> {
        self.tables().outbox.retain(|id, _| !ids.contains(id));
        Ok(())
    }

    async fn sent_and_waiting(&self, due_before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.tables().sent_and_waiting(due_before).len() as u64)
    }

    async fn send_again(&self, count: u64, due_before: Timestamp) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let mut jobs = tables.sent_and_waiting(due_before);
        jobs.sort_by_key(|(message_at, _)| *message_at);
        jobs.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        for (_, job) in &jobs {
            let recording = &tables.recordings[&job.recording_id].recording;
            let message = job_message(job, &recording.user_email, now);
            tables.add_message(Topic::Jobs, message, job, now, now);
        }
        Ok(jobs.len())
    }
}

impl Tables {
    fn sent_and_waiting(&self, due_before: Timestamp) -> Vec<(Timestamp, Job)> {
        let unsent = |id: JobId| {
            let mut messages = self.outbox.values();
            messages.any(|m| m.job == id && m.row.topic == Topic::Jobs)
        };
        self.jobs
            .values()
            .filter(|row| row.job.status == Status::Queued && row.message_at < due_before)
            .filter(|row| !unsent(row.job.id))
            .map(|row| (row.message_at, row.job.clone()))
            .collect()
    }
}
