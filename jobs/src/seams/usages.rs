//! What owners have had done.

use async_trait::async_trait;

use super::StoreError;
use crate::{id::OwnerId, usage::Usage};

#[async_trait]
pub trait Usages: Send + Sync {
    /// On that day ([`day`](crate::usage::day)): today's and yesterday's are known.
    async fn usage(&self, owner: OwnerId, day: i64) -> Result<Usage, StoreError>;
}
