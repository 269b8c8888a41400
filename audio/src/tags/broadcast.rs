//! What stands in `bext` (EBU Tech 3285) and iXML, as far as it has to change with the audio.

use super::Tags;

type Chunks = [([u8; 4], Vec<u8>)];

const TIME_REFERENCE: usize = 338;
const VERSION: usize = 346;
const UMID: usize = 348;
/// Five numbers of 16 bits, from version 2 on.
const LOUDNESS: std::ops::Range<usize> = 412..422;
const CODING_HISTORY: usize = 602;
/// Stands for "not measured".
const NO_LOUDNESS: [u8; 2] = 0x7fffu16.to_le_bytes();
/// The elements of iXML that repeat them.
const LOUDNESS_ELEMENTS: [&str; 5] = [
    "BWF_LOUDNESS_VALUE",
    "BWF_LOUDNESS_RANGE",
    "BWF_MAX_TRUE_PEAK_LEVEL",
    "BWF_MAX_MOMENTARY_LOUDNESS",
    "BWF_MAX_SHORT_TERM_LOUDNESS",
];

const DESCRIPTION: &str = "DESCRIPTION";
const BESIDE_A_COMMENT: &str = "BEXT_DESCRIPTION";

/// The loudness is another after a correction.
pub(super) fn forget_loudness(chunks: &mut Chunks) {
    for (id, body) in chunks {
        match &*id {
            b"bext" => {
                let version = body.get(VERSION).copied().unwrap_or(0);
                if let (2.., Some(loudness)) = (version, body.get_mut(LOUDNESS)) {
                    loudness.as_chunks_mut::<2>().0.fill(NO_LOUDNESS);
                }
            }
            b"iXML" => {
                for element in LOUDNESS_ELEMENTS {
                    set_element(body, element, "");
                }
            }
            _ => {}
        }
    }
}

/// The first frame is now one that stood `frames` later.
pub(super) fn start_later(chunks: &mut Chunks, frames: u64) {
    for (id, body) in chunks {
        match &*id {
            b"bext" => {
                let at = body.get_mut(TIME_REFERENCE..TIME_REFERENCE + 8);
                if let Some(field) = at.and_then(|at| at.first_chunk_mut::<8>()) {
                    let reference = u64::from_le_bytes(*field).saturating_add(frames);
                    *field = reference.to_le_bytes();
                }
            }
            b"iXML" => {
                let (low, high) = (
                    "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO",
                    "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI",
                );
                let part = |name| element(body, name)?.trim().parse::<u64>().ok();
                let Some(old) = part(low) else { continue };
                let whole =
                    part(high).unwrap_or(0).checked_shl(32).unwrap_or(0) + (old & 0xffff_ffff);
                let whole = whole.saturating_add(frames);
                set_element(body, low, &(whole & 0xffff_ffff).to_string());
                set_element(body, high, &(whole >> 32).to_string());
            }
            _ => {}
        }
    }
}

/// The content of the first element of a name.
fn element<'a>(xml: &'a [u8], name: &str) -> Option<&'a str> {
    let xml = std::str::from_utf8(xml).ok()?;
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// Puts another content into the first element of a name, where there is one. All else stays byte by
/// byte.
fn set_element(xml: &mut Vec<u8>, name: &str, new: &str) {
    let Some(old) = element(xml, name) else {
        return;
    };
    let from = old.as_ptr() as usize - xml.as_ptr() as usize;
    let range = from..from + old.len();
    xml.splice(range, new.bytes());
}

