//! Runs a chain on a file: what the worker does with a job, and `retake correct` without any server.
//!
//! The chain is cut into segments. Runs of plugin steps go to one child process each; external steps
//! are spoken to from here, between two children:
//!
//! ```text
//! recording ─▶ child: decode, measure, steps ─▶ WAV ─▶ service ─▶ WAV ─▶ child: …, measure, encode
//! ```
//!
//! A step that shortens ends its child too, because those after it are made for a length, and so does
//! an analyser that is followed: what it recommends is known only then.
//!
//! There is a child at either end also where a chain begins or ends with an external step: only
//! children decode, and what a service sends back is as hostile as a recording.

mod earlier;
mod failure;
mod follow;
mod harm;
mod look;
mod outcome;
mod plan;
mod prepare;
mod progress;
mod segments;
mod targets;

use std::path::{Path, PathBuf};

use retake_chain::{Rendition, Vocabulary, format::Format, report::Report};
use retake_child::ChildProgram;
use retake_findings::Finding;

pub use failure::{ChainFailure, Retry, Trouble};
pub use look::{Looked, TILE_COLUMNS, look};
pub use prepare::{PreparedKind, PreparedStep, not_found, pinned, prepare, prepare_now};
pub use progress::Progress;
pub use segments::run_chain;

use crate::{deadline::DeadlineTerms, limits::Limits};

/// What a chain is run with.
#[derive(Debug, Clone, Copy)]
pub struct ChainContext<'a> {
    pub child: &'a ChildProgram,
    /// Where installed plugins are.
    pub plugin_cache: &'a Path,
    /// An existing folder for files on their way; what is left in it is the caller's to remove.
    pub scratch_dir: &'a Path,
    pub limits: &'a Limits,
    pub deadline: DeadlineTerms,
    /// From [`seed`], so that the same recording is corrected the same way everywhere.
    pub seed: u64,
    /// What analysers may recommend.
    pub vocabulary: &'a Vocabulary,
}

#[derive(Debug, Clone)]
pub struct ChainReport {
    pub report: Report,
    /// Files in the scratch folder (docs/renditions.md): of the recording and of the correction.
    pub input_pyramid: PathBuf,
    pub pyramid: PathBuf,
    /// What steps took away, where the chain asks for it.
    pub deltas: Vec<Delta>,
    /// What the correction and the deltas are in: not what was asked for where that cannot hold the
    /// recording's channels.
    pub format: Format,
    /// What is natural for the recording, whatever was asked for.
    pub natural: Rendition,
}

impl ChainReport {
    /// Takes in what is only said of another rendition of the same.
    pub fn hear(&mut self, other: &ChainReport) {
        for finding in &other.report.findings {
            if !self.report.findings.contains(finding) {
                self.report.findings.push(finding.clone());
            }
        }
    }

    /// What a person should hear of.
    pub fn warnings(&self) -> Vec<Finding> {
        let findings = self.report.findings.iter();
        findings
            .filter(|found| found.is_warning())
            .cloned()
            .collect()
    }
}

/// What is wanted of a recording beside the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wish {
    /// `None`: what is natural for the recording, see [`Format::natural`].
    pub rendition: Option<Rendition>,
    /// Of its audio tracks, from 1; `None` takes the file's own choice.
    pub track: Option<u32>,
}

impl From<Format> for Wish {
    fn from(format: Format) -> Self {
        Self {
            rendition: Some(format.into()),
            track: None,
        }
    }
}

/// A file in the scratch folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// The step's place in the report, from 0.
    pub step: u32,
    pub path: PathBuf,
}

/// The seed that goes with a recording: the first eight bytes of its SHA-256, in hex. Anything that
/// is not such a digest is seed 0.
pub fn seed(recording_sha256: &str) -> u64 {
    recording_sha256
        .get(..16)
        .and_then(|hex| u64::from_str_radix(hex, 16).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_seed_is_the_beginning_of_the_digest() {
        let digest = "00000000000000ff0123456789abcdef0123456789abcdef0123456789abcdef";
        assert_eq!(super::seed(digest), 255);
        assert_eq!(super::seed("short"), 0);
        assert_eq!(super::seed("nonsense, nonsense, nonsense"), 0);
    }
}
