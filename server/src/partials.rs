//! Uploads that come in pieces, as files: what is whole becomes a recording, what nobody goes on with is swept.
//!
//! Each has two files, `<id>.json` with what is known of it and `<id>.part` with its bytes. How many bytes there
//! are is the second one's length after a sync, and nothing else says so: whatever happens to the process, no byte
//! is acknowledged that is not on the disk. Whoever works on one holds the lock of its second file, in whichever
//! process; the system lets go of it with the process.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use retake_jobs::{
    id::{JobId, OwnerId, RecordingId},
    seams::StoreError,
};
use serde::{Deserialize, Serialize};

const ORPHANED_AFTER: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partial {
    /// Also the recording's that it becomes.
    pub id: RecordingId,
    pub owner: OwnerId,
    /// `None` while it is not known how long it will be.
    pub length: Option<u64>,
    /// Fields of a form, and the file's name.
    pub texts: BTreeMap<String, String>,
    pub file_name: Option<String>,
    /// As it was sent.
    pub metadata: String,
    pub expires_at: Timestamp,
    /// While a piece comes that is to be held against a checksum: where it begins.
    pub unchecked_from: Option<u64>,
    /// What it became.
    pub job: Option<JobId>,
}

pub struct Partials {
    folder: PathBuf,
}

/// One that is worked on, by nobody else.
pub struct Held {
    folder: PathBuf,
    file: File,
    pub partial: Partial,
    /// What is on the disk.
    pub offset: u64,
}

pub enum Opened {
    Held(Box<Held>),
    /// Somebody else works on it.
    Busy,
    Gone,
}

impl Partials {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// `None`: the owner has `per_owner_max` that are not whole.
    pub async fn create(
        &self,
        partial: Partial,
        per_owner_max: usize,
    ) -> Result<Option<Held>, StoreError> {
        let folder = self.folder.clone();
        blocking(move || {
            fs::create_dir_all(&folder)?;
            let owner = partial.owner;
            let begun = all(&folder)?.filter(|had| had.owner == owner && had.job.is_none());
            if begun.count() >= per_owner_max {
                return Ok(None);
            }
            let file = options().create_new(true).open(part(&folder, partial.id))?;
            file.lock()?;
            write_state(&folder, &partial)?;
            Ok(Some(Held {
                folder,
                file,
                partial,
                offset: 0,
            }))
        })
        .await
    }

    pub async fn open(
        &self,
        owner: OwnerId,
        id: RecordingId,
        now: Timestamp,
    ) -> Result<Opened, StoreError> {
        let folder = self.folder.clone();
        blocking(move || open(folder, owner, id, now)).await
    }

    /// Removes those whose time is over. Returns how many.
    pub async fn sweep(&self, now: Timestamp) -> Result<usize, StoreError> {
        let folder = self.folder.clone();
        blocking(move || {
            let mut swept = 0;
            for partial in all(&folder)?.filter(|partial| partial.expires_at <= now) {
                let file = OpenOptions::new()
                    .write(true)
                    .open(part(&folder, partial.id));
                // One that is being worked on is left to the next time.
                if file.is_ok_and(|file| file.try_lock().is_ok()) {
                    remove(&folder, partial.id)?;
                    swept += 1;
                }
            }
            swept += sweep_orphans(&folder)?;
            Ok(swept)
        })
        .await
    }
}

/// Bytes of which nothing is known: a process died while it removed an upload, or began one.
fn sweep_orphans(folder: &Path) -> io::Result<usize> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut swept = 0;
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_part = path.extension().is_some_and(|ending| ending == "part");
        if !is_part || path.with_extension("json").exists() {
            continue;
        }
        let Ok(file) = OpenOptions::new().write(true).open(&path) else {
            continue;
        };
        // One that was made a moment ago may be about to be known.
        let age = file.metadata()?.modified()?.elapsed();
        let is_old = age.is_ok_and(|age| age > ORPHANED_AFTER);
        if is_old && file.try_lock().is_ok() {
            fs::remove_file(&path)?;
            swept += 1;
        }
    }
    Ok(swept)
}

fn open(folder: PathBuf, owner: OwnerId, id: RecordingId, now: Timestamp) -> io::Result<Opened> {
    let file = match options().open(part(&folder, id)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Opened::Gone),
        Err(error) => return Err(error),
    };
    let known = read_state(&state(&folder, id))?;
    let Some(partial) = known.filter(|it| it.owner == owner && it.expires_at > now) else {
        return Ok(Opened::Gone);
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Opened::Busy),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // As it is now that nobody else writes it.
    let Some(partial) = read_state(&state(&folder, partial.id))? else {
        return Ok(Opened::Gone);
    };
    let mut held = Held {
        folder,
        file,
        partial,
        offset: 0,
    };
    if let Some(from) = held.partial.unchecked_from.take() {
        held.file.set_len(from)?;
        write_state(&held.folder, &held.partial)?;
    }
    held.file.sync_data()?;
    held.offset = held.file.seek(SeekFrom::End(0))?;
    Ok(Opened::Held(Box::new(held)))
}

impl Held {
    /// Not yet safe.
    pub async fn append(self: Box<Self>, bytes: Vec<u8>) -> Result<Box<Self>, StoreError> {
        self.with(move |held| {
            held.file.seek(SeekFrom::End(0))?;
            held.file.write_all(&bytes)
        })
        .await
    }

