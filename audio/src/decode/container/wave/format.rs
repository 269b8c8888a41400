//! What WAVE's format chunk comes to: codec, layout and configuration. AVI and Matroska have the same
//! chunk.

use retake_formats::Codec;

use crate::{
    channels::ChannelMask,
    decode::{
        demux::CodecParams,
        pcm::{PcmEncoding, PcmLayout},
    },
    wav::Format,
};

/// `None` where the chunk makes no sense at all. A codec that is not known is one of
/// [`Codec::Unknown`].
pub(in crate::decode) fn params_of(format_chunk: &[u8]) -> Option<CodecParams> {
    params_in_order(format_chunk, false)
}

/// [`params_of`] with the most significant byte first, as RIFX has it.
pub(super) fn params_in_order(format_chunk: &[u8], is_big_endian: bool) -> Option<CodecParams> {
    let format = Format::parse(format_chunk, is_big_endian)?;
    let codec = codec(&format);
    let pcm = match codec {
        Codec::Pcm | Codec::PcmFloat => {
            let layout = layout(&format, codec == Codec::PcmFloat);
            Some(layout.map(|layout| layout.big_endian(is_big_endian)))
        }
        _ => None,
    };
    let (codec, pcm) = match pcm {
        Some(None) => {
            let name = format!("{} of {} bits", codec.name(), format.bits);
            (Codec::Unknown(name), None)
        }
        known => (codec, known.flatten()),
    };
    let has_blocks = matches!(codec, Codec::AdpcmIma | Codec::AdpcmMs | Codec::GsmMs);
    Some(CodecParams {
        pcm,
        sample_rate: (format.sample_rate > 0).then_some(format.sample_rate),
        channels: Some(format.channels),
        mask: format
            .mask
            .map(|bits| ChannelMask::stated(bits, format.channels)),
        bits: pcm.map(|layout| layout.bits),
        block_bytes: (has_blocks && format.block_bytes > 0).then_some(format.block_bytes),
        extra: extra(&codec, &format),
        ..CodecParams::new(codec)
    })
}

/// The bytes of a sample come from the size of a frame, as bits alone do not tell 24 bits in three
/// bytes from those in four; from the bits where that makes no sense.
fn layout(format: &Format, is_float: bool) -> Option<PcmLayout> {
    let least = format.bits.div_ceil(8);
    let bytes = match format.block_bytes / format.channels {
        bytes @ 1..=8 if format.block_bytes.is_multiple_of(format.channels) && bytes >= least => {
            bytes
        }
        _ => least,
    };
    let encoding = match (is_float, bytes) {
        (true, _) => PcmEncoding::Float,
        (_, 1) => PcmEncoding::Unsigned,
        _ => PcmEncoding::Signed,
    };
    let bits = match is_float {
        true => bytes * 8,
        false => format.bits_valid,
    };
    PcmLayout::new(encoding, bytes, bits)
}

/// By the registered tags (RFC 2361 and mmreg.h).
fn codec(format: &Format) -> Codec {
    let name = match format.tag {
        0x0001 => return Codec::Pcm,
        0x0002 => return Codec::AdpcmMs,
        0x0003 => return Codec::PcmFloat,
        0x0006 | 0x0102 => return Codec::Alaw,
        0x0007 | 0x0101 => return Codec::Mulaw,
        0x0011 | 0x0069 if format.bits == 4 => return Codec::AdpcmIma,
        0x0011 | 0x0069 => return Codec::Unknown(format!("IMA ADPCM of {} bits", format.bits)),
        0x0031 | 0x0032 => return Codec::GsmMs,
        0x0050 => return mpeg_layer(format),
        0x0055 => return Codec::Mp3,
        0x0057 => return Codec::AmrNb,
        0x0058 => return Codec::AmrWb,
        0x0065 | 0x028f => return Codec::G722,
        0x00ff | 0x1600 | 0x1610 | 0x706d | 0x4143 | 0xa106 => return Codec::Aac,
        0x2000 | 0x802c => return Codec::Ac3,
        0x87af => return Codec::Eac3,
        0x5756 => return Codec::WavPack,
        0x6c61 => return Codec::Alac,
        0x704f => return Codec::Opus,
        0xf1ac => return Codec::Flac,
        0x000a => "Windows Media Audio Voice",
        0x0020 => "Yamaha ADPCM",
        0x0038 => "NMS ADPCM",
        0x0022 => "TrueSpeech",
        0x0040 | 0x0045 | 0x0064 => "G.726",
        0x0042 => "G.723.1",
        0x0083 => "G.729",
        0x0092 | 0x0240 | 0x0241 => "AC-3 as S/PDIF",
        0x0160..=0x0164 => "Windows Media Audio",
        0x0200 | 0x0202 => "Creative ADPCM",
        0x0270 => "ATRAC3",
        0x1601 | 0x1602 => "AAC in LATM",
        0x2001 => "DTS",
        0x566f | 0x674f | 0x6750 | 0x6751 | 0x676f | 0x6770 | 0x6771 => "Vorbis in WAVE",
        0x77a1 => "True Audio",
        0xa109 => "Speex",
        tag => return Codec::Unknown(format!("WAVE format {tag:#06x}")),
    };
    Codec::Unknown(name.to_owned())
}

