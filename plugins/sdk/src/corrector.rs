//! The trait a plugin implements, and what it is given.

use std::fmt;

use crate::bindings::retake::correction::types as wit;
use crate::layout;
use crate::param::{Param, TypedParam};
use crate::report::Report;

/// Planar audio, nominally within -1.0..=1.0: one list per channel, all equally long.
pub type Block = Vec<Vec<f32>>;

/// The parameters of a plugin, in the order in which the host lists them.
pub type Params = &'static [&'static dyn Param];

/// One stream being corrected. The host calls, in this order: [`open`](Self::open);
/// [`analyze`](Self::analyze) with the whole input, if [`Facts::analyzes`]; [`process`](Self::process)
/// with the whole input, then with silence for [`latency_frames`](Self::latency_frames);
/// [`drain`](Self::drain) until it returns no frames; [`report`](Self::report).
pub trait Corrector: Sized + 'static {
    /// What the host must know before it opens a stream.
    const FACTS: Facts;

    /// Every parameter [`open`](Self::open) reads.
    const PARAMS: Params = &[];

    /// Starts a stream. `settings` holds every parameter, within its range.
    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal>;

    /// Frames by which the output lags behind the input: constant for the stream's life. The host
    /// cuts them off the front.
    fn latency_frames(&self) -> u32 {
        0
    }

    /// Looks at the input. Called only where [`Facts::analyzes`].
    fn analyze(&mut self, _block: &Block) -> Result<(), Refusal> {
        Ok(())
    }

    /// Corrects a block. It may return more or fewer frames than it was given, or none; in the end
    /// all output together must be as long as all input, unless [`Facts::may_shorten`].
    fn process(&mut self, block: Block) -> Result<Block, Refusal> {
        Ok(block)
    }

    /// Hands out what is still held back, at most `max_frames` at a time, and no frames when
    /// nothing is left. A plugin that answers every block in full, or whose latency covers what it
    /// holds back, needs no drain.
    fn drain(&mut self, _max_frames: usize) -> Result<Block, Refusal> {
        Ok(Block::new())
    }

    /// What was measured and done.
    fn report(&mut self) -> Report {
        Report::default()
    }
}

/// The constant part of a plugin's manifest. Fill in what differs from [`Facts::DEFAULT`].
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Reverse DNS, stable for ever: `org.example.gain`. Chains may use the last part alone.
    pub id: &'static str,
    /// For people.
    pub name: &'static str,
    /// Semantic version of the plugin; `env!("CARGO_PKG_VERSION")` is a good value.
    pub version: &'static str,
    /// Who made it; "" if nobody wants to say.
    pub vendor: &'static str,
    /// One sentence: what it does to a recording.
    pub summary: &'static str,
    /// SPDX expression.
    pub license: &'static str,
    /// Whether [`Corrector::analyze`] must see the whole input before the first `process`. Costs a
    /// second pass.
    pub analyzes: bool,
    /// Whether it changes audio. Without it only `analyze` and `report` are called.
    pub processes: bool,
    /// Whether it needs to see the channels together.
    pub channels: ChannelUse,
    /// Most channels a [`ChannelUse::Linked`] stream may have; 0 is any number.
    pub max_channels: u32,
    /// Sample rates in Hz that it can work at; empty is any. For others the host resamples there
    /// and back.
    pub sample_rates: &'static [u32],
    /// Every block has a multiple of this many frames, at least 1.
    pub block_quantum: u32,
    /// The promise that the level of what can be heard changes by no less and no more than this, in
    /// dB, whatever the parameters: -120.0 to 120.0, the lower first; -120.0 allows silence. A step
    /// that breaks it fails. Without a promise the host warns of large changes and takes an output
    /// of nothing for a fault.
    pub level_change_db: Option<(f64, f64)>,
    /// Further pairs of key and value for the manifest's `extras`.
    pub extras: &'static [(&'static str, &'static str)],
    /// Whether its output may be shorter than its input, though never empty. It reports each cut with
    /// [`Report::cut`], and input less cuts is exactly its output. Only with
    /// [`ChannelUse::Linked`].
    pub may_shorten: bool,
}

