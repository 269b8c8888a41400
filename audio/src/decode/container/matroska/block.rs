//! What lies in a block: whose it is, when, and its packets (RFC 9559 section 10).

use std::ops::Range;

use super::ebml::vint;

/// Number, stamp and flags; the packets follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockHeader {
    pub track: u64,
    /// Relative to the cluster's.
    pub stamp: i16,
    pub lacing: u8,
    /// A plain block's bits that mean nothing are 0.
    pub is_plausible: bool,
    pub len: usize,
}

/// A header has at most so many bytes.
pub(super) const BLOCK_HEADER_BYTES_MAX: usize = 11;

pub(super) fn block_header(block: &[u8]) -> Option<BlockHeader> {
    let (track, rest) = vint(block)?;
    let &[high, low, flags] = rest.first_chunk()?;
    Some(BlockHeader {
        track,
        stamp: i16::from_be_bytes([high, low]),
        lacing: flags >> 1 & 3,
        is_plausible: flags & 0x70 == 0,
        len: block.len() - rest.len() + 3,
    })
}

/// Where the packets lie in what follows a block's header. `None` where the sizes cannot be true.
pub(super) fn unlace(body: &[u8], lacing: u8) -> Option<Vec<Range<usize>>> {
    if lacing == 0 {
        return Some(std::iter::once(0..body.len()).collect());
    }
    let (&count, mut rest) = body.split_first()?;
    let count = usize::from(count) + 1;
    let mut sizes = Vec::with_capacity(count);
    match lacing {
        1 => {
            for _ in 1..count {
                let mut size = 0;
                loop {
                    let (&byte, after) = rest.split_first()?;
                    rest = after;
                    size += usize::from(byte);
                    if byte < 255 {
                        break;
                    }
                }
                sizes.push(size);
            }
        }
        2 => sizes = vec![rest.len() / count; count - 1],
        _ => {
            let mut size = 0i64;
            for index in 1..count {
                let bits = 7 * (rest.first()?.leading_zeros() + 1);
                let (value, after) = vint(rest)?;
                rest = after;
                // Each but the first is a difference, with half of its range below zero.
                let middle = if index == 1 {
                    0
                } else {
                    (1i64 << (bits - 1)) - 1
                };
                size = size.checked_add(i64::try_from(value).ok()?.checked_sub(middle)?)?;
                sizes.push(usize::try_from(size).ok()?);
            }
        }
    }
    let mut at = body.len() - rest.len();
    let mut packets = Vec::with_capacity(count);
    for size in sizes {
        let end = at.checked_add(size).filter(|end| *end <= body.len())?;
        packets.push(at..end);
        at = end;
    }
    packets.push(at..body.len());
    Some(packets)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn unlaced(body: &[u8], lacing: u8) -> Option<Vec<&[u8]>> {
        Some(
            unlace(body, lacing)?
                .into_iter()
                .map(|range| &body[range])
                .collect(),
        )
    }

    #[test]
    fn all_four_lacings_give_the_same_packets() {
        let packets: [&[u8]; 3] = [&[1; 300], &[2; 298], &[3; 5]];
        let with = |sizes: &[u8]| [&[2], sizes, &packets.concat()].concat();
        let xiph = with(&[255, 45, 255, 43]);
        // 300 as two bytes; then -2, as a difference in one byte: 63 - 2.
        let ebml = with(&[0x41, 0x2c, 0x80 | 61]);
        assert_eq!(unlaced(&xiph, 1), Some(packets.to_vec()));
        assert_eq!(unlaced(&ebml, 3), Some(packets.to_vec()));
        let fixed = [&[2][..], &[7; 4], &[8; 4], &[9; 4]].concat();
        assert_eq!(
            unlaced(&fixed, 2),
            Some(vec![&[7u8; 4][..], &[8; 4], &[9; 4]])
        );
        assert_eq!(unlaced(&[5, 6], 0), Some(vec![&[5u8, 6][..]]));
    }

    #[test]
    fn sizes_that_cannot_be_true_are_none() {
        let check = |body: &[u8], lacing| assert_eq!(unlaced(body, lacing), None, "{body:?}");
        check(&[], 1);
        check(&[2, 255], 1);
        check(&[1, 9, 0], 1);
        check(&[1, 0x8f, 0], 3);
        // A difference that goes below nothing.
        check(&[2, 0x81, 0x80, 0, 0], 3);
        check(
            &[
                2, 1, 255, 255, 255, 255, 255, 255, 255, 1, 255, 255, 255, 255, 255, 255, 255,
            ],
            3,
        );
    }

    #[test]
    fn a_header_has_a_number_of_any_length_and_a_signed_stamp() {
        let header = block_header(&[0x40, 0x81, 0xff, 0xfe, 0x86, 9]).unwrap();
        assert_eq!(
            (header.track, header.stamp, header.lacing, header.len),
            (0x81, -2, 3, 5)
        );
        assert!(header.is_plausible);
        assert_eq!(block_header(&[0x81, 0, 0]), None);
    }
}