/// The fields of `bext` as comments, by the names that ffmpeg gives them: for formats that have no
/// such chunk, and for readers that do not look for it.
pub(super) fn comments(tags: &Tags) -> Vec<(&'static str, String)> {
    let Some(bext) = tags.chunk(b"bext").filter(|bext| bext.len() >= UMID) else {
        return Vec::new();
    };
    let text = |from: usize, to: usize| super::input::text(&bext[from..to]).trim().to_owned();
    let reference = bext[TIME_REFERENCE..VERSION]
        .iter()
        .rev()
        .fold(0u64, |number, &byte| number << 8 | u64::from(byte));
    let umid = bext.get(UMID..UMID + 64).unwrap_or_default();
    let has_umid = bext[VERSION] >= 1 && umid.iter().any(|byte| *byte != 0);
    let history = bext.get(CODING_HISTORY..).unwrap_or_default();
    // ffmpeg shows a description as the comment: it must not hide one.
    let description = match tags.field("COMMENT") {
        Some(_) => BESIDE_A_COMMENT,
        None => DESCRIPTION,
    };
    let all = [
        (description, text(0, 256)),
        ("ORIGINATOR", text(256, 288)),
        ("ORIGINATOR_REFERENCE", text(288, 320)),
        ("ORIGINATION_DATE", text(320, 330)),
        ("ORIGINATION_TIME", text(330, 338)),
        ("TIME_REFERENCE", reference.to_string()),
        (
            "UMID",
            match has_umid {
                true => umid.iter().map(|byte| format!("{byte:02X}")).collect(),
                false => String::new(),
            },
        ),
        (
            "CODING_HISTORY",
            super::input::text(history).trim().to_owned(),
        ),
    ];
    let is_said = |(name, value): &(&str, String)| {
        !value.is_empty()
            && value.len() <= super::limits::TEXT_BYTES_MAX
            && tags.field(name).is_none()
    };
    all.into_iter().filter(is_said).collect()
}

/// A file of ours says the fields of `bext` twice: once is enough.
pub(super) fn forget_repeated(tags: &mut Tags) {
    let bare = Tags {
        chunks: std::mem::take(&mut tags.chunks),
        ..Tags::default()
    };
    let mut repeated = comments(&bare);
    let description = repeated.iter().find(|(name, _)| *name == DESCRIPTION);
    if let Some((_, description)) = description.cloned() {
        repeated.push((BESIDE_A_COMMENT, description));
    }
    tags.chunks = bare.chunks;
    tags.fields
        .retain(|(name, value)| !repeated.iter().any(|(n, v)| n == name && v == value));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn bext(version: u8) -> Vec<u8> {
        let mut body = vec![0; CODING_HISTORY];
        body[..5].copy_from_slice(b"take7");
        body[TIME_REFERENCE] = 200;
        body[VERSION] = version;
        body[LOUDNESS].fill(9);
        body.extend(b"A=PCM\r\n");
        body
    }

    #[test]
    fn a_cut_at_the_start_moves_the_time_reference() {
        let ixml = b"<BWFXML><A>\xc3\xa4</A><TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>4294967295</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO><TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>1</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI></BWFXML>";
        let mut tags = Tags {
            chunks: vec![(*b"bext", bext(1)), (*b"iXML", ixml.to_vec())],
            ..Tags::default()
        };
        tags.cut(&[(500, 7), (0, 100)], 48_000);
        let of = comments(&tags);
        assert!(of.contains(&("TIME_REFERENCE", "300".to_owned())), "{of:?}");
        let ixml = tags.chunk(b"iXML").unwrap();
        assert_eq!(
            element(ixml, "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO"),
            Some("99")
        );
        assert_eq!(
            element(ixml, "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI"),
            Some("2")
        );
        assert!(ixml.starts_with("<BWFXML><A>ä</A>".as_bytes()));
    }

    #[test]
    fn loudness_is_forgotten_where_there_is_one() {
        for (version, expected) in [(1, [9, 9]), (2, [0xff, 0x7f])] {
            let mut chunks = vec![
                (*b"bext", bext(version)),
                (
                    *b"iXML",
                    b"<BWF_LOUDNESS_VALUE>-2300</BWF_LOUDNESS_VALUE>".to_vec(),
                ),
                (*b"bext", vec![2; 350]),
            ];
            forget_loudness(&mut chunks);
            assert_eq!(&chunks[0].1[LOUDNESS], expected.repeat(5));
            assert_eq!(chunks[1].1, b"<BWF_LOUDNESS_VALUE></BWF_LOUDNESS_VALUE>");
            assert!(chunks[0].1.ends_with(b"A=PCM\r\n"));
        }
    }
}
