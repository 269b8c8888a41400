//! Matroska and WebM: tags, chapters, attachments, and the title of the segment.

use std::io;

use super::{
    Picture,
    collect::Collector,
    input::{Input, text},
    limits::*,
    names,
};

const SEGMENT: u32 = 0x1853_8067;
const SEEK_HEAD: u32 = 0x114d_9b74;
const INFO: u32 = 0x1549_a966;
const TAGS: u32 = 0x1254_c367;
const CHAPTERS: u32 = 0x1043_a770;
const ATTACHMENTS: u32 = 0x1941_a469;
const CLUSTER: u32 = 0x1f43_b675;
const TRACKS: u32 = 0x1654_ae6b;
const CUES: u32 = 0x1c53_bb6b;

struct Element {
    id: u32,
    start: u64,
    /// `None`: not known, as of what was being recorded.
    size: Option<u64>,
}

/// So many parts are read.
const PARTS_MAX: usize = 64;

/// The element at a place.
fn element(input: &Input, at: u64) -> io::Result<Option<Element>> {
    let head = input.read(at, 12)?;
    Ok(header(&head).map(|(id, size, len)| Element {
        id,
        start: at + len as u64,
        size,
    }))
}

fn header(bytes: &[u8]) -> Option<(u32, Option<u64>, usize)> {
    let id_len = bytes.first()?.leading_zeros() as usize + 1;
    let (id, rest) = bytes.split_at_checked(id_len).filter(|_| id_len <= 4)?;
    let size_len = rest.first()?.leading_zeros() as usize + 1;
    let size = rest.get(..size_len).filter(|_| size_len <= 8)?;
    let size = number(size) & ((1 << (7 * size_len)) - 1);
    let unknown = (1u64 << (7 * size_len)) - 1;
    Some((
        number(id) as u32,
        (size != unknown).then_some(size),
        id_len + size_len,
    ))
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(8)
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// The elements in a body, as far as they make sense.
fn children(mut body: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let (id, size, len) = header(body)?;
        let rest = body.get(len..)?;
        let (child, rest) = rest.split_at_checked(usize::try_from(size?).ok()?)?;
        body = rest;
        Some((id, child))
    })
}

fn child(body: &[u8], id: u32) -> Option<&[u8]> {
    children(body)
        .find(|(own, _)| *own == id)
        .map(|(_, body)| body)
}

pub(super) fn read(input: &Input, to: &mut Collector) -> io::Result<()> {
    let mut at = 0;
    // The EBML header, perhaps something void, then the segment.
    for _ in 0..8 {
        let Some(found) = element(input, at)? else {
            return Ok(());
        };
        if found.id == SEGMENT {
            let places = places(input, &found)?;
            return read_parts(input, places, to);
        }
        match found.size.and_then(|size| found.start.checked_add(size)) {
            Some(next) => at = next,
            None => return Ok(()),
        }
    }
    Ok(())
}

/// Where the parts are that matter. The seek head knows them, but not every file has one that is
/// right: without one, all of the segment is stepped through.
fn places(input: &Input, segment: &Element) -> io::Result<Vec<Element>> {
    let end = segment
        .size
        .and_then(|size| segment.start.checked_add(size))
        .map_or(input.len, |end| end.min(input.len));
    let mut found: Vec<Element> = Vec::new();
    let mut at = segment.start;
    let mut is_in_cluster = false;
    let mut is_indexed = false;
    for _ in 0..STEPS_MAX {
        if at >= end || found.len() >= PARTS_MAX {
            break;
        }
        let Some(part) = element(input, at)? else {
            break;
        };
        let is_top = matches!(
            part.id,
            SEEK_HEAD | INFO | TAGS | CHAPTERS | ATTACHMENTS | CLUSTER | TRACKS | CUES
        );
        is_in_cluster = is_in_cluster && !is_top;
        if part.id == CLUSTER && is_indexed {
            break;
        }
        let next = match part.size {
            Some(size) => part.start.saturating_add(size),
            None if part.id == CLUSTER => {
                is_in_cluster = true;
                part.start
            }
            None => break,
        };
        match part.id {
            SEEK_HEAD => {
                let body = input.body(part.start, next - part.start, CHUNK_BYTES_MAX)?;
                let before = found.len();
                let listed = indexed(input, segment.start, &body.unwrap_or_default())?;
                found.extend(listed);
                // One that names no tags may be of before they were written.
                is_indexed |= found[before..].iter().any(|part| part.id == TAGS);
            }
            INFO | TAGS | CHAPTERS | ATTACHMENTS
                if !found.iter().any(|other| other.start == part.start) =>
            {
                found.push(part);
            }
            _ => {}
        }
        at = next;
    }
    Ok(found)
}

