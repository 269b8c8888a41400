//! Loudness, peaks and the waveform outline of audio that passes by, in bounded memory; and what a
//! step did to the level, see [`change`].
//!
//! Loudness is EBU R 128 / ITU-R BS.1770-4 by the `ebur128` crate with its histograms, whose memory
//! does not grow (loudness range then comes in steps of 0.1 LU). True peak is our own, see
//! [`true_peak`]: the crate's costs more than everything else here together.

mod change;
mod peaks;
mod true_peak;

pub use change::{Change, ChangeMeter, Level};
pub use peaks::Peaks;

use ebur128::{Channel, EbuR128, Mode};
use serde::{Deserialize, Serialize};

use crate::{Block, Spec};
use peaks::PeakCollector;
use true_peak::TruePeak;

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

/// Measures blocks as they pass. Samples are finite: see the checks before each use.
pub(crate) struct Meter {
    spec: Spec,
    frames: u64,
    loudness: EbuR128,
    true_peak: TruePeak,
    peaks: PeakCollector,
}

impl Meter {
    pub(crate) fn new(spec: Spec) -> Self {
        let mode = Mode::I | Mode::LRA | Mode::HISTOGRAM;
        let mut loudness = EbuR128::new(spec.channels, spec.sample_rate, mode)
            .expect("rate and channel count were checked against the limits");
        if let Some(map) = channel_map(spec.channels) {
            loudness
                .set_channel_map(map)
                .expect("the map has one entry per channel");
        }
        Self {
            spec,
            frames: 0,
            loudness,
            true_peak: TruePeak::new(spec.sample_rate, spec.channels as usize),
            peaks: PeakCollector::new(),
        }
    }

    pub(crate) fn push(&mut self, block: &Block) {
        let channels: Vec<&[f32]> = block.iter().map(Vec::as_slice).collect();
        self.loudness
            .add_frames_planar_f32(&channels)
            .expect("the block has the channels that the meter was made for");
        self.true_peak.push(block);
        self.peaks.push(block);
        self.frames += block[0].len() as u64;
    }

    pub(crate) fn finish(mut self) -> (Measurement, Peaks) {
        let integrated_lufs = self
            .loudness
            .loudness_global()
            .ok()
            .filter(|l| l.is_finite());
        let loudness_range_lu = integrated_lufs.and(self.loudness.loudness_range().ok());
        let measurement = Measurement {
            sample_rate: self.spec.sample_rate,
            channels: self.spec.channels,
            frames: self.frames,
            integrated_lufs,
            loudness_range_lu,
            true_peak_dbtp: decibels(self.true_peak.true_peak()),
            sample_peak_dbfs: decibels(self.true_peak.sample_peak()),
        };
        (measurement, self.peaks.finish())
    }
}

fn decibels(peak: f32) -> Option<f64> {
    (peak > 0.0).then(|| 20.0 * f64::from(peak).log10())
}

/// Channels come in WAVE order. The crate's own map serves up to six of them; beyond that it would
/// leave some unheard.
fn channel_map(channels: u32) -> Option<&'static [Channel]> {
    use Channel::{Center, Left, LeftSurround, Right, RightSurround, Unused};
    match channels {
        // Front, centre, low frequency, back centre, sides.
        7 => Some(&[
            Left,
            Right,
            Center,
            Unused,
            Channel::Mp180,
            LeftSurround,
            RightSurround,
        ]),
        // Front, centre, low frequency, backs (M±135, which weigh 1), sides (M±90, which weigh 1.41).
        8 => Some(&[
            Left,
            Right,
            Center,
            Unused,
            Channel::Mp135,
            Channel::Mm135,
            Channel::Mp090,
            Channel::Mm090,
        ]),
        _ => None,
    }
}
