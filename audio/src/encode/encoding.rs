//! A format, and what of a recording goes into it.

use retake_findings::{Code, Finding};
use serde::{Deserialize, Serialize};

use super::{Format, fit::nearest_rate, m4a, mp3, opus};
use crate::{ChannelMask, Spec, Tags};

/// How a recording is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoding {
    pub format: Format,
    /// All channels mixed into one.
    pub mono: bool,
    /// Else the recording's, or the nearest that the format has.
    pub sample_rate: Option<u32>,
}

impl From<Format> for Encoding {
    fn from(format: Format) -> Self {
        Self {
            format,
            mono: false,
            sample_rate: None,
        }
    }
}

impl From<&Format> for Encoding {
    fn from(format: &Format) -> Self {
        Self::from(*format)
    }
}

impl From<&Encoding> for Encoding {
    fn from(encoding: &Encoding) -> Self {
        *encoding
    }
}

impl Encoding {
    /// What a recording becomes in this. Opus brings rates that it does not have to its own itself.
    pub fn written(&self, spec: Spec) -> Spec {
        let wanted = self.sample_rate.unwrap_or(spec.sample_rate);
        let (sample_rate, channels_max) = match self.format {
            Format::Wav { .. } | Format::Flac { .. } | Format::OggOpus { .. } => {
                (wanted, spec.channels)
            }
            Format::Mp3 { .. } => (nearest_rate(&mp3::RATES, wanted), 2),
            Format::M4a { .. } => (nearest_rate(&m4a::RATES, wanted), 2),
        };
        let channels = match self.mono {
            true => 1,
            false => spec.channels.min(channels_max),
        };
        Spec {
            sample_rate,
            channels,
            mask: match channels == spec.channels {
                true => spec.mask,
                false => ChannelMask::usual(channels),
            },
        }
    }

    /// What of a recording is lost in this, and what is not as it was asked for.
    pub fn cannot_keep(&self, tags: &Tags, spec: Spec) -> Vec<Finding> {
        let written = self.written(spec);
        let name = self.format.name();
        let mut findings = Vec::new();
        if written.channels < spec.channels && !self.mono {
            findings.push(Finding::new(
                Code::ChannelsMixed,
                [
                    ("channels", spec.channels.into()),
                    ("into", written.channels.into()),
                    ("format", name.into()),
                ],
            ));
        }
        let rate_written = match self.format {
            Format::OggOpus { .. } => opus::rate(written.sample_rate),
            _ => written.sample_rate,
        };
        if rate_written != self.sample_rate.unwrap_or(spec.sample_rate) {
            findings.push(Finding::new(
                Code::RateChanged,
                [
                    ("from_hz", spec.sample_rate.into()),
                    ("to_hz", rate_written.into()),
                    ("format", name.into()),
                ],
            ));
        }
        let bitrates = match self.format {
            Format::Mp3 {
                bitrate_bps: Some(wanted),
                ..
            } => Some((wanted, mp3::bitrate(written, Some(wanted)))),
            Format::M4a {
                bitrate_bps: Some(wanted),
            } => Some((wanted, m4a::bitrate(written, Some(wanted)))),
            Format::OggOpus {
                bitrate_bps: Some(wanted),
            } => Some((wanted, opus::bitrate(written.channels, Some(wanted)))),
            _ => None,
        };
        if let Some((wanted, given)) = bitrates.filter(|(wanted, given)| wanted != given) {
            findings.push(Finding::new(
                Code::BitrateChanged,
                [
                    ("wanted_kbps", (f64::from(wanted) / 1000.0).into()),
                    ("kbps", (f64::from(given) / 1000.0).into()),
                    ("format", name.into()),
                    ("rate_hz", rate_written.into()),
                    ("channels", written.channels.into()),
                ],
            ));
        }
        if let Format::Mp3 { vbr: true, .. } = self.format
            && written.channels == 1
        {
            findings.push(Finding::new(Code::VbrNotUsed, []));
        }
        findings.extend(self.format.cannot_keep(tags, written));
        findings
    }
}
