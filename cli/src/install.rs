//! Brings plugins in: compiled once, in a child with limits, into a private cache, and written into
//! the store's catalogue, where the server finds what a chain may use.
//!
//! Compiling is the one thing that no limit inside a process contains, so it never happens in a
//! process that serves.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use retake_chain::InstalledPlugin;
use retake_child::ChildProgram;
use retake_jobs::{
    digest::hex,
    plugin::Origin,
    seams::{BlobError, BlobKey, SharedBlobs, SharedStore, StoreError},
};
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

/// A plugin's file, before anybody has looked into it.
pub struct PluginFile {
    name: String,
    bytes: Bytes,
    digest: String,
}

impl PluginFile {
    fn new(name: String, bytes: Bytes) -> Self {
        let digest = hex(&Sha256::digest(&bytes));
        Self {
            name,
            bytes,
            digest,
        }
    }
}

/// Everything that there is to install, compiled: the built-in plugins and those of a folder. Where it is known
/// which are needed, and all of those are built in, the other built-in ones are left out.
pub fn all(
    data: &Path,
    folder: &str,
    needed: Option<&HashSet<String>>,
    deadline: Duration,
) -> Result<Vec<Installed>> {
    let mut files = files(folder)?;
    if let Some(needed) = needed {
        let built_in: HashSet<String> = BuiltIn::iter().map(|name| name.into_owned()).collect();
        let is_needed = |name: &str| needed.contains(name.trim_end_matches(".wasm"));
        // Their files have the last parts of their ids as names.
        if needed
            .iter()
            .all(|name| built_in.contains(&format!("{name}.wasm")))
        {
            files.retain(|file| !built_in.contains(&file.name) || is_needed(&file.name));
        }
    }
    compiled(data, &files, deadline)
}

/// The files of it.
pub fn files(folder: &str) -> Result<Vec<PluginFile>> {
    let mut files = Vec::new();
    for name in BuiltIn::iter() {
        let file = BuiltIn::get(&name).expect("listed");
        let bytes = Bytes::from(file.data.into_owned());
        files.push(PluginFile::new(name.into_owned(), bytes));
    }
    if files.is_empty() {
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
            files.push(PluginFile::new(path.display().to_string(), wasm.into()));
        }
    }
    Ok(files)
}

/// Each from the cache, or compiled within `deadline`; several at once, in the order of the files. Blocks: to be called
/// within `spawn_blocking`.
fn compiled(data: &Path, files: &[PluginFile], deadline: Duration) -> Result<Vec<Installed>> {
    let cache_folder = cache_folder(data);
    let next = AtomicUsize::new(0);
    let runtime = tokio::runtime::Handle::current();
    let work = || -> Vec<(usize, Result<Installed>)> {
        // The children are waited for by the runtime.
        let _runtime = runtime.enter();
        let mut done = Vec::new();
        while let number = next.fetch_add(1, Ordering::Relaxed)
            && let Some(file) = files.get(number)
        {
            done.push((
                number,
                one(&cache_folder, &file.bytes, &file.name, deadline),
            ));
        }
        done
    };
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(files.len());
    let mut done: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = running.into_iter().map(|thread| thread.join());
        joined
            .flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, installed)| installed).collect()
}

pub fn from_file(data: &Path, path: &Path, deadline: Duration) -> Result<Installed> {
    let wasm = std::fs::read(path).with_context(|| path.display().to_string())?;
    one(
        &cache_folder(data),
        &wasm,
        &path.display().to_string(),
        deadline,
    )
}

pub fn cache_folder(data: &Path) -> PathBuf {
    data.join("plugin-cache")
}

