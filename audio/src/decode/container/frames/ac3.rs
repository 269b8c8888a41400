//! Sync frames of AC-3 and E-AC-3 (ETSI TS 102 366).

use retake_formats::Codec;

use super::Header;

const RATES: [u32; 3] = [48_000, 44_100, 32_000];
const KBPS: [u32; 19] = [
    32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
];
/// Channels by `acmod`, without low frequency effects. 0 is two independent ones.
const CHANNELS: [u32; 8] = [2, 1, 2, 3, 3, 4, 4, 5];
const BLOCK_FRAMES: u32 = 256;

pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let head: &[u8; 8] = bytes.get(..8)?.try_into().ok()?;
    if head[..2] != [0x0b, 0x77] {
        return None;
    }
    match head[5] >> 3 {
        0..=10 => ac3(head),
        11..=16 => eac3(head),
        _ => None,
    }
}

fn ac3(head: &[u8; 8]) -> Option<Header> {
    let rate_code = head[4] >> 6;
    let size_code = head[4] & 63;
    let rate = *RATES.get(usize::from(rate_code))?;
    let kbps = *KBPS.get(usize::from(size_code >> 1))?;
    // 1536 samples in words of two bytes; at 44.1 kHz every other frame has one more.
    let words = match rate_code {
        1 => kbps * 96_000 / 44_100 + u32::from(size_code & 1),
        _ => kbps * 96_000 / rate,
    };
    let acmod = head[6] >> 5;
    // The low frequency bit stands behind mix levels that are there for some arrangements.
    let mut before_lfe = 3;
    if acmod & 1 != 0 && acmod != 1 {
        before_lfe += 2;
    }
    if acmod & 4 != 0 {
        before_lfe += 2;
    }
    if acmod == 2 {
        before_lfe += 2;
    }
    let has_lfe = u16::from_be_bytes([head[6], head[7]]) << before_lfe >> 15;
    let version = head[5] >> 3;
    Some(Header {
        codec: Codec::Ac3,
        bytes: words as usize * 2,
        frames: 6 * BLOCK_FRAMES,
        sample_rate: rate >> u32::from(version).saturating_sub(8),
        channels: Some(CHANNELS[usize::from(acmod)] + u32::from(has_lfe)),
        is_dependent: false,
        is_other: false,
        likeness: u32::from(rate_code) << 5 | u32::from(version),
    })
}

fn eac3(head: &[u8; 8]) -> Option<Header> {
    let kind = head[2] >> 6;
    let substream = head[2] >> 3 & 7;
    let words = u32::from(head[2] & 7) << 8 | u32::from(head[3]);
    let acmod = head[4] >> 1 & 7;
    let (sample_rate, blocks) = match head[4] >> 6 {
        3 => (*RATES.get(usize::from(head[4] >> 4 & 3))? / 2, 6),
        code => {
            let blocks = [1, 2, 3, 6][usize::from(head[4] >> 4 & 3)];
            (*RATES.get(usize::from(code))?, blocks)
        }
    };
    // Kind 3 is reserved; a frame has more than its header.
    if kind == 3 || words < 4 {
        return None;
    }
    Some(Header {
        codec: Codec::Eac3,
        bytes: (words as usize + 1) * 2,
        frames: blocks * BLOCK_FRAMES,
        sample_rate,
        channels: Some(CHANNELS[usize::from(acmod)] + u32::from(head[4] & 1)),
        is_dependent: kind == 1,
        is_other: kind != 1 && substream != 0,
        likeness: sample_rate << 5 | u32::from(head[5] >> 3),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ac3_tells_length_and_channels() {
        // 48 kHz, 448 kb/s, 5.1.
        let head = [0x0b, 0x77, 0, 0, 0x1e, 0x40, 0xe1, 0xff];
        let told = header(&head).map(|h| (h.codec, h.bytes, h.frames, h.sample_rate, h.channels));
        assert_eq!(told, Some((Codec::Ac3, 1792, 1536, 48_000, Some(6))));
        // 44.1 kHz, 192 kb/s, stereo: 417 or 418 words.
        let head = [0x0b, 0x77, 0, 0, 0x54, 0x40, 0x40, 0];
        assert_eq!(header(&head).map(|h| h.bytes), Some(834));
        let head = [0x0b, 0x77, 0, 0, 0x55, 0x40, 0x40, 0];
        assert_eq!(
            header(&head).map(|h| (h.bytes, h.channels)),
            Some((836, Some(2)))
        );
    }

    #[test]
    fn eac3_tells_blocks_and_whether_it_belongs_to_the_frame_before() {
        // 48 kHz, six blocks, stereo, 768 bytes.
        let head = [0x0b, 0x77, 0x01, 0x7f, 0x34, 0x80, 0, 0];
        let told = header(&head).map(|h| (h.codec, h.bytes, h.frames, h.channels, h.is_dependent));
        assert_eq!(told, Some((Codec::Eac3, 768, 1536, Some(2), false)));
        let one_block = [0x0b, 0x77, 0x01, 0x7f, 0x04, 0x80, 0, 0];
        assert_eq!(header(&one_block).map(|h| h.frames), Some(256));
        let dependent = [0x0b, 0x77, 0x41, 0x7f, 0x34, 0x80, 0, 0];
        assert_eq!(header(&dependent).map(|h| h.is_dependent), Some(true));
    }

    #[test]
    fn what_is_reserved_is_no_header() {
        assert_eq!(header(&[0x0b, 0x77, 0, 0, 0xde, 0x40, 0xe1, 0]), None);
        assert_eq!(header(&[0x0b, 0x77, 0, 0, 0x3f, 0x40, 0xe1, 0]), None);
        assert_eq!(header(&[0x0b, 0x77, 0, 0, 0x1e, 0xf8, 0xe1, 0]), None);
        assert_eq!(header(&[0x0b, 0x77, 0, 0, 0x1e, 0x40, 0xe1]), None);
    }
}
