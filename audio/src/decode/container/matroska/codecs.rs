//! Codec ids of Matroska, and what stands in CodecPrivate, in the words of every other container.

use retake_formats::Codec;

use super::tracks::Audio;
use crate::decode::{
    demux::CodecParams,
    pcm::{PcmEncoding, PcmLayout},
};

/// How a track with this id is coded. What is not decoded comes back by name.
pub(super) fn params_of(id: &str, private: &[u8], audio: &Audio) -> CodecParams {
    let mut params = match id {
        "A_MS/ACM" => acm(private),
        "A_QUICKTIME" => quicktime(private),
        _ => by_id(id, private, audio),
    };
    params.sample_rate = params.sample_rate.or(audio.output_rate.or(audio.rate));
    params.channels = params.channels.or(Some(audio.channels));
    if params.codec.is_lossless() {
        params.bits = params.bits.or(audio.bits);
    }
    params
}

fn by_id(id: &str, private: &[u8], audio: &Audio) -> CodecParams {
    let plain = CodecParams::new;
    let with = |codec, extra: Option<Vec<u8>>| CodecParams {
        extra: extra.unwrap_or_default(),
        ..CodecParams::new(codec)
    };
    match id {
        "A_OPUS" | "A_OPUS/EXPERIMENTAL" => with(Codec::Opus, opus_head(private, audio)),
        "A_VORBIS" => with(Codec::Vorbis, vorbis_headers(private)),
        "A_FLAC" => with(Codec::Flac, flac_info(private)),
        "A_ALAC" => with(Codec::Alac, Some(alac_cookie(private).to_vec())),
        "A_MPEG/L1" => plain(Codec::Mp1),
        "A_MPEG/L2" => plain(Codec::Mp2),
        "A_MPEG/L3" => plain(Codec::Mp3),
        "A_EAC3" => plain(Codec::Eac3),
        "A_WAVPACK4" => plain(Codec::WavPack),
        "A_PCM/INT/LIT" | "A_PCM/INT/BIG" | "A_PCM/FLOAT/IEEE" => pcm(id, audio),
        _ if id == "A_AC3" || id.starts_with("A_AC3/") => plain(Codec::Ac3),
        _ if id == "A_AAC" || id.starts_with("A_AAC/") => {
            let config = if private.len() >= 2 {
                Some(private.to_vec())
            } else {
                aac_config(id, audio)
            };
            with(Codec::Aac, config)
        }
        _ => plain(Codec::Unknown(name(id))),
    }
}

/// A codec that is not decoded, by the identifier that Matroska gives it.
fn name(id: &str) -> String {
    const NAMES: [(&str, &str); 8] = [
        ("A_DTS", "DTS"),
        ("A_TRUEHD", "Dolby TrueHD"),
        ("A_TTA1", "True Audio"),
        ("A_REAL", "RealAudio"),
        ("A_ATRAC", "ATRAC3"),
        ("A_MPC", "Musepack"),
        ("A_QUICKTIME/QDM", "QDesign Music"),
        ("A_QUICKTIME", "a QuickTime codec"),
    ];
    let found = NAMES.iter().find(|(prefix, _)| id.starts_with(prefix));
    // An identifier from a hostile file is shown, so only what is harmless to show.
    let shown = || id.chars().filter(char::is_ascii_graphic).take(32).collect();
    found.map_or_else(shown, |(_, name)| (*name).to_owned())
}

fn pcm(id: &str, audio: &Audio) -> CodecParams {
    let is_float = id == "A_PCM/FLOAT/IEEE";
    let bits = audio.bits.unwrap_or(if is_float { 32 } else { 16 });
    let bytes = match bits.div_ceil(8) {
        bytes @ (1..=4 | 8) => bytes,
        _ => return CodecParams::new(Codec::Unknown(format!("PCM of {bits} bits"))),
    };
    let (codec, encoding) = match bytes {
        4 | 8 | 2 if is_float => (Codec::PcmFloat, PcmEncoding::Float),
        _ if is_float => {
            return CodecParams::new(Codec::Unknown(format!("floating-point PCM of {bits} bits")));
        }
        // As in WAVE.
        1 => (Codec::Pcm, PcmEncoding::Unsigned),
        _ => (Codec::Pcm, PcmEncoding::Signed),
    };
    CodecParams {
        pcm: Some(PcmLayout {
            encoding,
            bytes,
            bits,
            is_big_endian: id == "A_PCM/INT/BIG",
        }),
        bits: Some(bits),
        ..CodecParams::new(codec)
    }
}

/// The header as it is; one made up for a stream that came without.
fn opus_head(private: &[u8], audio: &Audio) -> Option<Vec<u8>> {
    if private.starts_with(b"OpusHead") {
        return Some(private.to_vec());
    }
    // What libopus skips, 48 kHz, no gain, no mapping.
    let channels = u8::try_from(audio.channels).ok().filter(|n| *n <= 2)?;
    let mut head = b"OpusHead\x01".to_vec();
    head.push(channels);
    head.extend(312u16.to_le_bytes());
    head.extend(48_000u32.to_le_bytes());
    head.extend([0, 0, 0]);
    Some(head)
}

