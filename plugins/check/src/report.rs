//! What a run of the kit found.

use std::fmt;

use retake_plugin_manifest::Manifest;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};

/// Its JSON has one field more, `passed`, so that a reader need not know the rule.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CheckReport {
    /// SHA-256 of the bytes that were given, lower-case hexadecimal.
    pub digest: String,
    /// None where it could not be installed.
    pub manifest: Option<Manifest>,
    /// In the order they ran.
    pub checks: Vec<Check>,
    pub cost: Option<Cost>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// As listed in [`crate::checks`].
    pub id: String,
    pub title: String,
    pub outcome: Outcome,
    /// What was done and what came out; where it failed, what the contract says and where to read on.
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Passed,
    /// The contract is kept, and the author should look all the same.
    Warned,
    Failed,
    /// It could not be judged; the detail says why.
    Skipped,
}

/// What a second of audio at 48 kHz, mono, costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Seconds of audio per second of CPU time.
    pub realtime_factor: f64,
    /// The most linear memory the session had, in bytes.
    pub memory_bytes: u64,
}

impl CheckReport {
    /// No check failed, and the plugin was installed.
    pub fn passed(&self) -> bool {
        self.manifest.is_some() && self.count(Outcome::Failed) == 0
    }

    pub fn count(&self, outcome: Outcome) -> usize {
        let checks = self.checks.iter();
        checks.filter(|check| check.outcome == outcome).count()
    }
}

impl Serialize for CheckReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("CheckReport", 5)?;
        fields.serialize_field("digest", &self.digest)?;
        fields.serialize_field("passed", &self.passed())?;
        fields.serialize_field("manifest", &self.manifest)?;
        fields.serialize_field("checks", &self.checks)?;
        fields.serialize_field("cost", &self.cost)?;
        fields.end()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        })
    }
}
