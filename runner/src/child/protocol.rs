//! What parent and child say to each other: one request, then lines of JSON. Both ends are the same
//! program, so the shapes may change freely.

use std::{fmt, path::PathBuf};

use retake_audio::{KeptRecording, Measured, TrackInfo};
use retake_chain::{Rendition, Spare, format::Format, report::Cut};
use retake_findings::Finding;
use serde::{Deserialize, Serialize};

use crate::limits::Limits;

/// A line from the child is never longer; a report that does not fit is cut by the child.
pub(super) const LINE_BYTES_MAX: usize = 8 << 20;
/// Nor is the request.
pub(super) const REQUEST_BYTES_MAX: u64 = 16 << 20;

/// Everything the child needs to know. Paths are absolute.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub parent_pid: i32,
    pub input: PathBuf,
    /// Of the input's audio tracks, from 1; `None` takes the file's own choice.
    pub track: Option<u32>,
    pub output: PathBuf,
    /// For spill files; the child leaves nothing in it.
    pub scratch_dir: PathBuf,
    pub plugin_cache: PathBuf,
    pub steps: Vec<StepRequest>,
    /// Set where an earlier child has read the recording: `input` is then where its samples wait.
    #[serde(default)]
    pub kept: Option<Box<KeptRecording>>,
    /// What the steps of earlier children have reported, on the time line of the input.
    #[serde(default)]
    pub earlier: Vec<Earlier>,
    pub output_as: Output,
    /// What was asked for. Deltas are in that format, too.
    pub deltas_as: Correction,
    /// Where the correction's tags come from; only for the child that writes it.
    pub original: Option<Original>,
    /// Set where the input came back from an external service.
    pub expect: Option<Expect>,
    /// Where the peaks go: of the input as soon as it is decoded, and of what is written.
    #[serde(default)]
    pub input_peaks: Option<PathBuf>,
    #[serde(default)]
    pub output_peaks: Option<PathBuf>,
    /// The input is only looked at: nothing is corrected.
    #[serde(default)]
    pub look: Option<Look>,
    pub limits: Limits,
    pub seed: u64,
}

/// What is made of a recording beside corrections.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// Its outline, in a file.
    Peaks(PeakForm),
    /// Tiles, in an existing folder, each called by its place: `0.png`.
    Spectrogram {
        columns_per_second: u32,
        from_column: u64,
        /// Behind the last one.
        to_column: u64,
    },
    /// Both in one stream. The input is the original.
    Compare {
        correction: PathBuf,
        /// What was cut out of the original, step by step: each time frames of what was left.
        cuts: Vec<Vec<Cut>>,
        form: CompareForm,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompareForm {
    Webm,
    M4a,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeakForm {
    /// Ours: all levels, see docs/renditions.md.
    Pyramid,
    /// BBC's audiowaveform's.
    Dat,
    Json,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StepRequest {
    /// Place among the chain's steps, from 0.
    pub index: usize,
    pub name: String,
    /// SHA-256 of the plugin, lower-case hex.
    pub digest: String,
    /// What its check has measured, if it was checked.
    pub realtime_factor: Option<f64>,
    /// All of them; checked again against the manifest.
    pub params: serde_json::Map<String, serde_json::Value>,
    pub mix: f64,
    pub spare: Spare,
    /// Where to write what the step takes away, if it is wanted.
    pub delta: Option<PathBuf>,
}

/// A step that has run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Earlier {
    /// Its plugin's id and version.
    pub plugin: String,
    pub version: String,
    pub report: serde_json::Value,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Output {
    /// A WAV of 32-bit floats for whoever comes next in the chain.
    Handover,
    /// Nothing, as the steps only look: what was read waits in that file for the next child.
    Kept,
    /// What was asked for.
    Correction,
}

/// The recording as it was sent in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Original {
    pub file: PathBuf,
    /// What was cut out of it already, step by step: each time frames of what was left.
    pub cuts: Vec<Vec<Cut>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Correction {
    /// `None`: what is natural for the recording.
    pub rendition: Option<Rendition>,
    pub origin: Origin,
}

/// What the recording was, where the input is no longer the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    /// The input is it.
    Input,
    Lossy,
    Lossless {
        bits: u32,
    },
}

impl Origin {
    pub fn of(source: &Source) -> Self {
        source
            .lossless_bits
            .map_or(Self::Lossy, |bits| Self::Lossless { bits })
    }
}

/// What was sent to an external service, and so must have come back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Expect {
    /// The external step, by its place in the chain.
    pub step: usize,
    pub name: String,
    pub length: Length,
    /// The file that was sent.
    pub sent: PathBuf,
    /// The part of what came back; the rest is from `sent`.
    pub mix: f64,
    /// As for a plugin's step.
    pub delta: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Length {
    pub sample_rate: u32,
    pub channels: u32,
    pub frames: u64,
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} frames of {} channels at {} Hz",
            self.frames, self.channels, self.sample_rate
        )
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// The input was read: its length is known, and the steps begin.
    Read(Length),
    Progress(Progress),
    /// What a step's plugin logged, told as it comes: the plugin may never come back.
    Log {
        step: usize,
        line: String,
    },
    /// Told again by [`Done`]; here for a child that does not get so far.
    Found(Finding),
    Done(Box<Done>),
    Failed(Failed),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// 0.0..=1.0 over the whole request.
    pub fraction: f32,
    /// The step that sets the pace, by its place in the chain.
    pub step: Option<usize>,
    /// Steps whose code was running at that moment.
    pub inside: Vec<usize>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    pub source: Source,
    /// Of the input.
    pub tracks: Vec<TrackInfo>,
    pub input: Measured,
    /// Before it was encoded.
    pub output: Measured,
    /// What corrections and deltas are written in: not always what was asked for.
    pub format: Format,
    /// In the order of the request.
    pub steps: Vec<StepDone>,
    /// For the next child, where nothing was written.
    #[serde(default)]
    pub kept: Option<Box<KeptRecording>>,
    /// What was found of the external service's answer, where the input is one.
    #[serde(default)]
    pub answer: Harmless,
    pub findings: Vec<Finding>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Source {
    pub container: String,
    pub codec: String,
    pub lossless_bits: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StepDone {
    pub index: usize,
    pub latency_frames: u32,
    pub cpu_ms: u64,
    pub report: serde_json::Value,
    #[serde(default)]
    pub cuts: Vec<Cut>,
    pub log: Vec<String>,
    #[serde(default)]
    pub harmless: Harmless,
}

/// What was measured of a step that did no harm.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Harmless {
    /// `None` where nothing can be heard in the step's input.
    pub level_change_db: Option<f64>,
    /// The change is within what the plugin's manifest promises.
    pub promised: bool,
    /// Its delta was written.
    pub delta: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Failed {
    /// The input is at fault.
    Audio { fault: AudioFault, detail: String },
    /// What came back from an external service is not what was agreed on.
    Unexpected { detail: String },
    /// A step said no.
    Refused {
        index: usize,
        detail: String,
        param: Option<String>,
    },
    /// A step trapped, or returned what it must not.
    Crashed { index: usize, detail: String },
    /// A step has taken far more time than it may, and is not done.
    OverBudget { index: usize, detail: String },
    /// A step returned what is no correction of what it was given.
    Harmful { index: usize, detail: String },
    /// Ours: disk, plugin cache. Worth trying again.
    Ours {
        detail: String,
        /// The disk is full.
        no_room: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AudioFault {
    NotAudio,
    UnknownCodec,
    Empty,
    TooLong,
    UnsupportedStream,
    NoSuchTrack,
    Damaged,
}
