//! What a file is, from outside.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Container {
    /// RIFF, RF64, BW64.
    Wave,
    Wave64,
    Aiff,
    Caf,
    /// ISO base media, with or without a brand: MP4, M4A, 3GP.
    Mp4,
    QuickTime,
    Webm,
    Matroska,
    Ogg,
    Flac,
    /// A plain stream of MPEG audio, layers 1 to 3.
    Mpeg,
    /// A plain stream of AAC.
    Adts,
    /// A plain stream of AC-3 or E-AC-3.
    Ac3,
    Amr,
    Au,
    WavPack,
    Avi,
    Flv,
    MpegTs,
}

impl Container {
    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wave => "WAV",
            Self::Wave64 => "Wave64",
            Self::Aiff => "AIFF",
            Self::Caf => "CAF",
            Self::Mp4 => "MP4",
            Self::QuickTime => "QuickTime",
            Self::Webm => "WebM",
            Self::Matroska => "Matroska",
            Self::Ogg => "Ogg",
            Self::Flac => "FLAC",
            Self::Mpeg => "MP3",
            Self::Adts => "ADTS",
            Self::Ac3 => "AC-3",
            Self::Amr => "AMR",
            Self::Au => "AU",
            Self::WavPack => "WavPack",
            Self::Avi => "AVI",
            Self::Flv => "FLV",
            Self::MpegTs => "MPEG-TS",
        }
    }
}
