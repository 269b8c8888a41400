//! Brings plugins in that this worker has not compiled yet: published while it ran, or of another
//! release. No restart, whoever published them.

use std::time::Duration;

use futures_util::future::join_all;
use retake_chain::{
    Chain, InstalledPlugin, OnFailure, Pins, Vocabulary,
    problem::{Problem, ProblemKind},
};
use retake_jobs::seams::{BlobError, BlobKey};
use retake_plugin_host::Turn;
use retake_runner::{
    chain::{ChainFailure, Retry, pinned},
    install::{NotInstalled, install_in_child},
    words::plain,
};

use super::{Worker, fetch};

/// So much of what the compiler says is shown.
const WORDS_MAX: usize = 500;

impl Worker {
    /// Has every plugin that the chain runs in the cache. `plugins` is all of the catalogue. What is
    /// there no more is left to `prepare`, which says so or leaves it out.
    pub(super) async fn bring_in(
        &self,
        chain: &Chain,
        pins: &Pins,
        plugins: &[InstalledPlugin],
        recommendable: &Vocabulary,
    ) -> Result<(), ChainFailure> {
        for (step, pin) in chain.steps.iter().zip(pins) {
            let Some(found) = pin.as_ref().and_then(|pin| pinned(pin, plugins)) else {
                continue;
            };
            match self.bring_in_one(found).await {
                Err(ChainFailure::Failed {
                    problem,
                    retry: Retry::Never,
                    ..
                }) if step.on_failure == OnFailure::Skip => {
                    tracing::warn!(step = step.name(), "left out: {}", problem.detail);
                }
                other => other?,
            }
        }
        if chain.steps.iter().any(|step| step.follow) {
            self.bring_in_newest(recommendable).await;
        }
        Ok(())
    }

    /// What an analyser will recommend is not known before it ran. One that cannot be had is missed only
    /// if it is recommended.
    async fn bring_in_newest(&self, recommendable: &Vocabulary) {
        let newest = recommendable.plugins.iter().filter(|plugin| {
            recommendable
                .plugin(&plugin.manifest.id)
                .is_ok_and(|newest| newest.version == plugin.manifest.version)
        });
        let bringing = newest.map(|plugin| async move {
            if let Err(ChainFailure::Failed { problem, .. }) = self.bring_in_one(plugin).await {
                tracing::warn!(plugin.id = plugin.manifest.id, "{}", problem.detail);
            }
        });
        join_all(bringing).await;
    }

    /// The right to compile it, among all processes that share the cache.
    async fn turn(&self, digest: &str) -> Option<Turn> {
        let patience = Duration::from_millis(self.config.plugin_install_ms_max);
        let (cache, digest) = (self.cache.clone(), digest.to_owned());
        let waiting = move || cache.turn(&digest, patience);
        tokio::task::spawn_blocking(waiting).await.ok().flatten()
    }

    async fn bring_in_one(&self, plugin: &InstalledPlugin) -> Result<(), ChainFailure> {
        if self.cache.lookup(&plugin.digest).is_some() {
            return Ok(());
        }
        let _place = self.installing.acquire().await;
        let _turn = self.turn(&plugin.digest).await;
        if self.cache.lookup(&plugin.digest).is_some() {
            return Ok(());
        }
        let (id, version) = (&plugin.manifest.id, &plugin.manifest.version);
        let problem = |why: String| {
            let detail = format!("plugin {id} {version} is not in this worker's cache, and {why}");
            Problem::new(ProblemKind::Unavailable, detail)
        };
        let unavailable = |why: String| ChainFailure::passing(problem(why));
        let lacking = |why: String| ChainFailure::lacking(problem(why));
        let Ok(digest) = plugin.digest.parse() else {
            return Err(unavailable(format!("\"{}\" is no digest", plugin.digest)));
        };
        let scratch = self.scratch.attempt().map_err(ChainFailure::disk)?;
        let file = scratch.path().join("plugin.wasm");
        let key = BlobKey::Plugin { digest };
        let fetched = fetch::fetch_plugin(&*self.parts.blobs, key, &file).await;
        match fetched.map_err(ChainFailure::disk)? {
            Ok(digest) if digest == plugin.digest => {}
            Ok(digest) => {
                tracing::error!(plugin.id = id, digest, "a stored plugin is not what it was");
                return Err(unavailable("what is stored of it is damaged".to_owned()));
            }
            Err(BlobError::NotFound) => {
                let detail = format!("of plugin {id} {version} nothing is stored any more");
                let problem = Problem::new(ProblemKind::Unavailable, detail);
                return Err(ChainFailure::lasting(problem));
            }
            Err(error) => {
                tracing::warn!(%error, plugin.id = id, "a plugin could not be read");
                return Err(lacking("the store is out of reach".to_owned()));
            }
        }
        self.install(&file).await.map_err(|error| match error {
            NotInstalled::Refused(why) => unavailable(format!(
                "it cannot be compiled here: {}",
                plain(&why, WORDS_MAX)
            )),
            NotInstalled::Child(error) => ChainFailure::disk(error),
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
