//! How audio is coded inside a container.

/// A codec. Those that are not decoded are named so that a refusal can say what it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Codec {
    Pcm,
    PcmFloat,
    Alaw,
    Mulaw,
    Flac,
    Alac,
    WavPack,
    Opus,
    Vorbis,
    /// AAC-LC and HE-AAC: what exactly is in the stream's own configuration.
    Aac,
    Mp1,
    Mp2,
    Mp3,
    /// IMA ADPCM in WAVE's blocks.
    AdpcmIma,
    /// IMA ADPCM in QuickTime's blocks of 34 bytes a channel.
    AdpcmImaQt,
    AdpcmMs,
    AmrNb,
    AmrWb,
    Ac3,
    Eac3,
    /// GSM 06.10: frames of 33 bytes, 160 samples.
    Gsm,
    /// The same, two frames packed into 65 bytes, as WAVE and AVI have it.
    GsmMs,
    G722,
    /// Not decoded: its name for people.
    Unknown(String),
}

impl Codec {
    /// All that are decoded.
    pub const DECODED: &[Codec] = &[
        Self::Pcm,
        Self::PcmFloat,
        Self::Alaw,
        Self::Mulaw,
        Self::Flac,
        Self::Alac,
        Self::WavPack,
        Self::Opus,
        Self::Vorbis,
        Self::Aac,
        Self::Mp1,
        Self::Mp2,
        Self::Mp3,
        Self::AdpcmIma,
        Self::AdpcmImaQt,
        Self::AdpcmMs,
        Self::AmrNb,
        Self::AmrWb,
        Self::Ac3,
        Self::Eac3,
        Self::Gsm,
        Self::GsmMs,
        Self::G722,
    ];

    /// As people call it.
    pub fn name(&self) -> &str {
        match self {
            Self::Pcm => "PCM",
            Self::PcmFloat => "PCM (float)",
            Self::Alaw => "A-law",
            Self::Mulaw => "mu-law",
            Self::Flac => "FLAC",
            Self::Alac => "ALAC",
            Self::WavPack => "WavPack",
            Self::Opus => "Opus",
            Self::Vorbis => "Vorbis",
            Self::Aac => "AAC",
            Self::Mp1 => "MP1",
            Self::Mp2 => "MP2",
            Self::Mp3 => "MP3",
            Self::AdpcmIma | Self::AdpcmImaQt => "IMA ADPCM",
            Self::AdpcmMs => "MS ADPCM",
            Self::AmrNb => "AMR",
            Self::AmrWb => "AMR-WB",
            Self::Ac3 => "AC-3",
            Self::Eac3 => "E-AC-3",
            Self::Gsm | Self::GsmMs => "GSM 6.10",
            Self::G722 => "G.722",
            Self::Unknown(name) => name,
        }
    }

    pub fn is_lossless(&self) -> bool {
        matches!(
            self,
            Self::Pcm | Self::PcmFloat | Self::Flac | Self::Alac | Self::WavPack
        )
    }
}
