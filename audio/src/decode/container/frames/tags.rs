//! Tags that stand around and, where files were joined, between the frames of plain streams. Only
//! their lengths are of interest here.

/// As many bytes as [`tag`] needs to recognise one.
pub(in crate::decode) const TAG_HEAD_BYTES: usize = 32;

/// How many bytes the tag at the start of `bytes` takes by its own account; `None`: it is no tag.
/// An ID3v1 tag (128 bytes) is believed only `at_end`: three letters are no proof.
pub(in crate::decode) fn tag(bytes: &[u8], at_end: bool) -> Option<u64> {
    id3v2(bytes)
        .or_else(|| ape(bytes))
        .or_else(|| lyrics3(bytes))
        .or_else(|| (at_end && bytes.starts_with(b"TAG")).then_some(128))
}

/// ID3v2: header, what it counts, and perhaps a footer.
fn id3v2(bytes: &[u8]) -> Option<u64> {
    let head = bytes.get(..10).filter(|head| head.starts_with(b"ID3"))?;
    let size = &head[6..10];
    if head[3] == 0xff || head[4] == 0xff || size.iter().any(|byte| byte & 0x80 != 0) {
        return None;
    }
    let counted = size
        .iter()
        .fold(0, |size, &byte| size << 7 | u64::from(byte));
    let footer = if head[5] & 0x10 != 0 { 10 } else { 0 };
    Some(10 + counted + footer)
}

/// APEv2: its size counts the items and the footer; the header says whether it is one.
fn ape(bytes: &[u8]) -> Option<u64> {
    let head = bytes
        .get(..32)
        .filter(|head| head.starts_with(b"APETAGEX"))?;
    let size = u64::from(u32::from_le_bytes(head[12..16].try_into().ok()?));
    let flags = u32::from_le_bytes(head[20..24].try_into().ok()?);
    let is_header = flags & 1 << 29 != 0;
    // A footer alone: its items stood before it.
    Some(if is_header { 32 + size } else { 32 })
}

/// Lyrics3 ends with its name and version; if that is too far away, frames are looked for behind its
/// beginning.
fn lyrics3(bytes: &[u8]) -> Option<u64> {
    let rest = bytes.strip_prefix(b"LYRICSBEGIN")?;
    let end = rest
        .windows(9)
        .position(|window| window == b"LYRICS200" || window == b"LYRICSEND");
    Some(end.map_or(11, |at| 11 + at as u64 + 9))
}

#[cfg(test)]
mod tests {
    use super::tag;

    fn padded(head: &[u8]) -> Vec<u8> {
        let mut bytes = head.to_vec();
        bytes.resize(64, 0);
        bytes
    }

    #[test]
    fn lengths_are_what_the_tags_say() {
        let check = |head: &[u8], expected| assert_eq!(tag(&padded(head), true), expected);
        check(b"ID3\x04\0\0\x00\x12\x27\x60", Some(10 + 300_000));
        check(b"ID3\x04\0\x10\0\0\0\x0a", Some(30));
        check(b"ID3\x04\0\0\x80\0\0\0", None);
        check(
            b"APETAGEX\xd0\x07\0\0\x64\0\0\0\x01\0\0\0\0\0\0\xa0",
            Some(132),
        );
        check(
            b"APETAGEX\xd0\x07\0\0\x64\0\0\0\x01\0\0\0\0\0\0\x80",
            Some(32),
        );
        check(b"TAGsome title", Some(128));
        check(b"LYRICSBEGIN some words LYRICS200TAG", Some(32));
        check(b"LYRICSBEGIN", Some(11));
        check(b"RIFF", None);
        assert_eq!(tag(b"TAG", false), None);
        assert_eq!(tag(b"ID3", true), None);
    }
}
