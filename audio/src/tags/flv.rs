//! FLV's script data (AMF 0): `onMetaData` has a few texts among many numbers about the picture.

use std::io;

use super::{
    collect::Collector,
    input::{Cursor, Input, text},
    limits::*,
    names,
};

const SCRIPT: u8 = 18;
const TAG_HEADER_BYTES: u64 = 11;
/// It stands among the first.
const TAGS_MAX: usize = 256;
/// Objects in objects, as indexes of key frames are.
const DEPTH_MAX: usize = 4;

pub(super) fn read(input: &Input, to: &mut Collector) -> io::Result<()> {
    let Some(offset) = input.array::<4>(5)?.map(u32::from_be_bytes) else {
        return Ok(());
    };
    // Behind each tag stands its size.
    let mut at = u64::from(offset) + 4;
    for _ in 0..TAGS_MAX {
        let Some([kind, s2, s1, s0]) = input.array::<4>(at)? else {
            break;
        };
        let size = u64::from(u32::from_be_bytes([0, s2, s1, s0]));
        if kind == SCRIPT {
            let body = input.body(at + TAG_HEADER_BYTES, size, TAG_BYTES_MAX)?;
            read_script(&body.unwrap_or_default(), to);
        }
        at += TAG_HEADER_BYTES + size + 4;
    }
    Ok(())
}

/// Its name, and an object or an array by names.
fn read_script(body: &[u8], to: &mut Collector) {
    let mut rest = Cursor(body);
    let name = (|| {
        (rest.u8()? == STRING).then_some(())?;
        let bytes = rest.u16()?;
        rest.take(bytes.into())
    })();
    if name != Some(b"onMetaData") {
        return;
    }
    let is_whole = match rest.u8() {
        Some(OBJECT) => members(&mut rest, Some(to), 0),
        Some(ARRAY) => rest.u32().and_then(|_| members(&mut rest, Some(to), 0)),
        _ => None,
    };
    if is_whole.is_none() {
        to.lost("the end of damaged onMetaData");
    }
}

const NUMBER: u8 = 0;
const BOOLEAN: u8 = 1;
const STRING: u8 = 2;
const OBJECT: u8 = 3;
const NULL: u8 = 5;
const UNDEFINED: u8 = 6;
const ARRAY: u8 = 8;
const LIST: u8 = 10;
const DATE: u8 = 11;
const LONG_STRING: u8 = 12;

/// Names and values up to an empty name, or to the end, which some writers forget.
fn members(rest: &mut Cursor, mut to: Option<&mut Collector>, depth: usize) -> Option<()> {
    while !rest.0.is_empty() {
        let bytes = rest.u16()?;
        let name = rest.take(bytes.into())?;
        let kind = rest.u8()?;
        if name.is_empty() && kind == 9 {
            break;
        }
        let value = value(kind, rest, depth)?;
        if let (Some(to), Some(value)) = (&mut to, value) {
            let name = names::usual(&text(name));
            // What wrote the file, and when, under FLV's own names.
            match name.as_str() {
                "METADATACREATOR" => to.text("ENCODER", &text(value)),
                "METADATADATE" | "CREATIONDATE" => to.text("DATE", &text(value)),
                _ => to.text(&name, &text(value)),
            }
        }
    }
    Some(())
}

/// Steps over a value; what it is, if it is a text. `None`: it makes no sense.
fn value<'a>(kind: u8, rest: &mut Cursor<'a>, depth: usize) -> Option<Option<&'a [u8]>> {
    let bytes = match kind {
        STRING => {
            let bytes = rest.u16()?;
            return Some(Some(rest.take(bytes.into())?));
        }
        LONG_STRING => {
            let bytes = rest.u32()?;
            return Some(Some(rest.take(bytes as usize)?));
        }
        NUMBER => 8,
        BOOLEAN => 1,
        NULL | UNDEFINED => 0,
        DATE => 10,
        _ if depth == DEPTH_MAX => return None,
        OBJECT => return members(rest, None, depth + 1).map(|()| None),
        ARRAY => {
            rest.u32()?;
            return members(rest, None, depth + 1).map(|()| None);
        }
        LIST => {
            // Each takes a byte at least, so the body bounds them.
            for _ in 0..rest.u32()? {
                let kind = rest.u8()?;
                value(kind, rest, depth + 1)?;
            }
            0
        }
        _ => return None,
    };
    rest.take(bytes).map(|_| None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use super::*;
    use crate::tags::Tags;

    fn named(name: &str, value: &[u8]) -> Vec<u8> {
        [&(name.len() as u16).to_be_bytes(), name.as_bytes(), value].concat()
    }

    fn string(text: &str) -> Vec<u8> {
        [
            &[STRING][..],
            &(text.len() as u16).to_be_bytes(),
            text.as_bytes(),
        ]
        .concat()
    }

    fn file(script: &[u8]) -> Vec<u8> {
        let size = (script.len() as u32).to_be_bytes();
        let mut file = b"FLV\x01\x04\0\0\0\x09\0\0\0\0".to_vec();
        file.extend([SCRIPT, size[1], size[2], size[3], 0, 0, 0, 0, 0, 0, 0]);
        file.extend(script);
        file.extend((script.len() as u32 + 11).to_be_bytes());
        file
    }

    fn read_from(bytes: &[u8]) -> (Tags, Vec<retake_findings::Finding>) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Tags::read(&file).unwrap()
    }

    fn script() -> Vec<u8> {
        let list = [&[LIST, 0, 0, 0, 2, NUMBER][..], &[0; 8], &[BOOLEAN, 1]].concat();
        let inner = [
            &[OBJECT][..],
            &named("title", &string("of an index")),
            &[0, 0, 9],
        ]
        .concat();
        [
            string("onMetaData"),
            vec![ARRAY, 0, 0, 0, 5],
            named("duration", &[&[NUMBER][..], &[0; 8]].concat()),
            named("keyframes", &inner),
            named("times", &list),
            named("title", &string("A talk")),
            named("artist", &string("Ada")),
            named("encoder", &string("Lavf59")),
            vec![0, 0, 9],
        ]
        .concat()
    }

    #[test]
    fn texts_of_on_meta_data_are_kept() {
        let (tags, lost) = read_from(&file(&script()));
        assert_eq!(tags.field("TITLE"), Some("A talk"));
        assert_eq!(tags.field("ARTIST"), Some("Ada"));
        assert_eq!(tags.values("TITLE").count(), 1);
        assert_eq!(lost, []);
    }

    #[test]
    fn damage_is_said_and_what_came_before_is_kept() {
        let script = script();
        let (tags, lost) = read_from(&file(&script[..script.len() - 8]));
        assert_eq!(tags.field("ARTIST"), Some("Ada"));
        assert_eq!(lost.len(), 1);
        let deep = [string("onMetaData"), vec![OBJECT]].concat();
        let nested = named("a", &[OBJECT]).repeat(10_000);
        assert_eq!(read_from(&file(&[deep, nested].concat())).1.len(), 1);
    }
}
