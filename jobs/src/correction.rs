//! What a completed job has made.

use retake_chain::report::Report;
use serde::{Deserialize, Serialize};

/// The corrected audio of a completed job. Its bytes are under `BlobKey::Correction`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    pub attempt: u32,
    pub content_type: String,
    pub size_bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
    pub report: Report,
}
