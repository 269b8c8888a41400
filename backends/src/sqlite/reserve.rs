//! Room kept for a full disk: a file beside the database that is only there to be let go of.
//!
//! Deleting needs room first, in the log and for its index, and so does opening. Most of the file is
//! for deletions; the last piece is for a start, after deletions have had theirs and others have
//! taken it.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::{FallocateFlags, fallocate, fstatvfs};

/// More than what the log may hold that the file has no room for yet: SQLite moves it over at 16 MiB.
pub(super) const WHOLE_BYTES: u64 = 32 << 20;
/// For the log, its index and one small transaction.
const START_BYTES: u64 = 1 << 20;

pub(super) struct Reserve {
    path: PathBuf,
    whole_bytes: u64,
}

impl Reserve {
    /// Of so many bytes; 0 keeps none.
    pub fn beside(database: &Path, whole_bytes: u64) -> Self {
        Self {
            path: beside(database, "-reserve"),
            whole_bytes,
        }
    }

    pub fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |found| found.len())
    }

    /// Takes the room where it is not taken and there is plenty. True where it is all there then.
    pub fn take(&self) -> bool {
        let taken = || -> io::Result<bool> {
            if self.bytes() >= self.whole_bytes {
                return Ok(true);
            }
            let file = self.open()?;
            let disk = fstatvfs(&file)?;
            // Otherwise it would be what fills the disk.
            if disk.f_bavail.saturating_mul(disk.f_frsize) < self.whole_bytes.saturating_mul(2) {
                return Ok(false);
            }
            fallocate(&file, FallocateFlags::empty(), 0, self.whole_bytes)?;
            Ok(true)
        };
        taken().unwrap_or_else(|error| {
            tracing::debug!(%error, path = %self.path.display(), "no room is kept for a full disk");
            false
        })
    }

    /// Lets go of what is for deletions. False where that was done before.
    pub fn release(&self) -> bool {
        self.shorten(START_BYTES)
    }

    /// Lets go of everything, so that the database can be opened.
    pub fn release_all(&self) -> bool {
        self.shorten(0)
    }

    fn shorten(&self, bytes: u64) -> bool {
        let had = self.bytes();
        let shortened = had > bytes && self.open().and_then(|file| file.set_len(bytes)).is_ok();
        if shortened {
            tracing::warn!(
                bytes = had - bytes,
                "the disk is full; room kept for that is let go of"
            );
        }
        shortened
    }

    fn open(&self) -> io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.path)
    }
}

/// `retake.db` and `-wal` make `retake.db-wal`.
pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(ending);
    path.into()
}
