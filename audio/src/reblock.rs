//! Makes blocks of exactly [`BLOCK_FRAMES`] frames out of blocks of any length.
//!
//! Everything behind it sees the same blocks however the audio was cut before: a decoder's packets,
//! a stage's emissions. That is what makes output independent of block size, and the spill simple.

use crate::{BLOCK_FRAMES, Block};

#[derive(Debug)]
pub(crate) struct Reblocker {
    pending: Block,
}

impl Reblocker {
    pub(crate) fn new(channels: usize) -> Self {
        Self {
            pending: empty(channels),
        }
    }

    /// Passes on each full block; the rest waits.
    pub(crate) fn push<E>(
        &mut self,
        block: Block,
        pass_on: &mut dyn FnMut(Block) -> Result<(), E>,
    ) -> Result<(), E> {
        let frames = block[0].len();
        if frames == BLOCK_FRAMES && self.pending[0].is_empty() {
            return pass_on(block);
        }
        let channels: Vec<&[f32]> = block.iter().map(Vec::as_slice).collect();
        self.push_slices(&channels, pass_on)
    }

    pub(crate) fn push_slices<E>(
        &mut self,
        channels: &[&[f32]],
        pass_on: &mut dyn FnMut(Block) -> Result<(), E>,
    ) -> Result<(), E> {
        let frames = channels[0].len();
        let mut from = 0;
        while from < frames {
            let to = frames.min(from + BLOCK_FRAMES - self.pending[0].len());
            for (pending, channel) in self.pending.iter_mut().zip(channels) {
                pending.extend_from_slice(&channel[from..to]);
            }
            from = to;
            if self.pending[0].len() == BLOCK_FRAMES {
                let channels = self.pending.len();
                pass_on(std::mem::replace(&mut self.pending, empty(channels)))?;
            }
        }
        Ok(())
    }

    /// Passes on what is left, if anything.
    pub(crate) fn finish<E>(
        self,
        pass_on: &mut dyn FnMut(Block) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.pending[0].is_empty() {
            Ok(())
        } else {
            pass_on(self.pending)
        }
    }
}

fn empty(channels: usize) -> Block {
    (0..channels)
        .map(|_| Vec::with_capacity(BLOCK_FRAMES))
        .collect()
}
