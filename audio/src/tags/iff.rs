//! AIFF's text chunks and markers, CAF's information chunk and markers, AU's annotation.

use std::{collections::BTreeMap, io};

use super::{
    collect::Collector,
    id3,
    input::{Cursor, Input, text},
    limits::*,
    names,
};

pub(super) fn read_aiff(input: &Input, to: &mut Collector) -> io::Result<()> {
    let mut chunks = Vec::new();
    let mut at = 12;
    const CHUNKS_MAX: usize = 4096;
    while let Some(head) = input.array::<8>(at)?
        && chunks.len() < CHUNKS_MAX
    {
        let size = u64::from(u32::from_be_bytes([head[4], head[5], head[6], head[7]]));
        chunks.push(([head[0], head[1], head[2], head[3]], at + 8, size));
        at += 8 + size.next_multiple_of(2);
    }
    for (_, start, _) in chunks
        .iter()
        .filter(|(id, ..)| matches!(id, b"ID3 " | b"id3 "))
    {
        id3::read_at(input, *start, to)?;
    }
    to.layer();
    let mut sample_rate = 0.0;
    let mut markers = Vec::new();
    for (id, start, size) in &chunks {
        let name = match id {
            b"COMM" => {
                let rate = input.array::<10>(start + 8)?.unwrap_or_default();
                sample_rate = extended(rate);
                continue;
            }
            b"NAME" => "TITLE",
            b"AUTH" => "ARTIST",
            b"(c) " => "COPYRIGHT",
            b"ANNO" => "COMMENT",
            b"MARK" => {
                markers = input
                    .body(*start, *size, CHUNK_BYTES_MAX)?
                    .unwrap_or_default();
                continue;
            }
            b"COMT" => {
                let body = input.body(*start, *size, CHUNK_BYTES_MAX)?;
                read_comments(&body.unwrap_or_default(), to);
                continue;
            }
            b"SSND" | b"FVER" | b"ID3 " | b"id3 " | b"FLLR" | b"PAD " | b"CHAN" | b"PEAK" => {
                continue;
            }
            b"bext" | b"iXML" | b"axml" | b"cart" => {
                match input.body(*start, *size, CHUNK_BYTES_MAX)? {
                    Some(body) => to.chunk(*id, body),
                    None => to.lost(format!("{} ({size} bytes)", text(id))),
                }
                continue;
            }
            id if id.iter().all(|b| (0x20..0x7f).contains(b)) => {
                to.lost(format!("chunk {}", text(id)));
                continue;
            }
            _ => break,
        };
        match input.body(*start, *size, TEXT_BYTES_MAX)? {
            Some(body) => to.text(name, &text(&body)),
            None => to.lost(format!("{name} ({size} bytes)")),
        }
    }
    read_markers(&markers, sample_rate, to);
    Ok(())
}

/// Date, marker, text.
fn read_comments(body: &[u8], to: &mut Collector) {
    let mut rest = Cursor(body);
    let count = rest.u16().unwrap_or(0);
    for _ in 0..count {
        let comment = (|| {
            rest.take(6)?;
            let bytes = usize::from(rest.u16()?);
            let comment = rest.take(bytes)?;
            if bytes % 2 == 1 {
                rest.u8();
            }
            Some(comment)
        })();
        match comment {
            Some(comment) => to.text("COMMENT", &text(comment)),
            None => break,
        }
    }
}

/// Number, frame, name with its length in front.
fn read_markers(body: &[u8], sample_rate: f64, to: &mut Collector) {
    let mut rest = Cursor(body);
    let count = rest.u16().unwrap_or(0);
    for _ in 0..count {
        let marker = (|| {
            rest.u16()?;
            let frame = rest.u32()?;
            let bytes = usize::from(rest.u8()?);
            let name = rest.take(bytes)?;
            if bytes % 2 == 0 {
                rest.u8();
            }
            Some((frame, name))
        })();
        match marker {
            Some((frame, name)) if sample_rate >= 1.0 => {
                to.chapter(nanos(f64::from(frame), sample_rate), None, &text(name));
            }
            _ => break,
        }
    }
}

fn nanos(frame: f64, sample_rate: f64) -> u64 {
    (frame / sample_rate * 1e9).round() as u64
}