/// The pre-skip in an OpusHead, in frames of 48 kHz.
pub(super) fn opus_pre_skip(head: &[u8]) -> Option<u16> {
    let body = head.strip_prefix(b"OpusHead")?;
    Some(u16::from_le_bytes([*body.get(2)?, *body.get(3)?]))
}

/// Identification, comment and setup, laced; the first and the last of them.
fn vorbis_headers(private: &[u8]) -> Option<Vec<u8>> {
    if let Some(rest) = private.strip_prefix(&[2]) {
        let (identification, rest) = xiph_size(rest)?;
        let (comment, rest) = xiph_size(rest)?;
        let (identification, rest) = rest.split_at_checked(identification)?;
        let (_, setup) = rest.split_at_checked(comment)?;
        return Some([identification, setup].concat());
    }
    // Old muxers: each behind its size in two bytes.
    let mut rest = private;
    let mut headers = [&[][..]; 3];
    for header in &mut headers {
        let (size, after) = rest.split_first_chunk::<2>()?;
        (*header, rest) = after.split_at_checked(usize::from(u16::from_be_bytes(*size)))?;
    }
    Some([headers[0], headers[2]].concat())
}

fn xiph_size(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let last = bytes.iter().position(|&byte| byte < 255)?;
    let size = bytes[..=last].iter().map(|&byte| usize::from(byte)).sum();
    Some((size, &bytes[last + 1..]))
}

/// STREAMINFO, which comes first behind the marker.
fn flac_info(private: &[u8]) -> Option<Vec<u8>> {
    let blocks = private.strip_prefix(b"fLaC").unwrap_or(private);
    let (header, info) = blocks.split_first_chunk::<4>()?;
    let is_info = header[0] & 0x7f == 0 && header[1..] == [0, 0, 34];
    Some(info.get(..34).filter(|_| is_info)?.to_vec())
}

/// Without the atom that some leave around it.
fn alac_cookie(private: &[u8]) -> &[u8] {
    let has_atom = private.get(4..8) == Some(b"alac") && private.len() >= 36;
    if has_atom { &private[12..] } else { private }
}

/// The AudioSpecificConfig that old ids spell out: `A_AAC/MPEG4/LC/SBR`.
fn aac_config(id: &str, audio: &Audio) -> Option<Vec<u8>> {
    const RATES: [u32; 13] = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
        8_000, 7_350,
    ];
    let index_of = |rate: u32| RATES.iter().position(|&known| known == rate);
    let object = match id.split('/').nth(2) {
        Some("MAIN") => 1,
        Some("SSR") => 3,
        Some("LTP") => 4,
        _ => 2u8,
    };
    let rate = audio.rate?;
    let index = index_of(rate)? as u8;
    let channels = u8::try_from(audio.channels)
        .ok()
        .filter(|n| (1..=7).contains(n))?;
    let mut config = vec![object << 3 | index >> 1, (index & 1) << 7 | channels << 3];
    if id.ends_with("/SBR") {
        let doubled = audio.output_rate.filter(|output| *output > rate);
        let index = index_of(doubled.unwrap_or(rate.saturating_mul(2)))? as u8;
        // The sync word 0x2b7, object type 5, present.
        config.extend([0x56, 0xe5, 0x80 | index << 3]);
    }
    Some(config)
}

fn acm(private: &[u8]) -> CodecParams {
    let unknown = || CodecParams::new(Codec::Unknown("a Windows codec (A_MS/ACM)".to_owned()));
    super::super::wave::params_of(private).unwrap_or_else(unknown)
}

