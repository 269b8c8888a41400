//! Folders for files on their way: one per worker, one in it per attempt.
//!
//! A worker holds a lock on its folder for as long as it lives. What a dead one left is found by its
//! lock being free, and removed by the next worker that starts.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::WorkerError;

const PREFIX: &str = "retake-worker-";
const LOCK: &str = "lock";

pub(super) struct Scratch {
    dir: TempDir,
    /// Held, not used.
    _lock: File,
}

impl Scratch {
    /// In `parent`, or in the system's temporary folder if that is empty.
    pub fn open(parent: &str) -> Result<Self, WorkerError> {
        let parent = if parent.is_empty() {
            std::env::temp_dir()
        } else {
            PathBuf::from(parent)
        };
        let failed = |source| WorkerError::Scratch {
            path: parent.clone(),
            source,
        };
        let parent = std::path::absolute(&parent).map_err(failed)?;
        fs::create_dir_all(&parent).map_err(failed)?;
        remove_stale(&parent).map_err(failed)?;
        // Mode 700: recordings are nobody else's.
        let dir = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(&parent)
            .map_err(failed)?;
        let lock = File::create(dir.path().join(LOCK)).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Self { dir, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A folder for one attempt; it goes when it is dropped.
    pub fn attempt(&self) -> io::Result<TempDir> {
        tempfile::Builder::new()
            .prefix("attempt-")
            .tempdir_in(self.dir.path())
    }
}

fn remove_stale(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if !name.starts_with(PREFIX) {
            continue;
        }
        // Without a lock file it is being made this moment, or is somebody else's.
        let Ok(lock) = File::open(path.join(LOCK)) else {
            continue;
        };
        match lock.try_lock() {
            Ok(()) => {
                tracing::info!(path = %path.display(), "removing what a dead worker left");
                if let Err(error) = fs::remove_dir_all(&path) {
                    tracing::warn!(path = %path.display(), %error, "it cannot be removed");
                }
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                tracing::warn!(path = %path.display(), %error, "it cannot be looked at");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_dead_worker_left_goes_and_a_living_one_keeps_its_own() {
        let parent = tempfile::tempdir().unwrap();
        let parent_path = parent.path().to_str().unwrap();
        let living = Scratch::open(parent_path).unwrap();
        let recording = living.attempt().unwrap().keep().join("in");
        fs::write(&recording, "audio").unwrap();
        let dead = parent.path().join("retake-worker-dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        fs::write(dead.join("big.wav"), "audio").unwrap();
        let foreign = parent.path().join("something else");
        fs::create_dir(&foreign).unwrap();

        let next = Scratch::open(parent_path).unwrap();
        assert!(!dead.exists());
        assert!(recording.exists());
        assert!(foreign.exists());
        drop((living, next));
        assert_eq!(
            fs::read_dir(parent.path()).unwrap().count(),
            1,
            "only the foreign one"
        );
    }
}
