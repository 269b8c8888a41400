//! A file's bytes as far ahead as a reader has to look for an end that nothing states.

use std::io::{self, Read};

use crate::decode::source::Source;

pub(super) const CHUNK: usize = 1 << 17;

/// The file from where it was read to, as far as it was looked at.
pub(super) struct Ahead {
    source: Source,
    /// Not more is read.
    left: u64,
    buffer: Vec<u8>,
    start: usize,
    is_at_end: bool,
}

impl Ahead {
    pub(super) fn new(source: Source) -> Self {
        Self::within(source, u64::MAX)
    }

    /// Of so many bytes at most.
    pub(super) fn within(source: Source, bytes: u64) -> Self {
        Self {
            source,
            left: bytes,
            buffer: Vec::new(),
            start: 0,
            is_at_end: false,
        }
    }

    /// The next bytes: so many, fewer only at the end of the file.
    pub(super) fn peek(&mut self, bytes: usize) -> io::Result<&[u8]> {
        let ahead = self.peek_from(bytes)?;
        Ok(&ahead[..ahead.len().min(bytes)])
    }

    /// At least so many, if there are.
    pub(super) fn peek_from(&mut self, bytes: usize) -> io::Result<&[u8]> {
        while self.buffered() < bytes && !self.is_at_end {
            if self.start > self.buffer.len() / 2 {
                self.buffer.drain(..self.start);
                self.start = 0;
            }
            let wanted = (CHUNK.max(bytes - self.buffered()) as u64).min(self.left);
            let read = (&mut self.source)
                .take(wanted)
                .read_to_end(&mut self.buffer)?;
            self.left -= read as u64;
            self.is_at_end = (read as u64) < wanted || self.left == 0;
        }
        Ok(&self.buffer[self.start..])
    }

    pub(super) fn buffered(&self) -> usize {
        self.buffer.len() - self.start
    }

    pub(super) fn take(&mut self, bytes: usize) {
        self.start += bytes.min(self.buffered());
    }

    pub(super) fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let buffered = self.buffered() as u64;
        self.take(bytes.min(buffered) as usize);
        let rest = bytes.saturating_sub(buffered);
        if rest > 0 && !self.is_at_end {
            let wanted = rest.min(self.left);
            let skipped = io::copy(&mut (&mut self.source).take(wanted), &mut io::sink())?;
            self.left -= skipped;
            self.is_at_end = skipped < rest || self.left == 0;
        }
        Ok(())
    }
}
