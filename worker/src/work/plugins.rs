//! Brings plugins in that this worker has not compiled yet: published while it ran, or of another
//! release. No restart, whoever published them.

use std::time::Duration;

use retake_chain::{
    Chain, InstalledPlugin, StepKind, find_plugin,
    problem::{Problem, ProblemKind},
};
use retake_jobs::seams::{BlobError, BlobKey};
use retake_runner::{
    chain::ChainFailure,
    install::{NotInstalled, install_in_child},
    words::plain,
};

use super::{Worker, fetch};

/// So much of what the compiler says is shown.
const WORDS_MAX: usize = 500;

impl Worker {
    /// Has every plugin that the chain names in the cache. `plugins` is what is in use. Names that
    /// mean nothing are left to `prepare`, which says so.
    pub(super) async fn bring_in(
        &self,
        chain: &Chain,
        plugins: &[InstalledPlugin],
    ) -> Result<(), ChainFailure> {
        for step in &chain.steps {
            let StepKind::Plugin {
                plugin, version, ..
            } = &step.kind
            else {
                continue;
            };
            let version = version.as_deref();
            if let Ok(found) = find_plugin(plugins, |found| &found.manifest, plugin, version) {
                self.bring_in_one(found).await?;
            }
        }
        if chain.steps.iter().any(|step| step.follow) {
            self.bring_in_newest(plugins).await;
        }
        Ok(())
    }

    /// What an analyser will recommend is not known before it ran. One that cannot be had is missed only
    /// if it is recommended.
    async fn bring_in_newest(&self, plugins: &[InstalledPlugin]) {
        for plugin in plugins {
            let id = &plugin.manifest.id;
            let newest = find_plugin(plugins, |found| &found.manifest, id, None);
            if newest.is_ok_and(|newest| newest.digest == plugin.digest)
                && let Err(ChainFailure::Failed { problem, .. }) = self.bring_in_one(plugin).await
            {
                tracing::warn!(plugin.id = id, "{}", problem.detail);
            }
        }
    }

    async fn bring_in_one(&self, plugin: &InstalledPlugin) -> Result<(), ChainFailure> {
        if self.cache.lookup(&plugin.digest).is_some() {
            return Ok(());
        }
        let _turn = self.installing.lock().await;
        if self.cache.lookup(&plugin.digest).is_some() {
            return Ok(());
        }
        let (id, version) = (&plugin.manifest.id, &plugin.manifest.version);
        let unavailable = |why: String| {
            let detail = format!("plugin {id} {version} is not in this worker's cache, and {why}");
            ChainFailure::passing(Problem::new(ProblemKind::Unavailable, detail))
        };
        let Ok(digest) = plugin.digest.parse() else {
            return Err(unavailable(format!("\"{}\" is no digest", plugin.digest)));
        };
        let scratch = self.scratch.attempt().map_err(ChainFailure::ours)?;
        let file = scratch.path().join("plugin.wasm");
        let key = BlobKey::Plugin { digest };
        let fetched = fetch::fetch_plugin(&*self.parts.blobs, key, &file).await;
        match fetched.map_err(ChainFailure::ours)? {
            Ok(digest) if digest == plugin.digest => {}
            Ok(digest) => {
                tracing::error!(plugin.id = id, digest, "a stored plugin is not what it was");
                return Err(unavailable("what is stored of it is damaged".to_owned()));
            }
            Err(BlobError::NotFound) => return Err(unavailable("nothing is stored of it".into())),
            Err(error) => {
                tracing::warn!(%error, plugin.id = id, "a plugin could not be read");
                return Err(unavailable("the store is out of reach".to_owned()));
            }
        }
        self.install(&file).await.map_err(|error| match error {
            NotInstalled::Refused(why) => unavailable(format!(
                "it cannot be compiled here: {}",
                plain(&why, WORDS_MAX)
            )),
            NotInstalled::Child(error) => ChainFailure::ours(error),
        })?;
        if self.cache.lookup(&plugin.digest).is_none() {
            return Err(unavailable("was not there after compiling it".to_owned()));
        }
        tracing::info!(
            plugin.id = id,
            plugin.version = version,
            "a plugin was brought in"
        );
        Ok(())
    }

    async fn install(&self, wasm: &std::path::Path) -> Result<(), NotInstalled> {
        let cache = std::path::absolute(&self.parts.plugin_cache)?;
        let deadline = Duration::from_millis(self.config.plugin_install_ms_max);
        install_in_child(&self.parts.installer, &cache, wasm, deadline).await
    }
}