/// The sample description of QuickTime stands in CodecPrivate.
fn quicktime(private: &[u8]) -> CodecParams {
    // With its size in front, or not.
    let has_size = private
        .first_chunk()
        .is_some_and(|size| u32::from_be_bytes(*size) as usize <= private.len());
    let size = u32::try_from(private.len() + 4).unwrap_or(0).to_be_bytes();
    let entry = match has_size {
        true => private.to_vec(),
        false => [&size, private].concat(),
    };
    let known = super::super::mp4::params_of(&entry);
    if let Some(params) = known.filter(|params| !matches!(params.codec, Codec::Unknown(_))) {
        return params;
    }
    let fourcc = entry.get(4..8).unwrap_or_default();
    let shown: String = String::from_utf8_lossy(fourcc)
        .chars()
        .filter(char::is_ascii_graphic)
        .collect();
    CodecParams::new(Codec::Unknown(format!("a QuickTime codec ({shown})")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn audio(bits: u32) -> Audio {
        Audio {
            rate: Some(24_000),
            output_rate: Some(48_000),
            channels: 2,
            bits: Some(bits),
        }
    }

    #[test]
    fn old_ids_of_aac_spell_out_the_configuration() {
        let config = |id| params_of(id, &[], &audio(16)).extra;
        assert_eq!(config("A_AAC/MPEG4/LC"), [0x13, 0x10]);
        assert_eq!(config("A_AAC/MPEG2/MAIN"), [0x0b, 0x10]);
        assert_eq!(config("A_AAC/MPEG4/LC/SBR"), [0x13, 0x10, 0x56, 0xe5, 0x98]);
        assert_eq!(
            params_of("A_AAC", &[0x11, 0x90], &audio(16)).extra,
            [0x11, 0x90]
        );
    }

    #[test]
    fn pcm_has_every_width_and_both_orders() {
        let check = |id, bits, expected: Option<(PcmEncoding, u32, bool)>| {
            let layout = params_of(id, &[], &audio(bits)).pcm;
            let found = layout.map(|l| (l.encoding, l.bytes, l.is_big_endian));
            assert_eq!(found, expected, "{id} {bits}");
        };
        check("A_PCM/INT/LIT", 8, Some((PcmEncoding::Unsigned, 1, false)));
        check("A_PCM/INT/LIT", 16, Some((PcmEncoding::Signed, 2, false)));
        check("A_PCM/INT/BIG", 24, Some((PcmEncoding::Signed, 3, true)));
        check("A_PCM/INT/BIG", 20, Some((PcmEncoding::Signed, 3, true)));
        check("A_PCM/INT/LIT", 32, Some((PcmEncoding::Signed, 4, false)));
        check("A_PCM/FLOAT/IEEE", 32, Some((PcmEncoding::Float, 4, false)));
        check("A_PCM/FLOAT/IEEE", 64, Some((PcmEncoding::Float, 8, false)));
        check("A_PCM/FLOAT/IEEE", 24, None);
        check("A_PCM/INT/LIT", 48, None);
        check("A_PCM/INT/LIT", 0, None);
        check("A_PCM/INT/LIT", u32::MAX, None);
    }

    #[test]
    fn headers_of_vorbis_are_found_in_both_lacings() {
        let (first, comment, setup) = ([1; 30], [3; 300], [5; 700]);
        let laced = [&[2, 30, 255, 45][..], &first, &comment, &setup].concat();
        let expected = [&first[..], &setup].concat();
        assert_eq!(vorbis_headers(&laced), Some(expected.clone()));
        let sized = [&[0, 30][..], &first, &[1, 44], &comment, &[2, 188], &setup];
        assert_eq!(vorbis_headers(&sized.concat()), Some(expected));
        assert_eq!(vorbis_headers(&laced[..200]), None);
        assert_eq!(vorbis_headers(&[]), None);
    }

    #[test]
    fn a_stream_of_opus_without_a_header_gets_the_usual_one() {
        let head = params_of("A_OPUS", &[], &audio(16)).extra;
        assert_eq!(head.len(), 19);
        assert_eq!(opus_pre_skip(&head), Some(312));
    }

    /// A sound description of QuickTime, its first version, without its size.
    fn sound_description(kind: &[u8; 4], bits: u8) -> Vec<u8> {
        let mut entry = kind.to_vec();
        entry.extend([
            0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, bits,
        ]);
        entry.extend([0, 0, 0, 0, 0xac, 0x44, 0, 0]);
        entry
    }

    #[test]
    fn a_sound_description_of_quicktime_says_what_it_says_in_quicktime() {
        let check = |private: &[u8]| {
            let params = params_of("A_QUICKTIME", private, &audio(16));
            let pcm = params.pcm.unwrap();
            assert_eq!((pcm.bytes, pcm.is_big_endian), (3, true));
            assert_eq!(
                (params.sample_rate, params.channels),
                (Some(44_100), Some(2))
            );
        };
        let entry = sound_description(b"in24", 24);
        check(&entry);
        check(&[&36u32.to_be_bytes()[..], &entry].concat());
        let ima = params_of("A_QUICKTIME", &sound_description(b"ima4", 16), &audio(16));
        assert_eq!(ima.codec, Codec::AdpcmImaQt);
        let other = params_of("A_QUICKTIME", &sound_description(b"QDM2", 16), &audio(16));
        assert_eq!(other.codec.name(), "a QuickTime codec (QDM2)");
    }

    #[test]
    fn what_is_not_decoded_has_a_name() {
        let check = |id, expected: &str| {
            assert_eq!(params_of(id, &[], &audio(16)).codec.name(), expected);
        };
        check("A_DTS/EXPRESS", "DTS");
        check("A_TRUEHD", "Dolby TrueHD");
        check("A_\u{202e}X", "A_X");
        check("A_QUICKTIME", "a QuickTime codec ()");
    }
}