    /// What was appended is safe, and counts.
    pub async fn sync(self: Box<Self>) -> Result<Box<Self>, StoreError> {
        self.with(|held| {
            held.file.sync_data()?;
            held.offset = held.file.seek(SeekFrom::End(0))?;
            Ok(())
        })
        .await
    }

    /// Forgets what comes after.
    pub async fn cut(self: Box<Self>, to: u64) -> Result<Box<Self>, StoreError> {
        self.with(move |held| held.file.set_len(to))
            .await?
            .sync()
            .await
    }

    /// Keeps what is known of it.
    pub async fn note(self: Box<Self>) -> Result<Box<Self>, StoreError> {
        self.with(|held| write_state(&held.folder, &held.partial))
            .await
    }

    /// It is a recording now; only that is kept, until it expires.
    pub async fn became(mut self: Box<Self>, job: JobId) -> Result<(), StoreError> {
        self.partial.job = Some(job);
        self.partial.length = Some(self.offset);
        let held = self.note().await?;
        // The bytes are elsewhere.
        held.with(|held| held.file.set_len(0)).await.map(drop)
    }

    pub async fn remove(self: Box<Self>) -> Result<(), StoreError> {
        blocking(move || remove(&self.folder, self.partial.id)).await
    }

    /// A reader of its own.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        let file = File::open(part(&self.folder, self.partial.id)).map_err(failed)?;
        Ok(Reader(Some(file)))
    }

    async fn with(
        mut self: Box<Self>,
        work: impl FnOnce(&mut Self) -> io::Result<()> + Send + 'static,
    ) -> Result<Box<Self>, StoreError> {
        blocking(move || {
            work(&mut self)?;
            Ok(self)
        })
        .await
    }
}

/// Reads from the beginning, a piece at a time.
pub struct Reader(Option<File>);

impl Reader {
    const PIECE_BYTES: usize = 256 << 10;

    pub async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        let Some(mut file) = self.0.take() else {
            return Ok(None);
        };
        let (file, piece) = blocking(move || {
            let mut piece = vec![0; Self::PIECE_BYTES];
            let length = file.read(&mut piece)?;
            piece.truncate(length);
            Ok((file, piece))
        })
        .await?;
        self.0 = Some(file);
        Ok((!piece.is_empty()).then(|| piece.into()))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(failed),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn failed(error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StoreError::Full(error.to_string())
        }
        _ => StoreError::Broken(format!("an upload's file: {error}")),
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn part(folder: &Path, id: RecordingId) -> PathBuf {
    folder.join(format!("{id}.part"))
}

fn state(folder: &Path, id: RecordingId) -> PathBuf {
    folder.join(format!("{id}.json"))
}

fn read_state(path: &Path) -> io::Result<Option<Partial>> {
    match fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The whole of it or what was there before.
fn write_state(folder: &Path, partial: &Partial) -> io::Result<()> {
    let path = state(folder, partial.id);
    let beside = path.with_extension("new");
    let mut file = options().create(true).truncate(true).open(&beside)?;
    file.write_all(&serde_json::to_vec(partial).expect("plain data"))?;
    file.sync_data()?;
    fs::rename(&beside, &path)?;
    File::open(folder)?.sync_all()
}

fn remove(folder: &Path, id: RecordingId) -> io::Result<()> {
    // Without what is known of it, it is gone.
    for path in [state(folder, id), part(folder, id)] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn all(folder: &Path) -> io::Result<impl Iterator<Item = Partial>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => Some(entries),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let paths = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let states = paths.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    Ok(states.filter_map(|path| read_state(&path).ok().flatten()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::SystemTime;

    use super::*;

    #[tokio::test]
    async fn bytes_that_a_killed_process_left_go_and_what_is_known_or_new_stays() {
        let folder = tempfile::tempdir().unwrap();
        let partials = Partials::new(folder.path());
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let known = Partial {
            id: RecordingId::new(now),
            owner: OwnerId::new(),
            length: Some(7),
            texts: BTreeMap::new(),
            file_name: None,
            metadata: String::new(),
            expires_at: now
                .saturating_add(jiff::SignedDuration::from_secs(60))
                .unwrap(),
            unchecked_from: None,
            job: None,
        };
        drop(partials.create(known.clone(), 1).await.unwrap().unwrap());
        let long_ago = SystemTime::now() - 2 * ORPHANED_AFTER;
        let leave = |id: RecordingId, at: Option<SystemTime>| {
            let file = File::create(part(folder.path(), id)).unwrap();
            if let Some(at) = at {
                file.set_modified(at).unwrap();
            }
            (file, part(folder.path(), id))
        };
        let (_, old) = leave(RecordingId::new(now), Some(long_ago));
        let (_, new) = leave(RecordingId::new(now), None);
        let (file, worked_on) = leave(RecordingId::new(now), Some(long_ago));
        file.lock().unwrap();
        leave(known.id, Some(long_ago));
        assert_eq!(partials.sweep(now).await.unwrap(), 1);
        assert!(!old.exists() && new.exists() && worked_on.exists());
        assert!(part(folder.path(), known.id).exists());
    }
}
