//! Elements of EBML (RFC 8794) and the ids of those that Matroska (RFC 9559) has and we look at.

use std::io;

use super::super::bytes::Bytes;

pub(super) const EBML: u32 = 0x1a45_dfa3;
pub(super) const DOC_TYPE: u32 = 0x4282;
pub(super) const MAX_ID_LENGTH: u32 = 0x42f2;
pub(super) const SEGMENT: u32 = 0x1853_8067;
pub(super) const INFO: u32 = 0x1549_a966;
pub(super) const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
pub(super) const CLUSTER: u32 = 0x1f43_b675;
pub(super) const TIMESTAMP: u32 = 0xe7;
pub(super) const SIMPLE_BLOCK: u32 = 0xa3;
pub(super) const BLOCK_GROUP: u32 = 0xa0;
pub(super) const BLOCK: u32 = 0xa1;
pub(super) const BLOCK_DURATION: u32 = 0x9b;
pub(super) const DISCARD_PADDING: u32 = 0x75a2;
pub(super) const TRACKS: u32 = 0x1654_ae6b;

/// Elements that may stand among these and are stepped over.
const SKIPPED: [u32; 18] = [
    0x114d_9b74, // seek head
    0x1c53_bb6b, // cues
    0x1254_c367, // tags
    0x1941_a469, // attachments
    0x1043_a770, // chapters
    0xec,        // void
    0xbf,        // checksum
    0xa7,        // position
    0xab,        // previous size
    0xaf,        // encrypted block, which nobody writes
    0x5854,      // silent tracks
    // Children of the EBML header.
    0x4286,
    0x42f7,
    0x42f2,
    0x42f3,
    0x4287,
    0x4285,
    0x4281,
];

/// Whether an id is one that can stand in a segment, a cluster or around them.
pub(super) fn is_known(id: u32) -> bool {
    const READ: [u32; 9] = [
        EBML,
        DOC_TYPE,
        SEGMENT,
        INFO,
        CLUSTER,
        TIMESTAMP,
        SIMPLE_BLOCK,
        BLOCK_GROUP,
        TRACKS,
    ];
    READ.contains(&id) || SKIPPED.contains(&id)
}

/// An id that is longer than Matroska's are, of an element that is none of its own.
const FOREIGN: u32 = u32::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub id: u32,
    /// `None`: not known, as of what is being recorded.
    pub size: Option<u64>,
    /// Bytes of the header itself.
    pub len: usize,
}

/// A header has at most so many bytes: an id and a size.
pub(super) const HEADER_BYTES_MAX: usize = 16;

/// `None`: these bytes begin no element. `id_len_max` is what the file's EBML header states, 4 where
/// it does not.
pub(super) fn header(bytes: &[u8], id_len_max: usize) -> Option<Header> {
    let id_len = bytes.first()?.leading_zeros() as usize + 1;
    let (id, rest) = bytes
        .split_at_checked(id_len)
        .filter(|_| id_len <= id_len_max)?;
    let size_len = rest.first()?.leading_zeros() as usize + 1;
    let (size, _) = vint(rest)?;
    let unknown = (1u64 << (7 * size_len)) - 1;
    Some(Header {
        id: if id_len > 4 {
            FOREIGN
        } else {
            unsigned(id) as u32
        },
        size: (size != unknown).then_some(size),
        len: id_len + size_len,
    })
}

/// The header at a reader's place, not taken.
pub(super) fn peek_header(bytes: &mut Bytes, id_len_max: usize) -> io::Result<Option<Header>> {
    Ok(header(bytes.peek(HEADER_BYTES_MAX)?, id_len_max))
}

/// A number of 1 to 8 bytes whose leading zeros tell its length; and what follows.
pub(super) fn vint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let len = bytes.first()?.leading_zeros() as usize + 1;
    let (number, rest) = bytes.split_at_checked(len).filter(|_| len <= 8)?;
    Some((unsigned(number) & ((1 << (7 * len)) - 1), rest))
}

pub(super) fn unsigned(body: &[u8]) -> u64 {
    body.iter()
        .take(8)
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}

pub(super) fn signed(body: &[u8]) -> i64 {
    let bits = 8 * body.len().min(8) as u32;
    if bits == 0 {
        0
    } else {
        (unsigned(body) << (64 - bits)) as i64 >> (64 - bits)
    }
}

/// 0 for what is no number.
pub(super) fn float(body: &[u8]) -> f64 {
    let value = match body.len() {
        4 => f64::from(f32::from_bits(unsigned(body) as u32)),
        8 => f64::from_bits(unsigned(body)),
        _ => 0.0,
    };
    if value.is_finite() { value } else { 0.0 }
}

/// A text of a hostile file: what is harmless to show, and not more than can be shown.
pub(super) fn text(body: &[u8]) -> String {
    const CHARS_MAX: usize = 200;
    String::from_utf8_lossy(&body[..body.len().min(4 * CHARS_MAX)])
        .trim_end_matches('\0')
        .chars()
        .filter(|c| !c.is_control())
        .take(CHARS_MAX)
        .collect()
}

/// The elements in a body, as far as they make sense.
pub(super) fn children(mut body: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let header = header(body, 8)?;
        let (_, rest) = body.split_at_checked(header.len)?;
        let (child, rest) = rest.split_at_checked(usize::try_from(header.size?).ok()?)?;
        body = rest;
        Some((header.id, child))
    })
}

/// The first child of an id.
pub(super) fn child(body: &[u8], id: u32) -> Option<&[u8]> {
    children(body)
        .find(|(other, _)| *other == id)
        .map(|(_, body)| body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_tells_known_sizes_from_unknown_ones() {
        let check = |bytes: &[u8], id_len_max, expected: Option<(u32, Option<u64>, usize)>| {
            let found = header(bytes, id_len_max).map(|h| (h.id, h.size, h.len));
            assert_eq!(found, expected, "{bytes:x?}");
        };
        check(&[0xa3, 0x85], 4, Some((0xa3, Some(5), 2)));
        check(&[0x1f, 0x43, 0xb6, 0x75, 0xff], 4, Some((CLUSTER, None, 5)));
        check(
            &[0x1f, 0x43, 0xb6, 0x75, 1, 255, 255, 255, 255, 255, 255, 255],
            4,
            Some((CLUSTER, None, 12)),
        );
        check(&[0xec, 0x40, 0x7f], 4, Some((0xec, Some(127), 3)));
        check(&[0x08, 1, 2, 3, 4, 0x81], 4, None);
        check(&[0x08, 1, 2, 3, 4, 0x81], 5, Some((FOREIGN, Some(1), 6)));
        check(&[0xa3, 0], 4, None);
        check(&[0xa3], 4, None);
        check(&[], 4, None);
        check(&[0, 0], 8, None);
    }

    #[test]
    fn numbers_have_any_length() {
        assert_eq!(signed(&[0xff, 0x38]), -200);
        assert_eq!(signed(&[]), 0);
        assert_eq!(unsigned(&[1, 0]), 256);
        assert!((float(&48_000f32.to_be_bytes()) - 48_000.0).abs() < 1e-9);
        assert!((float(&f64::NAN.to_be_bytes())).abs() < 1e-9);
        assert_eq!(text(b"a\x07b\0\0"), "ab");
    }
}
