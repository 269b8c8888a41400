//! WAVE in all its forms, and AVI: INFO lists, cue points with their labels, `bext`, iXML, ID3.

use std::{collections::BTreeMap, io};

use super::{
    collect::Collector,
    id3,
    input::{Cursor, Input, text},
    limits::*,
    names,
};

/// How sizes are written, and where the first chunk stands.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    is_big_endian: bool,
    is_wave64: bool,
}

pub(super) const LITTLE_ENDIAN: Kind = Kind {
    is_big_endian: false,
    is_wave64: false,
};

struct Chunk {
    id: [u8; 4],
    start: u64,
    size: u64,
}

pub(super) const KEPT: [&[u8; 4]; 5] = [b"bext", b"iXML", b"axml", b"chna", b"cart"];
/// What says nothing beside the samples, or something about them that is no longer true.
pub(super) const TECHNICAL: [&[u8; 4]; 16] = [
    b"fmt ", b"data", b"fact", b"ds64", b"JUNK", b"junk", b"PAD ", b"FLLR", b"PEAK", b"levl",
    b"Fake", b"bpad", b"minf", b"elm1", b"idx1", b"r64m",
];

impl Kind {
    fn u32(self, bytes: [u8; 4]) -> u32 {
        match self.is_big_endian {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        }
    }

    /// All chunks up to `end`, as far as their sizes lead.
    fn chunks(self, input: &Input, mut at: u64, end: u64) -> io::Result<Vec<Chunk>> {
        const CHUNKS_MAX: usize = 4096;
        let mut chunks = Vec::new();
        let mut data_bytes = None;
        while at < end && chunks.len() < CHUNKS_MAX {
            let Some(head) = input.array::<8>(at)? else {
                break;
            };
            let id = [head[0], head[1], head[2], head[3]];
            let stated = self.u32([head[4], head[5], head[6], head[7]]);
            let (start, size, align) = if self.is_wave64 {
                let Some(size) = input.array::<8>(at + 16)? else {
                    break;
                };
                (at + 24, u64::from_le_bytes(size).saturating_sub(24), 8)
            } else {
                let of_data =
                    data_bytes.filter(|_| &id == b"data" && matches!(stated, 0 | u32::MAX));
                (at + 8, of_data.unwrap_or(u64::from(stated)), 2)
            };
            if &id == b"ds64"
                && let Some(size) = input.array::<8>(start + 8)?
            {
                data_bytes = Some(u64::from_le_bytes(size));
            }
            chunks.push(Chunk { id, start, size });
            let next = size.checked_next_multiple_of(align);
            match next.and_then(|size| size.checked_add(start)) {
                Some(next) => at = next,
                None => break,
            }
        }
        Ok(chunks)
    }
}

pub(super) fn read_wave(input: &Input, to: &mut Collector) -> io::Result<()> {
    let head = input.read(0, 4)?;
    let kind = Kind {
        is_big_endian: head == b"RIFX",
        is_wave64: head == b"riff",
    };
    let first = if kind.is_wave64 { 40 } else { 12 };
    let chunks = kind.chunks(input, first, input.len)?;
    // The richest first: what the others say is believed where it says nothing.
    for chunk in &chunks {
        if matches!(&chunk.id, b"ID3 " | b"id3 ") {
            id3::read_at(input, chunk.start, to)?;
        }
    }
    to.layer();
    let mut sample_rate = 0;
    let mut cues = BTreeMap::new();
    let mut labels = BTreeMap::new();
    for chunk in &chunks {
        match &chunk.id {
            b"fmt " => {
                let rate = input.array::<4>(chunk.start + 4)?.unwrap_or_default();
                sample_rate = kind.u32(rate);
            }
            b"LIST" | b"list" => {
                let Some(body) = input.body(chunk.start, chunk.size, TAG_BYTES_MAX)? else {
                    to.lost(format!("a LIST chunk of {} bytes", chunk.size));
                    continue;
                };
                match body.split_first_chunk() {
                    Some((b"INFO", items)) => read_info(kind, items, to),
                    Some((b"adtl", items)) => read_labels(kind, items, &mut labels, to),
                    Some((other, _)) => to.lost(format!("LIST {}", text(other))),
                    None => {}
                }
            }
            b"cue " => {
                let body = input.body(chunk.start, chunk.size, CHUNK_BYTES_MAX)?;
                read_cues(kind, &body.unwrap_or_default(), &mut cues);
            }
            b"ID3 " | b"id3 " => {}
            id if KEPT.contains(&id) => {
                match input.body(chunk.start, chunk.size, CHUNK_BYTES_MAX)? {
                    Some(body) => to.chunk(*id, body),
                    None => to.lost(format!("{} ({} bytes)", text(id), chunk.size)),
                }
            }
            id if TECHNICAL.contains(&id) => {}
            id if id.iter().all(|b| (0x20..0x7f).contains(b)) => {
                to.lost(format!("chunk {}", text(id)));
            }
            _ => break, // The sizes led astray.
        }
    }
    let ns =
        |frame: u64| (u128::from(frame) * 1_000_000_000 / u128::from(sample_rate.max(1))) as u64;
    for (id, frame) in cues {
        let label: Label = labels.remove(&id).unwrap_or_default();
        let end = (label.frames > 0).then(|| ns(u64::from(frame) + u64::from(label.frames)));
        to.chapter(ns(u64::from(frame)), end, &label.text);
    }
    Ok(())
}

