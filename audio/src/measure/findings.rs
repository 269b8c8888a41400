//! What there is to say about a recording itself, from what was measured of it.

use retake_findings::{Code, Finding};

use super::{Measurement, levels::Levels};
use crate::{Spec, channels::ChannelMask};

/// A channel so far below the loudest one, and below that level, is dead.
const DEAD_BELOW_DB: f64 = 50.0;
const DEAD_DBFS: f64 = -60.0;
/// Two channels that move against each other like this cancel in mono.
const INVERTED_CORRELATION: f64 = -0.9;
/// In parts of full scale.
const OFFSET_MIN: f64 = 0.01;
/// The loudest 400 ms below this are hardly heard.
const NEAR_SILENCE_LUFS: f64 = -50.0;
/// Recordings at such rates had all that a voice needs; above this edge nobody misses anything.
const BANDWIDTH_HZ_ENOUGH: u32 = 17_000;
const BANDWIDTH_PART: f64 = 0.9;

pub(super) fn of(spec: Spec, measurement: &Measurement, levels: &Levels) -> Vec<Finding> {
    let mut findings = Vec::new();
    let loudest = levels
        .channels
        .iter()
        .filter_map(|channel| channel.rms_dbfs)
        .fold(f64::NEG_INFINITY, f64::max);
    if loudest == f64::NEG_INFINITY {
        findings.push(Finding::new(Code::Silent, []));
    } else {
        findings.extend(channels(spec, levels, loudest));
    }
    findings.extend(offset(levels));
    findings.extend(quiet(measurement, loudest));
    findings.extend(clipped(measurement, levels));
    findings.extend(bandwidth(measurement));
    findings
}

fn channels(spec: Spec, levels: &Levels, loudest: f64) -> Vec<Finding> {
    let mut findings = Vec::new();
    let positions = spec.mask.positions(spec.channels);
    let dead: Vec<usize> = levels
        .channels
        .iter()
        .zip(positions)
        .enumerate()
        // Low frequency effects are silent in nearly all recordings.
        .filter(|(_, (_, position))| *position != Some(ChannelMask::LOW_FREQUENCY))
        .filter(|(_, (channel, _))| {
            channel
                .rms_dbfs
                .is_none_or(|level| level < DEAD_DBFS && level < loudest - DEAD_BELOW_DB)
        })
        .map(|(place, _)| place + 1)
        .collect();
    if !dead.is_empty() {
        findings.push(Finding::new(Code::ChannelDead, [("channels", dead.into())]));
    }
    for (pair, correlation) in levels.correlations.iter().enumerate() {
        let Some(correlation) = correlation.filter(|c| *c < INVERTED_CORRELATION) else {
            continue;
        };
        findings.push(Finding::new(
            Code::ChannelsInverted,
            [
                ("first", (pair + 1).into()),
                ("second", (pair + 2).into()),
                ("correlation", correlation.into()),
            ],
        ));
    }
    if levels.is_identical {
        findings.push(Finding::new(
            Code::ChannelsIdentical,
            [("channels", spec.channels.into())],
        ));
    }
    findings
}

fn offset(levels: &Levels) -> Option<Finding> {
    let means = levels.channels.iter().map(|channel| channel.mean);
    let offset = means.max_by(|a, b| a.abs().total_cmp(&b.abs()))?;
    (offset.abs() >= OFFSET_MIN)
        .then(|| Finding::new(Code::DcOffset, [("percent", (100.0 * offset).into())]))
}

fn quiet(measurement: &Measurement, loudest: f64) -> Option<Finding> {
    let momentary = measurement.momentary_max_lufs.unwrap_or(-70.0);
    (loudest > f64::NEG_INFINITY && momentary < NEAR_SILENCE_LUFS)
        .then(|| Finding::new(Code::NearSilence, [("momentary_lufs", momentary.into())]))
}

fn clipped(measurement: &Measurement, levels: &Levels) -> Option<Finding> {
    let clipping = levels.clipping?;
    let minutes = measurement.frames as f64 / f64::from(measurement.sample_rate) / 60.0;
    Some(Finding::new(
        Code::Clipped,
        [
            ("stretches", clipping.stretches.into()),
            (
                "per_minute",
                (clipping.stretches as f64 / minutes.max(1e-3)).into(),
            ),
            ("level_dbfs", (20.0 * clipping.level.log10()).into()),
        ],
    ))
}

fn bandwidth(measurement: &Measurement) -> Option<Finding> {
    let bandwidth_hz = measurement.bandwidth_hz?;
    let nyquist = f64::from(measurement.sample_rate) / 2.0;
    let is_low =
        f64::from(bandwidth_hz) < BANDWIDTH_PART * nyquist && bandwidth_hz < BANDWIDTH_HZ_ENOUGH;
    is_low.then(|| {
        Finding::new(
            Code::BandwidthLow,
            [
                ("bandwidth_hz", bandwidth_hz.into()),
                ("sample_rate_hz", measurement.sample_rate.into()),
            ],
        )
    })
}
