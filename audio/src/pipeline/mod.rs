//! Runs a decoded recording through stages into a file.
//!
//! Every stage has a thread of its own and blocks go from one to the next through small bounded
//! channels, so memory does not grow and all cores work. A stage that analyzes ends a *pass*: what
//! comes before it runs into a new spill while the stage looks on, and the next pass starts from
//! that spill with the stage's own processing.
//!
//! ```text
//! spill -> stage 0 -> stage 1 -> [stage 2 looks on] -> spill
//! spill -> stage 2 -> stage 3 -> meter -> encoder
//! ```
//!
//! A stage that shortens is the last one and runs into a spill as well: encoders want to know the
//! length before they begin.
//!
//! A stage that only looks has no part in what comes after its pass.
//!
//! Without any other stage what comes out is what went in, and was measured already.
//!
//! What a stage returns is checked before anyone else sees it, see [`checked`].

mod checked;
mod pass;

use std::{fs::File, io, path::Path};

use crate::{
    AudioError, Decoded, Encoding, Measured, Spec, Stage, StageError, Tags, encode::Encoder,
    spill::Spill,
};
use pass::Pass;

/// What came out, measured before it was encoded.
#[derive(Debug)]
pub struct Finished {
    pub measured: Measured,
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
    /// `index` counts from 0, as the stages were given.
    #[error("step {index} ({name}): {source}")]
    Stage {
        index: usize,
        name: String,
        source: StageError,
    },
    #[error(transparent)]
    Audio(AudioError),
    /// Ours: the disk. Worth trying again.
    #[error("running the chain: {0}")]
    Io(#[from] io::Error),
}

/// A stage and its place in the chain.
struct Placed {
    index: usize,
    stage: Box<dyn Stage>,
}

/// decoded -> stages -> measure -> encode into `out`, which has the rate, the channels and exactly
/// the frames that came in, or fewer where the last stage shortens. `out` is at its start,
/// writable and readable; what it holds after an error is worth nothing. `tags` are asked for when the encoder is
/// made: after a stage that shortens has run, so that its cuts are known. `progress` is called on this
/// thread, a few times a second of work or more.
pub fn run(
    decoded: Decoded,
    stages: Vec<Box<dyn Stage>>,
    encoding: impl Into<Encoding>,
    tags: &dyn Fn() -> Tags,
    out: File,
    spill_dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Finished, RunError> {
    let Decoded {
        spec,
        frames,
        kept: mut spill,
        measured,
        ..
    } = decoded;
    // What only looks changes nothing.
    let untouched = stages.iter().all(|stage| is_looker(&**stage));
    let last_stage = stages.len().checked_sub(1);
    let shortened = stages.last().is_some_and(|stage| stage.shortens());
    let passes =
        1 + usize::from(shortened) + stages.iter().filter(|stage| stage.analyzes()).count();

    let mut passes = Passes {
        spec,
        frames,
        of: passes,
        passed: 0,
        spill_dir,
        progress,
    };
    let mut waiting = passes.analyze(&mut spill, stages)?;

    if shortened {
        let pass = Pass {
            spec,
            frames,
            source: &mut spill,
            is_last: true,
            stages: &mut waiting,
        };
        spill = pass.shorten(spill_dir, &mut |done| passes.report(done, last_stage))?;
        waiting.clear();
        passes.passed += 1;
    }
    let frames = spill.frames();
    let encoder = Encoder::create(encoding, spec, frames, &tags(), out).map_err(RunError::from)?;
    let pass = Pass {
        spec,
        frames,
        source: &mut spill,
        is_last: true,
        stages: &mut waiting,
    };
    passes.frames = frames;
    let mut progress = |done| passes.report(done, last_stage);
    let measured = match untouched {
        true => pass.copy(encoder, &mut progress).map(|()| measured)?,
        false => pass.encode(encoder, &mut progress)?,
    };
    passes.report(frames, last_stage);
    Ok(Finished { measured, frames })
}

/// Shows a recording to stages that only look, and gives it back.
pub fn look_on(
    decoded: Decoded,
    stages: Vec<Box<dyn Stage>>,
    spill_dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Decoded, RunError> {
    let mut decoded = decoded;
    let mut passes = Passes {
        spec: decoded.spec,
        frames: decoded.frames,
        of: stages.len(),
        passed: 0,
        spill_dir,
        progress,
    };
    let waiting = passes.analyze(&mut decoded.kept, stages)?;
    match waiting.first() {
        None => Ok(decoded),
        Some(placed) => {
            let message = "it does more than look".to_owned();
            Err(placed.failed(StageError::Crashed { message }))
        }
    }
}

fn is_looker(stage: &dyn Stage) -> bool {
    stage.only_looks() && stage.analyzes()
}

/// The passes of a run, one after the other.
struct Passes<'a> {
    spec: Spec,
    frames: u64,
    /// How many there will be, and how many there were.
    of: usize,
    passed: usize,
    spill_dir: &'a Path,
    progress: &'a mut dyn FnMut(Progress),
}

impl Passes<'_> {
    fn report(&mut self, done: u64, stage: Option<usize>) {
        let pass_fraction = done as f64 / self.frames.max(1) as f64;
        let fraction = ((self.passed as f64 + pass_fraction) / self.of as f64) as f32;
        (self.progress)(Progress {
            fraction: fraction.min(1.0),
            stage,
        });
    }

    /// All passes in which a stage looks on. Gives the stages that have their part in the next.
    fn analyze(
        &mut self,
        spill: &mut Spill,
        stages: Vec<Box<dyn Stage>>,
    ) -> Result<Vec<Placed>, RunError> {
        let last = stages.len().checked_sub(1);
        let mut waiting: Vec<Placed> = Vec::new();
        for (index, stage) in stages.into_iter().enumerate() {
            let mut placed = Placed { index, stage };
            if placed.stage.shortens() && Some(index) != last {
                let message = "it shortens, and is not the last of its run".to_owned();
                return Err(placed.failed(StageError::Crashed { message }));
            }
            if placed.stage.analyzes() {
                let pass = Pass {
                    spec: self.spec,
                    frames: self.frames,
                    source: spill,
                    is_last: !waiting.is_empty(),
                    stages: &mut waiting,
                };
                let spill_dir = self.spill_dir;
                let new_spill = pass.analyze(&mut placed, spill_dir, &mut |done| {
                    self.report(done, Some(index));
                })?;
                // The old one's disk space is free as soon as nobody needs it.
                if let Some(new_spill) = new_spill {
                    *spill = new_spill;
                }
                waiting.clear();
                self.passed += 1;
                if is_looker(&*placed.stage) {
                    let begun = placed.stage.begin();
                    begun.map_err(|error| placed.failed(error))?;
                    continue;
                }
            }
            waiting.push(placed);
        }
        Ok(waiting)
    }
}

impl From<AudioError> for RunError {
    fn from(error: AudioError) -> Self {
        match error {
            AudioError::Io(error) => Self::Io(error),
            other => Self::Audio(other),
        }
    }
}

impl Placed {
    fn failed(&self, source: StageError) -> RunError {
        RunError::Stage {
            index: self.index,
            name: self.stage.name().to_owned(),
            source,
        }
    }
}
