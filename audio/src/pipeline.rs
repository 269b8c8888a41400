//! Runs a decoded recording through stages into a file.

use std::{fs::File, io, path::Path};

use crate::{AudioError, Decoded, Format, Measurement, Peaks, Stage, StageError};

/// What came out, measured before it was encoded.
#[derive(Debug)]
pub struct Finished {
    pub measurement: Measurement,
    pub peaks: Peaks,
    pub frames: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// 0.0..=1.0 over all passes.
    pub fraction: f32,
    /// The last stage of the pass that is running: the one that analyzes, where there is one.
    pub stage: Option<usize>,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("step {index} ({name}): {source}")]
    Stage {
        index: usize,
        name: String,
        source: StageError,
    },
    #[error(transparent)]
    Audio(AudioError),
    #[error("running the chain: {0}")]
    Io(#[from] io::Error),
}

/// decoded -> stages -> measure -> encode into `out`.
pub fn run(
    _decoded: Decoded,
    _stages: Vec<Box<dyn Stage>>,
    _format: &Format,
    _out: File,
    _spill_dir: &Path,
    _progress: &mut dyn FnMut(Progress),
) -> Result<Finished, RunError> {
    Err(RunError::Audio(AudioError::Empty))
}
