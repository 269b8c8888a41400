//! An ID3v2.4 tag with everything that is kept but the chunks.

use super::{Chapter, Picture, Tags, names};

/// Texts are in UTF-8.
const UTF8: u8 = 3;
const NO_LANGUAGE: &[u8; 3] = b"XXX";
/// A table of contents counts its entries in one byte.
const ENTRIES_MAX: usize = 255;

/// Of a recording so long; nothing where there is nothing to say.
pub(crate) fn tag(tags: &Tags, duration_ns: u64) -> Vec<u8> {
    let mut frames = Vec::new();
    write_fields(tags, &mut frames);
    for picture in &tags.pictures {
        frame(&mut frames, b"APIC", &picture_body(picture));
    }
    write_chapters(&tags.chapters, duration_ns, &mut frames);
    if frames.is_empty() {
        return frames;
    }
    let mut tag = b"ID3\x04\0\0".to_vec();
    tag.extend(syncsafe(frames.len()));
    tag.extend(frames);
    tag
}

fn write_fields(tags: &Tags, to: &mut Vec<u8>) {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in &tags.fields {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    if let (None, Some(description)) = (tags.field("COMMENT"), tags.field("DESCRIPTION")) {
        // In FLAC and Ogg many comments are called so.
        write_other(&mut *to, "COMMENT", description, &[], 0);
    }
    for name in names {
        let values: Vec<&str> = tags.values(name).collect();
        if let Some(id) = names::theirs(names::ID3, name) {
            text_frame(to, id, &values.join("\0"));
            continue;
        }
        match name {
            "TRACKNUMBER" => text_frame(to, "TRCK", &numbered(tags, name, "TRACKTOTAL")),
            "DISCNUMBER" => text_frame(to, "TPOS", &numbered(tags, name, "DISCTOTAL")),
            "TRACKTOTAL" if tags.field("TRACKNUMBER").is_some() => {}
            "DISCTOTAL" if tags.field("DISCNUMBER").is_some() => {}
            _ => values.iter().enumerate().for_each(|(index, value)| {
                write_other(to, name, value, &values, index);
            }),
        }
    }
}

/// Comments stand one by one, free names all values in one frame.
fn write_other(to: &mut Vec<u8>, name: &str, value: &str, values: &[&str], index: usize) {
    let described = |base: &str| match name.strip_prefix(base)? {
        "" => Some(String::new()),
        rest => rest.strip_prefix(':').map(str::to_owned),
    };
    // Each of them must have a description of its own.
    let unique = |description: String| match index {
        0 => description,
        _ => format!("{description}{}", index + 1),
    };
    if let Some(description) = described("COMMENT").or_else(|| described("LYRICS")) {
        let id = if name.starts_with('C') {
            b"COMM"
        } else {
            b"USLT"
        };
        let mut body = vec![UTF8];
        body.extend(NO_LANGUAGE);
        body.extend(unique(description).bytes());
        body.push(0);
        body.extend(value.bytes());
        frame(to, id, &body);
    } else if let Some(description) = described("URL").filter(|_| value.is_ascii()) {
        let mut body = vec![UTF8];
        body.extend(unique(description).bytes());
        body.push(0);
        body.extend(value.bytes());
        frame(to, b"WXXX", &body);
    } else if index == 0 {
        let mut body = vec![UTF8];
        body.extend(name.bytes());
        body.push(0);
        body.extend(values.join("\0").bytes());
        frame(to, b"TXXX", &body);
    }
}

/// "3/12".
pub(super) fn numbered(tags: &Tags, number: &str, total: &str) -> String {
    let number = tags.field(number).unwrap_or_default();
    match tags.field(total) {
        Some(total) => format!("{number}/{total}"),
        None => number.to_owned(),
    }
}

fn picture_body(picture: &Picture) -> Vec<u8> {
    let mut body = vec![UTF8];
    body.extend(picture.mime.bytes());
    body.extend([0, picture.kind]);
    body.extend(picture.description.bytes());
    body.push(0);
    body.extend(&picture.bytes);
    body
}

fn write_chapters(chapters: &[Chapter], duration_ns: u64, to: &mut Vec<u8>) {
    if chapters.is_empty() {
        return;
    }
    let ids: Vec<String> = (1..=chapters.len()).map(|n| format!("chp{n}")).collect();
    let lists: Vec<&[String]> = ids.chunks(ENTRIES_MAX).collect();
    if let [only] = lists[..] {
        write_contents("toc", only, true, to);
    } else {
        let names: Vec<String> = (1..=lists.len()).map(|n| format!("toc{n}")).collect();
        write_contents("toc", &names, true, to);
        for (name, list) in names.iter().zip(lists) {
            write_contents(name, list, false, to);
        }
    }
    for (index, (chapter, id)) in chapters.iter().zip(&ids).enumerate() {
        let start = milliseconds(chapter.start_ns);
        let next = chapters.get(index + 1).map(|next| next.start_ns);
        // Without an end the last one goes on to the recording's.
        let end = milliseconds(chapter.end_ns.or(next).unwrap_or(duration_ns));
        let mut body = id.clone().into_bytes();
        body.push(0);
        body.extend(start.to_be_bytes());
        body.extend(end.max(start).to_be_bytes());
        body.extend([0xff; 8]);
        if !chapter.title.is_empty() {
            text_frame(&mut body, "TIT2", &chapter.title);
        }
        frame(to, b"CHAP", &body);
    }
}

fn write_contents(name: &str, entries: &[String], is_top: bool, to: &mut Vec<u8>) {
    let mut body = name.as_bytes().to_vec();
    body.extend([0, if is_top { 3 } else { 1 }, entries.len() as u8]);
    for entry in entries {
        body.extend(entry.bytes());
        body.push(0);
    }
    frame(to, b"CTOC", &body);
}

fn milliseconds(ns: u64) -> u32 {
    u32::try_from((ns.saturating_add(500_000)) / 1_000_000).unwrap_or(u32::MAX - 1)
}

fn text_frame(to: &mut Vec<u8>, id: &str, value: &str) {
    let id: [u8; 4] = id.as_bytes().try_into().unwrap_or(*b"TXXX");
    let mut body = vec![UTF8];
    body.extend(value.bytes());
    frame(to, &id, &body);
}

fn frame(to: &mut Vec<u8>, id: &[u8; 4], body: &[u8]) {
    to.extend(id);
    to.extend(syncsafe(body.len()));
    to.extend([0, 0]);
    to.extend(body);
}

/// What is kept is far below the 28 bits that there are.
fn syncsafe(size: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7f)
}
