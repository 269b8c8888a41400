//! Why a plugin cannot be installed or loaded.

use std::path::PathBuf;

use retake_plugin_manifest::ManifestError;

/// Variants are named for whose turn it is.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The file is at fault; the text is for the plugin's author.
    #[error("{reason}")]
    Refused { reason: String },
    /// So is it here: what it says of itself breaks the contract.
    #[error("the plugin's manifest is not valid: {}", sentences(.0))]
    Manifest(Vec<ManifestError>),
    /// Install it first.
    #[error("plugin {digest} is not in the cache")]
    NotInstalled { digest: String },
    /// The operator's to mend: disk, permissions.
    #[error("plugin cache {path}: {source}")]
    Cache {
        path: PathBuf,
        source: std::io::Error,
    },
    /// Compiled code is machine code; whoever can write it owns the process.
    #[error("plugin cache {path} can be written by others (mode {mode:o}); it must be 700")]
    UnsafeCache { path: PathBuf, mode: u32 },
    /// The engine does not start on this machine.
    #[error("WebAssembly engine: {0}")]
    Engine(String),
}

impl HostError {
    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused {
            reason: reason.into(),
        }
    }
}

fn sentences(errors: &[ManifestError]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
