//! Finds AAC that would decode into something else than it is.
//!
//! High-efficiency AAC hides in a plain AAC-LC stream of half the rate: a decoder that does not
//! know it gives half the bandwidth, or one channel of two. That is wrong audio and not an error,
//! so it has to be found before.

use super::bit_reader::BitReader;

/// ISO 14496-3 audio object types.
const OBJECT_SBR: u32 = 5;
const OBJECT_ESCAPE: u32 = 31;
const OBJECT_PS: u32 = 29;
const OBJECT_USAC: u32 = 42;
/// Sync word of the extension behind an AAC-LC configuration.
const SYNC_SBR: u32 = 0x2b7;

/// The name of what an AudioSpecificConfig announces, if it is not plain AAC with 1 or 2 channels.
pub(super) fn unsupported_config(config: &[u8]) -> Option<String> {
    let mut bits = BitReader::new(config);
    let object = object_type(&mut bits)?;
    match object {
        OBJECT_SBR => return Some("HE-AAC".to_owned()),
        OBJECT_PS => return Some("HE-AAC v2".to_owned()),
        OBJECT_USAC => return Some("xHE-AAC".to_owned()),
        2 => {}
        other => return Some(format!("AAC of object type {other}")),
    }
    if bits.take(4)? == 15 {
        bits.take(24)?;
    }
    let channels = bits.take(4)?;
    if !(1..=2).contains(&channels) {
        return Some(channels_name(channels));
    }
    // GASpecificConfig: frame length, core coder, extension.
    bits.take(1)?;
    if bits.take(1)? == 1 {
        bits.take(14)?;
    }
    bits.take(1)?;
    let is_sbr =
        bits.take(11)? == SYNC_SBR && object_type(&mut bits)? == OBJECT_SBR && bits.take(1)? == 1;
    is_sbr.then(|| "HE-AAC".to_owned())
}

pub(super) fn channels_name(configuration: u32) -> String {
    match configuration {
        6 => "AAC 5.1".to_owned(),
        7 => "AAC 7.1".to_owned(),
        other => format!("AAC with channel configuration {other}"),
    }
}

fn object_type(bits: &mut BitReader<'_>) -> Option<u32> {
    match bits.take(5)? {
        OBJECT_ESCAPE => Some(32 + bits.take(6)?),
        object => Some(object),
    }
}

/// Packets looked at before it is decided: half a second.
const PACKETS_JUDGED: u32 = 12;
/// So many of them must look like it.
const PACKETS_FOUND_MIN: u32 = 10;

/// Watches the first packets of a stream that says it is AAC-LC for spectral band replication.
///
/// The extension is a fill element, which states its length; behind it come at most other fill
/// elements and the end mark, which is where the packet ends. Such a tail occurs by chance in a few
/// packets of a hundred, and in HE-AAC in all.
///
/// The stated rate is no help: containers give the core's or the doubled one.
#[derive(Default)]
pub(super) struct SbrWatch {
    judged: u32,
    found: u32,
}

impl SbrWatch {
    /// True as soon as there is no doubt.
    pub(super) fn is_sbr(&mut self, packet: &[u8]) -> bool {
        if self.judged >= PACKETS_JUDGED {
            return false;
        }
        self.judged += 1;
        self.found += u32::from(ends_with_sbr(packet));
        self.judged == PACKETS_JUDGED && self.found >= PACKETS_FOUND_MIN
    }
}

fn ends_with_sbr(packet: &[u8]) -> bool {
    (0..packet.len() * 8).any(|start| {
        let mut bits = BitReader::at(packet, start);
        matches!(fill_element(&mut bits), Some(Some(13 | 14))) && ends(&mut bits)
    })
}

/// Steps over a fill element; gives the code of its extension, if it holds one.
fn fill_element(bits: &mut BitReader<'_>) -> Option<Option<u32>> {
    const ID_FILL: u32 = 6;
    if bits.take(3)? != ID_FILL {
        return None;
    }
    let count = match bits.take(4)? {
        15 => 14 + bits.take(8)?,
        count => count,
    };
    let body = bits.position();
    let extension = if count == 0 {
        None
    } else {
        Some(bits.take(4)?)
    };
    bits.seek(body + 8 * count as usize)?;
    Some(extension)
}

/// Whether nothing but fill elements and the end mark follow.
fn ends(bits: &mut BitReader<'_>) -> bool {
    const ID_END: u32 = 7;
    loop {
        let at = bits.position();
        if fill_element(bits).is_some() {
            continue;
        }
        // The end mark, then zeros up to the byte.
        return bits.seek(at).is_some()
            && bits.take(3) == Some(ID_END)
            && bits.left() < 8
            && bits.take(bits.left() as u32) == Some(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_aac_passes_and_the_others_are_named() {
        // AAC-LC 44.1 kHz stereo; the same with the SBR extension; HE-AAC explicit; LC 5.1.
        assert_eq!(unsupported_config(&[0x12, 0x10]), None);
        let extended = unsupported_config(&[0x13, 0x90, 0x56, 0xe5, 0xa0]);
        assert_eq!(extended.as_deref(), Some("HE-AAC"));
        assert_eq!(
            unsupported_config(&[0x2b, 0x92, 0x08, 0x00]).as_deref(),
            Some("HE-AAC")
        );
        assert_eq!(
            unsupported_config(&[0x11, 0xb0]).as_deref(),
            Some("AAC 5.1")
        );
        assert_eq!(unsupported_config(&[]), None);
    }
}
