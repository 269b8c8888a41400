//! The metadata blocks of FLAC, in a file of its own or in Ogg.

use std::io;

use super::{
    collect::Collector,
    id3,
    input::{Cursor, Input, text},
    limits::*,
    riff, vorbis,
};

pub(super) fn read(input: &Input, to: &mut Collector) -> io::Result<()> {
    // Foreign to the format: believed last. Here for where it ends.
    let mut at = id3::read_front(input, &mut Collector::default())?;
    if input.array::<4>(at)?.as_ref() == Some(b"fLaC") {
        at += 4;
        let mut sample_rate = 0;
        const BLOCKS_MAX: usize = 2000;
        for _ in 0..BLOCKS_MAX {
            let Some([kind, size @ ..]) = input.array::<4>(at)? else {
                break;
            };
            let size = u32::from_be_bytes([0, size[0], size[1], size[2]]);
            let is_wanted = matches!(kind & 0x7f, 0 | 2 | 4 | 5 | 6);
            if is_wanted {
                let body = input.read(at + 4, size as usize)?;
                read_block(kind & 0x7f, &body, &mut sample_rate, to);
            }
            if kind & 0x80 != 0 {
                break;
            }
            at += 4 + u64::from(size);
        }
    }
    to.layer();
    id3::read_front(input, to)?;
    id3::read_end(input, to)?;
    Ok(())
}

pub(super) fn read_block(kind: u8, body: &[u8], sample_rate: &mut u32, to: &mut Collector) {
    match kind {
        0 => {
            let packed = body.get(10..).and_then(|rest| rest.first_chunk::<4>());
            *sample_rate = packed.map_or(0, |packed| u32::from_be_bytes(*packed) >> 12);
        }
        2 => read_application(body, to),
        4 => vorbis::read(body, to),
        5 => read_cuesheet(body, *sample_rate, to),
        6 => vorbis::read_picture(body, to),
        _ => {}
    }
}

/// Chunks of the WAVE file that this one was made of, as `flac --keep-foreign-metadata` leaves them.
fn read_application(body: &[u8], to: &mut Collector) {
    let Some((id, foreign)) = body.split_first_chunk::<4>() else {
        return;
    };
    if id != b"riff" {
        return to.lost(format!("APPLICATION {}", text(id)));
    }
    let mut rest = Cursor(foreign);
    let (Some(chunk), Some(size)) = (rest.array::<4>(), rest.u32_le()) else {
        return;
    };
    let Some(content) = rest.take(size as usize) else {
        return; // A header whose body is the audio.
    };
    match &chunk {
        b"RIFF" | b"RF64" | b"BW64" => {}
        b"LIST" => match content.strip_prefix(b"INFO") {
            Some(items) => riff::read_info(riff::LITTLE_ENDIAN, items, to),
            None => to.lost("foreign LIST"),
        },
        id if riff::KEPT.contains(&id) && content.len() <= CHUNK_BYTES_MAX => {
            to.chunk(chunk, content.to_vec());
        }
        id if riff::TECHNICAL.contains(&id) => {}
        id => to.lost(format!("foreign {} ({size} bytes)", text(id))),
    }
}

/// Tracks as chapters: RFC 9639 section 8.7. The last track is the lead-out.
fn read_cuesheet(body: &[u8], sample_rate: u32, to: &mut Collector) {
    if !to.tags.chapters.is_empty() {
        return;
    }
    let mut rest = Cursor(body);
    let tracks = (|| {
        rest.take(128 + 8 + 1 + 258)?;
        rest.u8()
    })();
    let ns =
        |frames: u64| (u128::from(frames) * 1_000_000_000 / u128::from(sample_rate.max(1))) as u64;
    for _ in 0..tracks.unwrap_or(0) {
        let track = (|| {
            let offset = rest.u64()?;
            let number = rest.u8()?;
            rest.take(12 + 1 + 13)?;
            let points = rest.u8()?;
            let mut first = 0;
            for _ in 0..points {
                let point = rest.u64()?;
                if rest.u8()? == 1 {
                    first = point;
                }
                rest.take(3)?;
            }
            Some((offset.saturating_add(first), number))
        })();
        match track {
            Some((_, 170 | 255)) | None => break,
            Some((at, number)) => to.chapter(ns(at), None, &format!("Track {number}")),
        }
    }
}
