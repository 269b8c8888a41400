//! Chains that have a name.

use std::collections::BTreeMap;

use async_trait::async_trait;
use retake_jobs::{
    id::OwnerId,
    saved_preset::{PresetName, Saved, SavedPreset, VERSIONS_MAX},
    seams::{Presets, StoreError},
};

use super::MemoryStore;

/// Every version, the oldest first.
pub(super) type Known = BTreeMap<(OwnerId, PresetName), Vec<SavedPreset>>;

#[async_trait]
impl Presets for MemoryStore {
    async fn save_preset(
        &self,
        owner: OwnerId,
        preset: &SavedPreset,
        presets_max: u64,
    ) -> Result<Saved, StoreError> {
        let known = &mut self.tables().presets;
        let key = (owner, preset.name.clone());
        let versions = known.get(&key).and_then(|versions| versions.last());
        if versions.map_or(0, |newest| newest.version) + 1 != preset.version {
            return Ok(Saved::Changed);
        }
        let had = known.keys().filter(|(theirs, _)| *theirs == owner).count();
        if versions.is_none() && had as u64 >= presets_max {
            return Ok(Saved::TooMany);
        }
        let versions = known.entry(key).or_default();
        versions.push(preset.clone());
        versions.retain(|had| had.version + VERSIONS_MAX > preset.version);
        Ok(Saved::Done)
    }

    async fn presets(&self, owner: OwnerId) -> Result<Vec<SavedPreset>, StoreError> {
        let tables = self.tables();
        let mine = tables.presets.iter().filter(|((of, _), _)| *of == owner);
        Ok(mine.filter_map(|(_, all)| all.last()).cloned().collect())
    }

    async fn preset(
        &self,
        owner: OwnerId,
        name: &PresetName,
        version: Option<u64>,
    ) -> Result<Option<SavedPreset>, StoreError> {
        let tables = self.tables();
        let versions = tables.presets.get(&(owner, name.clone()));
        let mut versions = versions.into_iter().flatten().rev();
        let found = versions.find(|had| version.is_none_or(|version| had.version == version));
        Ok(found.cloned())
    }

    async fn remove_preset(
        &self,
        owner: OwnerId,
        name: &PresetName,
        newest: u64,
    ) -> Result<bool, StoreError> {
        let known = &mut self.tables().presets;
        let key = (owner, name.clone());
        let is = known.get(&key).and_then(|versions| versions.last());
        let is = is.is_some_and(|preset| preset.version == newest);
        Ok(is && known.remove(&key).is_some())
    }
}
