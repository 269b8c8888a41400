//! A file's bytes as a reader of elements wants them: looked at before they are taken, stepped over
//! without being read, found again after damage.

use std::io::{self, Read, Seek, SeekFrom};

use crate::decode::source::Source;

/// At most so many bytes can be looked at.
pub(super) const PEEK_BYTES_MAX: usize = 1 << 16;

pub(super) struct Bytes {
    source: Source,
    len: u64,
    /// What was read and not yet taken: from `at` on.
    buffer: Vec<u8>,
    at: usize,
    /// Where in the file the buffer ends.
    end: u64,
}

impl Bytes {
    pub(super) fn new(source: Source) -> Self {
        Self {
            len: source.len(),
            source,
            buffer: Vec::new(),
            at: 0,
            end: 0,
        }
    }

    pub(super) fn position(&self) -> u64 {
        self.end - (self.buffer.len() - self.at) as u64
    }

    /// How many bytes follow, by the length that the file had when it was opened.
    pub(super) fn left(&self) -> u64 {
        self.len.saturating_sub(self.position())
    }

    /// What comes next, not taken: so many bytes, fewer only at the end of the file.
    pub(super) fn peek(&mut self, bytes: usize) -> io::Result<&[u8]> {
        let wanted = bytes.min(PEEK_BYTES_MAX);
        if self.buffer.len() - self.at < wanted {
            self.buffer.drain(..self.at);
            self.at = 0;
            let missing = 2 * PEEK_BYTES_MAX - self.buffer.len();
            let read = (&mut self.source)
                .take(missing as u64)
                .read_to_end(&mut self.buffer)?;
            self.end += read as u64;
        }
        let last = self.buffer.len().min(self.at + wanted);
        Ok(&self.buffer[self.at..last])
    }

    /// An array, or `None` where the file ends before.
    pub(super) fn take<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        let taken = self.peek(N)?.try_into().ok();
        self.at += if taken.is_some() { N } else { 0 };
        Ok(taken)
    }

    /// Goes to a place; one behind the end is the end.
    pub(super) fn seek(&mut self, to: u64) -> io::Result<()> {
        let first = self.end - self.buffer.len() as u64;
        if (first..=self.end).contains(&to) {
            self.at = (to - first) as usize;
            return Ok(());
        }
        self.end = self.source.seek(SeekFrom::Start(to.min(self.len)))?;
        self.buffer.clear();
        self.at = 0;
        Ok(())
    }

    pub(super) fn skip(&mut self, bytes: u64) -> io::Result<()> {
        self.seek(self.position().saturating_add(bytes))
    }

    /// Appends so many bytes; fewer only at the end of the file. The caller bounds them.
    pub(super) fn read_onto(&mut self, body: &mut Vec<u8>, bytes: u64) -> io::Result<()> {
        let held = (self.buffer.len() - self.at).min(usize::try_from(bytes).unwrap_or(usize::MAX));
        body.extend_from_slice(&self.buffer[self.at..self.at + held]);
        self.at += held;
        let missing = bytes - held as u64;
        if missing > 0 {
            let read = (&mut self.source).take(missing).read_to_end(body)?;
            self.end += read as u64;
            self.buffer.clear();
            self.at = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use super::*;

    fn bytes(content: &[u8]) -> Bytes {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        Bytes::new(Source::open(&file).unwrap())
    }

    #[test]
    fn looking_takes_nothing_and_places_are_found_again() {
        let content: Vec<u8> = (0..400_000u32).map(|n| (n / 7) as u8).collect();
        let mut bytes = bytes(&content);
        let mut body = Vec::new();
        for (to, count) in [
            (0, 5),
            (100_000, 9),
            (99_990, 70_000),
            (399_998, 9),
            (3, 200_000),
        ] {
            bytes.seek(to).unwrap();
            let expected = &content[to as usize..content.len().min(to as usize + count)];
            assert_eq!(bytes.peek(2).unwrap(), &expected[..2]);
            assert_eq!(bytes.position(), to);
            assert_eq!(bytes.left(), 400_000 - to);
            body.clear();
            bytes.read_onto(&mut body, count as u64).unwrap();
            assert!(body == expected);
            assert_eq!(bytes.position(), to + expected.len() as u64);
        }
        bytes.seek(u64::MAX).unwrap();
        assert_eq!((bytes.position(), bytes.left()), (400_000, 0));
        assert_eq!(bytes.take::<1>().unwrap(), None);
    }
}
