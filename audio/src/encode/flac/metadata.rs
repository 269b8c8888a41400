//! The metadata blocks behind STREAMINFO (RFC 9639 section 8).

use std::io::{self, Write};

use crate::{
    ChannelMask, Spec, Tags,
    tags::{vorbis, write_riff},
    wav::{Sizes, WaveFormat, header, tag},
};

const APPLICATION: u8 = 2;
const VORBIS_COMMENT: u8 = 4;
const PICTURE: u8 = 6;
const LAST: u8 = 0x80;

/// All of them, where no more than so many frames of audio will follow. Those that tell how many do
/// come last: they are given back.
pub(super) fn write(
    out: &mut impl Write,
    spec: Spec,
    bits: u16,
    frames_max: u64,
    tags: &Tags,
) -> io::Result<Option<Foreign>> {
    let kept = write_riff::kept(tags);
    let foreign = (!kept.is_empty()).then(|| Foreign {
        format: WaveFormat::linear(spec, tag::PCM, bits),
        kept,
        frames_max,
    });
    let mut left = 1 + tags.pictures.len() + usize::from(foreign.is_some());
    let mut block = |kind: u8, body: &[u8]| {
        left -= 1;
        let last = if left == 0 { LAST } else { 0 };
        out.write_all(&[last | kind])?;
        out.write_all(&(body.len() as u32).to_be_bytes()[1..])?;
        out.write_all(body)
    };
    block(VORBIS_COMMENT, &comment(spec, tags))?;
    for picture in &tags.pictures {
        block(PICTURE, &vorbis::picture_block(picture))?;
    }
    if let Some(foreign) = &foreign {
        out.write_all(&foreign.blocks(frames_max))?;
    }
    Ok(foreign)
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
pub(super) struct Foreign {
    format: WaveFormat,
    kept: Vec<u8>,
    frames_max: u64,
}

impl Foreign {
    /// As blocks of which the last is the last of all; as long for any number of frames.
    pub(super) fn blocks(&self, frames: u64) -> Vec<u8> {
        let sizes = Sizes {
            frames,
            frames_max: self.frames_max,
            after_bytes: 0,
        };
        let header = header(&self.format, sizes, &self.kept);
        let (riff, mut rest) = header.split_at(12);
        let mut parts = vec![riff];
        while let Some(&[_, _, _, _, a, b, c, d]) = rest.first_chunk::<8>() {
            let bytes = 8 + (u32::from_le_bytes([a, b, c, d]) as usize).next_multiple_of(2);
            // The data chunk's header is the last one, without its body.
            let (part, behind) = rest.split_at(bytes.min(rest.len()));
            parts.push(part);
            rest = behind;
        }
        let mut blocks = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            let last = if place + 1 == parts.len() { LAST } else { 0 };
            blocks.push(last | APPLICATION);
            blocks.extend(&(4 + part.len() as u32).to_be_bytes()[1..]);
            blocks.extend(b"riff");
            blocks.extend(*part);
        }
        blocks
    }
}
