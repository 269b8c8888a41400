//! What there is to tell of a chain that was run.

use std::time::Instant;

use base64::{Engine, prelude::BASE64_STANDARD};
use retake_audio::{Measured, TrackInfo};
use retake_chain::report::{LoudnessCurve, Measurement, Report, StepReport, Track};
use retake_findings::{Code, Finding};

use super::{
    ChainReport, Delta, PreparedKind, PreparedStep, harm,
    segments::Walk,
    targets::{self, Aim},
};
use crate::{audio_work::natural, child::Done};

impl Walk<'_> {
    /// `first` and `last` are what the children at both ends of the chain said.
    pub(super) fn report(mut self, first: &Done, last: &Done, started: Instant) -> ChainReport {
        let promised = self.ran.iter().map(|ran| ran.harmless);
        let promised_db = promised
            .filter(|harmless| harmless.promised)
            .filter_map(|harmless| harmless.level_change_db)
            .sum();
        let (before, after) = (&first.input.measurement, &last.output.measurement);
        self.findings
            .extend(harm::findings(before, after, promised_db));
        let (targets, missed) = targets::held(&self.aims(), before, after);
        self.findings.extend(missed);
        self.findings
            .extend(self.ran.iter().filter_map(|ran| repaired(&ran.report)));
        let report = Report {
            source: format!("{}, {}", first.source.container, first.source.codec),
            input: measurement(&first.input),
            output: measurement(&last.output),
            tracks: tracks(&first.tracks),
            steps: self
                .steps
                .iter()
                .map(|step| self.step_report(step))
                .collect(),
            targets,
            findings: std::mem::take(&mut self.findings),
            elapsed_ms: started.elapsed().as_millis() as u64,
        };
        let deltas = self.steps.iter().zip(&report.steps).enumerate();
        let deltas = deltas.filter(|(_, (_, report))| report.delta);
        let deltas = deltas.filter_map(|(place, (step, _))| {
            Some(Delta {
                step: place as u32,
                path: self.delta_file(step)?,
            })
        });
        ChainReport {
            deltas: deltas.collect(),
            report,
            input_pyramid: self.peaks_file("input"),
            pyramid: self.peaks_file("output"),
            format: last.format,
            natural: natural(&first.source, before.channels),
        }
    }

    /// What each step aims at and said about it, in the chain's order.
    fn aims(&self) -> Vec<Aim<'_>> {
        let aims = self.steps.iter().map(|step| {
            let ran = self.ran.iter().find(|ran| ran.index == step.index);
            Aim {
                name: &step.name,
                targets: step.targets(),
                mix: step.mix,
                is_skipped: self.skipped.contains_key(&step.index),
                report: ran.map(|ran| &ran.report),
            }
        });
        aims.collect()
    }

    /// In the chain's order. A step that was skipped is there too.
    fn step_report(&self, step: &PreparedStep) -> StepReport {
        let skipped = self.skipped.get(&step.index);
        let ran = match skipped {
            Some(_) => None,
            None => self.ran.iter().find(|ran| ran.index == step.index),
        };
        let log = match skipped {
            Some(problem) => problem.log.clone(),
            None => ran.map_or_else(Vec::new, |ran| ran.log.clone()),
        };
        StepReport {
            step: step.name.clone(),
            plugin: match &step.kind {
                PreparedKind::Plugin { plugin, .. } => Some(plugin.clone()),
                PreparedKind::External(_) | PreparedKind::Gone(_) => None,
            },
            skipped: skipped.is_some(),
            recommended: step.recommended,
            params: match &step.kind {
                PreparedKind::Plugin { params, .. } => params.clone(),
                PreparedKind::External(_) | PreparedKind::Gone(_) => serde_json::Map::new(),
            },
            error: skipped.map(|problem| problem.clone().with_log(Vec::new())),
            level_change_db: ran.and_then(|ran| ran.harmless.level_change_db),
            delta: ran.is_some_and(|ran| ran.harmless.delta),
            latency_frames: ran.map_or(0, |ran| ran.latency_frames),
            cpu_ms: ran.map_or(0, |ran| ran.cpu_ms),
            measurements: ran.map_or(serde_json::Value::Null, |ran| ran.report.clone()),
            cuts: ran.map_or_else(Vec::new, |ran| ran.cuts.clone()),
            log,
        }
    }
}

/// Impossible samples that a step replaced, which it counts as `spikes`, the highest as `spike-peak`.
fn repaired(report: &serde_json::Value) -> Option<Finding> {
    let measurements = report.get("measurements")?.as_array()?;
    let value = |id: &str| {
        let measured = measurements.iter().find(|measured| measured["id"] == id)?;
        measured["value"].as_f64()
    };
    let count = value("spikes").filter(|count| *count >= 1.0)?;
    Some(Finding::new(
        Code::SpikesIsolated,
        [
            ("count", (count as u64).into()),
            ("peak_dbfs", value("spike-peak").into()),
        ],
    ))
}

fn measurement(all: &Measured) -> Measurement {
    let measured = &all.measurement;
    let seconds = measured.frames as f64 / f64::from(measured.sample_rate.max(1));
    Measurement {
        sample_rate: measured.sample_rate,
        channels: measured.channels,
        frames: measured.frames,
        duration_ms: (seconds * 1_000.0).round() as u64,
        integrated_lufs: measured.integrated_lufs,
        loudness_range_lu: measured.loudness_range_lu,
        true_peak_dbtp: measured.true_peak_dbtp,
        sample_peak_dbfs: measured.sample_peak_dbfs,
        channel_mask: Some(measured.channel_mask.bits()),
        momentary_max_lufs: measured.momentary_max_lufs,
        short_term_max_lufs: measured.short_term_max_lufs,
        noise_floor_dbfs: measured.noise_floor_dbfs,
        voice_above_noise_db: measured.voice_above_noise_db,
        hum_hz: measured.hum_hz,
        hum_dbfs: measured.hum_dbfs,
        bandwidth_hz: measured.bandwidth_hz,
        loudness_curve: Some(LoudnessCurve {
            interval_ms: retake_audio::LoudnessCurve::INTERVAL_MS,
            lowest_lufs: retake_audio::LoudnessCurve::LOWEST_LUFS,
            step_lu: retake_audio::LoudnessCurve::STEP_LU,
            values: BASE64_STANDARD.encode(&all.curve.0),
        }),
    }
}

/// A container may state any number of them.
const TRACKS_MAX: u32 = 256;

fn tracks(tracks: &[TrackInfo]) -> Vec<Track> {
    let shown = tracks
        .iter()
        .filter(|info| info.used || info.track <= TRACKS_MAX);
    let track = |info: &TrackInfo| Track {
        track: info.track,
        codec: info.codec.clone(),
        channels: info.channels,
        sample_rate: info.sample_rate,
        name: info.name.clone(),
        language: info.language.clone(),
        default: info.default,
        used: info.used,
    };
    shown.map(track).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::repaired;

    #[test]
    fn impossible_samples_that_a_step_replaced_are_told() {
        let report = |spikes: i64| {
            json!({"measurements": [
                {"id": "spikes", "value": spikes}, {"id": "spike-peak", "value": 60.0}
            ]})
        };
        let told = repaired(&report(2)).map(|finding| finding.message);
        let expected = "2 impossible samples, up to 60.0 dBFS, were replaced";
        assert_eq!(told.as_deref(), Some(expected));
        assert_eq!(repaired(&report(0)), None);
        assert_eq!(repaired(&json!(null)), None);
    }
}
