//! ISO base media and QuickTime: iTunes' item list, QuickTime's keys and user data, 3GPP's boxes.

use std::io;

use super::{
    Picture,
    collect::Collector,
    genres::GENRES,
    id3, input,
    input::{Cursor, Input, text},
    limits::*,
    mp4_chapters, names,
};

/// A box in the file, not read yet.
pub(super) struct Atom {
    pub kind: [u8; 4],
    pub start: u64,
    pub end: u64,
}

/// The boxes between two places.
pub(super) fn atoms(input: &Input, mut at: u64, end: u64) -> io::Result<Vec<Atom>> {
    const ATOMS_MAX: usize = 100_000;
    let end = end.min(input.len);
    let mut found = Vec::new();
    while at + 8 <= end && found.len() < ATOMS_MAX {
        let Some(head) = input.array::<8>(at)? else {
            break;
        };
        let kind = [head[4], head[5], head[6], head[7]];
        let (header, size) = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
            0 => (8, end - at),
            1 => match input.array::<8>(at + 8)? {
                Some(size) => (16, u64::from_be_bytes(size)),
                None => break,
            },
            size => (8, u64::from(size)),
        };
        let next = match at.checked_add(size) {
            Some(next) if size >= header => next.min(end),
            _ => break,
        };
        found.push(Atom {
            kind,
            start: at + header,
            end: next,
        });
        at = next;
    }
    Ok(found)
}

impl Atom {
    /// `None` where it is larger than anything that is kept.
    pub(super) fn body(&self, input: &Input, max: usize) -> io::Result<Option<Vec<u8>>> {
        input.body(self.start, self.end - self.start, max)
    }
}

pub(super) fn read(input: &Input, to: &mut Collector) -> io::Result<()> {
    for atom in atoms(input, 0, input.len)? {
        match &atom.kind {
            b"moov" => read_movie(input, &atom, to)?,
            b"udta" => read_user_data(input, &atom, to)?,
            b"meta" => read_meta(input, &atom, to)?,
            _ => {}
        }
    }
    Ok(())
}

fn read_movie(input: &Input, movie: &Atom, to: &mut Collector) -> io::Result<()> {
    let atoms = atoms(input, movie.start, movie.end)?;
    for atom in &atoms {
        match &atom.kind {
            b"udta" => read_user_data(input, atom, to)?,
            b"meta" => read_meta(input, atom, to)?,
            _ => {}
        }
    }
    let has_nero = !to.tags.chapters.is_empty();
    let nero = std::mem::take(&mut to.tags.chapters);
    mp4_chapters::read_track(input, &atoms, to)?;
    if has_nero && to.tags.chapters.is_empty() {
        to.tags.chapters = nero;
    }
    Ok(())
}

