//! One run over the whole recording: from a spill, through stages, into a spill or an encoder.

use std::{
    io,
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{Scope, ScopedJoinHandle, scope},
};

use super::{Placed, RunError, checked::CheckedOutput};
use crate::{
    Block, Measurement, Peaks, Spec, StageError,
    encode::Encoder,
    measure::Meter,
    spill::{Spill, SpillWriter},
};

/// Blocks that wait between two threads: enough to even out their paces, 100 ms each at 48 kHz.
const BLOCKS_WAITING_MAX: usize = 4;

pub(super) struct Pass<'a> {
    pub spec: Spec,
    pub frames: u64,
    pub source: &'a mut Spill,
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
        let mut writer = match self.stages.is_empty() {
            true => None,
            false => Some(SpillWriter::create(spill_dir, self.spec.channels as usize)?),
        };
        let (spec, frames) = (self.spec, self.frames);
        let seen = scope(|scope| {
            let mut workers = Vec::new();
            let blocks = spawn_chain(scope, self.source, self.stages, spec, frames, &mut workers);
            let (to_writer, analyzed) = sync_channel(BLOCKS_WAITING_MAX);
            workers.push(scope.spawn(move || {
                for block in blocks {
                    looker
                        .stage
                        .analyze(&block)
                        .map_err(|error| looker.failed(error))?;
                    if to_writer.send(block).is_err() {
                        break;
                    }
                }
                Ok(())
            }));
            let mut done = 0;
            let mut written = Ok(());
            for block in analyzed {
                done += block[0].len() as u64;
                if let Some(writer) = &mut writer {
                    written = writer.write(&block).map_err(RunError::from);
                    if written.is_err() {
                        break;
                    }
                }
                progress(done);
            }
            settle(workers, written)
        });
        seen?;
        Ok(writer.map(SpillWriter::finish))
    }

    /// Keeps what comes out of this pass's stages, of which the last shortens: how much that is, is
    /// known only at the end.
    pub(super) fn shorten(
        self,
        spill_dir: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Spill, RunError> {
        let mut writer = SpillWriter::create(spill_dir, self.spec.channels as usize)?;
        let (spec, frames) = (self.spec, self.frames);
        scope(|scope| {
            let mut workers = Vec::new();
            let shortened =
                spawn_chain(scope, self.source, self.stages, spec, frames, &mut workers);
            let mut done = 0;
            let mut written = Ok(());
            for block in shortened {
                done += block[0].len() as u64;
                written = writer.write(&block).map_err(RunError::from);
                if written.is_err() {
                    break;
                }
                progress(done);
            }
            settle(workers, written)
        })?;
        Ok(writer.finish())
    }

    /// Measures and encodes what comes out of this pass's stages.
    pub(super) fn encode(
        self,
        mut encoder: Encoder,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(Measurement, Peaks), RunError> {
        let (spec, frames) = (self.spec, self.frames);
        let mut meter = Meter::new(spec);
        scope(|scope| {
            let mut workers = Vec::new();
            let blocks = spawn_chain(scope, self.source, self.stages, spec, frames, &mut workers);
            let (to_encoder, measured) = sync_channel(BLOCKS_WAITING_MAX);
            let meter = &mut meter;
            workers.push(scope.spawn(move || {
                for block in blocks {
                    meter.push(&block);
                    if to_encoder.send(block).is_err() {
                        break;
                    }
                }
                Ok(())
            }));
            let mut done = 0;
            let mut encoded = Ok(());
            for block in measured {
                done += block[0].len() as u64;
                encoded = encoder.push(&block).map_err(RunError::from);
                if encoded.is_err() {
                    break;
                }
                progress(done);
            }
            settle(workers, encoded)
        })?;
        encoder.finish()?;
        Ok(meter.finish())
    }
}

/// A reader and one thread per stage; the receiver gives the last one's checked output.
fn spawn_chain<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    source: &'env mut Spill,
    stages: &'env mut [Placed],
    spec: Spec,
    frames: u64,
    workers: &mut Vec<Worker<'scope>>,
) -> Receiver<Block> {
    let (sender, mut blocks) = sync_channel(BLOCKS_WAITING_MAX);
    workers.push(scope.spawn(move || Ok(read_into(source, &sender)?)));
    for placed in stages {
        let (sender, next) = sync_channel(BLOCKS_WAITING_MAX);
        let input = std::mem::replace(&mut blocks, next);
        workers.push(scope.spawn(move || {
            run_stage(placed, input, &sender, spec, frames).map_err(|error| placed.failed(error))
        }));
    }
    blocks
}

fn read_into(source: &mut Spill, sender: &SyncSender<Block>) -> io::Result<()> {
    let mut reader = source.read()?;
    while let Some(block) = reader.next()? {
        if sender.send(block).is_err() {
            break; // Whoever stopped listening says why.
        }
    }
    Ok(())
}

fn run_stage(
    placed: &mut Placed,
    input: Receiver<Block>,
    sender: &SyncSender<Block>,
    spec: Spec,
    frames: u64,
) -> Result<(), StageError> {
    let mut output = CheckedOutput::new(&*placed.stage, spec, frames);
    let mut pass_on = |block| sender.send(block).map_err(|_| StageError::Stopped);
    let mut frames_in = 0;
    for block in input {
        frames_in += block[0].len() as u64;
        placed
            .stage
            .process(block, &mut |emitted| output.push(emitted, &mut pass_on))?;
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
