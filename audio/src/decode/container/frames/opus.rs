//! Opus in MPEG-TS: each packet behind a control header (ETSI TS 103 491 section 4.2).

use retake_formats::Codec;

use super::Header;
use crate::decode::container::ogg::opus_frames;

const RATE: u32 = 48_000;
const TRIMS_START: u8 = 0x10;
const TRIMS_END: u8 = 0x08;
const IS_EXTENDED: u8 = 0x04;

/// What the control header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) struct Control {
    /// Of the header itself.
    pub bytes: usize,
    pub packet_bytes: usize,
    /// Frames of the packet that are not to be heard.
    pub trim_start: u32,
    pub trim_end: u32,
}

impl Control {
    pub(in crate::decode) fn parse(bytes: &[u8]) -> Option<Self> {
        let &[sync, flags] = bytes.first_chunk()?;
        if sync != 0x7f || flags & 0xe0 != 0xe0 {
            return None;
        }
        let mut at = 2;
        let mut packet_bytes = 0;
        loop {
            let part = *bytes.get(at)?;
            packet_bytes += usize::from(part);
            at += 1;
            if part < 255 {
                break;
            }
        }
        let mut trim = |flag: u8| {
            if flags & flag == 0 {
                return Some(0);
            }
            let trim = u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
            at += 2;
            Some(u32::from(trim & 0x1fff))
        };
        let (trim_start, trim_end) = (trim(TRIMS_START)?, trim(TRIMS_END)?);
        if flags & IS_EXTENDED != 0 {
            at += 1 + usize::from(*bytes.get(at)?);
        }
        Some(Self {
            bytes: at,
            packet_bytes,
            trim_start,
            trim_end,
        })
    }
}

pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let control = Control::parse(bytes)?;
    let packet = bytes.get(control.bytes..)?;
    Some(Header {
        codec: Codec::Opus,
        bytes: control.bytes + control.packet_bytes,
        frames: opus_frames(packet).filter(|_| control.packet_bytes > 0)?,
        sample_rate: RATE,
        channels: None,
        is_dependent: false,
        is_other: false,
        likeness: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_header_tells_the_length_and_what_is_trimmed() {
        let check = |bytes: &[u8], expected: Option<(usize, usize, u32, u32)>| {
            let told = Control::parse(bytes);
            let told = told.map(|c| (c.bytes, c.packet_bytes, c.trim_start, c.trim_end));
            assert_eq!(told, expected, "{bytes:x?}");
        };
        check(&[0x7f, 0xe0, 3, 0xfc], Some((3, 3, 0, 0)));
        check(&[0x7f, 0xe0, 255, 45], Some((4, 300, 0, 0)));
        check(&[0x7f, 0xf0, 3, 1, 0x38], Some((5, 3, 312, 0)));
        check(&[0x7f, 0xf8, 3, 1, 0x38, 2, 0x88], Some((7, 3, 312, 648)));
        check(&[0x7f, 0xe8, 3, 0xe2, 0x88], Some((5, 3, 0, 648)));
        check(&[0x7f, 0xe4, 3, 2, 9, 9], Some((6, 3, 0, 0)));
        check(&[0x7f, 0xf0, 3, 1], None);
        check(&[0x7f, 0xe0, 255], None);
        check(&[0x7f, 0xc0, 3], None);
    }

    #[test]
    fn a_packet_is_as_long_as_its_first_byte_says() {
        let told = header(&[0x7f, 0xe0, 3, 0xfc, 1, 2]).map(|h| (h.bytes, h.frames));
        assert_eq!(told, Some((6, 960)));
        assert_eq!(header(&[0x7f, 0xe0, 0, 0xfc]), None);
        assert_eq!(header(&[0x7f, 0xe0, 3]), None);
    }
}
