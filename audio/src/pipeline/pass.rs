//! One run over the whole recording: from a spill, through stages, into a spill or an encoder.

use std::{
    io,
    path::Path,
    thread::{self, Scope, ScopedJoinHandle, scope},
};

use super::{Placed, RunError, checked::CheckedOutput};
use crate::{
    Block, Measured, Spec, StageError,
    encode::Encoder,
    handover::{Giver, Taker, handover},
    measure::Meter,
    pool::Pool,
    spill::{Spill, SpillWriter},
};

pub(super) struct Pass<'a> {
    pub spec: Spec,
    pub frames: u64,
    pub source: &'a mut Spill,
    /// Nobody reads the source after this.
    pub is_last: bool,
    pub stages: &'a mut [Placed],
}

type Worker<'scope> = ScopedJoinHandle<'scope, Result<(), RunError>>;

impl Pass<'_> {
    /// Shows everything to `looker`, after this pass's stages. Gives the spill to go on from, or
    /// `None` where it would be the same as the source.
    pub(super) fn analyze(
        self,
        looker: &mut Placed,
        spill_dir: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Option<Spill>, RunError> {
        begin(self.stages)?;
        begin(std::slice::from_mut(looker))?;
        let mut writer = match self.stages.is_empty() {
            true => None,
            false => Some(SpillWriter::create(spill_dir, self.spec.channels as usize)?),
        };
        self.run(
            |block| {
                let analyzed = looker.stage.analyze(block);
                analyzed.map_err(|error| looker.failed(error))
            },
            |block| match &mut writer {
                Some(writer) => Ok(writer.write(block)?),
                None => Ok(()),
            },
            progress,
        )?;
        Ok(writer.map(SpillWriter::finish).transpose()?)
    }

    /// Keeps what comes out of this pass's stages, of which the last shortens: how much that is, is
    /// known only at the end.
    pub(super) fn shorten(
        self,
        spill_dir: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Spill, RunError> {
        begin(self.stages)?;
        let mut writer = SpillWriter::create(spill_dir, self.spec.channels as usize)?;
        self.run(|_| Ok(()), |block| Ok(writer.write(block)?), progress)?;
        Ok(writer.finish()?)
    }

    /// Encodes the source as it is.
    pub(super) fn copy(
        self,
        mut encoder: Encoder,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), RunError> {
        let mut reader = self.source.read();
        let mut block = Block::default();
        let mut done = 0;
        while reader.read_into(&mut block)? {
            encoder.push(&block)?;
            done += block.frames() as u64;
            progress(done);
        }
        Ok(encoder.finish()?)
    }

    /// Measures and encodes what comes out of this pass's stages.
    pub(super) fn encode(
        self,
        mut encoder: Encoder,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Measured, RunError> {
        begin(self.stages)?;
        let mut meter = Meter::new(self.spec);
        self.run(
            |block| {
                meter.push(block);
                Ok(())
            },
            |block| Ok(encoder.push(block)?),
            progress,
        )?;
        encoder.finish()?;
        Ok(meter.finish())
    }

    /// What comes out of the stages goes past `look`, on a thread of its own, and then into `sink`,
    /// on this one.
    fn run(
        self,
        mut look: impl FnMut(&Block) -> Result<(), RunError> + Send,
        mut sink: impl FnMut(&Block) -> Result<(), RunError>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), RunError> {
        let (spec, frames) = (self.spec, self.frames);
        let pool = &Pool::new(spec.channels as usize);
        scope(|scope| {
            let mut chain = Chain {
                scope,
                pool,
                workers: Vec::new(),
            };
            let blocks = chain.start(self.source, self.is_last, self.stages, spec, frames);
            let (giver, seen) = handover();
            let meter = thread::Builder::new().name("meter".into());
            let look = meter.spawn_scoped(scope, move || {
                for block in blocks {
                    look(&block)?;
                    if giver.give(block).is_err() {
                        break;
                    }
                }
                Ok(())
            })?;
            chain.workers.push(look);
            let mut done = 0;
            let mut taken = Ok(());
            for block in seen {
                done += block.frames() as u64;
                taken = sink(&block);
                if taken.is_err() {
                    break;
                }
                pool.put(block);
                progress(done);
            }
            settle(chain.workers, taken)
        })
    }
}

fn begin(stages: &mut [Placed]) -> Result<(), RunError> {
    stages.iter_mut().try_for_each(|placed| {
        let begun = placed.stage.begin();
        begun.map_err(|error| placed.failed(error))
    })
}

/// The threads of a pass. Each hands on blocks out of the pool, and puts back those it was handed.
struct Chain<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    pool: &'env Pool,
    workers: Vec<Worker<'scope>>,
}

impl<'scope, 'env> Chain<'scope, 'env> {
    /// A reader and one thread per stage; the receiver gives the last one's checked output.
    fn start(
        &mut self,
        source: &'env mut Spill,
        is_last: bool,
        stages: &'env mut [Placed],
        spec: Spec,
        frames: u64,
    ) -> Taker {
        let (scope, pool) = (self.scope, self.pool);
        let (giver, mut blocks) = handover();
        self.workers
            .push(scope.spawn(move || Ok(read(source, is_last, pool, &giver)?)));
        for placed in stages {
            let (giver, next) = handover();
            let input = std::mem::replace(&mut blocks, next);
            self.workers.push(scope.spawn(move || {
                run_stage(placed, input, pool, &giver, spec, frames)
                    .map_err(|error| placed.failed(error))
            }));
        }
        blocks
    }
}

fn read(source: &mut Spill, is_last: bool, pool: &Pool, giver: &Giver) -> io::Result<()> {
    let mut reader = if is_last {
        source.read_last()
    } else {
        source.read()
    };
    let mut block = pool.take();
    while reader.read_into(&mut block)? {
        if giver.give(block).is_err() {
            break; // Whoever stopped listening says why.
        }
        block = pool.take();
    }
    Ok(())
}

fn run_stage(
    placed: &mut Placed,
    input: Taker,
    pool: &Pool,
    giver: &Giver,
    spec: Spec,
    frames: u64,
) -> Result<(), StageError> {
    let mut output = CheckedOutput::new(&*placed.stage, spec, frames, pool);
    let mut pass_on = |block: Block| giver.give(block).map_err(|_| StageError::Stopped);
    let mut frames_in = 0;
    for block in input {
        frames_in += block.frames() as u64;
        placed
            .stage
            .process(&block, &mut |emitted| output.push(emitted, &mut pass_on))?;
        pool.put(block);
    }
    if frames_in < frames {
        // The input ended early: an earlier thread failed and says why.
        return Err(StageError::Stopped);
    }
    placed
        .stage
        .finish(&mut |emitted| output.push(emitted, &mut pass_on))?;
    output.finish(&mut pass_on)
}

/// Waits for all threads. One failure takes down its neighbours, which then say `Stopped`: the
/// first error that is not that, in the order of the chain, is the reason.
fn settle(workers: Vec<Worker<'_>>, sink: Result<(), RunError>) -> Result<(), RunError> {
    let mut stopped = Ok(());
    let mut reason = Ok(());
    for worker in workers {
        let ended = match worker.join() {
            Ok(ended) => ended,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        match ended {
            Err(
                error @ RunError::Stage {
                    source: StageError::Stopped,
                    ..
                },
            ) => {
                stopped = stopped.and(Err(error));
            }
            other => reason = reason.and(other),
        }
    }
    reason.and(sink).and(stopped)
}
