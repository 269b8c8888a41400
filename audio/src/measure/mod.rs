//! Loudness, peaks and the waveform outline.

mod peaks;

pub use peaks::Peaks;

use serde::{Deserialize, Serialize};

/// What a meter says of a whole recording. A level that silence does not have is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    pub sample_rate: u32,
    pub channels: u32,
    pub frames: u64,
    pub integrated_lufs: Option<f64>,
    pub loudness_range_lu: Option<f64>,
    pub true_peak_dbtp: Option<f64>,
    pub sample_peak_dbfs: Option<f64>,
}
