//! A file's bytes by their place, never more than the file has.

use std::{fs::File, io, os::unix::fs::FileExt};

pub(super) struct Input<'a> {
    file: &'a File,
    pub len: u64,
}

impl<'a> Input<'a> {
    pub(super) fn open(file: &'a File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file, len })
    }

    /// So many bytes, fewer only at the end of the file. The caller bounds them.
    pub(super) fn read(&self, at: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; bytes.min(left)];
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], at + filled as u64) {
                Ok(0) => break,
                Ok(bytes) => filled += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        buffer.truncate(filled);
        Ok(buffer)
    }

    /// `None` where the file ends before.
    pub(super) fn array<const N: usize>(&self, at: u64) -> io::Result<Option<[u8; N]>> {
        Ok(self.read(at, N)?.try_into().ok())
    }

    /// As many as are stated where that is no more than `max`; `None` beyond, or where the file ends
    /// before.
    pub(super) fn body(&self, at: u64, stated: u64, max: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(bytes) = usize::try_from(stated).ok().filter(|bytes| *bytes <= max) else {
            return Ok(None);
        };
        let body = self.read(at, bytes)?;
        Ok((body.len() == bytes).then_some(body))
    }
}

/// A window on bytes that goes forward; `None` where they end.
pub(super) struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn u32_le(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
}

/// Text of unstated coding: UTF-8 where it is that, else what Windows wrote. Ends at the first zero.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let bytes = &bytes[..end];
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| windows_1252(byte)).collect(),
    }
}

/// Latin-1 with letters and quotes where that has control characters.
pub(super) fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// With a mark of its byte order, or else big-endian unless `little`. Ends at the first zero.
pub(super) fn utf16(bytes: &[u8], little: bool) -> String {
    let (bytes, little) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        _ => (bytes, little),
    };
    let units = bytes.as_chunks::<2>().0.iter().map(|&unit| match little {
        true => u16::from_le_bytes(unit),
        false => u16::from_be_bytes(unit),
    });
    char::decode_utf16(units.take_while(|unit| *unit != 0))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}
