//! Links to corrections.

use async_trait::async_trait;
use retake_jobs::{
    id::{OwnerId, ShareId},
    seams::{Shares, StoreError},
    share::{Share, Shared},
};

use super::{MemoryStore, Tables};

/// With the SHA-256 of their tokens.
pub(super) type Known = Vec<(Share, [u8; 32])>;

impl Tables {
    /// The oldest first; of jobs that are there.
    fn shares_there(&self) -> impl DoubleEndedIterator<Item = &(Share, [u8; 32])> {
        let there = |share: &Share| self.jobs.contains_key(&share.job);
        self.shares.iter().filter(move |(share, _)| there(share))
    }
}

#[async_trait]
impl Shares for MemoryStore {
    async fn add_share(
        &self,
        share: &Share,
        token_sha256: [u8; 32],
        shares_max: u64,
    ) -> Result<Shared, StoreError> {
        let mut tables = self.tables();
        let is_job = |job: &retake_jobs::job::Job| {
            job.owner == share.owner && job.recording_id == share.recording
        };
        let job = tables.jobs.get(&share.job);
        if !job.is_some_and(|row| is_job(&row.job)) {
            return Ok(Shared::Gone);
        }
        tables
            .shares
            .retain(|(had, _)| had.owner != share.owner || had.opens(share.created_at));
        let had = tables.shares_there();
        if had.filter(|(had, _)| had.owner == share.owner).count() as u64 >= shares_max {
            return Ok(Shared::TooMany);
        }
        tables.shares.push((share.clone(), token_sha256));
        Ok(Shared::Made)
    }

    async fn share(&self, token_sha256: [u8; 32]) -> Result<Option<Share>, StoreError> {
        let tables = self.tables();
        let found = tables
            .shares_there()
            .find(|(_, known)| *known == token_sha256);
        Ok(found.map(|(share, _)| share.clone()))
    }

    async fn shares(
        &self,
        owner: OwnerId,
        before: Option<ShareId>,
        limit: usize,
    ) -> Result<Vec<Share>, StoreError> {
        let tables = self.tables();
        let mine = tables.shares_there().rev().map(|(share, _)| share);
        let mine = mine
            .filter(|share| share.owner == owner && before.is_none_or(|before| share.id < before));
        Ok(mine.take(limit).cloned().collect())
    }

    async fn remove_share(&self, owner: OwnerId, id: ShareId) -> Result<bool, StoreError> {
        let shares = &mut self.tables().shares;
        let had = shares.len();
        shares.retain(|(share, _)| share.owner != owner || share.id != id);
        Ok(shares.len() < had)
    }
}
