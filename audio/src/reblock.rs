//! Blocks of exactly [`BLOCK_FRAMES`] frames out of blocks of any length.
//!
//! Everything behind it sees the same blocks however the audio was cut before: a decoder's packets,
//! a stage's emissions. That is what makes output independent of block size, and the spill simple.

use crate::{BLOCK_FRAMES, Block};

#[derive(Debug)]
pub(crate) struct Reblocker {
    pending: Block,
}

type PassOn<'a, E> = dyn FnMut(&Block) -> Result<(), E> + 'a;

impl Reblocker {
    pub(crate) fn new(channels: usize) -> Self {
        Self {
            pending: Block::with_capacity(channels, BLOCK_FRAMES),
        }
    }

    /// Passes on each full block; the rest waits.
    pub(crate) fn push<E>(&mut self, block: &Block, pass_on: &mut PassOn<'_, E>) -> Result<(), E> {
        if block.frames() == BLOCK_FRAMES && self.pending.is_empty() {
            return pass_on(block);
        }
        let channels: Vec<&[f32]> = block.planes().collect();
        self.push_slices(&channels, pass_on)
    }

    pub(crate) fn push_slices<E>(
        &mut self,
        channels: &[&[f32]],
        pass_on: &mut PassOn<'_, E>,
    ) -> Result<(), E> {
        let frames = channels.first().map_or(0, |channel| channel.len());
        let mut from = 0;
        while from < frames {
            let to = frames.min(from + BLOCK_FRAMES - self.pending.frames());
            self.pending.append_with(|channel, plane| {
                plane.extend_from_slice(&channels[channel][from..to])
            });
            from = to;
            if self.pending.frames() == BLOCK_FRAMES {
                pass_on(&self.pending)?;
                self.pending.clear();
            }
        }
        Ok(())
    }

    /// Passes on what is left, if anything.
    pub(crate) fn finish<E>(self, pass_on: &mut PassOn<'_, E>) -> Result<(), E> {
        if self.pending.is_empty() {
            Ok(())
        } else {
            pass_on(&self.pending)
        }
    }
}
