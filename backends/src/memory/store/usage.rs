//! What owners have had done.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use retake_jobs::{
    correction::Correction,
    id::OwnerId,
    job::Job,
    recording::Recording,
    seams::{StoreError, Usages},
    usage::{Usage, day},
};

use super::MemoryStore;

pub(super) type Known = BTreeMap<(OwnerId, i64), Usage>;

pub(super) fn note_bytes(known: &mut Known, recording: &Recording) {
    let today = (recording.owner, day(recording.created_at));
    known.entry(today).or_default().bytes += recording.size_bytes;
}

pub(super) fn note_audio(known: &mut Known, job: &Job, correction: &Correction, now: Timestamp) {
    let today = known.entry((job.owner, day(now))).or_default();
    today.audio_ms += correction.report.input.duration_ms;
}

#[async_trait]
impl Usages for MemoryStore {
    async fn usage(&self, owner: OwnerId, day: i64) -> Result<Usage, StoreError> {
        let tables = self.tables();
        Ok(tables.usage.get(&(owner, day)).copied().unwrap_or_default())
    }
}
