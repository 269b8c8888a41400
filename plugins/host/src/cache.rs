//! Compiled plugins on disk.
//!
//! ```text
//! <dir>/<engine's compatibility key>/<sha-256 of the wasm>.cwasm   machine code
//! <dir>/<engine's compatibility key>/<sha-256 of the wasm>.json    its manifest
//! <dir>/<engine's compatibility key>/<sha-256 of the wasm>.lock    held by whoever compiles it
//! ```
//!
//! Compiled code carries no integrity check: a flipped byte in it is run. So the folder is private
//! to the user of this process, nothing is ever taken over from outside, and what another version of
//! the engine compiled is not looked at. Deleting the folder is always safe.

use std::{
    fs::{self, File, TryLockError},
    io::Write,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use retake_plugin_manifest::Manifest;
use tempfile::NamedTempFile;
use wasmtime::Engine;

use crate::{engine, error::HostError, install};

/// How often to see whether the other one is done.
const TURN_POLL: Duration = Duration::from_millis(20);

/// A private folder of compiled plugins, and the engine that compiled them.
#[derive(Clone)]
pub struct Cache {
    engine: Engine,
    folder: PathBuf,
}

/// Ends when it is dropped, or its process ends.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
}

/// A plugin that is ready to be loaded.
#[derive(Debug, Clone)]
pub struct Installed {
    pub manifest: Manifest,
    /// SHA-256 of the bytes that were given, in lower-case hexadecimal.
    pub digest: String,
}

impl Cache {
    /// Opens the folder, making it (mode 700) where it is missing.
    pub fn open(dir: &Path) -> Result<Self, HostError> {
        let engine = engine::engine()?;
        make_private(dir)?;
        let folder = dir.join(engine::compatibility_key(&engine));
        make_private(&folder)?;
        Ok(Self { engine, folder })
    }

    /// What is known of a plugin that this engine has already compiled.
    pub fn lookup(&self, digest: &str) -> Option<Installed> {
        let code = self.code_path(digest)?;
        let json = fs::read(code.with_extension("json")).ok()?;
        let manifest: Manifest = serde_json::from_slice(&json).ok()?;
        manifest.validate().ok()?;
        code.exists().then(|| Installed {
            manifest,
            digest: digest.to_owned(),
        })
    }

    /// The right to compile a plugin, which one process at a time has among all that share the folder:
    /// compiling takes seconds, and whoever comes second finds it done. Blocks for `patience` at most;
    /// `None` then, and where the folder cannot be written to. Compiling without it does no harm.
    pub fn turn(&self, digest: &str, patience: Duration) -> Option<Turn> {
        let lock = File::create(self.code_path(digest)?.with_extension("lock")).ok()?;
        let until = Instant::now() + patience;
        loop {
            match lock.try_lock() {
                Ok(()) => return Some(Turn { _lock: lock }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    std::thread::sleep(TURN_POLL);
                }
                Err(_) => return None,
            }
        }
    }

    /// Checks and compiles a plugin, asks it for its manifest, and keeps both. Takes a component or
    /// the core module that cargo builds.
    ///
    /// Run this in a child process after [`crate::limit_compile`]: a hostile file can make the
    /// compiler take minutes and gigabytes, and a hostile plugin can answer never. In that child it
    /// lifts the limit on address space again, once there is nothing left to compile.
    pub fn install(&self, wasm: &[u8]) -> Result<Installed, HostError> {
        install::install(self, wasm)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Where the code of a digest belongs. `None` if it is not a digest at all.
    pub(crate) fn code_path(&self, digest: &str) -> Option<PathBuf> {
        let well_formed = digest.len() == 64
            && digest
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        well_formed.then(|| self.folder.join(digest).with_extension("cwasm"))
    }

    /// Compiled code in a file of its own, under no name yet.
    pub(crate) fn stage_code(&self, code: &[u8]) -> Result<NamedTempFile, HostError> {
        self.write_new(code)
    }

    /// Puts both files in place, each whole; the manifest last, since `lookup` reads it first.
    pub(crate) fn store(&self, plugin: &Installed, code: NamedTempFile) -> Result<(), HostError> {
        let path = self
            .code_path(&plugin.digest)
            .expect("our own digest is well formed");
        let json = serde_json::to_vec_pretty(&plugin.manifest)
            .expect("a manifest is plain data with text keys");
        self.rename(code, &path)?;
        self.rename(self.write_new(&json)?, &path.with_extension("json"))
    }

    fn write_new(&self, bytes: &[u8]) -> Result<NamedTempFile, HostError> {
        let write = || {
            let mut file = NamedTempFile::new_in(&self.folder)?;
            file.write_all(bytes)?;
            Ok(file)
        };
        write().map_err(|source| HostError::Cache {
            path: self.folder.clone(),
            source,
        })
    }

    fn rename(&self, file: NamedTempFile, to: &Path) -> Result<(), HostError> {
        file.persist(to)
            .map(drop)
            .map_err(|error| HostError::Cache {
                path: to.to_owned(),
                source: error.error,
            })
    }
}

fn make_private(dir: &Path) -> Result<(), HostError> {
    let failed = |source| HostError::Cache {
        path: dir.to_owned(),
        source,
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(failed)?;
    let found = fs::metadata(dir).map_err(failed)?;
    let mode = found.permissions().mode() & 0o777;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    if ours && mode & 0o022 == 0 {
        Ok(())
    } else {
        Err(HostError::UnsafeCache {
            path: dir.to_owned(),
            mode,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_plugin_is_compiled_by_one_at_a_time_and_others_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (Cache::open(folder.path()), Cache::open(folder.path()));
        let (a, b) = (a.unwrap(), b.unwrap());
        let [one, other] = ["ab", "cd"].map(|pair| pair.repeat(32));
        let held = a.turn(&one, Duration::ZERO).unwrap();
        assert!(b.turn(&one, Duration::from_millis(50)).is_none());
        assert!(b.turn(&other, Duration::ZERO).is_some());
        let waiting = std::thread::spawn(move || b.turn(&one, Duration::from_secs(30)).is_some());
        drop(held);
        assert!(waiting.join().unwrap());
        assert!(a.turn("no digest", Duration::ZERO).is_none());
    }
}
