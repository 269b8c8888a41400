//! APEv2: behind the frames of MPEG audio, WavPack and others.

use std::io;

use super::{
    Picture,
    collect::Collector,
    input::{Cursor, Input, text},
    limits::TAG_BYTES_MAX,
    names,
};

const FOOTER_BYTES: u64 = 32;

/// The tag that ends at `end`, or one that stands at the start of the file.
pub(super) fn read_before(input: &Input, end: u64, to: &mut Collector) -> io::Result<()> {
    if let Some(footer) = input.array::<32>(end.saturating_sub(FOOTER_BYTES))?
        && footer.starts_with(b"APETAGEX")
    {
        let size = u64::from(u32::from_le_bytes([
            footer[12], footer[13], footer[14], footer[15],
        ]));
        if let Some(start) = end.checked_sub(size) {
            read_items(input, start, size.saturating_sub(FOOTER_BYTES), to)?;
        }
        return Ok(());
    }
    if let Some(header) = input.array::<32>(0)?
        && header.starts_with(b"APETAGEX")
    {
        let size = u64::from(u32::from_le_bytes([
            header[12], header[13], header[14], header[15],
        ]));
        read_items(input, FOOTER_BYTES, size, to)?;
    }
    Ok(())
}

fn read_items(input: &Input, start: u64, size: u64, to: &mut Collector) -> io::Result<()> {
    if size > TAG_BYTES_MAX as u64 {
        to.lost(format!("an APE tag of {size} bytes"));
        return Ok(());
    }
    let bytes = input.read(start, size as usize)?;
    let mut rest = Cursor(&bytes);
    while let Some((key, flags, value)) = item(&mut rest) {
        let name = names::usual(&key);
        match flags >> 1 & 3 {
            0 => {
                for value in value.split(|byte| *byte == 0) {
                    match name.as_str() {
                        "TRACKNUMBER" => to.numbered(&name, "TRACKTOTAL", &text(value)),
                        "DISCNUMBER" => to.numbered(&name, "DISCTOTAL", &text(value)),
                        _ => to.text(&name, &text(value)),
                    }
                }
            }
            1 if name.starts_with("COVER ART") => {
                // A file's name, a zero, and the picture.
                let at = value
                    .iter()
                    .position(|byte| *byte == 0)
                    .map_or(0, |at| at + 1);
                to.picture(Picture {
                    kind: if name.ends_with("(BACK)") { 4 } else { 3 },
                    mime: "image/jpeg".to_owned(),
                    description: text(&value[..at]),
                    bytes: value[at..].to_vec(),
                });
            }
            _ => to.lost(format!("APE item {key}")),
        }
    }
    Ok(())
}

fn item<'a>(rest: &mut Cursor<'a>) -> Option<(String, u32, &'a [u8])> {
    let size = rest.u32_le()?;
    let flags = rest.u32_le()?;
    let key_bytes = rest.0.iter().take(256).position(|byte| *byte == 0)?;
    let key = text(rest.take(key_bytes)?);
    rest.u8()?;
    Some((key, flags, rest.take(size as usize)?))
}
