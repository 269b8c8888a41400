//! From what a chain asks for to how it is encoded.

use retake_audio::{Encoding, FlacBits, WavDepth};
use retake_chain::{Bits, Rendition, format::Format};
use retake_findings::{Code, Finding};

use crate::child::{Correction, Origin, Output, Source};

const HANDOVER: Encoding = Encoding {
    format: retake_audio::Format::Wav {
        depth: WavDepth::Float32,
    },
    mono: false,
    sample_rate: None,
};

/// A format in both their words.
pub(super) struct Chosen {
    pub format: Format,
    pub encoded: Encoding,
    /// Says that it is not the one that was asked for.
    pub replaced: Option<Finding>,
}

impl Chosen {
    /// What this child writes, and what there is to say about that.
    pub(super) fn written(self, output_as: Output) -> (Encoding, Option<Finding>) {
        match output_as {
            Output::Handover | Output::Kept => (HANDOVER, None),
            Output::Correction => (self.encoded, self.replaced),
        }
    }
}

/// What was asked for, or else is natural for the recording; a WAV where that cannot hold so many channels.
pub(super) fn correction_format(correction: Correction, source: &Source, channels: u32) -> Chosen {
    let rendition = correction
        .rendition
        .unwrap_or_else(|| natural(source, channels));
    let origin = match correction.origin {
        Origin::Input => Origin::of(source),
        known => known,
    };
    let wanted = encoded(rendition, origin);
    let channels = if rendition.mono { 1 } else { channels };
    let channels_max = wanted.format.channels_max();
    if channels <= channels_max {
        return Chosen {
            format: rendition.format,
            encoded: wanted,
            replaced: None,
        };
    }
    let instead = Rendition {
        format: Format::Wav,
        bitrate_kbps: None,
        ..rendition
    };
    let instead = encoded(instead, origin);
    Chosen {
        format: Format::Wav,
        encoded: instead,
        replaced: Some(Finding::new(
            Code::FormatReplaced,
            [
                ("wanted", wanted.format.name().into()),
                ("channels_max", channels_max.into()),
                ("channels", channels.into()),
                ("format", instead.format.name().into()),
            ],
        )),
    }
}

/// Where nothing is asked for.
pub(crate) fn natural(source: &Source, channels: u32) -> Rendition {
    Format::natural(source.lossless_bits.is_some(), &source.codec, channels).into()
}

fn encoded(rendition: Rendition, origin: Origin) -> Encoding {
    let bitrate_bps = rendition.bitrate_kbps.map(|kbps| kbps * 1000);
    let format = match rendition.format {
        Format::Wav => retake_audio::Format::Wav {
            depth: match rendition.bits {
                Some(Bits::Int16) => WavDepth::Int16,
                Some(Bits::Float32) => WavDepth::Float32,
                Some(Bits::Int24) | None => WavDepth::Int24,
            },
        },
        Format::Opus => retake_audio::Format::OggOpus { bitrate_bps },
        Format::Mp3 => retake_audio::Format::Mp3 {
            bitrate_bps,
            vbr: rendition.vbr,
        },
        Format::M4a => retake_audio::Format::M4a { bitrate_bps },
        Format::Flac => {
            // More bits than the recording had would only store noise.
            let bits = match (rendition.bits, origin) {
                (Some(Bits::Int16), _) => FlacBits::Bits16,
                (Some(_), _) => FlacBits::Bits24,
                (None, Origin::Lossless { bits }) if bits > 16 => FlacBits::Bits24,
                _ => FlacBits::Bits16,
            };
            retake_audio::Format::Flac { bits }
        }
    };
    Encoding {
        format,
        mono: rendition.mono,
        sample_rate: rendition.sample_rate,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn more_channels_than_a_format_holds_become_a_wav_and_are_told() {
        let source = Source {
            container: "WAV".to_owned(),
            codec: "PCM".to_owned(),
            lossless_bits: Some(24),
        };
        let chosen = |rendition, channels| {
            let correction = Correction {
                rendition,
                origin: Origin::Input,
            };
            correction_format(correction, &source, channels)
        };
        for (format, channels) in [
            (Format::Flac, 8),
            (Format::Wav, 16),
            (Format::Opus, 2),
            (Format::Flac, 1),
            (Format::Mp3, 6),
            (Format::M4a, 16),
        ] {
            let chosen = chosen(Some(format.into()), channels);
            assert_eq!(chosen.format, format);
            assert_eq!(chosen.replaced, None);
        }
        // In one channel there is room for twelve; and FLAC is what is natural for PCM.
        let mono = "flac:mono".parse().unwrap();
        assert_eq!(chosen(Some(mono), 12).format, Format::Flac);
        assert_eq!(chosen(None, 2).format, Format::Flac);
        let twelve = chosen(None, 12);
        assert_eq!(twelve.format, Format::Wav);
        assert_eq!(
            twelve.replaced.unwrap().message,
            "FLAC holds at most 8 channels and the recording has 12: the correction is WAV"
        );
    }
}
