//! What a correction is to the pipeline.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Block, ChannelMask};

/// Most frames in a block that the pipeline hands to a stage.
pub const BLOCK_FRAMES: usize = 4800;

/// What all blocks of a recording have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    pub sample_rate: u32,
    pub channels: u32,
    /// Which speakers the channels are for.
    pub mask: ChannelMask,
}

impl Spec {
    /// With the arrangement that is meant where none is stated.
    pub const fn new(sample_rate: u32, channels: u32) -> Self {
        Self {
            sample_rate,
            channels,
            mask: ChannelMask::unstated(channels),
        }
    }
}

/// One correction in the pipeline. It was made for a stated [`Spec`] and total length, which its
/// output keeps: what it emits, over its whole life, is exactly as long as what it was given. Only
/// one that [`Stage::shortens`] may emit less.
///
/// *Latency* does not show: the first frame emitted belongs to the first frame given. Whatever a
/// stage delays, it takes off itself, and emits the rest in [`Stage::finish`].
///
/// *Blocks* belong to whoever hands them over and are used again afterwards, in both directions: a
/// stage copies what it keeps, and may emit the same buffer of its own time and again.
///
/// *Allocation* is allowed at any time, as this is no realtime thread; buffers are kept, so that
/// once they have grown a call should need none.
///
/// *Reset* there is none: a stage serves one run, and is made anew for the next.
pub trait Stage: Send {
    /// As the chain names it; for progress and errors.
    fn name(&self) -> &str;

    /// Called before each pass over the recording that the stage has a part in, in the order of the
    /// chain and while no stage of it runs. Those before it in the chain have begun already, and
    /// those that were part of an earlier pass alone are done: what is to be known of them is known.
    fn begin(&mut self) -> Result<(), StageError> {
        Ok(())
    }

    /// Whether [`Stage::analyze`] must see the whole input before the first `process`.
    fn analyzes(&self) -> bool;

    /// Takes a block as `process` does. Never called after the first `process`.
    fn analyze(&mut self, block: &Block) -> Result<(), StageError>;

    /// Whether it may emit fewer frames than it is given, though never none at all. No stage comes
    /// after one that does: those were made for the length before it.
    fn shortens(&self) -> bool {
        false
    }

    /// Whether it emits what it is given and nothing else. One that has analyzed need not be given anything then: it is told
    /// by one more `begin` that there is no more to see, and that is all.
    fn only_looks(&self) -> bool {
        false
    }

    /// Takes a block of 1 to [`BLOCK_FRAMES`] frames and emits any number of blocks of any length.
    fn process(&mut self, block: &Block, emit: &mut Emit<'_>) -> Result<(), StageError>;

    /// Called once, after the last block: emits what is still owed.
    fn finish(&mut self, emit: &mut Emit<'_>) -> Result<(), StageError>;
}

/// Takes what it needs of the block before it returns.
pub type Emit<'a> = dyn FnMut(&Block) -> Result<(), StageError> + 'a;

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
        match self.channels {
            1 => write!(f, "{} Hz, mono", self.sample_rate),
            channels => write!(f, "{} Hz, {channels} channels", self.sample_rate),
        }
    }
}
