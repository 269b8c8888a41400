//! Holds a stage to its word: what it emits has the channels it was made for, is finite, and is
//! over its whole life exactly as long as what it was given, or shorter where it may shorten.

use crate::{Block, Place, Spec, Stage, StageError, pool::Pool, reblock::Reblocker};

pub(super) struct CheckedOutput {
    name: String,
    channels: usize,
    frames_given: u64,
    may_shorten: bool,
    frames_seen: u64,
    reblocker: Reblocker,
}

impl CheckedOutput {
    pub(super) fn new(stage: &dyn Stage, spec: Spec, frames_given: u64, pool: &Pool) -> Self {
        Self {
            name: stage.name().to_owned(),
            channels: spec.channels as usize,
            frames_given,
            may_shorten: stage.shortens(),
            frames_seen: 0,
            reblocker: Reblocker::new(pool),
        }
    }

    /// Checks a block and passes it on, cut to the pipeline's block length.
    pub(super) fn push(
        &mut self,
        block: &Block,
        pass_on: &mut dyn FnMut(Block) -> Result<(), StageError>,
    ) -> Result<(), StageError> {
        self.check(block)?;
        self.frames_seen += block.frames() as u64;
        self.reblocker.push(block, pass_on)
    }

    pub(super) fn finish(
        self,
        pass_on: &mut dyn FnMut(Block) -> Result<(), StageError>,
    ) -> Result<(), StageError> {
        let (given, seen) = (self.frames_given, self.frames_seen);
        if self.may_shorten && seen == 0 && given > 0 {
            return Err(self.broken(format!("left nothing of the {given} frames it was given")));
        }
        if !self.may_shorten && seen != given {
            return Err(self.broken(format!("returned {seen} frames and was given {given}")));
        }
        self.reblocker.finish(pass_on)
    }

    fn check(&self, block: &Block) -> Result<(), StageError> {
        let at = self.frames_seen;
        if block.channels() != self.channels {
            return Err(self.broken(format!(
                "returned {} channels instead of {} at frame {at}",
                block.channels(),
                self.channels
            )));
        }
        if at + block.frames() as u64 > self.frames_given {
            return Err(self.broken(format!(
                "returned more than the {} frames it was given",
                self.frames_given
            )));
        }
        if let Some(Place { channel, frame }) = block.not_finite() {
            return Err(self.broken(format!(
                "returned {} at frame {} of channel {channel}",
                block.plane(channel)[frame],
                at + frame as u64
            )));
        }
        Ok(())
    }

    fn broken(&self, what: String) -> StageError {
        StageError::Crashed {
            message: format!("{} {what}", self.name),
        }
    }
}
