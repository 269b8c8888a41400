//! Any recording in, planar `f32` in a spill file out.

use std::{fs::File, ops::RangeInclusive, path::Path};

use serde::{Deserialize, Serialize};

use crate::{AudioError, Measurement, Peaks, Spec, spill::Spill};

/// What is taken in; anything outside is refused by name.
#[derive(Debug, Clone)]
pub struct Limits {
    pub duration_ms_max: u64,
    pub sample_rate: RangeInclusive<u32>,
    pub channels_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            duration_ms_max: 4 * 60 * 60 * 1000,
            sample_rate: 8_000..=192_000,
            channels_max: 8,
        }
    }
}

/// Where the audio came from, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceInfo {
    /// "WebM", "Ogg", "WAV", …
    pub container: String,
    /// "Opus", "AAC", "PCM", …
    pub codec: String,
    /// Bits per sample where the codec is lossless.
    pub lossless_bits: Option<u32>,
}

/// A decoded recording: its samples wait in an unlinked file, which goes when this does.
#[derive(Debug)]
pub struct Decoded {
    pub spec: Spec,
    pub source: SourceInfo,
    pub frames: u64,
    pub measurement: Measurement,
    pub peaks: Peaks,
    /// What was mended or missing, as sentences for the sender.
    pub warnings: Vec<String>,
    pub(crate) spill: Spill,
}

/// Decodes and measures in one pass. `progress` hears 0.0..=1.0, by bytes read.
pub fn decode(
    _file: File,
    _limits: &Limits,
    _spill_dir: &Path,
    _progress: &mut dyn FnMut(f32),
) -> Result<Decoded, AudioError> {
    Err(AudioError::Empty)
}
