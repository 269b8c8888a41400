//! What a muxer did to packets, undone: bytes that all of them begin with left out, or zlib.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::ebml::{child, children, unsigned};
use crate::decode::demux::PACKET_BYTES_MAX;

const ENCODING: u32 = 0x6240;
const ORDER: u32 = 0x5031;
const SCOPE: u32 = 0x5032;
const TYPE: u32 = 0x5033;
const COMPRESSION: u32 = 0x5034;
const COMPRESSION_ALGORITHM: u32 = 0x4254;
const COMPRESSION_SETTINGS: u32 = 0x4255;
/// A few can be stacked; nobody stacks more than two.
const ENCODINGS_MAX: usize = 4;
/// What packets have in common is some bytes. More would make a large recording of a small file.
const HEADER_BYTES_MAX: usize = 256;

const SCOPE_PACKETS: u64 = 1;
const SCOPE_PRIVATE: u64 = 2;

/// Not to be undone by anybody without the key.
pub(super) const ENCRYPTED: &str = "encrypted";

#[derive(Debug, Clone, PartialEq)]
enum Undo {
    Zlib,
    /// Put in front again.
    Header(Vec<u8>),
}

/// In the order in which they are undone.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Encodings(Vec<(u64, Undo)>);

impl Encodings {
    /// From a track's ContentEncodings; the error names what cannot be undone.
    pub(super) fn parse(body: &[u8]) -> Result<Self, &'static str> {
        let mut encodings = Vec::new();
        for (_, encoding) in children(body).filter(|(id, _)| *id == ENCODING) {
            let number = |id, usual| child(encoding, id).map_or(usual, unsigned);
            if number(TYPE, 0) != 0 {
                return Err(ENCRYPTED);
            }
            let compression = child(encoding, COMPRESSION).unwrap_or_default();
            let undo = match child(compression, COMPRESSION_ALGORITHM).map_or(0, unsigned) {
                0 => Undo::Zlib,
                1 => return Err("bzip2-compressed"),
                2 => return Err("LZO-compressed"),
                3 => {
                    let header = child(compression, COMPRESSION_SETTINGS).unwrap_or_default();
                    if header.len() > HEADER_BYTES_MAX {
                        return Err("compressed");
                    }
                    Undo::Header(header.to_vec())
                }
                _ => return Err("compressed"),
            };
            encodings.push((number(ORDER, 0), number(SCOPE, 1), undo));
        }
        if encodings.len() > ENCODINGS_MAX {
            return Err("many times compressed");
        }
        encodings.sort_by_key(|(order, ..)| std::cmp::Reverse(*order));
        Ok(Self(
            encodings
                .into_iter()
                .map(|(_, scope, undo)| (scope, undo))
                .collect(),
        ))
    }

    /// `None` where the packet cannot have been encoded so.
    pub(super) fn packet(&self, packet: &[u8], into: &mut Vec<u8>) -> Option<()> {
        self.undo(SCOPE_PACKETS, packet, into)
    }

    pub(super) fn private(&self, private: &[u8]) -> Option<Vec<u8>> {
        let mut decoded = Vec::new();
        self.undo(SCOPE_PRIVATE, private, &mut decoded)?;
        Some(decoded)
    }

    fn undo(&self, scope: u64, bytes: &[u8], into: &mut Vec<u8>) -> Option<()> {
        into.clear();
        into.extend_from_slice(bytes);
        for (_, undo) in self.0.iter().filter(|(covered, _)| covered & scope != 0) {
            match undo {
                Undo::Header(header) => {
                    into.splice(..0, header.iter().copied());
                }
                Undo::Zlib => {
                    let packed = std::mem::take(into);
                    ZlibDecoder::new(packed.as_slice())
                        .take(PACKET_BYTES_MAX as u64)
                        .read_to_end(into)
                        .ok()?;
                }
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use flate2::{Compression, write::ZlibEncoder};

    use super::{super::testing::element, *};

    fn encoding(order: u8, scope: u8, algorithm: u8, settings: &[u8]) -> Vec<u8> {
        let compression = [
            element(COMPRESSION_ALGORITHM, &[algorithm]),
            element(COMPRESSION_SETTINGS, settings),
        ];
        let children = [
            element(ORDER, &[order]),
            element(SCOPE, &[scope]),
            element(COMPRESSION, &compression.concat()),
        ];
        element(ENCODING, &children.concat())
    }

    #[test]
    fn stacked_encodings_are_undone_in_reverse() {
        let body = [encoding(0, 1, 3, b"ab"), encoding(1, 1, 0, b"")].concat();
        let encodings = Encodings::parse(&body).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(b"cd").unwrap();
        let packed = zlib.finish().unwrap();
        let mut packet = Vec::new();
        encodings.packet(&packed, &mut packet).unwrap();
        assert_eq!(packet, b"abcd");
        assert_eq!(encodings.private(b"cd").unwrap(), b"cd");
        assert_eq!(encodings.packet(b"no zlib", &mut packet), None);
    }

    #[test]
    fn what_cannot_be_undone_is_named() {
        assert_eq!(
            Encodings::parse(&encoding(0, 1, 1, b"")),
            Err("bzip2-compressed")
        );
        let encrypted = element(ENCODING, &element(TYPE, &[1]));
        assert_eq!(Encodings::parse(&encrypted), Err(ENCRYPTED));
        assert!(Encodings::parse(&encoding(0, 1, 0, b"").repeat(5)).is_err());
    }
}
