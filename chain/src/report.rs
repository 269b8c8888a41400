//! What was measured before and after, and what each step did and cost.

use retake_findings::Finding;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Container and codec of the recording, "WebM, Opus" say.
    pub source: String,
    pub input: Measurement,
    pub output: Measurement,
    /// All audio tracks of the recording; of an old report none.
    #[serde(default)]
    pub tracks: Vec<Track>,
    pub steps: Vec<StepReport>,
    /// What the chain aimed at, and what came of it.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// About the file, the recording, the steps and the correction, in this order.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Wall time from claim to the encoded correction.
    pub elapsed_ms: u64,
}

/// Levels are `None` where there is no signal to measure (silence measures as minus infinity).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    pub sample_rate: u32,
    pub channels: u32,
    pub frames: u64,
    pub duration_ms: u64,
    /// EBU R128 / ITU-R BS.1770 integrated loudness, LUFS.
    pub integrated_lufs: Option<f64>,
    /// EBU Tech 3342 loudness range, LU.
    pub loudness_range_lu: Option<f64>,
    /// ITU-R BS.1770-4 Annex 2 true peak, dBTP.
    pub true_peak_dbtp: Option<f64>,
    /// Highest sample, dBFS.
    pub sample_peak_dbfs: Option<f64>,
    /// Which speakers the channels are for: WAVE's `dwChannelMask`, 0 where they are for none. What
    /// follows is `None` in old reports, too.
    #[serde(default)]
    pub channel_mask: Option<u32>,
    /// Of 400 ms and of 3 s, EBU Tech 3341.
    #[serde(default)]
    pub momentary_max_lufs: Option<f64>,
    #[serde(default)]
    pub short_term_max_lufs: Option<f64>,
    /// What the quietest tenth of it stays under.
    #[serde(default)]
    pub noise_floor_dbfs: Option<f64>,
    /// By how much its loud parts are above that.
    #[serde(default)]
    pub voice_above_noise_db: Option<f64>,
    /// 50 or 60, where the mains hums.
    #[serde(default)]
    pub hum_hz: Option<u32>,
    #[serde(default)]
    pub hum_dbfs: Option<f64>,
    /// Where its spectrum ends.
    #[serde(default)]
    pub bandwidth_hz: Option<u32>,
    #[serde(default)]
    pub loudness_curve: Option<LoudnessCurve>,
}

/// How the momentary loudness goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoudnessCurve {
    /// One value for each.
    pub interval_ms: u32,
    pub lowest_lufs: f64,
    pub step_lu: f64,
    /// Base64 of one byte for each value: 0 is below the lowest, n is `lowest + (n - 1) * step`.
    pub values: String,
}

/// One audio track of the recording's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// From 1.
    pub track: u32,
    pub codec: String,
    /// As the file states them.
    pub channels: Option<u32>,
    pub sample_rate: Option<u32>,
    pub name: Option<String>,
    pub language: Option<String>,
    /// The file names it as the one to play.
    pub default: bool,
    /// The one that was corrected.
    pub used: bool,
}

/// What a step of the chain aims at, held against the finished correction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub what: TargetKind,
    /// "LUFS" or "dBTP".
    pub unit: String,
    pub target: f64,
    /// `None` where nothing could be measured.
    pub reached: Option<f64>,
    pub met: bool,
    /// A code and a sentence, "max-gain: ..." say.
    pub why_not: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    Loudness,
    TruePeak,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    pub step: String,
    /// Id, version and SHA-256 of the plugin that ran; `None` for an external service.
    pub plugin: Option<PluginRef>,
    pub skipped: bool,
    /// Why it was left out, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// By how much the step changed the level of what can be heard in its input, dB; -120 is
    /// silence. `None` where nothing can be heard, and for a step that was left out.
    #[serde(default)]
    pub level_change_db: Option<f64>,
    /// Whether what the step took away was kept, as a file of its own.
    #[serde(default)]
    pub delta: bool,
    /// Whether an analyser recommended it. It then stands after that analyser, and not in the chain.
    #[serde(default)]
    pub recommended: bool,
    /// Every parameter of the plugin, those that the chain left out with their defaults.
    #[serde(default)]
    pub params: serde_json::Map<String, serde_json::Value>,
    pub latency_frames: u32,
    /// Time spent inside the step, on any thread.
    pub cpu_ms: u64,
    /// What the plugin's own `report` says, as JSON of the contract's `report` record.
    #[serde(default)]
    pub measurements: serde_json::Value,
    /// What a step that shortens took out, in order: its output is its input without these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<Cut>,
    /// What the plugin logged, cut to 64 KiB; of a step that was left out the last lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

/// Frames of a step's input, at the recording's rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    pub start: u64,
    pub frames: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginRef {
    pub id: String,
    pub version: String,
    pub digest: String,
}
