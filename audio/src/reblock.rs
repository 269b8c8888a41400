//! Blocks of exactly [`BLOCK_FRAMES`] frames out of blocks of any length.
//!
//! Everything behind it sees the same blocks however the audio was cut before: a decoder's packets,
//! a stage's emissions. That is what makes output independent of block size, and the spill simple.

use crate::{BLOCK_FRAMES, Block, pool::Pool};

#[derive(Debug)]
pub(crate) struct Reblocker {
    pool: Pool,
    pending: Block,
}

/// Takes blocks that came out of the pool.
type PassOn<'a, E> = dyn FnMut(Block) -> Result<(), E> + 'a;

impl Reblocker {
    pub(crate) fn new(pool: &Pool) -> Self {
        Self {
            pending: pool.take(),
            pool: pool.clone(),
        }
    }

    /// Passes on each full block; the rest waits.
    pub(crate) fn push<E>(&mut self, block: &Block, pass_on: &mut PassOn<'_, E>) -> Result<(), E> {
        let mut from = 0;
        while from < block.frames() {
            let to = block
                .frames()
                .min(from + BLOCK_FRAMES - self.pending.frames());
            self.pending.append_range(block, from..to);
            from = to;
            if self.pending.frames() == BLOCK_FRAMES {
                pass_on(std::mem::replace(&mut self.pending, self.pool.take()))?;
            }
        }
        Ok(())
    }

    /// Passes on what is left, if anything.
    pub(crate) fn finish<E>(self, pass_on: &mut PassOn<'_, E>) -> Result<(), E> {
        if self.pending.is_empty() {
            Ok(())
        } else {
            pass_on(self.pending)
        }
    }
}