/// `fwHeadLayer` of MPEG1WAVEFORMAT.
fn mpeg_layer(format: &Format) -> Codec {
    match format.extra.first() {
        Some(1) => Codec::Mp1,
        Some(4) => Codec::Mp3,
        _ => Codec::Mp2,
    }
}

/// What the codec's decoder wants of the bytes behind `cbSize`.
fn extra(codec: &Codec, format: &Format) -> Vec<u8> {
    let extra = format.extra;
    let wanted = match codec {
        Codec::AdpcmMs | Codec::Opus => Some(extra),
        // HEAACWAVEINFO has five fields in front; its payload type 1 is ADTS.
        Codec::Aac if format.tag == 0x1610 && extra.first() == Some(&0) => extra.get(12..),
        Codec::Aac if matches!(format.tag, 0x1600 | 0x1610) => None,
        Codec::Aac => Some(extra),
        Codec::Alac if extra.get(4..8) == Some(b"alac") => extra.get(12..),
        Codec::Alac => Some(extra),
        Codec::Flac if extra.starts_with(b"fLaC") => extra.get(8..42),
        Codec::Flac => extra.get(..34),
        _ => None,
    };
    wanted.unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::wav::{AMBISONIC_TAIL, SUBFORMAT_TAIL, tag::EXTENSIBLE};

    fn plain(tag: u16, channels: u16, block: u16, bits: u16) -> Vec<u8> {
        let mut chunk = Vec::new();
        chunk.extend(tag.to_le_bytes());
        chunk.extend(channels.to_le_bytes());
        chunk.extend(48_000u32.to_le_bytes());
        chunk.extend((48_000 * u32::from(block)).to_le_bytes());
        chunk.extend(block.to_le_bytes());
        chunk.extend(bits.to_le_bytes());
        chunk
    }

    fn extensible(channels: u16, bits: u16, valid: u16, mask: u32, guid: &[u8]) -> Vec<u8> {
        let mut chunk = plain(EXTENSIBLE, channels, channels * bits.div_ceil(8), bits);
        chunk.extend(22u16.to_le_bytes());
        chunk.extend(valid.to_le_bytes());
        chunk.extend(mask.to_le_bytes());
        chunk.extend(guid);
        chunk
    }

    fn guid(tag: u8, tail: [u8; 14]) -> Vec<u8> {
        [&[tag, 0], &tail[..]].concat()
    }

    #[test]
    fn plain_samples_have_their_layout() {
        let check = |chunk: &[u8], encoding, bytes, bits| {
            let params = params_of(chunk).unwrap();
            assert_eq!(params.pcm, PcmLayout::new(encoding, bytes, bits));
            assert!(params.pcm.is_some());
        };
        use PcmEncoding::*;
        check(&plain(1, 2, 2, 8), Unsigned, 1, 8);
        check(&plain(1, 2, 4, 16), Signed, 2, 16);
        check(&plain(1, 1, 3, 24), Signed, 3, 24);
        check(&plain(1, 1, 3, 20), Signed, 3, 20);
        check(&plain(1, 2, 8, 24), Signed, 4, 24);
        check(&plain(3, 2, 8, 32), Float, 4, 32);
        check(&plain(3, 2, 16, 64), Float, 8, 64);
        check(&plain(1, 2, 16, 64), Signed, 8, 64);
        // A frame's size that is wrong, and an old chunk without bits.
        check(&plain(1, 2, 0, 16), Signed, 2, 16);
        check(&plain(1, 2, 3, 24), Signed, 3, 24);
        check(&plain(1, 2, 4, 16)[..14], Signed, 2, 16);
        check(
            &extensible(2, 32, 24, 3, &guid(1, SUBFORMAT_TAIL)),
            Signed,
            4,
            24,
        );
        check(
            &extensible(2, 16, 99, 3, &guid(1, SUBFORMAT_TAIL)),
            Signed,
            2,
            16,
        );
        check(
            &extensible(2, 32, 32, 3, &guid(3, SUBFORMAT_TAIL)),
            Float,
            4,
            32,
        );
        check(
            &extensible(4, 24, 24, 0, &guid(1, AMBISONIC_TAIL)),
            Signed,
            3,
            24,
        );
        check(&extensible(2, 16, 16, 3, &guid(1, [0; 14])), Signed, 2, 16);
        check(&extensible(2, 16, 16, 3, &[])[..18], Signed, 2, 16);
    }

    #[test]
    fn a_mask_is_only_stated_by_the_extensible_form() {
        let check = |chunk: &[u8], expected| {
            assert_eq!(params_of(chunk).unwrap().mask, expected);
        };
        check(&plain(1, 1, 2, 16), None);
        check(&plain(1, 6, 12, 16), None);
        let tail = guid(1, SUBFORMAT_TAIL);
        check(
            &extensible(6, 16, 16, 0x60f, &tail),
            Some(ChannelMask::stated(0x60f, 6)),
        );
        check(&extensible(2, 16, 16, 0, &tail), Some(ChannelMask::NONE));
        let ambisonic = guid(1, AMBISONIC_TAIL);
        check(
            &extensible(4, 16, 16, 0x33, &ambisonic),
            Some(ChannelMask::NONE),
        );
    }

    #[test]
    fn codecs_are_told_by_their_tag() {
        let check = |tag, bits, expected: Codec| {
            let params = params_of(&plain(tag, 2, 1024, bits)).unwrap();
            assert_eq!(params.codec, expected);
        };
        check(0x02, 4, Codec::AdpcmMs);
        check(0x06, 8, Codec::Alaw);
        check(0x11, 4, Codec::AdpcmIma);
        check(0x11, 3, Codec::Unknown("IMA ADPCM of 3 bits".to_owned()));
        check(0x31, 0, Codec::GsmMs);
        check(0x50, 0, Codec::Mp2);
        check(0x55, 0, Codec::Mp3);
        check(0x161, 16, Codec::Unknown("Windows Media Audio".to_owned()));
        check(0x9999, 0, Codec::Unknown("WAVE format 0x9999".to_owned()));
        check(1, 64, Codec::Pcm);
        check(1, 40, Codec::Unknown("PCM of 40 bits".to_owned()));
        assert_eq!(
            params_of(&plain(0x11, 2, 1024, 4)).unwrap().block_bytes,
            Some(1024)
        );
    }

    #[test]
    fn sub_formats_that_come_from_no_tag_are_known() {
        let ac3 = [
            0x2c, 0x80, 0x6d, 0xe0, 0x46, 0xdb, 0xcf, 0x11, 0xb4, 0xd1, 0, 0x80, 0x5f, 0x6c, 0xbb,
            0xea,
        ];
        let check = |guid: &[u8], expected| {
            let params = params_of(&extensible(2, 16, 16, 3, guid)).unwrap();
            assert_eq!(params.codec, expected);
        };
        check(&ac3, Codec::Ac3);
        let mut other = ac3;
        other[0] = 0x2d;
        check(&other, Codec::Unknown("WAVE format 0xfffe".to_owned()));
    }

    #[test]
    fn the_rest_of_a_guid_that_is_not_known_is_not_read_as_a_tag() {
        let wma = params_of(&extensible(2, 16, 16, 3, &guid(0x61, [7; 14]))).unwrap();
        assert_eq!(wma.codec, Codec::Unknown("WAVE format 0xfffe".to_owned()));
    }

    #[test]
    fn what_follows_the_format_goes_to_the_decoder() {
        let mut chunk = plain(2, 1, 256, 4);
        chunk.extend([4, 0, 1, 2, 3, 4]);
        assert_eq!(params_of(&chunk).unwrap().extra, [1, 2, 3, 4]);
        let mut chunk = plain(0x1610, 1, 1, 0);
        chunk.extend([14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x10]);
        assert_eq!(params_of(&chunk).unwrap().extra, [0x12, 0x10]);
    }

    #[test]
    fn the_other_byte_order_is_the_same_format() {
        let mut chunk = plain(1, 2, 6, 24);
        for range in [0..2, 2..4, 4..8, 8..12, 12..14, 14..16] {
            chunk[range].reverse();
        }
        let params = params_in_order(&chunk, true).unwrap();
        let layout = PcmLayout::new(PcmEncoding::Signed, 3, 24).unwrap();
        assert_eq!(params.pcm, Some(layout.big_endian(true)));
        assert_eq!(params.sample_rate, Some(48_000));
    }

    #[test]
    fn nonsense_is_none() {
        assert_eq!(params_of(&[]), None);
        assert_eq!(params_of(&plain(1, 2, 4, 16)[..13]), None);
        assert_eq!(params_of(&plain(1, 0, 4, 16)), None);
    }
}
