//! The file being decoded, as the readers see it, and how far they have come.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use symphonia::core::io::MediaSource;

/// Reads from the start of a file and counts.
pub(super) struct Source {
    file: File,
    len: u64,
    is_seekable: bool,
    position: Arc<AtomicU64>,
}

impl Source {
    /// Without `is_seekable` a reader has to take what comes: it then asks for no index, and so
    /// copes with files whose index is damaged or missing.
    pub(super) fn open(file: &File, is_seekable: bool) -> io::Result<Self> {
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        let len = file.metadata()?.len();
        Ok(Self {
            file,
            len,
            is_seekable,
            position: Arc::default(),
        })
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn position(&self) -> Arc<AtomicU64> {
        self.position.clone()
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.position.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = self.file.seek(to)?;
        self.position.store(position, Ordering::Relaxed);
        Ok(position)
    }
}

impl MediaSource for Source {
    fn is_seekable(&self) -> bool {
        self.is_seekable
    }

    fn byte_len(&self) -> Option<u64> {
        self.is_seekable.then_some(self.len)
    }
}

/// Tells the caller how far reading has come, not more often than a bar can show.
pub(super) struct Ticker<'a> {
    position: Arc<AtomicU64>,
    len: u64,
    told: f32,
    progress: &'a mut dyn FnMut(f32),
}

impl<'a> Ticker<'a> {
    pub(super) fn new(source: &Source, progress: &'a mut dyn FnMut(f32)) -> Self {
        Self {
            position: source.position(),
            len: source.len(),
            told: -1.0,
            progress,
        }
    }

    pub(super) fn tick(&mut self) {
        let position = self.position.load(Ordering::Relaxed);
        let fraction = (position as f64 / self.len.max(1) as f64).min(1.0) as f32;
        if fraction >= self.told + 0.002 {
            self.told = fraction;
            (self.progress)(fraction);
        }
    }
}
