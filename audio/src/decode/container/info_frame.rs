//! The first frame of an MP3 that is no audio: what the encoder says about all the others.

use retake_formats::Codec;

use super::frames::Header;

/// A decoder's own delay, which LAME's does not count: 528 samples of the filters and one.
const DECODER_DELAY: u32 = 529;

/// What is said; nothing where nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct InfoFrame {
    /// How many frames follow.
    pub frames: Option<u64>,
    /// Samples at the start that are not to be heard, the decoder's own included.
    pub delay: Option<u32>,
    /// Samples at the end that are not to be heard.
    pub padding: u32,
}

/// `None`: the frame is audio.
pub(super) fn parse(frame: &[u8], header: &Header) -> Option<InfoFrame> {
    if header.codec != Codec::Mp3 {
        return None;
    }
    xing(frame, header).or_else(|| vbri(frame))
}

/// Xing and Info stand behind the side information, which itself stands behind a CRC if there is one.
fn xing(frame: &[u8], header: &Header) -> Option<InfoFrame> {
    let side = match (header.frames, header.channels) {
        (1152, Some(1)) => 17,
        (1152, _) => 32,
        (_, Some(1)) => 9,
        _ => 17,
    };
    let body = [4 + side, 6 + side].into_iter().find_map(|at| {
        let body = frame.get(at..)?;
        body.strip_prefix(b"Xing").or(body.strip_prefix(b"Info"))
    })?;
    let u32_at = |at: usize| {
        let bytes = body.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    };
    let mut info = InfoFrame::default();
    let flags = u32_at(0)?;
    let mut at = 4;
    if flags & 1 != 0 {
        info.frames = u32_at(at).filter(|frames| *frames > 0).map(u64::from);
        at += 4;
    }
    at += [(2, 4), (4, 100), (8, 4)]
        .iter()
        .filter(|(flag, _)| flags & flag != 0)
        .map(|(_, bytes)| bytes)
        .sum::<usize>();
    let encoder = body.get(at..at + 4).unwrap_or_default();
    if let (b"LAME" | b"Lavf" | b"Lavc", Some(&[high, mid, low])) =
        (encoder, body.get(at + 21..at + 24))
    {
        let both = u32::from(high) << 16 | u32::from(mid) << 8 | u32::from(low);
        info.delay = Some((both >> 12) + DECODER_DELAY);
        info.padding = (both & 0xfff).saturating_sub(DECODER_DELAY);
    }
    Some(info)
}

/// Fraunhofer's: always at the same place. It has a delay, yet nobody follows it.
fn vbri(frame: &[u8]) -> Option<InfoFrame> {
    let body = frame.get(36..)?.strip_prefix(b"VBRI")?;
    let frames = u32::from_be_bytes(body.get(10..14)?.try_into().ok()?);
    Some(InfoFrame {
        frames: (frames > 0).then_some(u64::from(frames)),
        ..InfoFrame::default()
    })
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::frames::Syntax, *};

    /// An Info frame of 417 bytes, MPEG-1 stereo.
    pub(in super::super) fn info_frame(frames: u32, delay: u32, padding: u32) -> Vec<u8> {
        let mut frame = vec![0; 417];
        frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0x04]);
        let mut body = b"Info\0\0\0\x0f".to_vec();
        body.extend_from_slice(&frames.to_be_bytes());
        body.extend_from_slice(&[0; 108]);
        body.extend_from_slice(b"LAME3.100");
        body.extend_from_slice(&[0; 12]);
        body.extend_from_slice(&(delay << 12 | padding).to_be_bytes()[1..]);
        frame[36..36 + body.len()].copy_from_slice(&body);
        frame
    }

    fn parsed(frame: &[u8]) -> Option<InfoFrame> {
        parse(frame, &Syntax::Mpeg.header(frame).unwrap())
    }

    #[test]
    fn delay_and_padding_count_the_decoder_in() {
        let said = parsed(&info_frame(100, 576, 1000)).unwrap();
        assert_eq!(said.frames, Some(100));
        assert_eq!((said.delay, said.padding), (Some(1105), 471));
        assert_eq!(parsed(&info_frame(100, 576, 10)).unwrap().padding, 0);
    }

    #[test]
    fn an_encoder_that_is_not_known_says_only_how_many_frames() {
        let mut frame = info_frame(100, 576, 1000);
        frame[36 + 120..36 + 124].copy_from_slice(b"????");
        let said = parsed(&frame).unwrap();
        assert_eq!(
            (said.frames, said.delay, said.padding),
            (Some(100), None, 0)
        );
    }

    #[test]
    fn audio_is_no_info_frame() {
        let mut frame = info_frame(100, 576, 1000);
        frame[36] = b'i';
        assert_eq!(parsed(&frame), None);
    }

    #[test]
    fn a_frame_of_vbri_says_how_many_follow() {
        let mut frame = vec![0; 417];
        frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0x04]);
        frame[36..54].copy_from_slice(b"VBRI\0\x01\0\0\0\0\0\0\x10\0\0\0\x01\x02");
        assert_eq!(parsed(&frame).unwrap().frames, Some(258));
    }
}
