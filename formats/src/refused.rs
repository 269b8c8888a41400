//! Audio that is not read, and what its owner can do.

/// A kind of audio that is known and not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// As people call it.
    pub name: &'static str,
    /// What to do about it, as the rest of a sentence.
    pub advice: &'static str,
}

const CONVERT: &str = "convert it to FLAC or WAV";
const EXPORT: &str = "export it from the program that wrote it as WAV, FLAC or M4A";

/// All of them, for the docs and for whoever asks.
pub const REFUSED: &[Refused] = &[
    Refused {
        name: "AC-4",
        advice: CONVERT,
    },
    Refused {
        name: "AC-3 at 44.1 kHz",
        advice: CONVERT,
    },
    Refused {
        name: "AAC in ADIF",
        advice: "put it into an M4A or ADTS file",
    },
    Refused {
        name: "AAC in LATM",
        advice: "put it into an M4A or ADTS file",
    },
    Refused {
        name: "xHE-AAC",
        advice: "export it as AAC-LC",
    },
    Refused {
        name: "ATRAC3",
        advice: CONVERT,
    },
    Refused {
        name: "Creative Voice",
        advice: CONVERT,
    },
    Refused {
        name: "8SVX",
        advice: CONVERT,
    },
    Refused {
        name: "DSD",
        advice: "convert it to PCM, at 96 kHz say",
    },
    Refused {
        name: "DTS",
        advice: CONVERT,
    },
    Refused {
        name: "Dolby TrueHD",
        advice: CONVERT,
    },
    Refused {
        name: "Flash ADPCM",
        advice: CONVERT,
    },
    Refused {
        name: "encrypted audio",
        advice: "record or buy it without copy protection",
    },
    Refused {
        name: "MACE",
        advice: EXPORT,
    },
    Refused {
        name: "MPEG audio in free format",
        advice: CONVERT,
    },
    Refused {
        name: "MIDI",
        advice: "it holds notes and no sound; render it with a synthesizer",
    },
    Refused {
        name: "Monkey's Audio",
        advice: CONVERT,
    },
    Refused {
        name: "Musepack",
        advice: CONVERT,
    },
    Refused {
        name: "Nellymoser",
        advice: CONVERT,
    },
    Refused {
        name: "PCM of Blu-ray",
        advice: CONVERT,
    },
    Refused {
        name: "PCM of SMPTE 302M",
        advice: CONVERT,
    },
    Refused {
        name: "QDesign Music",
        advice: EXPORT,
    },
    Refused {
        name: "RealAudio",
        advice: CONVERT,
    },
    Refused {
        name: "SILK",
        advice: "save the voice message with the messenger's own export",
    },
    Refused {
        name: "Speex",
        advice: CONVERT,
    },
    Refused {
        name: "True Audio",
        advice: CONVERT,
    },
    Refused {
        name: "Windows Media Audio",
        advice: CONVERT,
    },
    Refused {
        name: "AC-3 as S/PDIF",
        advice: CONVERT,
    },
    Refused {
        name: "AAC-LD",
        advice: CONVERT,
    },
    Refused {
        name: "Creative ADPCM",
        advice: CONVERT,
    },
    Refused {
        name: "G.721 ADPCM",
        advice: CONVERT,
    },
    Refused {
        name: "G.723 ADPCM",
        advice: CONVERT,
    },
    Refused {
        name: "G.723.1",
        advice: CONVERT,
    },
    Refused {
        name: "G.726",
        advice: CONVERT,
    },
    Refused {
        name: "G.729",
        advice: CONVERT,
    },
    Refused {
        name: "iLBC",
        advice: CONVERT,
    },
    Refused {
        name: "MPEG-4 ALS",
        advice: CONVERT,
    },
    Refused {
        name: "MPEG program stream",
        advice: "put it into an MP4 or MKV file, or convert its sound to FLAC or WAV",
    },
    Refused {
        name: "NMS ADPCM",
        advice: CONVERT,
    },
    Refused {
        name: "QCELP",
        advice: CONVERT,
    },
    Refused {
        name: "TrueSpeech",
        advice: CONVERT,
    },
    Refused {
        name: "Vorbis in WAVE",
        advice: "put it into an Ogg file, or convert it to FLAC or WAV",
    },
    Refused {
        name: "Windows Media Audio Voice",
        advice: CONVERT,
    },
    Refused {
        name: "Yamaha ADPCM",
        advice: CONVERT,
    },
];

/// What to do about a kind that is not in the list.
pub fn advice(name: &str) -> &'static str {
    let found = REFUSED.iter().find(|refused| refused.name == name);
    found.map_or("convert it to WAV, FLAC, MP3, M4A or Ogg", |refused| {
        refused.advice
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::REFUSED;

    #[test]
    fn each_is_listed_once() {
        let names: BTreeSet<_> = REFUSED.iter().map(|refused| refused.name).collect();
        assert_eq!(names.len(), REFUSED.len());
    }
}
