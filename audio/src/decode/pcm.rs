//! How plain samples lie in bytes, in every container, and what they say.

use serde::{Deserialize, Serialize};

use crate::block::Block;

/// One channel's sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PcmLayout {
    pub encoding: PcmEncoding,
    /// Bytes that a sample takes: 1, 2, 3, 4 or 8.
    pub bytes: u32,
    /// Bits that are meant, at the top of the bytes. Not more than the bytes hold.
    pub bits: u32,
    pub is_big_endian: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PcmEncoding {
    /// Silence is half of full scale.
    Unsigned,
    Signed,
    /// IEEE 754 of 4 or 8 bytes (2: half precision).
    Float,
}

impl PcmLayout {
    /// `None` where there are no such samples: widths that nobody writes, more bits than bytes.
    pub(super) fn new(encoding: PcmEncoding, bytes: u32, bits: u32) -> Option<Self> {
        let is_width = match encoding {
            PcmEncoding::Unsigned | PcmEncoding::Signed => matches!(bytes, 1..=4 | 8),
            PcmEncoding::Float => matches!(bytes, 2 | 4 | 8),
        };
        (is_width && bits >= 1 && bits <= bytes * 8).then_some(Self {
            encoding,
            bytes,
            bits,
            is_big_endian: false,
        })
    }

    pub(super) fn big_endian(self, is_big_endian: bool) -> Self {
        Self {
            is_big_endian,
            ..self
        }
    }
}

/// Interleaved bytes to planar samples, which take the place of what was in the block. An incomplete
/// last frame is dropped. Where the bits do not fill the bytes they are at the top of them, so full
/// scale is that of the bytes.
pub(crate) fn convert(layout: PcmLayout, bytes: &[u8], channels: usize, block: &mut Block) {
    use PcmEncoding::{Float, Signed, Unsigned};
    let PcmLayout {
        encoding,
        bytes: width,
        is_big_endian,
        ..
    } = layout;
    // What is most common comes as one shift and one multiplication per sample, which vectorise.
    match (encoding, width, is_big_endian) {
        (Unsigned, 1, _) => deinterleave(bytes, channels, block, |[a]| of_32([0, 0, 0, a ^ 0x80])),
        (Signed, 1, _) => deinterleave(bytes, channels, block, |[a]| of_32([0, 0, 0, a])),
        (Signed, 2, false) => deinterleave(bytes, channels, block, |x| {
            f32::from(i16::from_le_bytes(x)) / 32_768.0
        }),
        (Signed, 2, true) => deinterleave(bytes, channels, block, |x| {
            f32::from(i16::from_be_bytes(x)) / 32_768.0
        }),
        (Signed, 3, false) => deinterleave(bytes, channels, block, |[a, b, c]| of_32([0, a, b, c])),
        (Signed, 3, true) => deinterleave(bytes, channels, block, |[a, b, c]| of_32([0, c, b, a])),
        (Signed, 8, false) => deinterleave(bytes, channels, block, of_64),
        (Signed, 8, true) => deinterleave(bytes, channels, block, |mut x| {
            x.reverse();
            of_64(x)
        }),
        (Unsigned, 8, _) => deinterleave(bytes, channels, block, |mut x: [u8; 8]| {
            if is_big_endian {
                x.reverse();
            }
            x[7] ^= 0x80;
            of_64(x)
        }),
        (Signed, _, false) => deinterleave(bytes, channels, block, of_32),
        (Signed, _, true) => {
            deinterleave(bytes, channels, block, |[a, b, c, d]| of_32([d, c, b, a]))
        }
        (Unsigned, 2, false) => {
            deinterleave(bytes, channels, block, |[a, b]| of_32([0, 0, a, b ^ 0x80]))
        }
        (Unsigned, 2, true) => {
            deinterleave(bytes, channels, block, |[a, b]| of_32([0, 0, b, a ^ 0x80]))
        }
        (Unsigned, 3, false) => deinterleave(bytes, channels, block, |[a, b, c]| {
            of_32([0, a, b, c ^ 0x80])
        }),
        (Unsigned, 3, true) => deinterleave(bytes, channels, block, |[a, b, c]| {
            of_32([0, c, b, a ^ 0x80])
        }),
        (Unsigned, _, false) => deinterleave(bytes, channels, block, |[a, b, c, d]| {
            of_32([a, b, c, d ^ 0x80])
        }),
        (Unsigned, _, true) => deinterleave(bytes, channels, block, |[a, b, c, d]| {
            of_32([d, c, b, a ^ 0x80])
        }),
        (Float, 2, false) => {
            deinterleave(bytes, channels, block, |x| of_half(u16::from_le_bytes(x)))
        }
        (Float, 2, true) => {
            deinterleave(bytes, channels, block, |x| of_half(u16::from_be_bytes(x)))
        }
        (Float, 4, false) => deinterleave(bytes, channels, block, f32::from_le_bytes),
        (Float, 4, true) => deinterleave(bytes, channels, block, f32::from_be_bytes),
        (Float, _, false) => deinterleave(bytes, channels, block, |x| f64::from_le_bytes(x) as f32),
        (Float, _, true) => deinterleave(bytes, channels, block, |x| f64::from_be_bytes(x) as f32),
    }
}

#[inline(always)]
fn of_32(little_endian: [u8; 4]) -> f32 {
    i32::from_le_bytes(little_endian) as f32 / 2_147_483_648.0
}

