//! Vorbis comments and FLAC's picture block: in FLAC, in Ogg, and as we write them.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    Picture, Tags, broadcast,
    collect::{Collector, ORIGINAL_ENCODER},
    input::{Cursor, text},
    limits::CHAPTERS_MAX,
    names,
};

/// The body of a comment header: vendor, number of comments, comments.
pub(super) fn read(body: &[u8], to: &mut Collector) {
    let mut rest = Cursor(body);
    let vendor = (|| {
        let bytes = rest.u32_le()? as usize;
        let vendor = rest.take(bytes)?;
        rest.u32_le()?;
        Some(text(vendor))
    })();
    let Some(vendor) = vendor else {
        return to.lost("a damaged Vorbis comment");
    };
    let mut chapters = Vec::new();
    let mut has_encoder = false;
    // The number that is stated is not needed: comments end where the body does.
    while let Some(size) = rest.u32_le() {
        let Some(comment) = rest.take(size as usize) else {
            to.lost("the end of a damaged Vorbis comment");
            break;
        };
        let Some(at) = comment.iter().position(|byte| *byte == b'=') else {
            continue;
        };
        let (name, value) = (
            text(&comment[..at]).to_ascii_uppercase(),
            &comment[at + 1..],
        );
        match name.as_str() {
            "METADATA_BLOCK_PICTURE" => match STANDARD.decode(value) {
                Ok(block) => read_picture(&block, to),
                Err(_) => to.picture_lost(value.len() as u64),
            },
            "COVERART" => match STANDARD.decode(value) {
                Ok(bytes) => to.picture(Picture {
                    kind: 3,
                    mime: "image/jpeg".to_owned(),
                    description: String::new(),
                    bytes,
                }),
                Err(_) => to.picture_lost(value.len() as u64),
            },
            "COVERARTMIME" => {}
            _ if read_chapter(&name, value, &mut chapters) => {}
            _ => {
                let name = names::usual(&name);
                has_encoder |= name == "ENCODER" || name == ORIGINAL_ENCODER;
                match name.as_str() {
                    "TRACKNUMBER" => to.numbered(&name, "TRACKTOTAL", &text(value)),
                    "DISCNUMBER" => to.numbered(&name, "DISCTOTAL", &text(value)),
                    _ => to.text(&name, &text(value)),
                }
            }
        }
    }
    if !has_encoder {
        to.text("ENCODER", &vendor);
    }
    chapters.sort_by_key(|chapter: &Numbered| chapter.number);
    for chapter in chapters {
        match chapter.start_ns {
            Some(start_ns) => to.chapter(start_ns, None, &chapter.title),
            None => to.lost(format!("CHAPTER{:03}NAME", chapter.number)),
        }
    }
}

struct Numbered {
    number: u32,
    start_ns: Option<u64>,
    title: String,
}

