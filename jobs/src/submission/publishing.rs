//! What publishing does to the catalogue and to the submission. Pure, and the same for every backend,
//! which writes it all in one transaction.

use jiff::{SignedDuration, Timestamp};
use retake_chain::{
    InstalledPlugin,
    problem::{Problem, ProblemKind},
};
use serde_json::Value;

use crate::submission::{PluginName, Submission};
use crate::{
    plugin::{Origin, PluginVersion},
    submission::Verdict,
};

/// A submission that ended so long ago is forgotten. What it published stays.
pub const SUBMISSION_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A row to write, in place of the one with its id and version.
#[derive(Debug, PartialEq)]
pub struct NewVersion {
    pub version: PluginVersion,
    pub check: Value,
}

/// Ends the submission. `existing` is the row with the plugin's id and version, if there is one.
pub fn settle(
    submission: &mut Submission,
    verdict: Verdict,
    existing: Option<&PluginVersion>,
    now: Timestamp,
) -> Option<NewVersion> {
    let (plugin, check) = match verdict {
        Verdict::Refused {
            problem,
            plugin,
            check,
        } => {
            submission.plugin = plugin;
            submission.check = check;
            submission.refuse(problem, now);
            return None;
        }
        Verdict::Passed { plugin, check } => (plugin, check),
    };
    submission.plugin = Some(PluginName {
        id: plugin.manifest.id.clone(),
        version: plugin.manifest.version.clone(),
    });
    submission.check = Some(check.clone());
    match existing {
        Some(existing) if existing.plugin.digest != plugin.digest => {
            submission.refuse(version_exists(existing, &plugin), now);
            None
        }
        Some(existing) if existing.removed_at.is_none() => {
            submission.publish(now);
            None
        }
        existing => {
            submission.publish(now);
            let version = PluginVersion {
                plugin,
                size_bytes: submission.size_bytes,
                origin: Origin::Published,
                // A version that comes back came when it first came: short names go by it.
                published_at: existing.map_or(now, |existing| existing.published_at),
                removed_at: None,
            };
            Some(NewVersion { version, check })
        }
    }
}

fn version_exists(existing: &PluginVersion, plugin: &InstalledPlugin) -> Problem {
    let removed = match existing.removed_at {
        Some(_) => ", and was removed",
        None => "",
    };
    let detail = format!(
        "{} {} is there with other bytes (SHA-256 {}){removed}; jobs say by id and version what they \
         ran, so give the plugin a new version",
        plugin.manifest.id, plugin.manifest.version, existing.plugin.digest
    );
    Problem::new(ProblemKind::PluginVersionExists, detail)
}

/// By id, the newest version first.
pub fn sort(versions: &mut [PluginVersion]) {
    versions.sort_by_cached_key(|version| {
        let manifest = &version.plugin.manifest;
        let rank = retake_chain::version_rank(&manifest.version);
        (manifest.id.clone(), std::cmp::Reverse(rank))
    });
}