/// The parts that a seek head names, where they are what it says.
fn indexed(input: &Input, origin: u64, body: &[u8]) -> io::Result<Vec<Element>> {
    const SEEKS_MAX: usize = 64;
    let mut found: Vec<Element> = Vec::new();
    for (_, seek) in children(body)
        .filter(|(id, _)| *id == 0x4dbb)
        .take(SEEKS_MAX)
    {
        let (Some(id), Some(position)) = (child(seek, 0x53ab), child(seek, 0x53ac)) else {
            continue;
        };
        let id = number(id) as u32;
        if !matches!(id, INFO | TAGS | CHAPTERS | ATTACHMENTS) {
            continue;
        }
        let part = element(input, origin.saturating_add(number(position)))?;
        if let Some(part) = part.filter(|part| part.id == id)
            && !found.iter().any(|other| other.start == part.start)
        {
            found.push(part);
        }
    }
    Ok(found)
}

fn read_parts(input: &Input, mut parts: Vec<Element>, to: &mut Collector) -> io::Result<()> {
    // What the segment says of itself comes last: its title repeats that of the tags.
    parts.truncate(PARTS_MAX);
    parts.sort_by_key(|part| part.id == INFO);
    for part in parts {
        let size = part.size.unwrap_or(0);
        if part.id == ATTACHMENTS {
            read_attachments(input, &part, size, to)?;
            continue;
        }
        let Some(body) = input.body(part.start, size, TAG_BYTES_MAX)? else {
            to.lost(format!("tags of {size} bytes"));
            continue;
        };
        match part.id {
            TAGS => read_tags(&body, to),
            CHAPTERS => read_chapters(&body, to),
            _ => {
                to.layer();
                if let Some(title) = child(&body, 0x7ba9) {
                    to.text("TITLE", &text(title));
                }
                if to.tags.field(super::collect::ORIGINAL_ENCODER).is_none()
                    && let Some(program) = child(&body, 0x5741)
                {
                    to.text("ENCODER", &text(program));
                }
            }
        }
    }
    Ok(())
}

/// What a tag is about: 50 an album, 30 a track.
fn level(tag: &[u8]) -> Option<u64> {
    child(child(tag, 0x63c0)?, 0x68ca).map(number)
}

fn read_tags(body: &[u8], to: &mut Collector) {
    let tags: Vec<&[u8]> = children(body)
        .filter(|(id, _)| *id == 0x7373)
        .map(|(_, tag)| tag)
        .take(FIELDS_MAX)
        .collect();
    let has_tracks = tags.iter().any(|tag| level(tag) == Some(30));
    // Those of the whole file first.
    let of_parts = |tag: &[u8]| {
        let targets = child(tag, 0x63c0).unwrap_or_default();
        let about =
            |ids: &[u32]| children(targets).any(|(id, uid)| ids.contains(&id) && number(uid) != 0);
        (about(&[0x63c5]), about(&[0x63c4, 0x63c9, 0x63c6]))
    };
    for tag in &tags {
        if of_parts(tag) == (false, false) {
            let is_album = has_tracks && level(tag) == Some(50);
            children(tag)
                .filter(|(id, _)| *id == 0x67c8)
                .for_each(|(_, simple)| read_simple(simple, is_album, to));
        }
    }
    let before = to.tags.fields.len();
    for tag in &tags {
        match of_parts(tag) {
            (_, true) => to.lost("tags of chapters, editions or attachments"),
            // A track's: what the file as a whole does not say. Another track's may be among them.
            (true, _) => {
                for (_, simple) in children(tag).filter(|(id, _)| *id == 0x67c8) {
                    let name = simple_name(simple, false);
                    let is_said = to.tags.fields[..before].iter().any(|(own, _)| *own == name);
                    if !is_said {
                        read_simple(simple, false, to);
                    }
                }
            }
            _ => {}
        }
    }
}

