//! The chunks of a WAVE file that are not about the samples' format.

use super::{Tags, names, write_id3};
use crate::wav::chunk;

/// The kept chunks, each with its header.
pub(crate) fn kept(tags: &Tags) -> Vec<u8> {
    let mut chunks = Vec::new();
    for (id, body) in &tags.chunks {
        chunk(&mut chunks, id, body);
    }
    chunks
}

/// What stands in front of the samples: the kept chunks, and the few texts that everyone reads.
pub(crate) fn before(tags: &Tags) -> Vec<u8> {
    let mut chunks = kept(tags);
    let mut list = b"INFO".to_vec();
    let mut written: Vec<&str> = Vec::new();
    // In FLAC and Ogg many comments are called so.
    let comment = tags.field("COMMENT").is_none().then_some("DESCRIPTION");
    for (name, _) in &tags.fields {
        let known = match name {
            name if comment == Some(name) => Some("ICMT"),
            name => names::theirs(names::INFO, name),
        };
        let own = known.or_else(|| is_info_id(name).then_some(name.as_str()));
        let Some(id) = own.filter(|id| !written.contains(id)) else {
            continue;
        };
        written.push(id);
        let values: Vec<&str> = tags.values(name).collect();
        let value = match name.as_str() {
            "TRACKNUMBER" => write_id3::numbered(tags, name, "TRACKTOTAL"),
            _ => values.join("; "),
        };
        let body = [value.as_bytes(), &[0]].concat();
        if let Ok(id) = id.as_bytes().try_into() {
            chunk(&mut list, id, &body);
        }
    }
    if list.len() > 4 {
        chunk(&mut chunks, b"LIST", &list);
    }
    chunks
}

/// An id of the list that we have no name for.
fn is_info_id(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() == 4
        && bytes[0] == b'I'
        && bytes
            .iter()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && names::ours(names::INFO, name) == name
}

/// What stands behind the samples: chapters as cue points with labels, and all there is as ID3.
pub(crate) fn after(tags: &Tags, sample_rate: u32, frames: u64) -> Vec<u8> {
    let duration_ns = u128::from(frames) * 1_000_000_000 / u128::from(sample_rate.max(1));
    let mut chunks = Vec::new();
    write_cues(tags, sample_rate, &mut chunks);
    let id3 = write_id3::tag(tags, duration_ns as u64);
    if !id3.is_empty() {
        chunk(&mut chunks, b"id3 ", &id3);
    }
    chunks
}

fn write_cues(tags: &Tags, sample_rate: u32, to: &mut Vec<u8>) {
    let frame = |ns: u64| {
        let frames = (u128::from(ns) * u128::from(sample_rate) + 500_000_000) / 1_000_000_000;
        u32::try_from(frames).ok()
    };
    let mut points = Vec::new();
    let mut labels = b"adtl".to_vec();
    let mut count = 0u32;
    for chapter in &tags.chapters {
        // Beyond 32 bits of frames only ID3 can say it.
        let Some(start) = frame(chapter.start_ns) else {
            continue;
        };
        // From 0, as readers number ID3's chapters: some take both for one list.
        points.extend(count.to_le_bytes());
        points.extend(start.to_le_bytes());
        points.extend(b"data");
        points.extend([0; 8]);
        points.extend(start.to_le_bytes());
        let label = [&count.to_le_bytes(), chapter.title.as_bytes(), &[0]].concat();
        chunk(&mut labels, b"labl", &label);
        if let Some(end) = chapter.end_ns.and_then(frame).filter(|end| *end > start) {
            let mut text = count.to_le_bytes().to_vec();
            text.extend((end - start).to_le_bytes());
            text.extend(b"rgn ");
            text.extend([0; 8]);
            chunk(&mut labels, b"ltxt", &text);
        }
        count += 1;
    }
    if count > 0 {
        chunk(to, b"cue ", &[&count.to_le_bytes()[..], &points].concat());
        chunk(to, b"LIST", &labels);
    }
}
