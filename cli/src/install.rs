//! Brings plugins in: compiled once, in a child with limits, into a private cache, and written into
//! the store's catalogue, where the server finds what a chain may use.
//!
//! Compiling is the one thing that no limit inside a process contains, so it never happens in a
//! process that serves.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use retake_chain::InstalledPlugin;
use retake_child::ChildProgram;
use retake_jobs::seams::{BlobKey, SharedBlobs, SharedStore};
use retake_plugin_host::{Cache, Installed};
use retake_runner::install::install_in_child;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

/// What `make plugins` built, inside the program. (Debug builds read the folder when they run.)
#[derive(RustEmbed)]
#[folder = "../dist/plugins"]
#[include = "*.wasm"]
#[allow_missing = true]
struct BuiltIn;

/// Only ends what hangs: the compiler's CPU time is limited to a minute, and a machine on which several
/// processes start at once gives it that slowly.
const COMPILE_DEADLINE: Duration = Duration::from_secs(600);

/// Everything that there is to install: the built-in plugins and those of a folder.
pub fn all(data: &Path, folder: &str) -> Result<Vec<Installed>> {
    let all = all_with_bytes(data, folder)?;
    Ok(all.into_iter().map(|(installed, _)| installed).collect())
}

/// Each with its file's bytes.
pub fn all_with_bytes(data: &Path, folder: &str) -> Result<Vec<(Installed, Bytes)>> {
    let cache = cache_folder(data);
    let mut installed = Vec::new();
    for name in BuiltIn::iter() {
        let file = BuiltIn::get(&name).expect("listed");
        let bytes = Bytes::from(file.data.into_owned());
        installed.push((one(&cache, &bytes, &name)?, bytes));
    }
    if installed.is_empty() {
        bail!("the program was built without its plugins: run make plugins, then build it again");
    }
    if !folder.is_empty() {
        let listed =
            std::fs::read_dir(folder).with_context(|| format!("plugins = \"{folder}\""))?;
        let mut paths: Vec<PathBuf> = listed.map(|e| Ok(e?.path())).collect::<Result<_>>()?;
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "wasm"));
        paths.sort();
        for path in paths {
            let wasm = std::fs::read(&path).with_context(|| path.display().to_string())?;
            let name = path.display().to_string();
            installed.push((one(&cache, &wasm, &name)?, wasm.into()));
        }
    }
    Ok(installed)
}

pub fn from_file(data: &Path, path: &Path) -> Result<Installed> {
    let wasm = std::fs::read(path).with_context(|| path.display().to_string())?;
    one(&cache_folder(data), &wasm, &path.display().to_string())
}

pub fn cache_folder(data: &Path) -> PathBuf {
    data.join("plugin-cache")
}

/// From the cache if this engine has compiled it before, else by a child. Blocks: to be called within
/// `spawn_blocking`.
fn one(cache_folder: &Path, wasm: &[u8], name: &str) -> Result<Installed> {
    let cache = Cache::open(cache_folder)?;
    let digest = hex(&Sha256::digest(wasm));
    if let Some(installed) = cache.lookup(&digest) {
        return Ok(installed);
    }
    tracing::info!(plugin.file = name, "compiling a plugin");
    let mut file = tempfile::NamedTempFile::new_in(cache_folder)?;
    std::io::Write::write_all(&mut file, wasm)?;
    let program = ChildProgram::this("install-plugin");
    let compiling = install_in_child(&program, cache_folder, file.path(), COMPILE_DEADLINE);
    tokio::runtime::Handle::current()
        .block_on(compiling)
        .with_context(|| format!("{name} cannot be installed"))?;
    cache
        .lookup(&digest)
        .with_context(|| format!("{name} was compiled and then not found"))
}

/// Tells the store, so that chains may name them, and keeps their bytes there: a worker of another
/// release has other built-in plugins, and runs these all the same.
pub async fn catalogue(
    store: &SharedStore,
    blobs: &SharedBlobs,
    installed: &[(Installed, Bytes)],
) -> Result<()> {
    for (Installed { manifest, digest }, bytes) in installed {
        let key = BlobKey::Plugin {
            digest: digest.parse()?,
        };
        let size_bytes = bytes.len() as u64;
        if !blobs.size(key).await.is_ok_and(|size| size == size_bytes) {
            let body = futures_util::stream::iter([Ok(bytes.clone())]);
            blobs.put(key, Box::pin(body), size_bytes).await?;
        }
        let plugin = InstalledPlugin {
            manifest: manifest.clone(),
            digest: digest.clone(),
        };
        store.put_plugin(&plugin, size_bytes).await?;
    }
    Ok(())
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
