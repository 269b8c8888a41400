//! ADTS, the frame header of plain AAC (ISO 13818-7 section 6.2).

use retake_formats::Codec;

use super::Header;

const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let head: &[u8; 7] = bytes.get(..7)?.try_into().ok()?;
    let word = head
        .iter()
        .fold(0u64, |word, &byte| word << 8 | u64::from(byte));
    // Sync word, any version, layer 0.
    if word >> 44 != 0xfff || word >> 41 & 3 != 0 {
        return None;
    }
    let has_crc = word >> 40 & 1 == 0;
    let sample_rate = *RATES.get((word >> 34 & 15) as usize)?;
    let channel_configuration = (word >> 30 & 7) as u32;
    let bytes = (word >> 13 & 0x1fff) as usize;
    let raw_blocks = (word & 3) as u32 + 1;
    // With a CRC, several raw blocks have their places and a CRC each.
    let overhead = match (has_crc, raw_blocks as usize) {
        (false, _) => 7,
        (true, blocks) => 7 + 2 * blocks,
    };
    if bytes <= overhead {
        return None;
    }
    Some(Header {
        codec: Codec::Aac,
        bytes,
        frames: 1024 * raw_blocks,
        sample_rate,
        channels: match channel_configuration {
            0 => None,
            7 => Some(8),
            count => Some(count),
        },
        is_dependent: false,
        is_other: false,
        // MPEG-4 or -2, profile, rate, channels.
        likeness: (word >> 30) as u32 & 0x3f7 | ((word >> 43 & 1) as u32) << 3,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_rate_channels_and_blocks_are_read() {
        // AAC-LC, 44.1 kHz, stereo, 371 bytes.
        let plain = [0xff, 0xf1, 0x50, 0x80, 0x2e, 0x7f, 0xfc];
        let told = header(&plain).map(|h| (h.bytes, h.frames, h.sample_rate, h.channels));
        assert_eq!(told, Some((371, 1024, 44_100, Some(2))));
        let mut four_blocks = plain;
        four_blocks[6] |= 3;
        assert_eq!(header(&four_blocks).map(|h| h.frames), Some(4096));
    }

    #[test]
    fn a_frame_shorter_than_its_header_is_none() {
        assert_eq!(header(&[0xff, 0xf1, 0x50, 0x80, 0x00, 0xff, 0xfc]), None);
        // With a CRC a header has nine bytes.
        assert_eq!(header(&[0xff, 0xf0, 0x50, 0x80, 0x01, 0x3f, 0xfc]), None);
        assert_eq!(header(&[0xff, 0xfb, 0x50, 0x80, 0x2e, 0x7f, 0xfc]), None);
        assert_eq!(header(&[0xff, 0xf1, 0x7c, 0x80, 0x2e, 0x7f, 0xfc]), None);
    }
}
