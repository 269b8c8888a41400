//! What is known of codecs without decoding them.

use retake_formats::Codec;

use super::walk::PreRoll;

/// What the decoder must have heard before a place to be right there.
pub(super) fn pre_roll(codec: &Codec, timescale: u64) -> PreRoll {
    match codec {
        // RFC 7845 section 4.6.
        Codec::Opus => PreRoll::Ticks((timescale * 80 / 1000) as i64),
        // The overlap of one, and another for what HE-AAC predicts.
        Codec::Aac => PreRoll::Packets(2),
        // The bit reservoir reaches back by 511 bytes: at low rates, ten frames.
        Codec::Mp1 | Codec::Mp2 | Codec::Mp3 => PreRoll::Packets(10),
        // Filters and predictors with a memory of less than 200 ms.
        Codec::AmrNb | Codec::AmrWb | Codec::Gsm | Codec::GsmMs | Codec::G722 => {
            PreRoll::Packets(10)
        }
        Codec::Vorbis | Codec::Ac3 | Codec::Eac3 | Codec::AdpcmImaQt => PreRoll::Packets(1),
        _ => PreRoll::Packets(0),
    }
}

/// All packets hold the same, by the codec. If the clock gives the last one less, the rest is
/// padding.
pub(super) fn has_fixed_frames(codec: &Codec) -> bool {
    matches!(
        codec,
        Codec::Aac
            | Codec::Mp1
            | Codec::Mp2
            | Codec::Mp3
            | Codec::Ac3
            | Codec::Eac3
            | Codec::AmrNb
            | Codec::AmrWb
    )
}

/// How much an encoder may put before and behind what it was given, in ms. More is somebody's cut.
pub(super) fn padding_ms_max(codec: &Codec) -> u64 {
    match codec {
        Codec::Aac | Codec::Mp1 | Codec::Mp2 | Codec::Mp3 | Codec::Opus | Codec::Vorbis => 150,
        Codec::Ac3 | Codec::Eac3 | Codec::AmrNb | Codec::AmrWb | Codec::Unknown(_) => 150,
        _ => 0,
    }
}

/// Frames at 48 kHz of an Opus packet, by its first bytes: RFC 6716 section 3.1.
pub(super) fn opus_frames(packet: &[u8]) -> Option<u64> {
    let toc = *packet.first()?;
    let config = toc >> 3;
    let frame = match config {
        0..=11 => [480, 960, 1920, 2880][usize::from(config & 3)],
        12..=15 => [480, 960][usize::from(config & 1)],
        _ => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1)? & 63),
    };
    Some(frame * frames).filter(|frames| *frames <= 5760)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opus_packet_says_how_long_it_is() {
        assert_eq!(opus_frames(&[0xfc]), Some(960));
        assert_eq!(opus_frames(&[0x08, 0]), Some(960));
        assert_eq!(opus_frames(&[0x1b, 2]), Some(5760));
        assert_eq!(opus_frames(&[0x1b, 3]), None);
        assert_eq!(opus_frames(&[0xe0]), Some(120));
        assert_eq!(opus_frames(&[]), None);
    }
}
