//! From what a chain asks for to how it is encoded.

use retake_audio::{FlacBits, WavDepth};
use retake_chain::format::Format;
use retake_findings::{Code, Finding};

use crate::child::{Correction, Origin, Output, Source};

const HANDOVER: retake_audio::Format = retake_audio::Format::Wav {
    depth: WavDepth::Float32,
};

/// A format in both their words.
pub(super) struct Chosen {
    pub format: Format,
    pub encoded: retake_audio::Format,
    /// Says that it is not the one that was asked for.
    pub replaced: Option<Finding>,
}

impl Chosen {
    /// What this child writes, and what there is to say about that.
    pub(super) fn written(self, output_as: Output) -> (retake_audio::Format, Option<Finding>) {
        match output_as {
            Output::Handover => (HANDOVER, None),
            Output::Correction => (self.encoded, self.replaced),
        }
    }
}

/// What was asked for; a WAV where that cannot hold so many channels.
pub(super) fn correction_format(correction: Correction, source: &Source, channels: u32) -> Chosen {
    let wanted = encoded(correction, correction.format, source);
    let channels_max = wanted.channels_max();
    if channels <= channels_max {
        return Chosen {
            format: correction.format,
            encoded: wanted,
            replaced: None,
        };
    }
    let instead = encoded(correction, Format::Wav, source);
    Chosen {
        format: Format::Wav,
        encoded: instead,
        replaced: Some(Finding::new(
            Code::FormatReplaced,
            [
                ("wanted", wanted.name().into()),
                ("channels_max", channels_max.into()),
                ("channels", channels.into()),
                ("format", instead.name().into()),
            ],
        )),
    }
}

fn encoded(correction: Correction, format: Format, source: &Source) -> retake_audio::Format {
    match format {
        Format::Wav => retake_audio::Format::Wav {
            depth: WavDepth::Int24,
        },
        Format::Opus => retake_audio::Format::OggOpus { bitrate_bps: None },
        Format::Flac => {
            let origin = if correction.origin == Origin::Input {
                Origin::of(source)
            } else {
                correction.origin
            };
            // More bits than the recording had would only store noise.
            let bits = match origin {
                Origin::Lossless { bits } if bits > 16 => FlacBits::Bits24,
                _ => FlacBits::Bits16,
            };
            retake_audio::Format::Flac { bits }
        }
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
        let chosen = |format, channels| {
            let origin = Origin::Input;
            correction_format(Correction { format, origin }, &source, channels)
        };
        for (format, channels) in [
            (Format::Flac, 8),
            (Format::Wav, 16),
            (Format::Opus, 2),
            (Format::Flac, 1),
        ] {
            let chosen = chosen(format, channels);
            assert_eq!(chosen.format, format);
            assert_eq!(chosen.replaced, None);
        }
        let twelve = chosen(Format::Flac, 12);
        assert_eq!(twelve.format, Format::Wav);
        assert_eq!(
            twelve.replaced.unwrap().message,
            "FLAC holds at most 8 channels and the recording has 12: the correction is WAV"
        );
    }
}
