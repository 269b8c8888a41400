//! Loudness, levels, spectrum and peaks of audio that passes by, in bounded memory; and what a step did to the level, see [`change`].
//!
//! What is measured here is the one truth: of the recording before, of the correction after, and in
//! what is said about both.

mod change;
#[cfg(test)]
mod ebu;
mod findings;
#[cfg(test)]
mod guests;
mod levels;
mod loudness;
mod pyramid;
mod spectrum;
mod true_peak;

pub use change::{Change, ChangeMeter, Level};
pub use loudness::LoudnessCurve;
pub use pyramid::PeakPyramid;

use retake_findings::{Code, Finding};
use serde::{Deserialize, Serialize};

use crate::{Block, Spec, channels::ChannelMask};
use levels::LevelMeter;
use loudness::LoudnessMeter;
use pyramid::PyramidCollector;
use spectrum::SpectrumMeter;
use true_peak::TruePeak;

/// What a meter says of a whole recording. A level that silence does not have is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    pub sample_rate: u32,
    pub channels: u32,
    pub channel_mask: ChannelMask,
    pub frames: u64,
    pub integrated_lufs: Option<f64>,
    pub loudness_range_lu: Option<f64>,
    pub momentary_max_lufs: Option<f64>,
    pub short_term_max_lufs: Option<f64>,
    pub true_peak_dbtp: Option<f64>,
    pub sample_peak_dbfs: Option<f64>,
    /// What a tenth of all stretches of 100 ms that are not digital silence stays under.
    pub noise_floor_dbfs: Option<f64>,
    /// By how much the loud stretches are above the noise floor.
    pub voice_above_noise_db: Option<f64>,
    /// 50 or 60, where the mains hums.
    pub hum_hz: Option<u32>,
    pub hum_dbfs: Option<f64>,
    /// Where the spectrum was cut off, else half the rate.
    pub bandwidth_hz: Option<u32>,
}

/// All that is known after a recording has passed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub measurement: Measurement,
    /// Too large to be told; whoever wants it writes it to a file.
    #[serde(skip)]
    pub pyramid: PeakPyramid,
    pub curve: LoudnessCurve,
    /// What the recording itself is like: dead channels, offsets, clipping.
    pub findings: Vec<Finding>,
}

impl Measured {
    /// Whether there are several channels, and all are the same from beginning to end.
    pub fn has_equal_channels(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.is(Code::ChannelsIdentical))
    }
}

/// Measures blocks as they pass. Samples are finite: see the checks before each use.
pub(crate) struct Meter {
    spec: Spec,
    frames: u64,
    is_measured: bool,
    loudness: LoudnessMeter,
    true_peak: TruePeak,
    levels: LevelMeter,
    spectrum: SpectrumMeter,
    pyramid: PyramidCollector,
}

impl Meter {
    pub(crate) fn new(spec: Spec) -> Self {
        Self {
            spec,
            frames: 0,
            is_measured: true,
            loudness: LoudnessMeter::new(spec),
            true_peak: TruePeak::new(spec.sample_rate, spec.channels as usize),
            levels: LevelMeter::new(spec),
            spectrum: SpectrumMeter::new(spec),
            pyramid: PyramidCollector::new(spec.sample_rate),
        }
    }

    pub(crate) fn push(&mut self, block: &Block) {
        self.loudness.push(block);
        self.true_peak.push(block);
        self.levels.push(block);
        self.spectrum.push(block);
        self.pyramid.push(block);
        self.frames += block.frames() as u64;
    }

    /// Only how long it is. Nothing is found in what was counted.
    pub(crate) fn count(&mut self, block: &Block) {
        self.is_measured = false;
        self.frames += block.frames() as u64;
    }

    pub(crate) fn finish(mut self) -> Measured {
        let loudness = self.loudness.finish();
        let levels = self.levels.finish();
        let spectrum = self.spectrum.finish();
        let measurement = Measurement {
            sample_rate: self.spec.sample_rate,
            channels: self.spec.channels,
            channel_mask: self.spec.mask,
            frames: self.frames,
            integrated_lufs: loudness.integrated_lufs,
            loudness_range_lu: loudness.range_lu,
            momentary_max_lufs: loudness.momentary_max_lufs,
            short_term_max_lufs: loudness.short_term_max_lufs,
            true_peak_dbtp: decibels(self.true_peak.true_peak()),
            sample_peak_dbfs: decibels(self.true_peak.sample_peak()),
            noise_floor_dbfs: levels.noise_floor_dbfs,
            voice_above_noise_db: levels
                .heard_dbfs
                .zip(levels.noise_floor_dbfs)
                .map(|(heard, floor)| heard - floor),
            hum_hz: spectrum.hum.map(|hum| hum.mains_hz),
            hum_dbfs: spectrum.hum.map(|hum| hum.level_dbfs),
            bandwidth_hz: spectrum.bandwidth_hz.map(|hz| hz.round() as u32),
        };
        Measured {
            findings: match self.is_measured {
                true => findings::of(self.spec, &measurement, &levels),
                false => Vec::new(),
            },
            measurement,
            pyramid: self.pyramid.finish(),
            curve: loudness.curve,
        }
    }
}

fn decibels(peak: f32) -> Option<f64> {
    (peak > 0.0).then(|| 20.0 * f64::from(peak).log10())
}
