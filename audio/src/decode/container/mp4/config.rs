//! Codecs' own configurations, from the boxes of MP4 to the shape that decoders take.

use retake_formats::Codec;

use super::boxes::{u16_at, u32_at};

/// What `esds` says: the codec and its configuration.
pub(super) fn esds(body: &[u8]) -> Option<(Codec, Vec<u8>)> {
    const ES: u8 = 3;
    const DECODER: u8 = 4;
    const SPECIFIC: u8 = 5;
    let es = descriptor(body.get(4..)?, ES)?;
    let flags = *es.get(2)?;
    let mut at = 3;
    if flags & 0x80 != 0 {
        at += 2;
    }
    if flags & 0x40 != 0 {
        at += 1 + usize::from(*es.get(at)?);
    }
    if flags & 0x20 != 0 {
        at += 2;
    }
    let decoder = descriptor(es.get(at..)?, DECODER)?;
    let specific = decoder
        .get(13..)
        .and_then(|rest| descriptor(rest, SPECIFIC))
        .unwrap_or_default();
    let unknown = |name: &str| Codec::Unknown(name.to_owned());
    Some(match *decoder.first()? {
        0x40 | 0x66..=0x68 => return Some(mpeg4_audio(specific)),
        // MPEG-2 and MPEG-1 audio, of which layer it is stands in the frames.
        0x69 | 0x6b => (Codec::Mp3, Vec::new()),
        0xa5 => (Codec::Ac3, Vec::new()),
        0xa6 => (Codec::Eac3, Vec::new()),
        0xa9..=0xac => (unknown("DTS"), Vec::new()),
        0xad => (Codec::Opus, specific.to_vec()),
        0xa0 => (unknown("EVRC"), Vec::new()),
        0xe1 => (unknown("QCELP"), Vec::new()),
        0xdd => (Codec::Vorbis, vorbis_headers(specific)?),
        other => (
            Codec::Unknown(format!("MPEG-4 object type {other:#x}")),
            Vec::new(),
        ),
    })
}

/// Object types of an AudioSpecificConfig that are no AAC.
fn mpeg4_audio(config: &[u8]) -> (Codec, Vec<u8>) {
    let object = match config.first().map(|first| first >> 3) {
        Some(31) => config
            .get(..2)
            .map(|two| 32 + u32::from((two[0] & 7) << 3 | two[1] >> 5)),
        other => other.map(u32::from),
    };
    match object {
        Some(32) => (Codec::Mp1, Vec::new()),
        Some(33) => (Codec::Mp2, Vec::new()),
        Some(34) => (Codec::Mp3, Vec::new()),
        Some(36) => (Codec::Unknown("MPEG-4 ALS".to_owned()), Vec::new()),
        _ => (Codec::Aac, config.to_vec()),
    }
}

/// The first descriptor of a tag, over others.
fn descriptor(mut bytes: &[u8], tag: u8) -> Option<&[u8]> {
    loop {
        let found = *bytes.first()?;
        let mut len = 0;
        let mut at = 1;
        loop {
            let byte = *bytes.get(at)?;
            len = len << 7 | usize::from(byte & 0x7f);
            at += 1;
            if byte & 0x80 == 0 || at == 5 {
                break;
            }
        }
        let rest = bytes.get(at..)?;
        if found == tag {
            return Some(&rest[..len.min(rest.len())]);
        }
        bytes = rest.get(len..)?;
    }
}

/// Three headers behind their lengths in Xiph's lacing; of these, identification and setup.
fn vorbis_headers(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes.strip_prefix(&[2])?;
    let mut lens = [0; 2];
    for len in &mut lens {
        loop {
            let (first, others) = rest.split_first()?;
            rest = others;
            *len += usize::from(*first);
            if *first < 255 {
                break;
            }
        }
    }
    let identification = rest.get(..lens[0])?;
    let setup = rest.get(lens[0].checked_add(lens[1])?..)?;
    Some([identification, setup].concat())
}

