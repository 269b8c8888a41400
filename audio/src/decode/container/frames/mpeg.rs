//! Headers of MPEG audio, layers 1 to 3 (ISO 11172-3, 13818-3 and what is called 2.5).

use retake_formats::Codec;

use super::Header;

/// In kb/s by the header's index; 0 is free format, whose frames tell no length.
const KBPS_V1_L1: [u32; 15] = [
    0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448,
];
const KBPS_V1_L2: [u32; 15] = [
    0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
];
const KBPS_V1_L3: [u32; 15] = [
    0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
];
const KBPS_V2_L1: [u32; 15] = [
    0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256,
];
const KBPS_V2_L23: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let word = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
    if word >> 21 != 0x7ff {
        return None;
    }
    // 0: version 2.5, 2: version 2, 3: version 1.
    let version = word >> 19 & 3;
    let layer = 4 - (word >> 17 & 3);
    let rates = match version {
        0 => [11_025, 12_000, 8_000],
        2 => [22_050, 24_000, 16_000],
        3 => [44_100, 48_000, 32_000],
        _ => return None,
    };
    let sample_rate = *rates.get((word >> 10 & 3) as usize)?;
    let kbps_table = match (version, layer) {
        (3, 1) => KBPS_V1_L1,
        (3, 2) => KBPS_V1_L2,
        (3, 3) => KBPS_V1_L3,
        (_, 1) => KBPS_V2_L1,
        (_, 2 | 3) => KBPS_V2_L23,
        _ => return None,
    };
    let kbps = *kbps_table.get((word >> 12 & 15) as usize)?;
    // Emphasis 2 is reserved.
    if kbps == 0 || word & 3 == 2 {
        return None;
    }
    let padding = (word >> 9 & 1) as usize;
    let (codec, frames, bytes) = match layer {
        1 => {
            let slots = (12_000 * kbps / sample_rate) as usize + padding;
            (Codec::Mp1, 384, slots * 4)
        }
        2 => {
            let slots = (144_000 * kbps / sample_rate) as usize;
            (Codec::Mp2, 1152, slots + padding)
        }
        _ => {
            let frames = if version == 3 { 1152 } else { 576 };
            let slots = (frames * 125 * kbps / sample_rate) as usize;
            (Codec::Mp3, frames, slots + padding)
        }
    };
    let channels = if word >> 6 & 3 == 3 { 1 } else { 2 };
    Some(Header {
        codec,
        bytes,
        frames,
        sample_rate,
        channels: Some(channels),
        is_dependent: false,
        is_other: false,
        // Version, layer, rate and whether it is mono. Encoders switch between the kinds of stereo.
        likeness: word & 0x001e_0c00 | channels,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_all_layers_and_versions_are_understood() {
        let check = |bytes: [u8; 4], codec, len, frames, rate, channels| {
            let header = header(&bytes);
            let told = header.map(|h| (h.codec, h.bytes, h.frames, h.sample_rate, h.channels));
            assert_eq!(told, Some((codec, len, frames, rate, Some(channels))));
        };
        check([0xff, 0xfb, 0x90, 0x64], Codec::Mp3, 417, 1152, 44_100, 2);
        check([0xff, 0xfb, 0x92, 0xc4], Codec::Mp3, 418, 1152, 44_100, 1);
        check([0xff, 0xf3, 0x84, 0xc4], Codec::Mp3, 192, 576, 24_000, 1);
        check([0xff, 0xe3, 0x48, 0xc4], Codec::Mp3, 288, 576, 8_000, 1);
        check([0xff, 0xfd, 0xc4, 0x04], Codec::Mp2, 768, 1152, 48_000, 2);
        check([0xff, 0xff, 0xc4, 0x04], Codec::Mp1, 384, 384, 48_000, 2);
    }

    #[test]
    fn what_is_reserved_is_no_header() {
        for bytes in [
            [0xff, 0xeb, 0x90, 0x64],
            [0xff, 0xf9, 0x90, 0x64],
            [0xff, 0xfb, 0xf0, 0x64],
            [0xff, 0xfb, 0x00, 0x64],
            [0xff, 0xfb, 0x9c, 0x64],
            [0xff, 0xfb, 0x90, 0x66],
            [0xfe, 0xfb, 0x90, 0x64],
        ] {
            assert_eq!(header(&bytes), None, "{bytes:x?}");
        }
        assert_eq!(header(&[0xff, 0xfb, 0x90]), None);
    }
}
