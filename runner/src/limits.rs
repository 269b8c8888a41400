//! What a chain may be run on, and what it may use.

use serde::{Deserialize, Serialize};

/// What is taken in, and what the child process may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub duration_ms_max: u64,
    pub sample_rate_hz_min: u32,
    pub sample_rate_hz_max: u32,
    pub channels_max: u32,
    /// Memory a child may write to.
    pub memory_bytes_max: u64,
    /// Longest file a child may write. Audio on its way takes 4 bytes per sample: 22 GiB for four
    /// hours of 192 kHz stereo.
    pub scratch_bytes_max: u64,
    pub correction_bytes_max: u64,
    /// CPU time that a step may take whatever the audio's length, …
    pub step_cpu_ms: u64,
    /// … and for each second of it so many times what its plugin's check has measured, …
    pub step_cpu_factor: u32,
    /// … at least this, for one channel at 48 kHz, …
    pub step_cpu_per_audio_s_ms: u64,
    /// … and this where the plugin was never checked: it came with the program, or lay in a folder.
    pub step_cpu_unchecked_per_audio_s_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            duration_ms_max: 4 * 60 * 60 * 1000,
            sample_rate_hz_min: 8_000,
            sample_rate_hz_max: 192_000,
            channels_max: 16,
            memory_bytes_max: 1 << 30,
            scratch_bytes_max: 24 << 30,
            correction_bytes_max: 16 << 30,
            step_cpu_ms: 10_000,
            step_cpu_factor: 20,
            step_cpu_per_audio_s_ms: 50,
            step_cpu_unchecked_per_audio_s_ms: 1_000,
        }
    }
}

impl Limits {
    pub(crate) fn audio(&self) -> retake_audio::Limits {
        retake_audio::Limits {
            duration_ms_max: self.duration_ms_max,
            sample_rate: self.sample_rate_hz_min..=self.sample_rate_hz_max,
            channels_max: self.channels_max,
        }
    }
}
