//! ID3v2.2 to 2.4 wherever it stands, ID3v1 at a file's end, and what else stands around the frames
//! of a plain stream.

use std::io;

use super::{
    Picture, ape,
    collect::Collector,
    genres::GENRES,
    id3_frames::{Frame, Frames, Part, decoded, split_text, syncsafe, values},
    input::{Cursor, Input, text},
    limits::*,
    names,
};

/// Files whose tags stand in front of and behind their frames: MPEG audio, AAC, WavPack…
pub(super) fn read_around(input: &Input, to: &mut Collector) -> io::Result<()> {
    read_front(input, to)?;
    read_end(input, to)
}

/// ID3v1, APEv2 and ID3v2 with a footer, at the end of a file.
pub(super) fn read_end(input: &Input, to: &mut Collector) -> io::Result<()> {
    let mut end = input.len;
    let v1 = input.array::<128>(end.saturating_sub(128))?;
    let v1 = v1.filter(|tag| end >= 128 && tag.starts_with(b"TAG"));
    if v1.is_some() {
        end -= 128;
    }
    end = behind_lyrics(input, end)?;
    to.layer();
    ape::read_before(input, end, to)?;
    // A tag of version 2.4 may stand at the end, with a footer that says where it begins.
    if let Some(footer) = input.array::<10>(end.saturating_sub(10))?
        && footer.starts_with(b"3DI")
    {
        let size = u64::from(syncsafe([footer[6], footer[7], footer[8], footer[9]]));
        if let Some(start) = end.checked_sub(20 + size) {
            to.layer();
            read_at(input, start, to)?;
        }
    }
    if let Some(tag) = v1 {
        to.layer();
        read_v1(&tag, to);
    }
    Ok(())
}

/// The tags at the start of a file, one behind the other; where what follows begins.
pub(super) fn read_front(input: &Input, to: &mut Collector) -> io::Result<u64> {
    const TAGS_MAX: usize = 8;
    let mut at = 0;
    for _ in 0..TAGS_MAX {
        let Some(bytes) = read_at(input, at, to)? else {
            break;
        };
        at += bytes;
        to.layer();
    }
    Ok(at)
}

/// Lyrics3v2 stands in front of ID3v1; where it begins.
fn behind_lyrics(input: &Input, end: u64) -> io::Result<u64> {
    let foot = input.array::<15>(end.saturating_sub(15))?;
    let size = foot
        .filter(|foot| foot.ends_with(b"LYRICS200"))
        .and_then(|foot| std::str::from_utf8(&foot[..6]).ok()?.parse::<u64>().ok());
    Ok(size
        .and_then(|size| end.checked_sub(size + 15))
        .unwrap_or(end))
}

/// How many bytes the tag at a place takes; `None`: there is none.
pub(super) fn read_at(input: &Input, at: u64, to: &mut Collector) -> io::Result<Option<u64>> {
    let Some(head) = input.array::<10>(at)? else {
        return Ok(None);
    };
    let [b'I', b'D', b'3', version @ 2..=4, _, flags, size @ ..] = head else {
        return Ok(None);
    };
    if size.iter().any(|byte| byte & 0x80 != 0) {
        return Ok(None);
    }
    let size = syncsafe(size) as usize;
    if size > TAG_BYTES_MAX {
        to.lost(format!("the end of an ID3 tag of {size} bytes"));
    }
    let left = usize::try_from(input.len.saturating_sub(at)).unwrap_or(usize::MAX);
    let wanted = size.min(TAG_BYTES_MAX).min(left);
    let footer = if flags & 0x10 != 0 { 10 } else { 0 };
    let whole = Some(10 + size as u64 + footer);
    if !to.takes_id3(wanted) {
        return Ok(whole);
    }
    let bytes = input.read(at + 10, wanted)?;
    read_frames(Frames::new(bytes, version, flags), version, to);
    Ok(whole)
}

/// Date and time of version 2.3 stand in frames of their own.
#[derive(Default)]
struct OldDate {
    year: String,
    day_month: String,
    time: String,
}

