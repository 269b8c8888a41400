//! What a plugin says about itself, as plain data.
//!
//! The host fills these types from a component's `describe`; the server stores and serves them and
//! checks a chain's parameter values against them without ever running a plugin. They mirror
//! `plugins/wit/correction.wit`, which is the contract.

mod alike;
mod length;
mod promise;
mod settings;
mod validate;

pub use alike::{EXTRA_EQUAL_CHANNELS, ONCE};
pub use length::{CUT, EXTRA_LENGTH, MAY_SHORTEN};
pub use promise::{CEILING_DBTP, DUAL_MONO, LEVEL_CHANGE_DB, LevelPromise, TARGET_LUFS, Targets};
pub use settings::{Setting, SettingError, Settings, Value};

use serde::{Deserialize, Serialize};

/// Longest block quantum a plugin may ask for, in frames.
pub const BLOCK_QUANTUM_MAX: u32 = 65_536;

/// A plugin's description of itself, checked: ids are unique and well formed, ranges are finite and
/// hold their defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Reverse DNS, stable for ever.
    pub id: String,
    pub name: String,
    /// Semantic version of the plugin itself.
    pub version: String,
    pub vendor: String,
    pub summary: String,
    /// SPDX expression.
    pub license: String,
    pub params: Vec<Param>,
    pub passes: Passes,
    pub channels: ChannelUse,
    /// Most channels a linked session takes; 0 means any number.
    pub max_channels: u32,
    /// Supported sample rates in Hz; empty means any.
    pub sample_rates: Vec<u32>,
    /// Every block has a multiple of this many frames.
    pub block_quantum: u32,
    /// Pairs of key and value. Well known: [`EXTRA_LENGTH`], [`LEVEL_CHANGE_DB`], [`TARGET_LUFS`],
    /// [`CEILING_DBTP`], [`DUAL_MONO`]; others are kept and mean nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extras: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passes {
    /// The host shows the whole input to `analyze` before the first `process`.
    pub analyze: bool,
    /// The plugin changes audio.
    pub process: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelUse {
    /// One session, in an instance of its own, per channel.
    Independent,
    /// One session sees all channels.
    Linked,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Stable for ever: presets and stored chains refer to it.
    pub id: String,
    pub label: String,
    pub help: String,
    /// "dB", "Hz", "ms", "s", "%", "LUFS", "dBTP", "st", "" or the author's own.
    pub unit: String,
    pub group: String,
    #[serde(flatten)]
    pub kind: ParamKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ParamKind {
    Float {
        min: f64,
        max: f64,
        default: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<f64>,
        scale: Scale,
    },
    Int {
        min: i64,
        max: i64,
        default: i64,
    },
    Toggle {
        default: bool,
    },
    Choice {
        choices: Vec<Choice>,
        default: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    Linear,
    Logarithmic,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub id: String,
    pub label: String,
}

/// A rule of the manifest that is broken; the text names the field and the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct ManifestError {
    pub field: String,
    pub reason: String,
}

impl Manifest {
    /// The last part of the id: `denoise` for `org.retake.denoise`. A chain may use it instead of
    /// the id where this plugin was the first to come with it.
    pub fn short_name(&self) -> &str {
        self.id.rsplit('.').next().unwrap_or(&self.id)
    }

    pub fn param(&self, id: &str) -> Option<&Param> {
        self.params.iter().find(|p| p.id == id)
    }

    /// Whether `name`, as it stands in a chain, means this plugin.
    pub fn answers_to(&self, name: &str) -> bool {
        self.id == name || self.short_name() == name
    }

    /// By how much it promises to change the level at most, if it promises anything.
    pub fn level_promise(&self) -> Option<LevelPromise> {
        let (_, value) = self.extras.iter().find(|(key, _)| key == LEVEL_CHANGE_DB)?;
        value.parse().ok()
    }

    /// Checks every rule and returns all that are broken.
    pub fn validate(&self) -> Result<(), Vec<ManifestError>> {
        validate::check(self)
    }
}
