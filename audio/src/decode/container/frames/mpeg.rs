//! MPEG audio, layers 1 to 3.

use retake_formats::{Codec, MpegHeader};

use super::Header;

pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let header = MpegHeader::parse(bytes)?;
    Some(Header {
        codec: match header.layer {
            1 => Codec::Mp1,
            2 => Codec::Mp2,
            _ => Codec::Mp3,
        },
        bytes: header.bytes,
        frames: header.frames,
        sample_rate: header.sample_rate,
        channels: Some(header.channels),
        is_dependent: false,
        is_other: false,
        likeness: header.likeness,
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