fn read_frames(frames: Frames, version: u8, to: &mut Collector) {
    let mut date = OldDate::default();
    for part in frames {
        match part {
            Part::Frame(frame) => read_frame(frame, version, &mut date, to),
            Part::Lost(id) => to.lost(format!("ID3 frame {id}")),
        }
    }
    if !date.year.is_empty() && to.tags.field("DATE").is_none() {
        let mut whole = date.year;
        // "DDMM" and "HHMM".
        let pairs = |text: &str| {
            (text.len() == 4 && text.is_ascii())
                .then(|| (text[..2].to_owned(), text[2..].to_owned()))
        };
        if let Some((day, month)) = pairs(&date.day_month) {
            whole += &format!("-{month}-{day}");
            if let Some((hour, minute)) = pairs(&date.time) {
                whole += &format!("T{hour}:{minute}");
            }
        }
        to.text("DATE", &whole);
    }
}

fn read_frame(frame: Frame, version: u8, date: &mut OldDate, to: &mut Collector) {
    let id = match version {
        2 => names::ours(names::ID3_OLD, &frame.id),
        _ => frame.id,
    };
    let body = frame.body;
    let first = || values(&body).into_iter().next().unwrap_or_default();
    match id.as_str() {
        "TXXX" | "WXXX" => read_named(&id, &body, to),
        "TRCK" => to.numbered("TRACKNUMBER", "TRACKTOTAL", &first()),
        "TPOS" => to.numbered("DISCNUMBER", "DISCTOTAL", &first()),
        "TCON" => values(&body)
            .iter()
            .flat_map(|value| genres(value))
            .for_each(|genre| to.text("GENRE", &genre)),
        "TYER" => date.year = first(),
        "TDAT" => date.day_month = first(),
        "TIME" => date.time = first(),
        "TIPL" | "TMCL" | "IPLS" => {
            for pair in values(&body).chunks(2) {
                to.text("INVOLVEDPEOPLE", &pair.join(": "));
            }
        }
        "COMM" | "USLT" => read_comment(&id, &body, to),
        "APIC" => read_picture(&body, version, to),
        "CHAP" => read_chapter(&body, version, to),
        "CTOC" | "SEEK" | "ASPI" | "MLLT" | "RBUF" => {} // Order and places; ours are others.
        "RVA2" | "RVAD" | "RGAD" => to.gain(&id),
        "UFID" => {
            let (owner, identifier) = split_text(0, &body);
            match owner {
                b"http://musicbrainz.org" => to.text("MUSICBRAINZ_TRACKID", &text(identifier)),
                _ => to.lost(format!("UFID of {}", text(owner))),
            }
        }
        "PRIV" | "GEOB" => to.lost(format!("{id} {}", text(&body[..body.len().min(60)]))),
        _ if id.starts_with('T') => {
            let name = names::ours(names::ID3, &id);
            values(&body).iter().for_each(|value| to.text(&name, value));
        }
        _ if id.starts_with('W') => to.text(&id, &text(&body)),
        _ => to.lost(format!("ID3 frame {id}")),
    }
}

/// A text or an address with a description, which is its name.
fn read_named(id: &str, body: &[u8], to: &mut Collector) {
    let Some((&coding, rest)) = body.split_first() else {
        return;
    };
    let (name, value) = split_text(coding, rest);
    let name = decoded(coding, name);
    if id == "WXXX" {
        let name = match name.trim().is_empty() {
            true => "URL".to_owned(),
            false => format!("URL:{name}"),
        };
        return to.text(&name, &text(value));
    }
    let name = match name.trim().is_empty() {
        true => "TXXX".to_owned(),
        false => names::usual(&name),
    };
    let value = [&[coding], value].concat();
    values(&value)
        .iter()
        .for_each(|value| to.text(&name, value));
}

/// Coding, language, description, text.
fn read_comment(id: &str, body: &[u8], to: &mut Collector) {
    let Some((&[coding, ..], rest)) = body.split_first_chunk::<4>() else {
        return;
    };
    let (description, value) = split_text(coding, rest);
    let description = decoded(coding, description);
    let name = match id {
        "USLT" => "LYRICS",
        _ => "COMMENT",
    };
    let value = decoded(coding, value);
    match description.trim() {
        "" | "ID3v1 Comment" => to.text(name, &value),
        // iTunes keeps its sound check, gapless and CD data in comments.
        itunes if itunes.starts_with("iTun") => to.text(itunes, &value),
        other => to.text(&format!("{name}:{other}"), &value),
    }
}