/// CHAPTER001=00:01:02.500 and CHAPTER001NAME=title; whether it was one.
fn read_chapter(name: &str, value: &[u8], chapters: &mut Vec<Numbered>) -> bool {
    let Some(rest) = name.strip_prefix("CHAPTER") else {
        return false;
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (Ok(number), kind) = (rest[..digits].parse::<u32>(), &rest[digits..]) else {
        return false;
    };
    let start_ns = match kind {
        "" => match clock(&text(value)) {
            Some(start_ns) => Some(start_ns),
            None => return false,
        },
        "NAME" => None,
        _ => return false,
    };
    let known = chapters
        .iter()
        .rposition(|chapter| chapter.number == number);
    let index = known.unwrap_or(chapters.len());
    if known.is_none() {
        if chapters.len() > CHAPTERS_MAX {
            return false;
        }
        chapters.push(Numbered {
            number,
            start_ns: None,
            title: String::new(),
        });
    }
    let chapter = &mut chapters[index];
    match start_ns {
        Some(_) => chapter.start_ns = start_ns,
        None => chapter.title = text(value),
    }
    true
}

/// "01:02:03.450".
fn clock(value: &str) -> Option<u64> {
    let mut parts = value.trim().splitn(3, ':');
    let hours: u64 = parts.next()?.parse().ok()?;
    let minutes: u64 = parts.next()?.parse().ok()?;
    let (seconds, fraction) = parts.next()?.split_once('.').unwrap_or_else(|| {
        let whole = value.trim().rsplit(':').next().unwrap_or_default();
        (whole, "")
    });
    let seconds: u64 = seconds.parse().ok()?;
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let nanos: u64 = digits.parse().ok()?;
    hours
        .checked_mul(3600)?
        .checked_add(minutes.checked_mul(60)?)?
        .checked_add(seconds)?
        .checked_mul(1_000_000_000)?
        .checked_add(nanos)
}

/// The body of FLAC's picture block.
pub(super) fn read_picture(block: &[u8], to: &mut Collector) {
    let mut rest = Cursor(block);
    let picture = (|| {
        let kind = rest.u32()?;
        let bytes = rest.u32()? as usize;
        let mime = text(rest.take(bytes)?);
        let bytes = rest.u32()? as usize;
        let description = text(rest.take(bytes)?);
        rest.take(16)?; // Sizes and colours, which the picture says itself.
        let bytes = rest.u32()? as usize;
        Some(Picture {
            kind: u8::try_from(kind).unwrap_or(0),
            mime,
            description,
            bytes: rest.take(bytes)?.to_vec(),
        })
    })();
    match picture {
        Some(picture) => to.picture(picture),
        None => to.picture_lost(block.len() as u64),
    }
}

pub(crate) fn picture_block(picture: &Picture) -> Vec<u8> {
    let mut block = Vec::with_capacity(picture.bytes.len() + 200);
    block.extend(u32::from(picture.kind).to_be_bytes());
    for text in [&picture.mime, &picture.description] {
        block.extend((text.len() as u32).to_be_bytes());
        block.extend(text.as_bytes());
    }
    block.extend([0; 16]);
    block.extend((picture.bytes.len() as u32).to_be_bytes());
    block.extend(&picture.bytes);
    block
}

/// A picture as a comment's value, for Ogg.
pub(crate) fn picture_comment(picture: &Picture) -> String {
    STANDARD.encode(picture_block(picture))
}

/// All comments but the pictures.
pub(crate) fn comments(tags: &Tags) -> Vec<(String, String)> {
    let mut comments: Vec<(String, String)> = tags
        .fields
        .iter()
        .map(|(name, value)| (comment_name(name), value.clone()))
        .collect();
    let of_bext = broadcast::comments(tags).into_iter();
    comments.extend(of_bext.map(|(name, value)| (name.to_owned(), value)));
    for (index, chapter) in tags.chapters.iter().enumerate() {
        let number = index + 1;
        let ms = chapter.start_ns / 1_000_000 + u64::from(chapter.start_ns % 1_000_000 >= 500_000);
        let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        comments.push((
            format!("CHAPTER{number:03}"),
            format!("{hours:02}:{minutes:02}:{seconds:02}.{:03}", ms % 1000),
        ));
        comments.push((format!("CHAPTER{number:03}NAME"), chapter.title.clone()));
    }
    comments
}

/// Printable ASCII without '='. Names that stand for something else than a text in a comment get a line
/// behind them: in other containers they are names like any other.
pub(crate) fn comment_name(name: &str) -> String {
    let plain = |c: char| match c {
        ' '..='}' if c != '=' => c,
        _ => '_',
    };
    let mut name: String = name.chars().map(plain).collect();
    if is_taken(&name.to_ascii_uppercase()) {
        name.push('_');
    }
    name
}

/// Whether a comment of this name is a picture, a chapter or the layout of the channels.
fn is_taken(name: &str) -> bool {
    let is_chapter = name.strip_prefix("CHAPTER").is_some_and(|rest| {
        let kind = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        kind.len() < rest.len() && matches!(kind, "" | "NAME")
    });
    is_chapter
        || matches!(
            name,
            "METADATA_BLOCK_PICTURE"
                | "COVERART"
                | "COVERARTMIME"
                | "WAVEFORMATEXTENSIBLE_CHANNEL_MASK"
        )
}