#[inline(always)]
fn of_64(little_endian: [u8; 8]) -> f32 {
    i64::from_le_bytes(little_endian) as f32 / 9_223_372_036_854_775_808.0
}

/// IEEE 754 half precision.
fn of_half(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let (exponent, fraction) = (u32::from(bits >> 10) & 0x1f, u32::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction as f32 / 16_777_216.0,
        0x1f => f32::from_bits(0x7f80_0000 | fraction << 13),
        _ => f32::from_bits((exponent + 112) << 23 | fraction << 13),
    };
    f32::from_bits(magnitude.to_bits() | sign)
}

/// Each sample of `WIDTH` bytes to its channel, through `value`.
#[inline(always)]
pub(super) fn deinterleave<const WIDTH: usize>(
    bytes: &[u8],
    channels: usize,
    block: &mut Block,
    value: impl Fn([u8; WIDTH]) -> f32,
) {
    let (samples, _) = bytes.as_chunks::<WIDTH>();
    // Not cleared: a block of the same size again is not filled with zeros first.
    if block.channels() != channels {
        block.reset(channels);
    }
    block.resize(samples.len() / channels.max(1));
    match channels {
        1 => {
            for (to, x) in block.plane_mut(0).iter_mut().zip(samples) {
                *to = value(*x);
            }
        }
        2 => {
            let mut planes = block.planes_mut();
            if let (Some(left), Some(right)) = (planes.next(), planes.next()) {
                let (pairs, _) = samples.as_chunks::<2>();
                for ((l, r), pair) in left.iter_mut().zip(right).zip(pairs) {
                    *l = value(pair[0]);
                    *r = value(pair[1]);
                }
            }
        }
        _ => {
            for (channel, plane) in block.planes_mut().enumerate() {
                let samples = samples.iter().skip(channel).step_by(channels);
                for (to, x) in plane.iter_mut().zip(samples) {
                    *to = value(*x);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{PcmEncoding::*, *};

    #[test]
    fn every_layout_says_the_same_in_its_own_bytes() {
        // -0.5, 0.25 and -1.0, most significant byte first.
        let check = |encoding, width: u32, samples: &[&[u8]]| {
            let layout = PcmLayout::new(encoding, width, width * 8).unwrap();
            for is_big_endian in [true, false] {
                let bytes: Vec<u8> = samples
                    .iter()
                    .flat_map(|sample| {
                        let mut sample = sample.to_vec();
                        sample.resize(width as usize, 0);
                        if !is_big_endian {
                            sample.reverse();
                        }
                        sample
                    })
                    .collect();
                let mut block = Block::default();
                convert(layout.big_endian(is_big_endian), &bytes, 1, &mut block);
                assert_eq!(block.plane(0), [-0.5, 0.25, -1.0], "{layout:?}");
            }
        };
        for width in [1, 2, 3, 4, 8] {
            check(Signed, width, &[&[0xc0], &[0x20], &[0x80]]);
            check(Unsigned, width, &[&[0x40], &[0xa0], &[0x00]]);
        }
        check(Float, 2, &[&[0xb8], &[0x34], &[0xbc]]);
        check(Float, 4, &[&[0xbf], &[0x3e, 0x80], &[0xbf, 0x80]]);
        check(Float, 8, &[&[0xbf, 0xe0], &[0x3f, 0xd0], &[0xbf, 0xf0]]);
    }

    #[test]
    fn every_channel_gets_its_samples_and_an_incomplete_frame_is_dropped() {
        let layout = PcmLayout::new(Signed, 2, 16).unwrap();
        for channels in [1, 2, 3, 8, 16] {
            let bytes: Vec<u8> = (0..5 * channels as i16)
                .flat_map(|n| (n * 64).to_le_bytes())
                .chain([1])
                .collect();
            let mut block = Block::silence(2, 9);
            convert(layout, &bytes, channels, &mut block);
            assert_eq!((block.channels(), block.frames()), (channels, 5));
            for channel in 0..channels {
                for frame in 0..5 {
                    let expected = (frame * channels + channel) as f32 * 64.0 / 32_768.0;
                    assert_eq!(block.plane(channel)[frame], expected);
                }
            }
        }
    }

    #[test]
    fn the_least_bits_are_kept() {
        let layout = PcmLayout::new(Signed, 3, 24).unwrap();
        let mut block = Block::default();
        convert(layout, &[1, 0, 0, 0xff, 0xff, 0xff], 1, &mut block);
        assert_eq!(block.plane(0), [1.0 / 8_388_608.0, -1.0 / 8_388_608.0]);
    }

    #[test]
    fn half_precision_has_small_and_no_numbers() {
        assert_eq!(of_half(0x0001), 1.0 / 16_777_216.0);
        assert_eq!(of_half(0x8000).to_bits(), (-0.0f32).to_bits());
        assert_eq!(of_half(0x7bff), 65_504.0);
        assert_eq!(of_half(0xfc00), f32::NEG_INFINITY);
        assert!(of_half(0x7e00).is_nan());
    }

    #[test]
    fn layouts_that_nobody_writes_are_none() {
        assert_eq!(PcmLayout::new(Signed, 5, 40), None);
        assert_eq!(PcmLayout::new(Signed, 0, 0), None);
        assert_eq!(PcmLayout::new(Signed, 2, 17), None);
        assert_eq!(PcmLayout::new(Signed, 2, 0), None);
        assert_eq!(PcmLayout::new(Float, 3, 24), None);
        assert!(PcmLayout::new(Signed, 3, 20).is_some());
    }
}
