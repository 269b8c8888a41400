//! Chains that have a name.

use async_trait::async_trait;

use super::StoreError;
use crate::{
    id::OwnerId,
    saved_preset::{PresetName, Saved, SavedPreset},
};

#[async_trait]
pub trait Presets: Send + Sync {
    /// As the version behind the newest one, which must be the one before `preset.version`; the first
    /// where there is none. At most `presets_max` names of one owner's, and
    /// [`VERSIONS_MAX`](crate::saved_preset::VERSIONS_MAX) versions of one name: the oldest go.
    async fn save_preset(
        &self,
        owner: OwnerId,
        preset: &SavedPreset,
        presets_max: u64,
    ) -> Result<Saved, StoreError>;

    /// The newest versions, by name.
    async fn presets(&self, owner: OwnerId) -> Result<Vec<SavedPreset>, StoreError>;

    /// The newest version, or a certain one.
    async fn preset(
        &self,
        owner: OwnerId,
        name: &PresetName,
        version: Option<u64>,
    ) -> Result<Option<SavedPreset>, StoreError>;

    /// All versions. False: the owner has no such preset, or another is the newest version.
    async fn remove_preset(
        &self,
        owner: OwnerId,
        name: &PresetName,
        newest: u64,
    ) -> Result<bool, StoreError>;
}
