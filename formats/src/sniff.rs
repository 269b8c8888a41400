//! What the first bytes say a file is. Never what its name or its sender says.
//!
//! Only signatures: whether the audio inside can be decoded is found out by decoding it.

use crate::{Container, MpegHeader};

/// Enough for the first packet of Ogg, the document type of Matroska and some transport packets.
pub const PREFIX_BYTES: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sniffed {
    /// A container that is read.
    Audio(Container),
    /// Audio of a kind that is not: its name, as [`crate::REFUSED`] has it.
    Unsupported(&'static str),
    /// Something else, in words.
    Other(&'static str),
}

use Sniffed::{Audio, Other, Unsupported};

pub fn sniff(prefix: &[u8]) -> Sniffed {
    tagged(prefix)
        .or_else(|| containers(prefix))
        .or_else(|| by_signature(prefix))
        .or_else(|| mpeg_audio(prefix))
        .or_else(|| transport_stream(prefix))
        .or_else(|| cut_mpeg_audio(prefix))
        .or_else(|| free_format(prefix))
        .or_else(|| latm(prefix))
        .or_else(|| behind_silence(prefix))
        .unwrap_or_else(|| Other(plain(prefix)))
}

/// An ID3 tag may stand before MPEG audio, AAC, FLAC and others. Where it is longer than the prefix it
/// is taken for the first, whose readers look further.
fn tagged(prefix: &[u8]) -> Option<Sniffed> {
    if !prefix.starts_with(b"ID3") {
        return None;
    }
    let Some(header) = prefix.first_chunk::<10>() else {
        return Some(Audio(Container::Mpeg));
    };
    if header[6..].iter().any(|byte| byte & 0x80 != 0) {
        return None;
    }
    let size = header[6..]
        .iter()
        .fold(0usize, |size, byte| size << 7 | usize::from(*byte));
    let footer = if header[5] & 0x10 != 0 { 10 } else { 0 };
    let behind = prefix
        .get(10 + size + footer..)
        .filter(|rest| rest.len() >= 12);
    Some(match behind.map(sniff) {
        Some(known @ (Audio(_) | Unsupported(_))) => known,
        _ => Audio(Container::Mpeg),
    })
}

/// Those whose signature alone does not say what they hold.
fn containers(prefix: &[u8]) -> Option<Sniffed> {
    let at =
        |offset: usize, bytes: &[u8]| prefix.get(offset..).is_some_and(|p| p.starts_with(bytes));
    let has = |bytes: &[u8]| prefix.windows(bytes.len()).any(|w| w == bytes);
    if at(0, b"\x1a\x45\xdf\xa3") {
        // EBML: element 0x4282 is the document type.
        return Some(Audio(if has(b"webm") {
            Container::Webm
        } else {
            Container::Matroska
        }));
    }
    if at(0, b"OggS") {
        return Some(if has(b"Speex   ") {
            Unsupported("Speex")
        } else {
            Audio(Container::Ogg)
        });
    }
    if at(4, b"ftyp") {
        return Some(match prefix.get(8..12) {
            Some(b"heic" | b"heix" | b"mif1" | b"msf1" | b"avif" | b"avis") => {
                Other("a HEIF image")
            }
            Some(b"qt  ") => Audio(Container::QuickTime),
            _ => Audio(Container::Mp4),
        });
    }
    const ATOMS: [&[u8]; 9] = [
        b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof", b"sidx",
    ];
    if ATOMS.iter().any(|atom| at(4, atom)) {
        return Some(Audio(match prefix.get(4..8) {
            Some(b"styp" | b"moof" | b"sidx") => Container::Mp4,
            _ => Container::QuickTime,
        }));
    }
    if [&b"RIFF"[..], b"RIFX", b"RF64", b"BW64"]
        .iter()
        .any(|magic| at(0, magic))
    {
        return Some(match prefix.get(8..12) {
            Some(b"WAVE") => Audio(Container::Wave),
            Some(b"AVI ") => Audio(Container::Avi),
            Some(b"WEBP") => Other("a WebP image"),
            _ => Other("a RIFF file without audio"),
        });
    }
    if at(0, b"FORM") {
        return Some(match prefix.get(8..12) {
            Some(b"AIFF" | b"AIFC") => Audio(Container::Aiff),
            Some(b"8SVX") => Unsupported("8SVX"),
            _ => Other("an IFF file without audio"),
        });
    }
    if at(257, b"ustar") {
        return Some(Other("a tar archive"));
    }
    None
}

fn by_signature(prefix: &[u8]) -> Option<Sniffed> {
    const SIGNATURES: &[(&[u8], Sniffed)] = &[
        (b"fLaC", Audio(Container::Flac)),
        (b"caff", Audio(Container::Caf)),
        (b"#!AMR", Audio(Container::Amr)),
        (b"\x0b\x77", Audio(Container::Ac3)),
        (b"wvpk", Audio(Container::WavPack)),
        (b"riff\x2e\x91\xcf\x11", Audio(Container::Wave64)),
        (b".snd", Audio(Container::Au)),
        (b"dns.", Audio(Container::Au)),
        (b"FLV\x01", Audio(Container::Flv)),
        (
            b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
            Unsupported("Windows Media Audio"),
        ),
        (b"\x7f\xfe\x80\x01", Unsupported("DTS")),
        (b"MAC ", Unsupported("Monkey's Audio")),
        (b"TTA1", Unsupported("True Audio")),
        (b"TTA2", Unsupported("True Audio")),
        (b"MPCK", Unsupported("Musepack")),
        (b"MP+", Unsupported("Musepack")),
        (b"DSD ", Unsupported("DSD")),
        (b"FRM8", Unsupported("DSD")),
        (b"ADIF", Unsupported("AAC in ADIF")),
        (b"MThd", Unsupported("MIDI")),
        (b".RMF", Unsupported("RealAudio")),
        (b"#!SILK", Unsupported("SILK")),
        (b"\x02#!SILK", Unsupported("SILK")),
        (b"Creative Voice File", Unsupported("Creative Voice")),
        (b"\x89PNG", Other("a PNG image")),
        (b"\xff\xd8\xff", Other("a JPEG image")),
        (b"GIF8", Other("a GIF image")),
        (b"BM", Other("a bitmap image")),
        (b"II*\0", Other("a TIFF image")),
        (b"MM\0*", Other("a TIFF image")),
        (b"%PDF", Other("a PDF document")),
        (b"PK\x03\x04", Other("a ZIP archive")),
        (b"PK\x05\x06", Other("a ZIP archive")),
        (b"\x1f\x8b", Other("gzip data")),
        (b"7z\xbc\xaf\x27\x1c", Other("a 7z archive")),
        (b"Rar!", Other("a RAR archive")),
        (b"BZh", Other("bzip2 data")),
        (b"\xfd7zXZ", Other("xz data")),
        (b"\x28\xb5\x2f\xfd", Other("zstd data")),
        (b"\x7fELF", Other("an ELF program")),
        (b"MZ", Other("a Windows program")),
        (b"\xca\xfe\xba\xbe", Other("a Mach-O or Java program")),
        (b"\xcf\xfa\xed\xfe", Other("a Mach-O program")),
        (b"\0asm", Other("a WebAssembly module")),
        (b"SQLite format 3", Other("an SQLite database")),
        (b"\x00\x00\x01\xba", Unsupported("MPEG program stream")),
        (b"\xff\xfe", Other("UTF-16 text")),
        (b"\xfe\xff", Other("UTF-16 text")),
    ];
    SIGNATURES
        .iter()
        .find(|(bytes, _)| prefix.starts_with(bytes))
        .map(|(_, is)| *is)
}

/// Packets of 188 bytes, of 192 with a time before each, or of 204 with a checksum; every one begins with
/// the same byte. A stream that was cut begins in the middle of one, and then more are needed.
fn transport_stream(prefix: &[u8]) -> Option<Sniffed> {
    const PACKETS_SEEN: usize = 4;
    const PACKETS_SEEN_CUT: usize = 10;
    let are_in_row = |size: usize, from: usize, count: usize| {
        (0..count).all(|n| prefix.get(from + n * size) == Some(&0x47))
    };
    let is_whole = [(188, 0), (192, 4), (192, 0), (204, 0)];
    let found = is_whole
        .iter()
        .any(|&(size, from)| are_in_row(size, from, PACKETS_SEEN))
        || [188, 192, 204]
            .iter()
            .any(|&size| (1..size).any(|from| are_in_row(size, from, PACKETS_SEEN_CUT)));
    found.then_some(Audio(Container::MpegTs))
}

/// MP3 and ADTS AAC begin with a frame, not with a signature: two bytes prove little, so the second
/// frame must stand where the first one's header says.
fn mpeg_audio(prefix: &[u8]) -> Option<Sniffed> {
    let (length, container) = frame(prefix)?;
    match prefix.get(length..) {
        None | Some([] | [_] | [_, _] | [_, _, _]) => Some(Audio(container)),
        Some(rest) => frame(rest)
            .filter(|(_, next)| *next == container)
            .map(|_| Audio(container)),
    }
}

/// A stream that was cut begins in the middle of a frame, others behind filling: three frames in a row
/// are no accident.
fn cut_mpeg_audio(prefix: &[u8]) -> Option<Sniffed> {
    const FRAMES_SEEN: usize = 3;
    (1..prefix.len())
        .filter(|at| prefix[*at] == 0xff)
        .find_map(|mut at| {
            let (_, container) = frame(&prefix[at..])?;
            for _ in 0..FRAMES_SEEN {
                let (length, next) = frame(prefix.get(at..)?)?;
                if next != container {
                    return None;
                }
                at += length;
            }
            Some(Audio(container))
        })
}

/// MPEG audio at a rate of its own, whose headers do not say how long frames are: three with the same
/// header, as far from each other.
fn free_format(prefix: &[u8]) -> Option<Sniffed> {
    // Frames of layer III have side information of 9 bytes at least.
    const FRAME_BYTES_MIN: usize = 4 + 9;
    let header = |at: usize| {
        let bytes = prefix.get(at..)?.first_chunk()?;
        // Padding and what else changes from frame to frame.
        Some(u32::from_be_bytes(*bytes) & 0xffff_fccf)
    };
    let first = header(0)?;
    let is_one = first >> 21 == 0x7ff
        && first >> 19 & 3 != 1
        && first >> 17 & 3 != 0
        && first >> 12 & 15 == 0
        && first >> 10 & 3 != 3;
    let follow = |length: &usize| {
        let third = 2 * length;
        let nearby = [third, third + 1, third - 1, third + 4, third - 4];
        header(*length) == Some(first) && nearby.iter().any(|at| header(*at) == Some(first))
    };
    let is_free = is_one && (FRAME_BYTES_MIN..prefix.len() / 2).any(|length| follow(&length));
    is_free.then_some(Unsupported("MPEG audio in free format"))
}

/// Recorders of streams leave zeros in front of MPEG audio. Where they or a tag behind them leave no room
/// for frames in the prefix, its reader looks further.
fn behind_silence(prefix: &[u8]) -> Option<Sniffed> {
    let zeros = prefix.iter().take_while(|byte| **byte == 0).count();
    let (_, rest) = prefix.split_at(zeros);
    let is_frame = || match rest {
        [] => true,
        [_, _, _, _, ..] => frame(rest).is_some(),
        few => few[0] == 0xff || b"ID3".starts_with(few),
    };
    let leaves_no_room = prefix.len() == PREFIX_BYTES && zeros > PREFIX_BYTES / 2;
    let is_taken = zeros > 0 && rest.starts_with(b"ID3") || leaves_no_room && is_frame();
    is_taken.then_some(Audio(Container::Mpeg))
}

/// AAC in LATM without a container around it: three frames in a row, or as many as are there.
fn latm(prefix: &[u8]) -> Option<Sniffed> {
    const FRAMES_SEEN: usize = 3;
    let mut at = 0;
    let mut seen = 0;
    while seen < FRAMES_SEEN && at < prefix.len() {
        let &[0x56, high, low] = prefix.get(at..)?.first_chunk()? else {
            return None;
        };
        if high & 0xe0 != 0xe0 {
            return None;
        }
        at += 3 + (usize::from(high & 0x1f) << 8 | usize::from(low));
        seen += 1;
    }
    (seen > 1).then_some(Unsupported("AAC in LATM"))
}

/// The length in bytes of the frame whose header begins here.
fn frame(bytes: &[u8]) -> Option<(usize, Container)> {
    let [0xff, b1, b2, b3, ..] = *bytes else {
        return None;
    };
    if b1 & 0xf6 == 0xf0 {
        // ISO 13818-7 6.2.1: a 13-bit length that counts the header of 7 bytes.
        let b4 = *bytes.get(4)?;
        let length =
            usize::from(b3 & 3) << 11 | usize::from(b4) << 3 | usize::from(bytes.get(5)? >> 5);
        return ((b2 >> 2) & 0xf < 13 && length >= 7).then_some((length, Container::Adts));
    }
    MpegHeader::parse(bytes).map(|header| (header.bytes, Container::Mpeg))
}

fn plain(prefix: &[u8]) -> &'static str {
    if prefix.iter().all(|b| *b == 0) {
        return "nothing but zero bytes";
    }
    // A character may be cut at the end of the prefix.
    let text = match std::str::from_utf8(prefix) {
        Ok(text) => text,
        Err(error) if prefix.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&prefix[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return "of no kind we know",
    };
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return "of no kind we know";
    }
    let start = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_ascii_lowercase();
    match start.as_bytes() {
        [b'{' | b'[', ..] => "JSON or other text",
        [b'<', ..] if start.starts_with("<!doctype html") || start.starts_with("<html") => {
            "an HTML page"
        }
        [b'<', ..] => "XML or other markup",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(prefix: &[u8], expected: Sniffed) {
        assert_eq!(
            sniff(prefix),
            expected,
            "{:?}",
            String::from_utf8_lossy(prefix)
        );
    }

    #[test]
    fn every_container_we_take_is_known_by_its_bytes() {
        check(
            b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f\x42\x82\x84webm",
            Audio(Container::Webm),
        );
        check(
            b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f\x42\x82\x88matroska",
            Audio(Container::Matroska),
        );
        check(b"OggS\0\x02\0\0\0\0OpusHead", Audio(Container::Ogg));
        check(b"\0\0\0\x20ftypisom", Audio(Container::Mp4));
        check(b"\0\0\0\x20ftypM4A ", Audio(Container::Mp4));
        check(b"\0\0\0\x14ftypqt  ", Audio(Container::QuickTime));
        check(b"\0\0\0\x08wide\0\0", Audio(Container::QuickTime));
        check(b"RIFF\xff\xff\xff\xffWAVEfmt ", Audio(Container::Wave));
        check(b"RF64\xff\xff\xff\xffWAVEds64", Audio(Container::Wave));
        check(b"fLaC\0\0\0\x22", Audio(Container::Flac));
        check(b"ID3\x04\0", Audio(Container::Mpeg));
        check(b"FORM\0\0\0\0AIFF", Audio(Container::Aiff));
        check(b"FORM\0\0\0\0AIFC", Audio(Container::Aiff));
        check(b"caff\0\x01", Audio(Container::Caf));
        check(b"BW64\xff\xff\xff\xffWAVEds64", Audio(Container::Wave));
        check(b"RIFX\0\0\0\0WAVEfmt ", Audio(Container::Wave));
        check(b"riff\x2e\x91\xcf\x11\xa5\xd6", Audio(Container::Wave64));
        check(b"RIFF\0\0\0\0AVI LIST", Audio(Container::Avi));
        check(b"FLV\x01\x05", Audio(Container::Flv));
        check(b"#!AMR\n\x3c", Audio(Container::Amr));
        check(b"#!AMR-WB\n", Audio(Container::Amr));
        check(b"\x0b\x77\x12\x34", Audio(Container::Ac3));
        check(b"wvpk\0\0", Audio(Container::WavPack));
        check(b".snd\0\0\0\x18", Audio(Container::Au));
        check(b"\0\0\0\x18stypmsdh", Audio(Container::Mp4));
        check(b"\0\0\0\x08free\0\0", Audio(Container::QuickTime));
        let mut transport = [0u8; 800];
        (0..5).for_each(|n| transport[n * 188] = 0x47);
        check(&transport, Audio(Container::MpegTs));
        let mut cut = [0u8; PREFIX_BYTES];
        (0..20).for_each(|n| cut[100 + n * 188] = 0x47);
        check(&cut, Audio(Container::MpegTs));
        cut[100 + 5 * 188] = 0;
        check(&cut[..11 * 188], Other("of no kind we know"));
        let tag = b"ID3\x04\0\0\0\0\0\x02xx";
        check(
            &[tag, &b"fLaC\0\0\0\x22\0\0\0\0"[..]].concat(),
            Audio(Container::Flac),
        );
        check(
            &[tag, &b"\xff\xfb\x90\0........"[..]].concat(),
            Audio(Container::Mpeg),
        );
    }

    /// `count` frames with this header, each filled up to `length`.
    fn frames(header: &[u8], length: usize, count: usize) -> Vec<u8> {
        let mut frame = header.to_vec();
        frame.resize(length, 0x55);
        frame.repeat(count)
    }

    #[test]
    fn mpeg_audio_in_free_format_is_known_by_headers_that_come_again() {
        let free = [0xff, 0xfb, 0x02, 0x44];
        let refused = Unsupported("MPEG audio in free format");
        check(&frames(&free, 523, 4), refused);
        let tag = b"ID3\x04\0\0\0\0\0\x02ab";
        check(&[&tag[..], &frames(&free, 523, 4)].concat(), refused);
        assert!(matches!(sniff(&frames(&free, 523, 1)), Other(_)));
    }

    #[test]
    fn zeros_that_go_on_behind_the_prefix_may_be_in_front_of_mpeg_audio() {
        check(&[0; PREFIX_BYTES], Audio(Container::Mpeg));
        check(&[0; PREFIX_BYTES - 1], Other("nothing but zero bytes"));
        let behind = |zeros: usize, rest: &[u8]| {
            let mut prefix = [vec![0; zeros], rest.to_vec()].concat();
            prefix.resize(prefix.len().max(PREFIX_BYTES), 0x55);
            sniff(&prefix[..PREFIX_BYTES])
        };
        let mp3 = frames(&[0xff, 0xfb, 0x90, 0x00], 417, 10);
        for zeros in [1, 2000, 3000, 4000, 4090, 4094, 4095, 4096] {
            for start in [&mp3[..], b"ID3\x04\0\0\0\0\x7f\x7f"] {
                assert_eq!(behind(zeros, start), Audio(Container::Mpeg), "{zeros}");
            }
            if zeros < PREFIX_BYTES {
                assert!(matches!(behind(zeros, &[1, 2, 3]), Other(_)), "{zeros}");
            }
        }
    }

    #[test]
    fn mpeg_audio_needs_its_second_frame_in_place() {
        // MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 144 * 128000 / 44100 = 417 bytes.
        let mp3 = [0xff, 0xfb, 0x90, 0x00];
        check(&frames(&mp3, 417, 3), Audio(Container::Mpeg));
        check(&frames(&mp3, 417, 1), Audio(Container::Mpeg));
        assert_ne!(sniff(&frames(&mp3, 416, 3)), Audio(Container::Mpeg));
        // Cut at its start.
        check(&frames(&mp3, 417, 4)[100..], Audio(Container::Mpeg));
        check(
            &[vec![0; 900], frames(&mp3, 417, 4)].concat(),
            Audio(Container::Mpeg),
        );
        assert_ne!(sniff(&frames(&mp3, 417, 3)[100..]), Audio(Container::Mpeg));
        // MPEG-2 layer III, 64 kbit/s, 22.05 kHz: 72 * 64000 / 22050 = 208 bytes.
        check(
            &frames(&[0xff, 0xf3, 0x80, 0x00], 208, 3),
            Audio(Container::Mpeg),
        );
        // ADTS, 44.1 kHz, length 300.
        let adts = [
            0xff,
            0xf1,
            0x50,
            0x80,
            (300 >> 3) as u8,
            ((300 & 7) << 5) as u8,
            0xfc,
        ];
        check(&frames(&adts, 300, 3), Audio(Container::Adts));
        assert_ne!(sniff(&frames(&adts, 299, 3)), Audio(Container::Adts));
    }

    #[test]
    fn latm_is_known_by_frames_in_a_row() {
        let frame = [&[0x56, 0xe0, 20][..], &[0x20; 20]].concat();
        check(&frame.repeat(2), Unsupported("AAC in LATM"));
        check(&frame.repeat(9), Unsupported("AAC in LATM"));
        check(&frame, Other("of no kind we know"));
        check(
            &[&frame[..22], &frame].concat(),
            Other("of no kind we know"),
        );
    }

    #[test]
    fn what_is_refused_is_in_the_list_of_what_is_refused() {
        let source = include_str!("sniff.rs");
        let (code, _) = source.split_once("#[cfg(test)]").expect("there are tests");
        let named = code.split("Unsupported(\"").skip(1);
        for name in named.filter_map(|rest| rest.split('"').next()) {
            assert!(
                crate::REFUSED.iter().any(|refused| refused.name == name),
                "{name}"
            );
        }
    }

    #[test]
    fn audio_that_cannot_be_decoded_is_named() {
        check(
            b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9",
            Unsupported("Windows Media Audio"),
        );
        check(b"MAC \x96\x0f", Unsupported("Monkey's Audio"));
        check(b"OggS\0\x02\0\0\0\0Speex   1.2", Unsupported("Speex"));
    }

    #[test]
    fn everything_else_is_called_what_it_seems_to_be() {
        for (prefix, what) in [
            (&b"\x89PNG\r\n\x1a\n"[..], "a PNG image"),
            (b"\xff\xd8\xff\xe0", "a JPEG image"),
            (b"%PDF-1.7", "a PDF document"),
            (b"PK\x03\x04\x14", "a ZIP archive"),
            (b"\x7fELF\x02", "an ELF program"),
            (b"\xff\xfeh\0i\0", "UTF-16 text"),
            (b"\0\0\0\x18ftypheic", "a HEIF image"),
            (b"hello, world\n", "text"),
            ("grüße".as_bytes(), "text"),
            (b"\xef\xbb\xbf{\"a\": 1}", "JSON or other text"),
            (b"<!DOCTYPE html><p>", "an HTML page"),
            (b"\0\0\0\0\0\0\0\0", "nothing but zero bytes"),
            (b"\x01\x02\x03\x04\x05", "of no kind we know"),
            (b"\xc3\x28\xa0\xa1\x80\x80\x80", "of no kind we know"),
        ] {
            check(prefix, Other(what));
        }
    }

    #[test]
    fn no_prefix_of_anything_panics() {
        let mut state = 1u32;
        for _ in 0..20_000 {
            let mut bytes = [0u8; 24];
            for byte in &mut bytes {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (state >> 24) as u8;
            }
            bytes[0] |= 0xf0;
            for end in 0..bytes.len() {
                sniff(&bytes[..end]);
            }
        }
    }
}
