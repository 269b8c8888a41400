//! Headers of FLAC frames (RFC 9639 section 9.1), and STREAMINFO.

use retake_formats::Codec;

use crate::{
    decode::{bit_reader::BitReader, demux::CodecParams},
    encode::flac_crc8,
};

/// Sync word to checksum at most: a number of seven bytes, block size and rate of two each.
pub(super) const HEADER_BYTES_MAX: usize = 16;

/// What the header says, checked by its own checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FlacHeader {
    pub frames: u32,
    /// `None`: as in STREAMINFO.
    pub sample_rate: Option<u32>,
    pub channels: u32,
    pub bits: Option<u32>,
    /// Of the first sample if blocks differ in size, else of the frame.
    pub number: u64,
    pub counts_samples: bool,
}

/// The header at the start of `bytes`; `None` where there is none or its checksum is wrong.
pub(super) fn header(bytes: &[u8]) -> Option<FlacHeader> {
    let mut bits = BitReader::new(bytes);
    if bits.take(15)? != 0x7ffc {
        return None;
    }
    let counts_samples = bits.take(1)? == 1;
    let size_code = bits.take(4)?;
    let rate_code = bits.take(4)?;
    let channels = match bits.take(4)? {
        code @ 0..=7 => code + 1,
        8..=10 => 2,
        _ => return None,
    };
    let depth = match bits.take(3)? {
        0 => None,
        1 => Some(8),
        2 => Some(12),
        4 => Some(16),
        5 => Some(20),
        6 => Some(24),
        7 => Some(32),
        _ => return None,
    };
    if bits.take(1)? != 0 {
        return None;
    }
    let number = number(&mut bits)?;
    let frames = match size_code {
        0 => return None,
        1 => 192,
        2..=5 => 576 << (size_code - 2),
        6 => bits.take(8)? + 1,
        7 => bits.take(16)? + 1,
        _ => 256 << (size_code - 8),
    };
    let sample_rate = match rate_code {
        0 => None,
        12 => Some(bits.take(8)? * 1000),
        13 => Some(bits.take(16)?),
        14 => Some(bits.take(16)? * 10),
        15 => return None,
        code => Some(
            [
                88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
                96_000,
            ][code as usize - 1],
        ),
    };
    let end = bits.position() / 8;
    (flac_crc8(bytes.get(..end)?) == *bytes.get(end)?).then_some(FlacHeader {
        frames,
        sample_rate,
        channels,
        bits: depth,
        number,
        counts_samples,
    })
}

/// As UTF-8 would write it, in up to seven bytes.
fn number(bits: &mut BitReader<'_>) -> Option<u64> {
    let first = bits.take(8)? as u8;
    let more = match first.leading_ones() {
        0 => return Some(u64::from(first)),
        ones @ 2..=7 => ones - 1,
        _ => return None,
    };
    let mut number = u64::from(first) & ((1 << (6 - more)) - 1);
    for _ in 0..more {
        let byte = bits.take(8)?;
        if byte >> 6 != 2 {
            return None;
        }
        number = number << 6 | u64::from(byte & 63);
    }
    Some(number)
}

/// What STREAMINFO's 34 bytes say.
pub(super) fn params(info: &[u8]) -> Option<CodecParams> {
    let word = u64::from_be_bytes(info.get(10..18)?.try_into().ok()?);
    let mut params = CodecParams::new(Codec::Flac);
    params.sample_rate = Some((word >> 44) as u32).filter(|rate| *rate > 0);
    params.channels = Some((word >> 41 & 7) as u32 + 1);
    params.bits = Some((word >> 36 & 31) as u32 + 1);
    params.extra = info.get(..34)?.to_vec();
    Some(params)
}

/// By the number of samples that STREAMINFO states; 0: it does not.
pub(super) fn length_s(params: &CodecParams) -> f64 {
    let total = params.extra.get(13..18).map_or(0, |bytes| {
        let bytes = bytes
            .iter()
            .fold(0, |total, byte| total << 8 | u64::from(*byte));
        bytes & 0xf_ffff_ffff
    });
    params
        .sample_rate
        .map_or(0.0, |rate| total as f64 / f64::from(rate))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// 4096 frames, 44.1 kHz, stereo, 16 bits.
    pub(in super::super) fn header_bytes(number: u8) -> Vec<u8> {
        let mut head = vec![0xff, 0xf8, 0xc9, 0x18, number];
        head.push(flac_crc8(&head));
        head
    }

    #[test]
    fn a_header_is_believed_if_its_checksum_is_right() {
        let mut head = header_bytes(5);
        let told = header(&head).unwrap();
        assert_eq!(
            (told.frames, told.sample_rate, told.channels),
            (4096, Some(44_100), 2)
        );
        assert_eq!(
            (told.bits, told.number, told.counts_samples),
            (Some(16), 5, false)
        );
        head[4] = 6;
        assert_eq!(header(&head), None);
    }

    #[test]
    fn numbers_have_one_to_seven_bytes() {
        let check = |bytes: &[u8], expected| {
            assert_eq!(number(&mut BitReader::new(bytes)), expected, "{bytes:x?}");
        };
        check(&[0x7f], Some(127));
        check(&[0xc4, 0x80], Some(256));
        check(&[0xe1, 0x80, 0x80], Some(4096));
        check(
            &[0xfe, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf],
            Some((1 << 36) - 1),
        );
        check(&[0x80], None);
        check(&[0xff, 0x80], None);
        check(&[0xc4, 0x00], None);
        check(&[0xc4], None);
    }
}
