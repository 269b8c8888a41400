//! The frames of an ID3v2 tag: headers, unsynchronisation, compression, and text in four codings.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::{input, limits::*};

pub(super) struct Frame {
    /// Three letters in version 2.2.
    pub id: String,
    pub body: Vec<u8>,
}

pub(super) enum Part {
    Frame(Frame),
    /// By name: encrypted, or too large when unpacked.
    Lost(String),
}

/// Of a tag's body, with the version and the flags of its header.
pub(super) struct Frames {
    bytes: Vec<u8>,
    at: usize,
    version: u8,
    /// The tag as a whole was unsynchronised (version 2.3); in 2.4 each frame says it.
    is_unsynchronised: bool,
    /// How many bytes packed frames may still become.
    left_unpacked: u64,
}

/// A few bytes may claim to be gigabytes, and many frames may do so one after the other.
const UNPACKED_BYTES_SUM_MAX: u64 = 2 * PICTURE_BYTES_SUM_MAX as u64;

impl Frames {
    pub(super) fn new(mut bytes: Vec<u8>, version: u8, flags: u8) -> Self {
        let is_unsynchronised = flags & 0x80 != 0;
        if is_unsynchronised && version < 4 {
            bytes = synchronise(&bytes);
        }
        let mut at = 0;
        if flags & 0x40 != 0 && version >= 3 {
            // An extended header: of 2.4 its size counts itself.
            let size = bytes.first_chunk::<4>().copied().unwrap_or_default();
            at = match version {
                3 => 4usize.saturating_add(u32::from_be_bytes(size) as usize),
                _ => syncsafe(size) as usize,
            };
        }
        Self {
            bytes,
            at,
            version,
            is_unsynchronised,
            left_unpacked: UNPACKED_BYTES_SUM_MAX,
        }
    }

    /// Those inside of a chapter's frame. Packed ones are not unpacked: there can be any number of
    /// chapters.
    pub(super) fn nested(bytes: &[u8], version: u8) -> Self {
        Self {
            left_unpacked: 0,
            ..Self::new(bytes.to_vec(), version, 0)
        }
    }

    fn size(&self, field: [u8; 4], behind: usize) -> usize {
        let plain = u32::from_be_bytes(field) as usize;
        if self.version < 4 {
            return plain;
        }
        let safe = syncsafe(field) as usize;
        // Some writers of 2.4 forget that sizes have seven bits a byte: whichever size leads to
        // another frame or to the end is right.
        let fits = |size: usize| match self.bytes.get(behind.saturating_add(size)..) {
            Some([] | [0, ..]) => true,
            Some(next) => next.get(..4).is_some_and(|id| id.iter().all(is_id)),
            None => false,
        };
        let is_plain = field.iter().any(|byte| byte & 0x80 != 0) || !fits(safe) && fits(plain);
        if is_plain { plain } else { safe }
    }
}

impl Iterator for Frames {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let head_bytes = if self.version == 2 { 6 } else { 10 };
        let head = self.bytes.get(self.at..)?.get(..head_bytes)?;
        let id_bytes = if self.version == 2 { 3 } else { 4 };
        if !head[..id_bytes].iter().all(is_id) {
            return None; // Padding.
        }
        let id = String::from_utf8_lossy(&head[..id_bytes]).into_owned();
        let start = self.at + head_bytes;
        let (size, flags) = match self.version {
            2 => (
                u32::from_be_bytes([0, head[3], head[4], head[5]]) as usize,
                [0, 0],
            ),
            _ => (
                self.size([head[4], head[5], head[6], head[7]], start),
                [head[8], head[9]],
            ),
        };
        self.at = start.checked_add(size)?;
        if self.at > self.bytes.len() {
            return Some(Part::Lost(id));
        }
        Some(match self.unpacked(start, flags) {
            Some(body) => Part::Frame(Frame { id, body }),
            None => Part::Lost(id),
        })
    }
}

