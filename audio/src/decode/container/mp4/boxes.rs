//! Boxes (QuickTime's atoms), in memory and in the file.

use std::io::{self, BufReader, Read, Seek};

use crate::decode::source::Source;

pub(super) type Kind = [u8; 4];

/// A box's header: its type, its own length, and the length of header and body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub kind: Kind,
    pub len: u64,
    pub size: u64,
}

/// `left` is what there is from the header's first byte on: a size of 0 goes on to the end.
pub(super) fn header(bytes: &[u8], left: u64) -> Option<Header> {
    let kind = bytes.get(4..8)?.try_into().ok()?;
    let (len, size) = match u32_at(bytes, 0)? {
        0 => (8, left),
        1 => (16, u64_at(bytes, 8)?),
        size => (8, u64::from(size)),
    };
    (size >= len).then_some(Header { kind, len, size })
}

/// The boxes in a body, as far as they make sense; the last one may be cut off.
pub(super) fn children(mut body: &[u8]) -> impl Iterator<Item = (Kind, &[u8])> {
    std::iter::from_fn(move || {
        let found = header(body, body.len() as u64)?;
        let size = usize::try_from(found.size).map_or(body.len(), |size| size.min(body.len()));
        let child = body.get(found.len as usize..size)?;
        body = &body[size..];
        Some((found.kind, child))
    })
}

pub(super) fn child(body: &[u8], kind: Kind) -> Option<&[u8]> {
    children(body)
        .find(|(found, _)| *found == kind)
        .map(|(_, child)| child)
}

pub(super) fn find<'a>(body: &'a [u8], path: &[&Kind]) -> Option<&'a [u8]> {
    path.iter().try_fold(body, |body, kind| child(body, **kind))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(array_at(bytes, at)?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(array_at(bytes, at)?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(array_at(bytes, at)?))
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// The file, read here and there.
pub(super) struct Input {
    reader: BufReader<Source>,
    at: u64,
    len: u64,
    /// How many bytes of fragments' descriptions were read, again and again where edits lead back.
    pub described: u64,
}

impl Input {
    pub(super) fn new(source: Source) -> io::Result<Self> {
        let len = source.len();
        let mut reader = BufReader::with_capacity(32 << 10, source);
        reader.rewind()?;
        Ok(Self {
            reader,
            at: 0,
            len,
            described: 0,
        })
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Appends to `bytes` what there is from `at` on, up to a length.
    pub(super) fn append(&mut self, at: u64, len: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
        let len = len.min(self.len.saturating_sub(at));
        if len == 0 {
            return Ok(());
        }
        // Not `seek`: that would throw away what is buffered.
        self.reader.seek_relative(at.wrapping_sub(self.at) as i64)?;
        self.at = at;
        let read = self.reader.by_ref().take(len).read_to_end(bytes)?;
        self.at += read as u64;
        Ok(())
    }

    pub(super) fn read(&mut self, at: u64, len: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.append(at, len, &mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_may_be_short_long_or_all_that_is_left() {
        let check = |bytes: &[u8], expected: Option<(u64, u64)>| {
            let found = header(bytes, 100).map(|found| (found.len, found.size));
            assert_eq!(found, expected);
        };
        check(b"\0\0\0\x0cfree", Some((8, 12)));
        check(b"\0\0\0\0mdat", Some((8, 100)));
        check(b"\0\0\0\x01mdat\0\0\0\x01\0\0\0\0", Some((16, 1 << 32)));
        check(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0f", None);
        check(b"\0\0\0\x07free", None);
        check(b"\0\0\0", None);
    }

    #[test]
    fn a_child_may_be_cut_off() {
        let body = b"\0\0\0\x0cfree1234\0\0\0\x20skip56";
        let found: Vec<_> = children(body).collect();
        assert_eq!(found, [(*b"free", &b"1234"[..]), (*b"skip", &b"56"[..])]);
        assert_eq!(child(body, *b"skip"), Some(&b"56"[..]));
    }
}
