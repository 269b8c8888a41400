//! The file being decoded, as the readers see it, and how far they have come.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Reads from the start of a file and counts. Each has a place of its own in the file.
pub(super) struct Source {
    file: Arc<File>,
    len: u64,
    at: u64,
    /// How far any of them has come.
    reached: Arc<AtomicU64>,
}

impl Source {
    pub(super) fn open(file: &File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self {
            file: Arc::new(file.try_clone()?),
            len,
            at: 0,
            reached: Arc::default(),
        })
    }

    /// Another one, at the start, whose progress counts as this one's.
    pub(super) fn again(&self) -> Self {
        Self {
            file: self.file.clone(),
            len: self.len,
            at: 0,
            reached: self.reached.clone(),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        self.reached.fetch_max(self.at, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// Tells the caller how far reading has come, not more often than a bar can show.
pub(super) struct Ticker<'a> {
    reached: Arc<AtomicU64>,
    len: u64,
    told: f32,
    progress: &'a mut dyn FnMut(f32),
}

impl<'a> Ticker<'a> {
    pub(super) fn new(source: &Source, progress: &'a mut dyn FnMut(f32)) -> Self {
        Self {
            reached: source.reached.clone(),
            len: source.len(),
            told: -1.0,
            progress,
        }
    }

    pub(super) fn tick(&mut self) {
        let reached = self.reached.load(Ordering::Relaxed);
        let fraction = (reached as f64 / self.len.max(1) as f64).min(1.0) as f32;
        if fraction >= self.told + 0.002 {
            self.told = fraction;
            (self.progress)(fraction);
        }
    }
}
