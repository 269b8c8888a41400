//! Apple's channel layout: chunk `chan` of CAF, `CHAN` of AIFF.

use super::chunks::big_endian;
use crate::channels::ChannelMask;

const USE_DESCRIPTIONS: u64 = 0;
const USE_BITMAP: u64 = 1 << 16;
/// Layouts that list their channels in the order of WAVE, by what stands above the number of
/// channels; `None` are no speakers.
const TAGS: [(u64, Option<u32>); 13] = [
    (100, Some(0x4)),
    (101, Some(0x3)),
    (102, Some(0x3)),
    // Ambisonic B-format.
    (107, None),
    (108, Some(0x33)),
    (113, Some(0x7)),
    (117, Some(0x37)),
    // 5.1, 6.1 and 7.1 as MPEG has them.
    (121, Some(0x3f)),
    (126, Some(0xff)),
    (128, Some(0x63f)),
    (147, None),
    (190, None),
    (0xffff, None),
];

/// `None` where it is not stated, or in another order than WAVE's.
pub(super) fn mask(body: &[u8], channels: u32) -> Option<ChannelMask> {
    let word = |at: usize| body.get(at..at + 4).map(big_endian);
    match word(0)? {
        USE_BITMAP => Some(ChannelMask::stated(word(4)? as u32, channels)),
        USE_DESCRIPTIONS => {
            let mut bits = 0u32;
            for channel in 0..channels.min(18) as usize {
                // Each has a label, flags and three coordinates; labels up to 18 are WAVE's bits.
                let label = word(12 + 20 * channel)?;
                let bit = 1u32
                    << u32::try_from(label.checked_sub(1)?)
                        .ok()
                        .filter(|n| *n < 18)?;
                if bits >= bit {
                    return None;
                }
                bits |= bit;
            }
            Some(ChannelMask::stated(bits, channels))
        }
        tag => {
            let (_, bits) = TAGS.iter().find(|(known, _)| *known == tag >> 16)?;
            Some(bits.map_or(ChannelMask::NONE, |bits| {
                ChannelMask::stated(bits, channels)
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_a_tag_a_bitmap_or_a_list() {
        let check = |words: &[u32], channels, expected: Option<u32>| {
            let body: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            assert_eq!(mask(&body, channels).map(ChannelMask::bits), expected);
        };
        check(&[101 << 16 | 2, 0, 0], 2, Some(0x3));
        check(&[121 << 16 | 6, 0, 0], 6, Some(0x3f));
        check(&[147 << 16 | 6, 0, 0], 6, Some(0));
        check(&[122 << 16 | 6, 0, 0], 6, None);
        check(&[1 << 16, 0x60f, 0], 6, Some(0x60f));
        let list = |labels: [u32; 2]| {
            let mut words = vec![0, 0, 2];
            words.extend(labels.iter().flat_map(|label| [*label, 0, 0, 0, 0]));
            words
        };
        check(&list([1, 2]), 2, Some(0x3));
        check(&list([2, 1]), 2, None);
        check(&list([0, 400]), 2, None);
        check(&[0, 0, 2, 1], 2, None);
        check(&[], 2, None);
    }
}