fn simple_name(simple: &[u8], is_album: bool) -> String {
    let name = text(child(simple, 0x45a3).unwrap_or_default()).to_ascii_uppercase();
    match (name.as_str(), is_album) {
        ("TITLE", true) => "ALBUM".to_owned(),
        ("ARTIST", true) => "ALBUMARTIST".to_owned(),
        _ => names::usual(&name),
    }
}

fn read_simple(simple: &[u8], is_album: bool, to: &mut Collector) {
    let name = simple_name(simple, is_album);
    match child(simple, 0x4487) {
        Some(value) => match name.as_str() {
            "TRACKNUMBER" => to.numbered(&name, "TRACKTOTAL", &text(value)),
            _ => to.text(&name, &text(value)),
        },
        None if child(simple, 0x4485).is_some() => to.lost(&name),
        None => {}
    }
    if children(simple).any(|(id, _)| id == 0x67c8) {
        to.lost(format!("what is nested in {name}"));
    }
}

fn read_chapters(body: &[u8], to: &mut Collector) {
    let editions: Vec<&[u8]> = children(body)
        .filter(|(id, _)| *id == 0x45b9)
        .map(|(_, edition)| edition)
        .collect();
    let is_default =
        |edition: &&&[u8]| child(edition, 0x45db).is_some_and(|flag| number(flag) == 1);
    let edition = editions.iter().find(is_default).or(editions.first());
    if editions.len() > 1 {
        to.lost("other editions of the chapters");
    }
    read_atoms(edition.copied().unwrap_or_default(), 0, to);
}

fn read_atoms(body: &[u8], depth: u32, to: &mut Collector) {
    const DEPTH_MAX: u32 = 8;
    for (_, atom) in children(body).filter(|(id, _)| *id == 0xb6) {
        let is_hidden = child(atom, 0x98).is_some_and(|flag| number(flag) == 1);
        let is_off = child(atom, 0x4598).is_some_and(|flag| number(flag) == 0);
        if !is_hidden && !is_off {
            let start = child(atom, 0x91).map_or(0, number);
            let title = child(atom, 0x80).and_then(|display| child(display, 0x85));
            let end = child(atom, 0x92).map(number);
            to.chapter(start, end, &text(title.unwrap_or_default()));
        }
        if depth < DEPTH_MAX {
            read_atoms(atom, depth + 1, to);
        }
    }
}

fn read_attachments(
    input: &Input,
    part: &Element,
    size: u64,
    to: &mut Collector,
) -> io::Result<()> {
    let end = part.start.saturating_add(size).min(input.len);
    let mut at = part.start;
    for _ in 0..PICTURES_MAX * 4 {
        let Some(file) = element(input, at)?.filter(|_| at < end) else {
            break;
        };
        let size = file.size.unwrap_or(0);
        at = file.start.saturating_add(size);
        if file.id != 0x61a7 {
            continue;
        }
        match input.body(file.start, size, PICTURE_BYTES_MAX + (64 << 10))? {
            Some(body) => read_attachment(&body, to),
            None => to.lost(format!("an attachment of {size} bytes")),
        }
    }
    Ok(())
}

fn read_attachment(body: &[u8], to: &mut Collector) {
    let field = |id| text(child(body, id).unwrap_or_default());
    let (name, mime) = (field(0x466e), field(0x4660));
    if !mime.starts_with("image/") {
        return to.lost(format!("attachment {name}"));
    }
    let lower = name.to_ascii_lowercase();
    let is_cover = ["cover.", "cover_land.", "folder.", "front."]
        .iter()
        .any(|cover| lower.starts_with(cover));
    to.picture(Picture {
        kind: if is_cover { 3 } else { 0 },
        mime,
        description: field(0x467e),
        bytes: child(body, 0x465c).unwrap_or_default().to_vec(),
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use super::*;

    #[test]
    fn parts_without_end_are_not_looked_for_without_end() {
        // INFO without anything in it.
        let parts = [0x15, 0x49, 0xa9, 0x66, 0x80].repeat(3 * PARTS_MAX);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&parts).unwrap();
        let segment = Element {
            id: SEGMENT,
            start: 0,
            size: None,
        };
        let found = places(&Input::open(&file).unwrap(), &segment).unwrap();
        assert_eq!(found.len(), PARTS_MAX);
    }
}