impl Facts {
    /// Processes only, channels independent, any rate, any block length.
    pub const DEFAULT: Self = Self {
        id: "",
        name: "",
        version: "",
        vendor: "",
        summary: "",
        license: "",
        analyzes: false,
        processes: true,
        channels: ChannelUse::Independent,
        max_channels: 0,
        sample_rates: &[],
        block_quantum: 1,
        level_change_db: None,
        extras: &[],
        may_shorten: false,
    };
}

/// How a plugin sees the channels of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelUse {
    /// One corrector per channel, each in a sandbox and a thread of its own; blocks have one
    /// channel.
    Independent,
    /// One corrector sees all channels: needed where they must be treated alike.
    Linked,
}

/// The stream a corrector is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// Hz: 8 000 to 192 000.
    pub sample_rate: u32,
    /// 1 to 16; always 1 for [`ChannelUse::Independent`].
    pub channels: u32,
    /// No block will be longer than this.
    pub max_block_frames: u32,
    /// Length of the whole input, before padding to the block quantum.
    pub total_frames: u64,
    /// The only source of randomness: the same job always gets the same seed.
    pub seed: u64,
}

impl Stream {
    /// What each channel is for: the bit of WAVE's dwChannelMask that names its speaker (0x1 front left,
    /// 0x2 front right, 0x4 front centre, 0x8 low frequency, ...), or 0 for a channel that is meant for
    /// none. A plugin that asks needs a host that speaks version 0.1.1 of the contract.
    pub fn positions(&self) -> Vec<u32> {
        let mut positions = layout::positions();
        positions.resize(self.channels as usize, 0);
        positions
    }
}

/// The values of all parameters, each within its range.
pub struct Settings(Vec<wit::Setting>);

impl Settings {
    pub(crate) fn new(settings: Vec<wit::Setting>) -> Self {
        Self(settings)
    }

    /// Every parameter of `C` at its default: for the plugin's own tests.
    pub fn defaults<C: Corrector>() -> Self {
        Self(
            C::PARAMS
                .iter()
                .map(|param| wit::Setting {
                    id: param.id().into(),
                    value: param.default_value(),
                })
                .collect(),
        )
    }

    /// The same with one value changed: for the plugin's own tests.
    pub fn with<P: TypedParam>(mut self, param: &P, value: P::Value) -> Self {
        self.entry(param.id()).value = param.write(value);
        self
    }

    /// The value of a parameter.
    ///
    /// # Panics
    ///
    /// If `param` is missing from [`Corrector::PARAMS`].
    pub fn get<P: TypedParam>(&self, param: &P) -> P::Value {
        self.0
            .iter()
            .find(|setting| setting.id == param.id())
            .and_then(|setting| param.read(&setting.value))
            .unwrap_or_else(|| panic!("parameter \"{}\" is not declared in PARAMS", param.id()))
    }

    fn entry(&mut self, id: &str) -> &mut wit::Setting {
        self.0
            .iter_mut()
            .find(|setting| setting.id == id)
            .unwrap_or_else(|| panic!("parameter \"{id}\" is not declared in PARAMS"))
    }
}

/// A plugin saying no, in one sentence for the person who runs the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) kind: wit::ErrorKind,
    pub(crate) message: String,
    pub(crate) param: Option<&'static str>,
}

impl Refusal {
    /// A value that is within its range but does not fit this stream or the other values.
    pub fn parameter(param: &impl Param, message: impl Into<String>) -> Self {
        let kind = wit::ErrorKind::BadParameter;
        Self {
            kind,
            message: message.into(),
            param: Some(param.id()),
        }
    }

    /// A stream (rate, channels, length) that it cannot work on.
    pub fn stream(message: impl Into<String>) -> Self {
        Self {
            kind: wit::ErrorKind::UnsupportedStream,
            message: message.into(),
            param: None,
        }
    }

    /// Audio that it cannot work on.
    pub fn input(message: impl Into<String>) -> Self {
        Self {
            kind: wit::ErrorKind::BadInput,
            message: message.into(),
            param: None,
        }
    }

    /// The plugin's own fault.
    pub fn internal(message: impl Into<String>) -> Self {
        Self {
            kind: wit::ErrorKind::Internal,
            message: message.into(),
            param: None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}
