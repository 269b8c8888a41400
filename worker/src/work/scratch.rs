//! Folders for files on their way: one per worker, one in it per attempt.
//!
//! A worker holds a lock on its folder for as long as it lives. What a dead one left is found by its
//! lock being free, and removed by the next worker that starts. Somebody may tidy the folder up while
//! it is in use: then it is made again, lock and all, and what failed for want of it was no job's fault.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Instant,
};

use tempfile::TempDir;

use super::WorkerError;

const PREFIX: &str = "retake-worker-";
const LOCK: &str = "lock";
/// What it is called until it is held, so that nobody finds it free.
const NEW_LOCK: &str = "lock.new";

pub(super) struct Scratch {
    dir: TempDir,
    kept: Mutex<Kept>,
}

struct Kept {
    lock: File,
    /// When something of ours was last found to be gone.
    gone: Option<Instant>,
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
        let lock = lock(dir.path()).map_err(failed)?;
        let kept = Mutex::new(Kept { lock, gone: None });
        Ok(Self { dir, kept })
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A folder for one attempt; it goes when it is dropped.
    pub fn attempt(&self) -> io::Result<TempDir> {
        self.make_sure()?;
        tempfile::Builder::new()
            .prefix("attempt-")
            .tempdir_in(self.dir.path())
    }

    /// That the folder is there and ours.
    pub fn make_sure(&self) -> io::Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let held = kept.lock.metadata()?;
        let there = fs::metadata(self.path().join(LOCK));
        if there.is_ok_and(|there| (there.dev(), there.ino()) == (held.dev(), held.ino())) {
            return Ok(());
        }
        kept.gone = Some(Instant::now());
        tracing::warn!(path = %self.path().display(), "the scratch folder was gone, and is made again");
        let mut folders = DirBuilder::new();
        folders.recursive(true).mode(0o700).create(self.path())?;
        kept.lock = lock(self.path())?;
        Ok(())
    }

    /// An attempt's files are not where it put them.
    pub fn something_is_gone(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.gone = Some(Instant::now());
    }

    /// Whether something of ours was found to be gone since then.
    pub fn was_gone_since(&self, then: Instant) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.gone.is_some_and(|gone| gone >= then)
    }
}

/// Held from the moment at which it can be seen.
fn lock(dir: &Path) -> io::Result<File> {
    let lock = File::create(dir.join(NEW_LOCK))?;
    lock.lock()?;
    fs::rename(dir.join(NEW_LOCK), dir.join(LOCK))?;
    Ok(lock)
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
    fn a_folder_that_somebody_tidied_up_is_made_again_and_goes_with_its_worker() {
        let parent = tempfile::tempdir().unwrap();
        let parent_path = parent.path().to_str().unwrap();
        let before = Instant::now();
        let living = Scratch::open(parent_path).unwrap();
        assert!(!living.was_gone_since(before));
        for tidied in [living.path().to_owned(), living.path().join(LOCK)] {
            let then = Instant::now();
            if tidied.is_dir() {
                fs::remove_dir_all(&tidied).unwrap();
            } else {
                fs::remove_file(&tidied).unwrap();
            }
            let attempt = living.attempt().unwrap();
            assert!(living.was_gone_since(then));
            let mode = fs::metadata(living.path()).unwrap().mode();
            assert_eq!(mode & 0o777, 0o700);
            // It is ours again, and the next worker leaves it alone.
            let next = Scratch::open(parent_path).unwrap();
            assert!(attempt.path().exists());
            drop(next);
        }
        // As a worker that was killed leaves it.
        let left = living.path().to_owned();
        let Scratch { dir, kept } = living;
        let _ = dir.keep();
        drop(kept);
        // A process that another test starts at this moment has the lock, too, until it is another program.
        let patience = Instant::now() + std::time::Duration::from_secs(20);
        while left.exists() && Instant::now() < patience {
            drop(Scratch::open(parent_path).unwrap());
        }
        assert!(!left.exists());
    }

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
