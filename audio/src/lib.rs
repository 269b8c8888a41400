//! Decode, resample, measure, run stages, encode: synchronous, streaming, and ignorant of jobs.
//!
//! Audio comes in as any file a browser or an editor writes, is held as planar `f32` [`Block`]s, and
//! goes out as WAV, FLAC or Ogg Opus with the same rate, channel count and, unless a stage shortens
//! it, length. Memory does not grow with length: what must be seen whole before it can be changed
//! waits in a spill file.

mod block;
mod channels;
mod error;
mod reblock;

mod decode;
mod encode;
mod measure;
mod pipeline;
mod resample;
mod spill;

use std::fmt;

pub use channels::{CHANNELS_MAX, ChannelMask};
pub use decode::{Decoded, Limits, SourceInfo, decode};
pub use encode::{Encoder, FlacBits, Format, WavDepth};
pub use error::AudioError;
pub use measure::{Change, ChangeMeter, Level, Measurement, Peaks};
pub use pipeline::{Finished, Progress, RunError, run};
pub use resample::Resampler;

/// Planar samples, nominally within -1.0..=1.0: one list per channel, all equally long.
pub type Block = Vec<Vec<f32>>;

/// Most frames in a block that the pipeline hands to a stage.
pub const BLOCK_FRAMES: usize = 4800;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    pub sample_rate: u32,
    pub channels: u32,
}

/// One correction in the pipeline. It was made for a stated [`Spec`] and total length, which its
/// output keeps: what it emits, over its whole life, is exactly as long as what it was given and
/// aligned with it to the frame. Only one that [`Stage::shortens`] may emit less.
pub trait Stage: Send {
    /// As the chain names it; for progress and errors.
    fn name(&self) -> &str;

    /// Whether [`Stage::analyze`] must see the whole input before the first `process`.
    fn analyzes(&self) -> bool;

    fn analyze(&mut self, block: &Block) -> Result<(), StageError>;

    /// Whether it may emit fewer frames than it is given, though never none at all. No stage comes
    /// after one that does: those were made for the length before it.
    fn shortens(&self) -> bool {
        false
    }

    /// Takes a block of 1 to [`BLOCK_FRAMES`] frames and emits any number of blocks.
    fn process(&mut self, block: Block, emit: &mut Emit<'_>) -> Result<(), StageError>;

    /// Called once, after the last block: emits what is still owed.
    fn finish(&mut self, emit: &mut Emit<'_>) -> Result<(), StageError>;
}

pub type Emit<'a> = dyn FnMut(Block) -> Result<(), StageError> + 'a;

/// Whose fault a stage's end is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StageError {
    /// The correction itself said no; the message is for the person who runs the job.
    #[error("{message}")]
    Refused {
        message: String,
        param: Option<String>,
    },
    /// It trapped, ran out of memory or returned what it must not.
    #[error("{message}")]
    Crashed { message: String },
    /// What it returned is audio, and no correction of what it was given: emptied, far too loud, or
    /// changed in level beyond what it promises.
    #[error("{message}")]
    Harmful { message: String },
    /// Ours: the disk, for whatever a stage keeps there. Worth trying again.
    #[error("{message}")]
    Io { message: String },
    /// The pipeline is being taken down; another error says why.
    #[error("stopped")]
    Stopped,
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Hz, {} channels", self.sample_rate, self.channels)
    }
}