/// Its INFO list stands beside or inside of the list of headers.
pub(super) fn read_avi(input: &Input, to: &mut Collector) -> io::Result<()> {
    let kind = LITTLE_ENDIAN;
    for chunk in kind.chunks(input, 12, input.len)? {
        if &chunk.id != b"LIST" {
            continue;
        }
        match input.array::<4>(chunk.start)?.as_ref() {
            Some(b"INFO") => {
                let body = input.body(chunk.start, chunk.size, TAG_BYTES_MAX)?;
                read_info(
                    kind,
                    body.unwrap_or_default().get(4..).unwrap_or_default(),
                    to,
                );
            }
            Some(b"hdrl") => {
                let end = chunk.start.saturating_add(chunk.size);
                for inner in kind.chunks(input, chunk.start + 4, end)? {
                    let head = input.array::<4>(inner.start)?;
                    if &inner.id == b"LIST" && head.as_ref() == Some(b"INFO") {
                        let body = input.body(inner.start, inner.size, TAG_BYTES_MAX)?;
                        let items = body.unwrap_or_default();
                        read_info(kind, items.get(4..).unwrap_or_default(), to);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Chunks inside of a list, padded to even lengths.
fn items(kind: Kind, body: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = Cursor(body);
    std::iter::from_fn(move || {
        let id = rest.array()?;
        let size = kind.u32(rest.array()?) as usize;
        let size = size.min(rest.0.len());
        let item = rest.take(size)?;
        if size % 2 == 1 {
            rest.u8();
        }
        Some((id, item))
    })
}

pub(super) fn read_info(kind: Kind, body: &[u8], to: &mut Collector) {
    for (id, value) in items(kind, body) {
        let id = text(&id).trim().to_owned();
        let name = names::ours(names::INFO, &id.to_ascii_uppercase());
        match name.as_str() {
            "TRACKNUMBER" => to.numbered(&name, "TRACKTOTAL", &text(value)),
            _ => to.text(&name, &text(value)),
        }
    }
}

/// By the cue point's number: where it is.
fn read_cues(kind: Kind, body: &[u8], cues: &mut BTreeMap<u32, u32>) {
    for point in body.get(4..).unwrap_or_default().as_chunks::<24>().0 {
        let field = |at: usize| kind.u32([point[at], point[at + 1], point[at + 2], point[at + 3]]);
        // Where the samples stand in one chunk, the last field is the frame; some write only the
        // first.
        let frame = match field(20) {
            0 => field(4),
            offset => offset,
        };
        if cues.len() < CHAPTERS_MAX + 1 {
            cues.insert(field(0), frame);
        }
    }
}

#[derive(Default)]
struct Label {
    text: String,
    frames: u32,
}

fn read_labels(kind: Kind, body: &[u8], labels: &mut BTreeMap<u32, Label>, to: &mut Collector) {
    for (id, item) in items(kind, body) {
        let Some((cue, rest)) = item.split_first_chunk::<4>() else {
            continue;
        };
        if labels.len() > CHAPTERS_MAX {
            return;
        }
        let label = labels.entry(kind.u32(*cue)).or_default();
        match &id {
            b"labl" => label.text = text(rest),
            b"ltxt" => {
                label.frames = rest.first_chunk().map_or(0, |frames| kind.u32(*frames));
                let words = text(rest.get(16..).unwrap_or_default());
                if label.text.is_empty() && !words.is_empty() {
                    label.text = words;
                }
            }
            b"note" if label.text.is_empty() => label.text = text(rest),
            b"note" => to.lost("notes of cue points"),
            other => to.lost(format!("{} of a cue point", text(other))),
        }
    }
}