fn read_picture(body: &[u8], version: u8, to: &mut Collector) {
    let mut rest = Cursor(body);
    let picture = (|| {
        let coding = rest.u8()?;
        let mime = if version == 2 {
            match rest.take(3)? {
                b"-->" => "-->".to_owned(),
                format => format!("image/{}", text(format).to_ascii_lowercase()),
            }
        } else {
            let (mime, behind) = split_text(0, rest.0);
            rest = Cursor(behind);
            text(mime)
        };
        let kind = rest.u8()?;
        let (description, bytes) = split_text(coding, rest.0);
        Some(Picture {
            kind,
            mime,
            description: decoded(coding, description),
            bytes: bytes.to_vec(),
        })
    })();
    match picture {
        Some(picture) => to.picture(picture),
        None => to.picture_lost(body.len() as u64),
    }
}

fn read_chapter(body: &[u8], version: u8, to: &mut Collector) {
    let (_, rest) = split_text(0, body);
    let mut rest = Cursor(rest);
    let times = (|| Some((rest.u32()?, rest.u32()?, rest.take(8)?)))();
    let Some((start_ms, end_ms, _)) = times else {
        return to.lost("a chapter");
    };
    let mut title = String::new();
    for part in Frames::nested(rest.0, version) {
        match part {
            Part::Frame(frame) if frame.id == "TIT2" => {
                title = values(&frame.body).into_iter().next().unwrap_or_default();
            }
            Part::Frame(frame) => to.lost(format!("{} of a chapter", frame.id)),
            Part::Lost(id) => to.lost(format!("{id} of a chapter")),
        }
    }
    let ns = |ms: u32| u64::from(ms) * 1_000_000;
    // All ones: not stated.
    let start = if start_ms == u32::MAX { 0 } else { start_ms };
    to.chapter(
        ns(start),
        (end_ms != u32::MAX).then_some(ns(end_ms)),
        &title,
    );
}

/// "(17)", "17", "(17)(18)Rock" or a name.
pub(super) fn genres(value: &str) -> Vec<String> {
    let by_number = |number: &str| match number {
        "RX" => Some("Remix"),
        "CR" => Some("Cover"),
        _ => GENRES.get(number.parse::<usize>().ok()?).copied(),
    };
    let mut found = Vec::new();
    let mut rest = value.trim();
    while let Some((number, behind)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
        let Some(genre) = by_number(number) else {
            break;
        };
        if !found.iter().any(|own| own == genre) {
            found.push(genre.to_owned());
        }
        rest = behind.trim_start();
    }
    let name = by_number(rest).unwrap_or(
        rest.strip_prefix('(')
            .filter(|r| r.starts_with('('))
            .unwrap_or(rest),
    );
    if !name.is_empty() && !found.iter().any(|genre| genre == name) {
        found.push(name.to_owned());
    }
    found
}

/// Cut off at 30 bytes, in no coding that is stated: believed only where nothing else is said.
fn read_v1(tag: &[u8; 128], to: &mut Collector) {
    let track = match tag[125..127] {
        [0, track] if track > 0 => track.to_string(),
        _ => String::new(),
    };
    // Old programs write the first genre where they mean none.
    let genre = GENRES.get(usize::from(tag[127])).filter(|_| tag[127] != 0);
    let said = [
        ("TITLE", text(&tag[3..33])),
        ("ARTIST", text(&tag[33..63])),
        ("ALBUM", text(&tag[63..93])),
        ("DATE", text(&tag[93..97])),
        ("COMMENT", text(&tag[97..127])),
        ("TRACKNUMBER", track),
        ("GENRE", genre.map_or("", |genre| genre).to_owned()),
    ];
    for (name, value) in said {
        if to.tags.field(name).is_none() {
            to.text(name, &value);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use super::*;

    #[test]
    fn a_tag_that_is_named_again_and_again_is_not_read_for_ever() {
        const BYTES: u64 = 4 << 20;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"ID3\x03\0\0\x02\0\0\0").unwrap();
        file.set_len(BYTES).unwrap();
        let input = Input::open(&file).unwrap();
        let mut to = Collector::default();
        for _ in 0..100 {
            assert_eq!(read_at(&input, 0, &mut to).unwrap(), Some(10 + BYTES));
        }
        assert!(to.id3_bytes > 0 && to.id3_bytes <= 4 * TAG_BYTES_MAX);
        let (_, findings) = to.finish();
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.contains("more ID3 tags"));
    }

    #[test]
    fn a_genre_that_is_repeated_is_one() {
        assert_eq!(genres(&"(17)(18)".repeat(1000)), ["Rock", "Techno"]);
        assert_eq!(genres("(17)(18)Rock"), ["Rock", "Techno"]);
        assert_eq!(genres("(17)Roll"), ["Rock", "Roll"]);
    }
}