/// From the cache if this engine has compiled it before, else by a child. Blocks: to be called within
/// `spawn_blocking`.
fn one(cache_folder: &Path, wasm: &[u8], name: &str, deadline: Duration) -> Result<Installed> {
    let cache = Cache::open(cache_folder)?;
    let digest = hex(&Sha256::digest(wasm));
    if let Some(installed) = cache.lookup(&digest) {
        return Ok(installed);
    }
    // Another process of this installation may be at it: then it is there afterwards.
    let _turn = cache.turn(&digest, deadline);
    if let Some(installed) = cache.lookup(&digest) {
        return Ok(installed);
    }
    tracing::info!(plugin.file = name, "compiling a plugin");
    let mut file = tempfile::NamedTempFile::new_in(cache_folder)?;
    std::io::Write::write_all(&mut file, wasm)?;
    let program = ChildProgram::this("install-plugin");
    let compiling = install_in_child(&program, cache_folder, file.path(), deadline);
    tokio::runtime::Handle::current()
        .block_on(compiling)
        .with_context(|| format!("{name} cannot be installed"))?;
    cache
        .lookup(&digest)
        .with_context(|| format!("{name} was compiled and then not found"))
}

/// Tells the store, so that chains may name them, and keeps their bytes there: a worker of another
/// release has other built-in plugins, and runs these all the same. What the store knows already was
/// compiled when it was brought in; whoever runs it compiles it again only if this engine has not.
pub async fn catalogue(
    store: &SharedStore,
    blobs: &SharedBlobs,
    data: PathBuf,
    files: Vec<PluginFile>,
    deadline: Duration,
) -> Result<()> {
    let known: HashSet<String> = store
        .plugins()
        .await?
        .into_iter()
        .filter(|version| version.origin == Origin::BuiltIn && version.removed_at.is_none())
        .map(|version| version.plugin.digest)
        .collect();
    let mut missing = Vec::new();
    for file in files {
        if !(known.contains(&file.digest) && is_stored(blobs, &file).await?) {
            missing.push(file);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let compiling =
        move || compiled(&data, &missing, deadline).map(|installed| (installed, missing));
    let (installed, files) = tokio::task::spawn_blocking(compiling).await??;
    for (installed, file) in installed.into_iter().zip(files) {
        match put(store, blobs, installed, &file).await {
            Ok(()) => {}
            // A server on a full disk still has to answer: with what the store knows already.
            Err(NotPut::Full(why)) => tracing::error!(
                plugin.file = file.name,
                "the plugin is not brought in, there is no room: {why}"
            ),
            Err(NotPut::Other(error)) => return Err(error),
        }
    }
    Ok(())
}

enum NotPut {
    Full(String),
    Other(anyhow::Error),
}

async fn put(
    store: &SharedStore,
    blobs: &SharedBlobs,
    Installed { manifest, digest }: Installed,
    file: &PluginFile,
) -> Result<(), NotPut> {
    let size_bytes = file.bytes.len() as u64;
    if !is_stored(blobs, file).await.map_err(NotPut::Other)? {
        let key = key(&digest).map_err(NotPut::Other)?;
        let body = futures_util::stream::iter([Ok(file.bytes.clone())]);
        match blobs.put(key, Box::pin(body), size_bytes).await {
            Ok(_) => {}
            Err(BlobError::Full(why)) => return Err(NotPut::Full(why)),
            Err(error) => return Err(NotPut::Other(error.into())),
        }
    }
    let plugin = InstalledPlugin {
        manifest: manifest.into(),
        digest,
        realtime_factor: None,
    };
    match store.put_plugin(&plugin, size_bytes).await {
        Ok(()) => Ok(()),
        Err(StoreError::Full(why)) => Err(NotPut::Full(why)),
        Err(error) => Err(NotPut::Other(error.into())),
    }
}

async fn is_stored(blobs: &SharedBlobs, file: &PluginFile) -> Result<bool> {
    let size = blobs.size(key(&file.digest)?).await;
    Ok(size.is_ok_and(|size| size == file.bytes.len() as u64))
}

fn key(digest: &str) -> Result<BlobKey> {
    let digest = digest.parse()?;
    Ok(BlobKey::Plugin { digest })
}