/// `dOps` as RFC 7845 writes it: the same fields, the numbers the other way round.
pub(super) fn opus_head(body: &[u8]) -> Option<Vec<u8>> {
    let channels = *body.get(1)?;
    let mut head = b"OpusHead\x01".to_vec();
    head.push(channels);
    head.extend(u16_at(body, 2)?.to_le_bytes());
    head.extend(u32_at(body, 4)?.to_le_bytes());
    head.extend(u16_at(body, 8)?.to_le_bytes());
    let family = *body.get(10)?;
    head.push(family);
    if family != 0 {
        head.extend(body.get(11..13 + usize::from(channels))?);
    }
    Some(head)
}

/// STREAMINFO from `dfLa`.
pub(super) fn flac_info(body: &[u8]) -> Option<Vec<u8>> {
    const STREAMINFO: u8 = 0;
    let block = body.get(4..)?;
    (block.first()? & 0x7f == STREAMINFO).then_some(())?;
    Some(block.get(4..38)?.to_vec())
}

/// `alac`: the cookie stands behind version and flags. Older files repeat the box around it.
pub(super) fn alac_cookie(body: &[u8]) -> Option<Vec<u8>> {
    let mut cookie = body.get(4..)?;
    if cookie.get(4..8) == Some(b"alac") {
        cookie = cookie.get(12..)?;
    }
    (cookie.len() >= 24).then(|| cookie.to_vec())
}

/// Windows' description of a codec, as QuickTime repeats it: the size of a block, and what follows
/// `cbSize`.
pub(super) fn wave_format(body: &[u8]) -> Option<(u32, Vec<u8>)> {
    let block_align = u16::from_le_bytes([*body.get(12)?, *body.get(13)?]);
    let extra = body.get(18..).unwrap_or_default().to_vec();
    Some((u32::from(block_align), extra)).filter(|(block, _)| *block > 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn esds_of(object: u8, specific: &[u8]) -> Vec<u8> {
        let mut decoder = vec![object, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        if !specific.is_empty() {
            decoder.extend([5, 0x80, 0x80, 0x80, specific.len() as u8]);
            decoder.extend(specific);
        }
        let mut body = vec![0, 0, 0, 0, 3, 5 + decoder.len() as u8, 0, 1, 0, 4];
        body.push(decoder.len() as u8);
        body.extend(decoder);
        body
    }

    #[test]
    fn the_object_type_says_what_mp4a_is() {
        let check = |object, specific: &[u8], codec, extra: &[u8]| {
            assert_eq!(
                esds(&esds_of(object, specific)),
                Some((codec, extra.to_vec()))
            );
        };
        check(0x40, &[0x11, 0x90], Codec::Aac, &[0x11, 0x90]);
        check(0x67, &[0x11, 0x90], Codec::Aac, &[0x11, 0x90]);
        check(0x40, &[0xf8, 0x40, 0], Codec::Mp3, &[]);
        check(0x6b, &[], Codec::Mp3, &[]);
        check(0x69, &[], Codec::Mp3, &[]);
        check(0xa5, &[], Codec::Ac3, &[]);
        check(0xdd, b"\x02\x02\x01idXset", Codec::Vorbis, b"idset");
        assert_eq!(esds(&esds_of(0x40, &[])[..11]), None);
        assert_eq!(esds(&[]), None);
    }

    #[test]
    fn the_numbers_of_opus_are_turned_round() {
        let body = [0, 2, 1, 0x38, 0, 0, 0xbb, 0x80, 0xff, 0, 0];
        let head = opus_head(&body).unwrap();
        assert_eq!(head, *b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\xff\0");
        let mut surround = body.to_vec();
        surround[1] = 3;
        surround[10] = 1;
        surround.extend([2, 1, 0, 2, 1]);
        assert_eq!(opus_head(&surround).unwrap()[18..], [1, 2, 1, 0, 2, 1][..]);
        assert_eq!(opus_head(&surround[..15]), None);
    }

    #[test]
    fn a_cookie_comes_without_what_is_around_it() {
        let cookie = [7; 24];
        let plain = [&[0; 4][..], &cookie].concat();
        assert_eq!(alac_cookie(&plain).unwrap(), cookie);
        let twice = [&b"\0\0\0\0\0\0\0\x24alac\0\0\0\0"[..], &cookie].concat();
        assert_eq!(alac_cookie(&twice).unwrap(), cookie);
        assert_eq!(alac_cookie(&plain[..20]), None);
    }
}
