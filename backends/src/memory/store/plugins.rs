//! The catalogue and what is on its way into it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use retake_chain::{InstalledPlugin, problem::Problem};
use retake_jobs::{
    id::SubmissionId,
    lease::{Attempt, Blame, LeaseLost, LeaseTerms, Leased},
    plugin::{Origin, PluginVersion},
    seams::{
        Catalogue, CheckLeases, Heartbeat, Leases, Progress, Removal, StoreError, Submissions,
    },
    submission::{Submission, SubmissionStatus, Verdict, publishing},
};
use serde_json::Value;

use super::MemoryStore;

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

#[async_trait]
impl CheckLeases for MemoryStore {
    async fn claim_submission(
        &self,
        worker: &str,
        terms: LeaseTerms,
    ) -> Result<Option<(Attempt<Submission>, Submission)>, StoreError> {
        let now = self.clock.now();
        for submission in self.tables().plugins.submissions.values_mut() {
            if let Some(attempt) = submission.claim(worker, now, terms) {
                return Ok(Some((attempt, submission.clone())));
            }
        }
        Ok(None)
    }

    async fn release_submission(
        &self,
        attempt: Attempt<Submission>,
        terms: LeaseTerms,
        blame: Blame,
        reason: Problem,
    ) -> Result<Result<Submission, LeaseLost>, StoreError> {
        let now = self.clock.now();
        let submissions = &mut self.tables().plugins.submissions;
        let submission = submissions.get_mut(&attempt.id);
        Ok(submission.ok_or(LeaseLost).and_then(|submission| {
            submission.release(attempt, now, terms, blame, reason)?;
            Ok(submission.clone())
        }))
    }
}

#[async_trait]
impl Leases<Submission> for MemoryStore {
    async fn extend(
        &self,
        attempt: Attempt<Submission>,
        terms: LeaseTerms,
        _: &Progress,
        _: bool,
    ) -> Result<Result<Heartbeat, LeaseLost>, StoreError> {
        let now = self.clock.now();
        let submissions = &mut self.tables().plugins.submissions;
        let submission = submissions.get_mut(&attempt.id);
        Ok(submission
            .ok_or(LeaseLost)
            .and_then(|submission| submission.renew(attempt, now, terms))
            .map(|()| Heartbeat::default()))
    }

    async fn settle(
        &self,
        attempt: Attempt<Submission>,
        verdict: Verdict,
    ) -> Result<Result<Submission, LeaseLost>, StoreError> {
        let now = self.clock.now();
        let mut tables = self.tables();
        let Plugins {
            versions,
            submissions,
        } = &mut tables.plugins;
        let Some(submission) = submissions.get_mut(&attempt.id) else {
            return Ok(Err(LeaseLost));
        };
        if let Err(lost) = submission.lease_of(attempt) {
            return Ok(Err(lost));
        }
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
        Ok(Ok(submission.clone()))
    }
}