fn read_user_data(input: &Input, data: &Atom, to: &mut Collector) -> io::Result<()> {
    for atom in atoms(input, data.start, data.end)? {
        match &atom.kind {
            b"meta" => read_meta(input, &atom, to)?,
            b"chpl" => {
                let body = atom.body(input, TAG_BYTES_MAX)?;
                mp4_chapters::read_nero(&body.unwrap_or_default(), to);
            }
            b"ID32" => {
                id3::read_at(input, atom.start + 6, to)?;
            }
            [0xa9, ..] => {
                let body = atom.body(input, TEXT_BYTES_MAX + 64)?;
                read_quicktime_text(&atom.kind, body.as_deref(), to);
            }
            b"titl" | b"perf" | b"auth" | b"albm" | b"cprt" | b"dscp" | b"gnre" => {
                let body = atom.body(input, TEXT_BYTES_MAX + 64)?;
                read_3gpp_text(&atom.kind, body.as_deref(), to);
            }
            b"yrrc" => {
                if let Some(year) = input.array::<6>(atom.start)? {
                    to.text("DATE", &u16::from_be_bytes([year[4], year[5]]).to_string());
                }
            }
            b"name" => {}
            b"Xtra" | b"XMP_" | b"uuid" | b"loci" | b"rtng" | b"clsf" | b"kywd" => {
                to.lost(format!("user data {}", text(&atom.kind)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What is not in the table goes by its own four letters.
fn name_of(kind: &[u8; 4]) -> String {
    names::MP4
        .iter()
        .find(|(_, own)| *own == kind)
        .map_or_else(|| letters(kind), |(name, _)| (*name).to_owned())
}

fn letters(kind: &[u8; 4]) -> String {
    kind.iter()
        .filter(|byte| byte.is_ascii_graphic())
        .map(|&byte| char::from(byte))
        .collect()
}

/// Texts with length and language in front; the first one is taken.
fn read_quicktime_text(kind: &[u8; 4], body: Option<&[u8]>, to: &mut Collector) {
    let Some(body) = body else {
        return to.lost(name_of(kind));
    };
    let mut rest = Cursor(body);
    let value = (|| {
        let bytes = usize::from(rest.u16()?);
        rest.u16()?;
        rest.take(bytes)
    })();
    // Some write the text alone.
    let value = value.unwrap_or(body);
    let value = match value {
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => input::utf16(value, false),
        _ => text(value),
    };
    to.text(&name_of(kind), &value);
}

/// Version, flags and language, then UTF-8 or marked UTF-16.
fn read_3gpp_text(kind: &[u8; 4], body: Option<&[u8]>, to: &mut Collector) {
    let Some(value) = body.and_then(|body| body.get(6..)) else {
        return to.lost(name_of(kind));
    };
    let value = match value {
        [0xfe, 0xff, ..] => input::utf16(value, false),
        _ => text(value),
    };
    to.text(&name_of(kind), &value);
}

fn read_meta(input: &Input, meta: &Atom, to: &mut Collector) -> io::Result<()> {
    // QuickTime's has no version and flags in front.
    let first = input.array::<8>(meta.start)?.unwrap_or_default();
    let start = match &first[4..] {
        b"hdlr" | b"keys" | b"ilst" => meta.start,
        _ => meta.start + 4,
    };
    let mut keys = Vec::new();
    for atom in atoms(input, start, meta.end)? {
        match &atom.kind {
            b"keys" => {
                let body = atom.body(input, CHUNK_BYTES_MAX)?.unwrap_or_default();
                keys = read_keys(&body);
            }
            b"ilst" => {
                for item in atoms(input, atom.start, atom.end)? {
                    read_item(input, &item, &keys, to)?;
                }
            }
            b"ID32" => {
                id3::read_at(input, atom.start + 6, to)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// "com.apple.quicktime.title" and the like, numbered from 1.
fn read_keys(body: &[u8]) -> Vec<String> {
    let mut rest = Cursor(body.get(8..).unwrap_or_default());
    let mut keys = Vec::new();
    while let Some(size) = rest.u32() {
        let Some(key) = (size as usize)
            .checked_sub(4)
            .and_then(|size| rest.take(size))
        else {
            break;
        };
        let key = text(key.get(4..).unwrap_or_default());
        let short = key.strip_prefix("com.apple.quicktime.").unwrap_or(&key);
        keys.push(names::usual(short));
    }
    keys
}

fn read_item(input: &Input, item: &Atom, keys: &[String], to: &mut Collector) -> io::Result<()> {
    let mut name = (u32::from_be_bytes(item.kind) as usize)
        .checked_sub(1)
        .and_then(|index| keys.get(index).cloned())
        .unwrap_or_else(|| name_of(&item.kind));
    for atom in atoms(input, item.start, item.end)? {
        match &atom.kind {
            // A freeform name; who means it ("mean") is not kept.
            b"name" if &item.kind == b"----" => {
                let own = atom.body(input, NAME_BYTES_MAX)?.unwrap_or_default();
                name = names::usual(&text(own.get(4..).unwrap_or_default()));
            }
            b"data" => {
                let most = PICTURE_BYTES_MAX + 8;
                match atom.body(input, most)? {
                    Some(body) => read_data(&item.kind, &name, &body, to),
                    None if &item.kind == b"covr" => to.picture_lost(atom.end - atom.start),
                    None => to.lost(&name),
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Type, locale, value.
fn read_data(kind: &[u8; 4], name: &str, body: &[u8], to: &mut Collector) {
    let Some((&[_, _, _, coding, ..], value)) = body.split_first_chunk::<8>() else {
        return;
    };
    let number = || {
        let bytes = &value[..value.len().min(8)];
        bytes.iter().fold(0u64, |n, &byte| n << 8 | u64::from(byte))
    };
    match (kind, coding) {
        (b"covr", _) => to.picture(Picture {
            kind: 3,
            mime: match coding {
                14 => "image/png",
                27 => "image/bmp",
                _ => "image/jpeg",
            }
            .to_owned(),
            description: String::new(),
            bytes: value.to_vec(),
        }),
        (b"trkn" | b"disk", _) => {
            let (number, total) = match kind {
                b"trkn" => ("TRACKNUMBER", "TRACKTOTAL"),
                _ => ("DISCNUMBER", "DISCTOTAL"),
            };
            let mut rest = Cursor(value.get(2..).unwrap_or_default());
            for name in [number, total] {
                if let Some(n) = rest.u16().filter(|n| *n > 0) {
                    to.text(name, &n.to_string());
                }
            }
        }
        (b"gnre", 0) => {
            // Counted from 1.
            let genre = (number() as usize)
                .checked_sub(1)
                .and_then(|n| GENRES.get(n));
            if let Some(genre) = genre {
                to.text("GENRE", genre);
            }
        }
        (b"cpil", _) => to.text("COMPILATION", &number().to_string()),
        (b"tmpo", _) => to.text("BPM", &number().to_string()),
        (b"pgap", _) => {} // Gapless playback is about the coded audio.
        (_, 1) => to.text(name, &text(value)),
        (_, 2) => to.text(name, &input::utf16(value, false)),
        (_, 13 | 14) => to.picture(Picture {
            kind: 0,
            mime: String::new(),
            description: name.to_owned(),
            bytes: value.to_vec(),
        }),
        (_, 0 | 21 | 22) if value.len() <= 8 => to.text(name, &number().to_string()),
        _ => to.lost(name),
    }
}
