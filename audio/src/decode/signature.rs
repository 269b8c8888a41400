//! Tells files apart by their first bytes, as far as the readers behind need or people want to know.

/// Enough for all signatures below.
pub(super) const HEAD_BYTES: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// RIFF, RF64, BW64 or W64.
    Wave,
    Matroska,
    Mp4,
    /// A CAF file whose description cannot be true.
    BrokenCaf,
    /// Audio that nothing here decodes: its name.
    Unknown(&'static str),
    /// Anything else; the readers find out.
    Other,
}

pub(super) fn kind(head: &[u8]) -> Kind {
    let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|h| h.starts_with(magic));
    if (at(0, b"RIFF") || at(0, b"RF64") || at(0, b"BW64")) && at(8, b"WAVE")
        || at(0, b"riff\x2e\x91\xcf\x11")
    {
        return Kind::Wave;
    }
    if at(0, b"\x1a\x45\xdf\xa3") {
        return Kind::Matroska;
    }
    if at(4, b"ftyp") {
        return Kind::Mp4;
    }
    if at(0, b"caff") && !has_sound_caf_description(head) {
        return Kind::BrokenCaf;
    }
    const UNKNOWN: [(&[u8], &str); 15] = [
        (b"wvpk", "WavPack"),
        (b"#!AMR-WB", "AMR-WB"),
        (b"#!AMR", "AMR"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media Audio"),
        (b"TTA1", "True Audio"),
        (b"TTA2", "True Audio"),
        (b"MAC ", "Monkey's Audio"),
        (b"MPCK", "Musepack"),
        (b"MP+", "Musepack"),
        (b".snd", "Sun AU"),
        (b"DSD ", "DSD"),
        (b"FRM8", "DSD"),
        (b"\x0b\x77", "AC-3"),
        (b"\x7f\xfe\x80\x01", "DTS"),
        (b".RMF", "RealAudio"),
    ];
    UNKNOWN
        .iter()
        .find(|(magic, _)| at(0, magic))
        .map_or(Kind::Other, |(_, name)| Kind::Unknown(name))
}

/// The description is CAF's first chunk. Symphonia multiplies and divides by what it says, so this
/// is looked at before: bytes per packet, then, behind frames per packet, the channel count.
fn has_sound_caf_description(head: &[u8]) -> bool {
    let u32_at = |at: usize| {
        let bytes = head.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    };
    head.get(8..12) == Some(b"desc")
        && u32_at(36).is_some_and(|bytes_per_packet| bytes_per_packet <= 1 << 24)
        && u32_at(44).is_some_and(|channels| (1..=1024).contains(&channels))
}

/// A codec by the identifier that Matroska gives it.
pub(super) fn matroska_codec(id: &str) -> String {
    let names = [
        ("A_AC3", "AC-3"),
        ("A_EAC3", "E-AC-3"),
        ("A_DTS", "DTS"),
        ("A_TRUEHD", "TrueHD"),
        ("A_WAVPACK4", "WavPack"),
        ("A_TTA1", "True Audio"),
        ("A_MS/ACM", "a Windows codec (A_MS/ACM)"),
        ("A_REAL", "RealAudio"),
    ];
    named(id, &names)
}

/// A codec by the sample entry's type in an MP4 file.
pub(super) fn mp4_codec(fourcc: &str) -> String {
    let names = [
        ("ac-3", "AC-3"),
        ("ec-3", "E-AC-3"),
        ("ac-4", "AC-4"),
        ("samr", "AMR"),
        ("sawb", "AMR-WB"),
        ("dts", "DTS"),
        ("mlpa", "TrueHD"),
        ("QDM2", "QDesign Music"),
        ("mp4a", "an MPEG-4 audio type other than AAC-LC"),
        ("enca", "encrypted audio"),
    ];
    named(fourcc, &names)
}

fn named(id: &str, names: &[(&str, &str)]) -> String {
    let found = names.iter().find(|(prefix, _)| id.starts_with(prefix));
    // An identifier from a hostile file is shown, so only what is harmless to show.
    let shown: String = id
        .chars()
        .filter(|c| c.is_ascii_graphic())
        .take(32)
        .collect();
    found.map_or(shown, |(_, name)| (*name).to_owned())
}
