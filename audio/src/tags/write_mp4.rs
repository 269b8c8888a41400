//! Tags in MP4: iTunes's list (`ilst`) and Nero's chapters.

use super::{Chapter, Picture, Tags, names};

const UTF8: u32 = 1;
const JPEG: u32 = 13;
const PNG: u32 = 14;
const BMP: u32 = 27;
/// Nero's list counts its chapters in one byte, and each title's bytes, too.
const BYTE_MAX: usize = u8::MAX as usize;

/// A box: size, four letters, body.
pub(crate) fn atom(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let bytes = 8 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut atom = Vec::with_capacity(bytes);
    atom.extend((bytes as u32).to_be_bytes());
    atom.extend(kind);
    for part in parts {
        atom.extend(*part);
    }
    atom
}

/// With `gapless`, which says which part of the coded audio is the recording.
pub(crate) fn user_data(tags: &Tags, gapless: &str) -> Vec<u8> {
    let mut list = Vec::new();
    write_fields(tags, &mut list);
    list.extend(freeform("iTunSMPB", &[gapless]));
    let covers: Vec<_> = tags
        .pictures
        .iter()
        .filter_map(|picture| Some(data(coding(picture)?, &picture.bytes)))
        .collect();
    if !covers.is_empty() {
        list.extend(atom(b"covr", &[&covers.concat()]));
    }
    let handler = atom(b"hdlr", &[&[0; 8], b"mdirappl", &[0; 9]]);
    let meta = atom(b"meta", &[&[0; 4], &handler, &atom(b"ilst", &[&list])]);
    atom(b"udta", &[&meta, &nero(&tags.chapters)])
}

/// Pictures that the format has a number for.
pub(crate) fn is_kept(picture: &Picture) -> bool {
    coding(picture).is_some()
}

fn coding(picture: &Picture) -> Option<u32> {
    match picture.bytes[..] {
        [0xff, 0xd8, ..] => Some(JPEG),
        [0x89, b'P', b'N', b'G', ..] => Some(PNG),
        [b'B', b'M', ..] => Some(BMP),
        _ => None,
    }
}

fn write_fields(tags: &Tags, to: &mut Vec<u8>) {
    let mut written: Vec<&str> = Vec::new();
    for (name, _) in &tags.fields {
        let name = name.as_str();
        if written.contains(&name) {
            continue;
        }
        written.push(name);
        let values: Vec<&str> = tags.values(name).collect();
        match name {
            "TRACKNUMBER" if numbers(tags, name, "TRACKTOTAL").is_some() => {
                to.extend(number_of(tags, b"trkn", name, "TRACKTOTAL"));
            }
            "DISCNUMBER" if numbers(tags, name, "DISCTOTAL").is_some() => {
                to.extend(number_of(tags, b"disk", name, "DISCTOTAL"));
            }
            "TRACKTOTAL" if numbers(tags, "TRACKNUMBER", name).is_some() => {}
            "DISCTOTAL" if numbers(tags, "DISCNUMBER", name).is_some() => {}
            _ => {
                let known = names::MP4.iter().find(|(own, _)| *own == name);
                to.extend(match known {
                    // Several values are several boxes of data.
                    Some((_, kind)) => {
                        let all: Vec<_> = values.iter().map(|v| data(UTF8, v.as_bytes())).collect();
                        atom(kind, &[&all.concat()])
                    }
                    None => freeform(name, &values),
                });
            }
        }
    }
}

/// What stands in a box of 16-bit numbers, where that is all that it says.
fn numbers(tags: &Tags, number: &str, total: &str) -> Option<(u16, u16)> {
    let plain = |text: &str| {
        let parsed: u16 = text.parse().ok()?;
        (parsed > 0 && parsed.to_string() == text).then_some(parsed)
    };
    let one = |name: &str| {
        let mut values = tags.values(name);
        let first = values.next()?;
        plain(first).filter(|_| values.next().is_none())
    };
    let total = match tags.field(total) {
        Some(_) => one(total)?,
        None => 0,
    };
    Some((one(number)?, total))
}

fn number_of(tags: &Tags, kind: &[u8; 4], number: &str, total: &str) -> Vec<u8> {
    let (number, total) = numbers(tags, number, total).unwrap_or_default();
    let mut value = vec![0, 0];
    value.extend(number.to_be_bytes());
    value.extend(total.to_be_bytes());
    if kind == b"trkn" {
        value.extend([0, 0]);
    }
    atom(kind, &[&data(0, &value)])
}

/// A name of one's own.
fn freeform(name: &str, values: &[&str]) -> Vec<u8> {
    let values: Vec<_> = values.iter().map(|v| data(UTF8, v.as_bytes())).collect();
    atom(
        b"----",
        &[
            &atom(b"mean", &[&[0; 4], b"com.apple.iTunes"]),
            &atom(b"name", &[&[0; 4], name.as_bytes()]),
            &values.concat(),
        ],
    )
}

fn data(coding: u32, value: &[u8]) -> Vec<u8> {
    atom(b"data", &[&coding.to_be_bytes(), &[0; 4], value])
}

/// Times in units of 100 ns. Nothing where there are none; the track of texts has those that are too many.
fn nero(chapters: &[Chapter]) -> Vec<u8> {
    if chapters.is_empty() {
        return Vec::new();
    }
    let chapters = &chapters[..chapters.len().min(BYTE_MAX)];
    let mut list = vec![1, 0, 0, 0, 0, 0, 0, 0, chapters.len() as u8];
    for chapter in chapters {
        let title = &chapter.title[..chapter.title.floor_char_boundary(BYTE_MAX)];
        list.extend((chapter.start_ns / 100).to_be_bytes());
        list.push(title.len() as u8);
        list.extend(title.bytes());
    }
    atom(b"chpl", &[&list])
}
