//! What a file is, from outside: its kind, how it is served, how people name such files.

/// A container that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Container {
    /// RIFF, RIFX, RF64, BW64.
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
    pub const ALL: [Container; 19] = [
        Self::Wave,
        Self::Wave64,
        Self::Aiff,
        Self::Caf,
        Self::Mp4,
        Self::QuickTime,
        Self::Webm,
        Self::Matroska,
        Self::Ogg,
        Self::Flac,
        Self::Mpeg,
        Self::Adts,
        Self::Ac3,
        Self::Amr,
        Self::Au,
        Self::WavPack,
        Self::Avi,
        Self::Flv,
        Self::MpegTs,
    ];

    /// As people call it.
    pub fn name(self) -> &'static str {
        self.facts().0
    }

    /// The content type it is stored and served under: never what a sender says.
    pub fn content_type(self) -> &'static str {
        self.facts().1
    }

    /// Of the names of such files, for pickers. Without the dot.
    pub fn extensions(self) -> &'static [&'static str] {
        self.facts().2
    }

    fn facts(self) -> (&'static str, &'static str, &'static [&'static str]) {
        match self {
            Self::Wave => ("WAV", "audio/wav", &["wav", "wave", "bwf", "rf64"]),
            Self::Wave64 => ("Wave64", "audio/x-w64", &["w64"]),
            Self::Aiff => ("AIFF", "audio/aiff", &["aif", "aiff", "aifc"]),
            Self::Caf => ("CAF", "audio/x-caf", &["caf"]),
            Self::Mp4 => (
                "MP4",
                "audio/mp4",
                &["m4a", "mp4", "m4b", "m4v", "3gp", "3g2"],
            ),
            Self::QuickTime => ("QuickTime", "video/quicktime", &["mov", "qt"]),
            Self::Webm => ("WebM", "audio/webm", &["webm", "weba"]),
            Self::Matroska => ("Matroska", "audio/x-matroska", &["mka", "mkv"]),
            Self::Ogg => ("Ogg", "audio/ogg", &["ogg", "oga", "opus"]),
            Self::Flac => ("FLAC", "audio/flac", &["flac"]),
            Self::Mpeg => ("MP3", "audio/mpeg", &["mp3", "mp2", "mpga"]),
            Self::Adts => ("ADTS", "audio/aac", &["aac", "adts"]),
            Self::Ac3 => ("AC-3", "audio/ac3", &["ac3", "eac3"]),
            Self::Amr => ("AMR", "audio/amr", &["amr", "awb"]),
            Self::Au => ("AU", "audio/basic", &["au", "snd"]),
            Self::WavPack => ("WavPack", "audio/x-wavpack", &["wv"]),
            Self::Avi => ("AVI", "video/x-msvideo", &["avi"]),
            Self::Flv => ("FLV", "video/x-flv", &["flv"]),
            Self::MpegTs => ("MPEG-TS", "video/mp2t", &["ts", "mts", "m2ts"]),
        }
    }
}

/// "WAV, Wave64, … or MPEG-TS", for people.
pub fn accepted() -> String {
    let names: Vec<_> = Container::ALL
        .iter()
        .map(|container| container.name())
        .collect();
    let (last, rest) = names.split_last().expect("there are containers");
    format!("{} or {last}", rest.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_container_is_told_from_the_others() {
        let distinct = |of: fn(Container) -> &'static str| {
            let all: BTreeSet<_> = Container::ALL
                .iter()
                .map(|container| of(*container))
                .collect();
            assert_eq!(all.len(), Container::ALL.len());
        };
        distinct(Container::name);
        distinct(Container::content_type);
        let extensions = Container::ALL
            .iter()
            .flat_map(|container| container.extensions());
        let unique: BTreeSet<_> = extensions.clone().collect();
        assert_eq!(unique.len(), extensions.count());
    }
}
