//! The plugins that chains may name.

use async_trait::async_trait;
use retake_chain::InstalledPlugin;
use serde_json::Value;

use super::StoreError;
use crate::plugin::PluginVersion;

/// Which plugins there are. Read by the server to check chains and by workers to run them.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// A plugin that comes with the program, written at each start. It takes the place of whatever
    /// had its id and version. Its bytes were put before, under `BlobKey::Plugin`.
    async fn put_plugin(&self, plugin: &InstalledPlugin, size_bytes: u64)
    -> Result<(), StoreError>;

    /// Every version there is and was, by id, the newest first.
    async fn plugins(&self) -> Result<Vec<PluginVersion>, StoreError>;

    /// What the conformance kit found when that version was published. `None`: no such version, or
    /// it was not checked because it came with the program.
    async fn check_report(&self, id: &str, version: &str) -> Result<Option<Value>, StoreError>;

    /// Takes a published version out: new jobs cannot name it. Its row stays, so that what old jobs
    /// say they ran can be read; its bytes go with a later sweep.
    async fn remove_plugin(&self, id: &str, version: &str) -> Result<Removal, StoreError>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    Removed,
    /// The program would bring it back at its next start.
    BuiltIn,
    /// There is no such version, or it was removed before.
    Gone,
}
