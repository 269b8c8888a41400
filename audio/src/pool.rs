//! Blocks to be filled again: those that go from thread to thread come back here and not to the
//! allocator.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{BLOCK_FRAMES, Block};

/// As many blocks as were under way at once, which the handovers between the threads bound.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    channels: usize,
    free: Arc<Mutex<Vec<Block>>>,
}

impl Pool {
    pub(crate) fn new(channels: usize) -> Self {
        Self {
            channels,
            free: Arc::default(),
        }
    }

    /// Empty, with room for the pipeline's longest block.
    pub(crate) fn take(&self) -> Block {
        let free = self
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        free.unwrap_or_else(|| Block::with_capacity(self.channels, BLOCK_FRAMES))
    }

    pub(crate) fn put(&self, mut block: Block) {
        block.reset(self.channels);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(block);
    }
}
