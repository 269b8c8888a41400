//! From what a chain asks for to how it is encoded.

use retake_audio::{FlacBits, WavDepth};
use retake_chain::format::Format;

use crate::child::{Correction, Origin, Output, Source};

pub(super) fn format(output: Output, source: &Source) -> retake_audio::Format {
    match output {
        Output::Handover => retake_audio::Format::Wav {
            depth: WavDepth::Float32,
        },
        Output::Correction(correction) => correction_format(correction, source),
    }
}

pub(super) fn correction_format(correction: Correction, source: &Source) -> retake_audio::Format {
    match correction.format {
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
