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

/// Above this rate nobody hides a doubled one.
const CORE_RATE_MAX: u32 = 24_000;
/// Packets looked at before it is decided.
const PACKETS_JUDGED: u32 = 24;

/// Watches the first packets of a stream that says it is AAC-LC for spectral band replication.
///
/// The extension is a fill element, and encoders put it last: type, count, extension code, then
/// exactly as many bytes as counted, then the end mark. Such a tail occurs by chance in a few
/// packets of a hundred and in HE-AAC in all.
pub(super) struct SbrWatch {
    judged: u32,
    found: u32,
}

impl SbrWatch {
    pub(super) fn new(rate: u32) -> Self {
        let judged = if rate <= CORE_RATE_MAX {
            0
        } else {
            PACKETS_JUDGED
        };
        Self { judged, found: 0 }
    }

    /// True as soon as there is no doubt.
    pub(super) fn is_sbr(&mut self, packet: &[u8]) -> bool {
        if self.judged >= PACKETS_JUDGED {
            return false;
        }
        self.judged += 1;
        self.found += u32::from(ends_with_sbr(packet));
        self.judged == PACKETS_JUDGED && self.found * 10 >= PACKETS_JUDGED * 9
    }
}

fn ends_with_sbr(packet: &[u8]) -> bool {
    let total = packet.len() * 8;
    let bits = |at: usize, count: usize| {
        let mut reader = BitReader::at(packet, at);
        reader.take(count as u32)
    };
    // The end mark is 3 ones, then up to 7 zeros.
    (0..8).filter(|&zeros| total >= zeros + 16).any(|zeros| {
        let end = total - zeros - 3;
        if bits(end, 3) != Some(7) || bits(end + 3, zeros) != Some(0) {
            return false;
        }
        let is_fill_at = |start: usize, header: usize, bytes: u32| {
            let coded = if header == 7 {
                bits(start + 3, 4) == Some(bytes)
            } else {
                bits(start + 3, 4) == Some(15) && bits(start + 7, 8) == Some(bytes - 14)
            };
            coded && bits(start, 3) == Some(6) && matches!(bits(start + header, 4), Some(13 | 14))
        };
        (2..=269u32).any(|bytes| {
            let header = if bytes < 15 { 7 } else { 15 };
            end.checked_sub(bytes as usize * 8 + header)
                .is_some_and(|start| is_fill_at(start, header, bytes))
        })
    })
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