/// An 80-bit float; 0 for what is no sample rate.
fn extended(bytes: [u8; 10]) -> f64 {
    let exponent = i32::from(u16::from_be_bytes([bytes[0], bytes[1]])) - 16_383 - 63;
    let mantissa = bytes[2..]
        .iter()
        .fold(0u64, |n, &byte| n << 8 | u64::from(byte));
    let value = mantissa as f64 * f64::from(exponent).exp2();
    if (1.0..1e7).contains(&value) {
        value
    } else {
        0.0
    }
}

pub(super) fn read_caf(input: &Input, to: &mut Collector) -> io::Result<()> {
    let mut at = 8u64;
    let mut sample_rate = 0.0;
    let mut strings = Vec::new();
    let mut markers = Vec::new();
    const CHUNKS_MAX: usize = 4096;
    for _ in 0..CHUNKS_MAX {
        let Some(head) = input.array::<12>(at)? else {
            break;
        };
        let id = [head[0], head[1], head[2], head[3]];
        let size = u64::from_be_bytes([
            head[4], head[5], head[6], head[7], head[8], head[9], head[10], head[11],
        ]);
        let start = at + 12;
        let body = || input.body(start, size, TAG_BYTES_MAX);
        match &id {
            b"desc" => {
                let rate = f64::from_be_bytes(input.array::<8>(start)?.unwrap_or_default());
                sample_rate = if (1.0..1e7).contains(&rate) {
                    rate
                } else {
                    0.0
                };
            }
            b"info" => match body()? {
                Some(body) => read_pairs(&body, to),
                None => to.lost(format!("info ({size} bytes)")),
            },
            b"strg" => strings = body()?.unwrap_or_default(),
            b"mark" => markers = body()?.unwrap_or_default(),
            b"data" | b"pakt" | b"kuki" | b"chan" | b"free" | b"ovvw" | b"peak" => {}
            id if id.iter().all(|b| (0x20..0x7f).contains(b)) => {
                to.lost(format!("chunk {}", text(id)));
            }
            _ => break,
        }
        // A size of -1: the audio goes on to the end.
        match start.checked_add(size).filter(|_| size < 1 << 62) {
            Some(next) => at = next,
            None => break,
        }
    }
    read_caf_markers(&markers, &named(&strings), sample_rate, to);
    Ok(())
}

/// Keys and values, each with a zero behind it.
fn read_pairs(body: &[u8], to: &mut Collector) {
    let mut parts = body.get(4..).unwrap_or_default().split(|byte| *byte == 0);
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        if key.is_empty() {
            break;
        }
        let name = names::usual(&text(key));
        match name.as_str() {
            "TRACKNUMBER" => to.numbered(&name, "TRACKTOTAL", &text(value)),
            _ => to.text(&name, &text(value)),
        }
    }
}

/// Strings by their numbers.
fn named(body: &[u8]) -> BTreeMap<u32, String> {
    let mut rest = Cursor(body);
    let count = (rest.u32().unwrap_or(0) as usize).min(CHAPTERS_MAX + 1);
    let texts = body.get(4 + 12 * count..).unwrap_or_default();
    let mut named = BTreeMap::new();
    for _ in 0..count {
        let (Some(id), Some(offset)) = (rest.u32(), rest.u64()) else {
            break;
        };
        let from = usize::try_from(offset)
            .ok()
            .and_then(|offset| texts.get(offset..));
        let from = from.unwrap_or_default();
        named.insert(id, text(&from[..from.len().min(NAME_BYTES_MAX)]));
    }
    named
}

fn read_caf_markers(
    body: &[u8],
    strings: &BTreeMap<u32, String>,
    sample_rate: f64,
    to: &mut Collector,
) {
    if sample_rate < 1.0 {
        return;
    }
    for marker in body.get(8..).unwrap_or_default().as_chunks::<28>().0 {
        let mut rest = Cursor(marker);
        rest.u32();
        let frame = f64::from_bits(rest.u64().unwrap_or(0));
        let id = rest.u32().unwrap_or(0);
        if (0.0..1e15).contains(&frame) {
            let title = strings.get(&id).map_or("", String::as_str);
            to.chapter(nanos(frame, sample_rate), None, title);
        }
    }
}

/// Between the header and the samples.
pub(super) fn read_au(input: &Input, to: &mut Collector) -> io::Result<()> {
    let Some(offset) = input.array::<4>(4)?.map(u32::from_be_bytes) else {
        return Ok(());
    };
    let bytes = u64::from(offset).saturating_sub(24);
    match input.body(24, bytes, TEXT_BYTES_MAX)? {
        Some(body) => to.text("COMMENT", &text(&body)),
        None => to.lost(format!("an annotation of {bytes} bytes")),
    }
    Ok(())
}
