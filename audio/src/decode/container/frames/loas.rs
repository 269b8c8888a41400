//! LOAS, the frame header of AAC in LATM (ISO 14496-3 section 1.7), as broadcasts have it.

use retake_formats::Codec;

use super::Header;
use crate::decode::bit_reader::BitReader;

const HEADER_BYTES: usize = 3;
const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];
const OBJECT_ESCAPE: u32 = 31;
const RATE_ESCAPE: u32 = 15;

/// Rate and channels stand in some of the frames; in the others they are as before, and 0 here.
pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let head: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
    let word = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let body = (word & 0x1fff) as usize;
    if word >> 13 != 0x2b7 || body == 0 {
        return None;
    }
    let (sample_rate, channels) = config(bytes).unwrap_or((0, None));
    Some(Header {
        codec: Codec::Aac,
        bytes: HEADER_BYTES + body,
        frames: 1024,
        sample_rate,
        channels,
        is_dependent: false,
        is_other: false,
        likeness: 0,
    })
}

/// Rate of the core and channels, if this frame has them.
fn config(bytes: &[u8]) -> Option<(u32, Option<u32>)> {
    let mut bits = BitReader::at(bytes, 8 * HEADER_BYTES);
    let is_as_before = bits.take(1)? == 1;
    // Versions other than 0 have more in front: the decoder reads them.
    if is_as_before || bits.take(1)? == 1 {
        return None;
    }
    // Framing, subframes, programmes and layers.
    bits.take(14)?;
    if bits.take(5)? == OBJECT_ESCAPE {
        bits.take(6)?;
    }
    let rate = match bits.take(4)? {
        RATE_ESCAPE => bits.take(24)?,
        code => *RATES.get(code as usize)?,
    };
    let channels = match bits.take(4)? {
        7 => Some(8),
        count @ 1..=6 => Some(count),
        _ => None,
    };
    Some((rate, channels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_what_the_configuration_says_are_read() {
        let told = |bytes: &[u8]| header(bytes).map(|h| (h.bytes, h.sample_rate, h.channels));
        // 300 bytes; AAC-LC, 48 kHz, stereo.
        let first = [0x56, 0xe1, 0x2c, 0x20, 0x00, 0x11, 0x90, 0x00];
        assert_eq!(told(&first), Some((303, 48_000, Some(2))));
        // As before.
        assert_eq!(told(&[0x56, 0xe1, 0x2c, 0x80, 0, 0]), Some((303, 0, None)));
        assert_eq!(told(&[0x56, 0xe1, 0x2c]), Some((303, 0, None)));
        assert_eq!(told(&[0x56, 0xe0, 0, 0x20]), None);
        assert_eq!(told(&[0x56, 0xc1, 0x2c, 0x20]), None);
        assert_eq!(told(&[0x56, 0xe1]), None);
    }
}
