//! The metadata blocks behind STREAMINFO (RFC 9639 section 8).

use std::io::{self, Write};

use crate::{
    ChannelMask, Spec, Tags,
    tags::{vorbis, write_riff},
    wav::{WaveFormat, header, tag},
};

const APPLICATION: u8 = 2;
const VORBIS_COMMENT: u8 = 4;
const PICTURE: u8 = 6;
const LAST: u8 = 0x80;

/// All of them; `frames` is how long the audio will be.
pub(super) fn write(
    out: &mut impl Write,
    spec: Spec,
    bits: u16,
    frames: u64,
    tags: &Tags,
) -> io::Result<()> {
    let foreign = foreign(spec, bits, frames, tags);
    let mut left = 1 + foreign.len() + tags.pictures.len();
    let mut block = |kind: u8, body: &[u8]| {
        left -= 1;
        let last = if left == 0 { LAST } else { 0 };
        out.write_all(&[last | kind])?;
        out.write_all(&(body.len() as u32).to_be_bytes()[1..])?;
        out.write_all(body)
    };
    block(VORBIS_COMMENT, &comment(spec, tags))?;
    for chunk in foreign {
        block(APPLICATION, &[b"riff", &chunk[..]].concat())?;
    }
    for picture in &tags.pictures {
        block(PICTURE, &vorbis::picture_block(picture))?;
    }
    Ok(())
}

fn comment(spec: Spec, tags: &Tags) -> Vec<u8> {
    let vendor = concat!("retake-audio ", env!("CARGO_PKG_VERSION"));
    let mut comments = vorbis::comments(tags);
    if spec.mask != ChannelMask::usual(spec.channels) {
        // The format itself knows only the usual arrangements (section 8.6.2).
        let mask = format!("0x{:04X}", spec.mask.bits());
        comments.push(("WAVEFORMATEXTENSIBLE_CHANNEL_MASK".to_owned(), mask));
    }
    let mut body = (vendor.len() as u32).to_le_bytes().to_vec();
    body.extend(vendor.bytes());
    body.extend((comments.len() as u32).to_le_bytes());
    for (name, value) in &comments {
        let bytes = name.len() + 1 + value.len();
        body.extend((bytes as u32).to_le_bytes());
        body.extend(name.bytes().chain([b'=']).chain(value.bytes()));
    }
    body
}

/// The kept chunks as `flac --keep-foreign-metadata` stores them: among all parts of the WAVE file
/// that the audio would be.
fn foreign(spec: Spec, bits: u16, frames: u64, tags: &Tags) -> Vec<Vec<u8>> {
    let kept = write_riff::kept(tags);
    if kept.is_empty() {
        return Vec::new();
    }
    let format = WaveFormat::linear(spec, tag::PCM, bits);
    let data_bytes = frames * u64::from(format.block_align);
    let header = header(&format, frames, data_bytes, &kept, 0);
    let (riff, mut rest) = header.split_at(12);
    let mut parts = vec![riff.to_vec()];
    while let Some(&[_, _, _, _, a, b, c, d]) = rest.first_chunk::<8>() {
        let bytes = 8 + (u32::from_le_bytes([a, b, c, d]) as usize).next_multiple_of(2);
        // The data chunk's header is the last one, without its body.
        let (part, behind) = rest.split_at(bytes.min(rest.len()));
        parts.push(part.to_vec());
        rest = behind;
    }
    parts
}
