//! The catalogue and what is on its way into it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use retake_chain::InstalledPlugin;
use retake_jobs::{
    id::SubmissionId,
    lease::Attempt,
    plugin::{Origin, PluginVersion},
    seams::{Catalogue, Removal, StoreError, Submissions},
    submission::{Submission, SubmissionStatus, Verdict, publishing},
};
use serde_json::Value;

use super::{MemoryStore, Tables, errands::Kept};

#[derive(Default)]
pub(super) struct Plugins {
    /// By id and version.
    versions: BTreeMap<(String, String), Row>,
    submissions: BTreeMap<SubmissionId, Submission>,
}

struct Row {
    version: PluginVersion,
    check: Option<Value>,
}

fn key(plugin: &InstalledPlugin) -> (String, String) {
    (plugin.manifest.id.clone(), plugin.manifest.version.clone())
}

#[async_trait]
impl Catalogue for MemoryStore {
    async fn put_plugin(
        &self,
        plugin: &InstalledPlugin,
        size_bytes: u64,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let versions = &mut self.tables().plugins.versions;
        let known = versions.get(&key(plugin)).map(|row| &row.version);
        let version = PluginVersion {
            plugin: plugin.clone(),
            size_bytes,
            origin: Origin::BuiltIn,
            published_at: known.map_or(now, |known| known.published_at),
            removed_at: None,
        };
        let check = None;
        versions.insert(key(plugin), Row { version, check });
        Ok(())
    }

    async fn plugins(&self) -> Result<Vec<PluginVersion>, StoreError> {
        let tables = self.tables();
        let rows = tables.plugins.versions.values();
        let mut versions: Vec<_> = rows.map(|row| row.version.clone()).collect();
        publishing::sort(&mut versions);
        Ok(versions)
    }

    async fn check_report(&self, id: &str, version: &str) -> Result<Option<Value>, StoreError> {
        let tables = self.tables();
        let row = tables
            .plugins
            .versions
            .get(&(id.to_owned(), version.to_owned()));
        Ok(row.and_then(|row| row.check.clone()))
    }

    async fn remove_plugin(&self, id: &str, version: &str) -> Result<Removal, StoreError> {
        let now = self.clock.now();
        let versions = &mut self.tables().plugins.versions;
        let row = versions.get_mut(&(id.to_owned(), version.to_owned()));
        let Some(row) = row.filter(|row| row.version.removed_at.is_none()) else {
            return Ok(Removal::Gone);
        };
        if row.version.origin == Origin::BuiltIn {
            return Ok(Removal::BuiltIn);
        }
        row.version.removed_at = Some(now);
        Ok(Removal::Removed)
    }
}

#[async_trait]
impl Submissions for MemoryStore {
    async fn add_submission(
        &self,
        submission: &Submission,
        waiting_max: usize,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let submissions = &mut self.tables().plugins.submissions;
        submissions.retain(|_, old| {
            old.ended_at
                .is_none_or(|ended| ended > now - publishing::SUBMISSION_LIFETIME)
        });
        let waiting = submissions.values();
        let waiting = waiting.filter(|other| other.status == SubmissionStatus::Checking);
        if waiting.count() >= waiting_max {
            return Ok(false);
        }
        submissions.insert(submission.id, submission.clone());
        Ok(true)
    }

    async fn submission(&self, id: SubmissionId) -> Result<Option<Submission>, StoreError> {
        Ok(self.tables().plugins.submissions.get(&id).cloned())
    }
}

impl Kept for Submission {
    fn rows(tables: &mut Tables) -> &mut BTreeMap<SubmissionId, Self> {
        &mut tables.plugins.submissions
    }

    fn end(
        tables: &mut Tables,
        attempt: Attempt<Self>,
        verdict: Verdict,
        now: Timestamp,
    ) -> Option<()> {
        let Plugins {
            versions,
            submissions,
        } = &mut tables.plugins;
        let submission = submissions.get_mut(&attempt.id)?;
        let existing = match &verdict {
            Verdict::Passed { plugin, .. } => versions.get(&key(plugin)).map(|row| &row.version),
            Verdict::Refused { .. } => None,
        };
        if let Some(new) = publishing::settle(submission, verdict, existing, now) {
            let row = Row {
                version: new.version,
                check: Some(new.check),
            };
            versions.insert(key(&row.version.plugin), row);
        }
        Some(())
    }
}