impl Frames {
    /// The body that begins at a place and ends where the next frame begins.
    fn unpacked(&mut self, start: usize, flags: [u8; 2]) -> Option<Vec<u8>> {
        let body = self.bytes.get(start..self.at)?;
        let (mut skip, packed, encrypted, unsynchronised) = match self.version {
            4 => {
                let format = flags[1];
                let skip = usize::from(format & 0x40 != 0) + 4 * usize::from(format & 1);
                let unsynchronised = format & 2 != 0 || self.is_unsynchronised;
                (skip, format & 8 != 0, format & 4 != 0, unsynchronised)
            }
            3 => {
                let format = flags[1];
                let skip = usize::from(format & 0x20 != 0);
                (skip, format & 0x80 != 0, format & 0x40 != 0, false)
            }
            _ => (0, false, false, false),
        };
        if encrypted {
            return None;
        }
        if packed && self.version == 3 {
            skip += 4;
        }
        let body = body.get(skip..)?;
        let body = match unsynchronised {
            true => synchronise(body),
            false => body.to_vec(),
        };
        if !packed {
            return Some(body);
        }
        let mut plain = Vec::new();
        let most = (PICTURE_BYTES_MAX as u64 + NAME_BYTES_MAX as u64).min(self.left_unpacked);
        let read = ZlibDecoder::new(&body[..])
            .take(most + 1)
            .read_to_end(&mut plain);
        self.left_unpacked = self.left_unpacked.saturating_sub(plain.len() as u64);
        (read.is_ok() && plain.len() as u64 <= most).then_some(plain)
    }
}

fn is_id(byte: &u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// 28 bits in four bytes.
pub(super) fn syncsafe(bytes: [u8; 4]) -> u32 {
    bytes
        .iter()
        .fold(0, |size, &byte| size << 7 | u32::from(byte & 0x7f))
}

/// Takes out the zero behind each 0xff, which keeps old players from hearing a frame there.
fn synchronise(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut last = 0;
    for &byte in bytes {
        if !(last == 0xff && byte == 0) {
            plain.push(byte);
        }
        last = byte;
    }
    plain
}

/// By the number in front of a text.
pub(super) fn decoded(coding: u8, bytes: &[u8]) -> String {
    match coding {
        1 => input::utf16(bytes, true),
        2 => input::utf16(bytes, false),
        3 => input::text(bytes),
        // Latin-1 says the standard, whatever Windows had say many files.
        _ => {
            let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
            bytes[..end]
                .iter()
                .map(|&b| input::windows_1252(b))
                .collect()
        }
    }
}

/// A text that ends with a zero (two in UTF-16), and what follows it.
pub(super) fn split_text(coding: u8, bytes: &[u8]) -> (&[u8], &[u8]) {
    if coding == 1 || coding == 2 {
        let pairs = bytes.as_chunks::<2>().0;
        return match pairs.iter().position(|pair| *pair == [0, 0]) {
            Some(at) => (&bytes[..2 * at], &bytes[2 * at + 2..]),
            None => (bytes, &[]),
        };
    }
    match bytes.iter().position(|byte| *byte == 0) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}

/// The values of a text frame's body: one coding, then texts with zeros between them.
pub(super) fn values(body: &[u8]) -> Vec<String> {
    let Some((&coding, mut rest)) = body.split_first() else {
        return Vec::new();
    };
    let mut values = Vec::new();
    while !rest.is_empty() && values.len() < FIELDS_MAX {
        let (value, behind) = split_text(coding, rest);
        values.push(decoded(coding, value));
        rest = behind;
    }
    values
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use flate2::{Compression, write::ZlibEncoder};

    use super::*;

    /// Of version 2.3, packed: a text of so many bytes.
    fn packed(bytes: usize) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&vec![b'a'; bytes]).unwrap();
        let body = [&[0; 4], &encoder.finish().unwrap()[..]].concat();
        let size = (body.len() as u32).to_be_bytes();
        [&b"TXXX"[..], &size, &[0, 0x80], &body].concat()
    }

    #[test]
    fn packed_frames_do_not_become_more_than_is_believed() {
        const BYTES: usize = 10 << 20;
        let tag = packed(BYTES).repeat(20);
        let unpacked = Frames::new(tag.clone(), 3, 0)
            .filter(|part| matches!(part, Part::Frame(frame) if frame.body.len() == BYTES))
            .count();
        assert_eq!(unpacked, UNPACKED_BYTES_SUM_MAX as usize / BYTES);
        assert!(Frames::nested(&tag, 3).all(|part| matches!(part, Part::Lost(_))));
        assert_eq!(Frames::new(tag, 3, 0).count(), 20);
    }
}
