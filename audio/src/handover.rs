//! Blocks from one thread to the next, with a bounded number of them under way.
//!
//! A channel of the standard library wakes whoever waits for each block, which costs more than many a
//! block's work. Here who waits is woken for half of what may wait: nobody needs a single block soon.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use crate::Block;

/// Enough to even out the paces of two threads, 100 ms each at 48 kHz.
const WAITING_MAX: usize = 8;
const HALF: usize = WAITING_MAX / 2;

/// The other end is gone, and says why elsewhere.
#[derive(Debug)]
pub(crate) struct Gone;

pub(crate) struct Giver(Arc<Shared>);

/// Iterates until the giver is gone and all that it gave is taken.
pub(crate) struct Taker(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake_giver: Condvar,
    wake_taker: Condvar,
}

#[derive(Default)]
struct State {
    blocks: VecDeque<Block>,
    is_giver_waiting: bool,
    is_taker_waiting: bool,
    is_giver_gone: bool,
    is_taker_gone: bool,
}

pub(crate) fn handover() -> (Giver, Taker) {
    let shared = Arc::<Shared>::default();
    (Giver(shared.clone()), Taker(shared))
}

impl Giver {
    /// Waits where too many blocks do.
    pub(crate) fn give(&self, block: Block) -> Result<(), Gone> {
        let mut state = self.0.lock();
        if state.blocks.len() == WAITING_MAX {
            state.is_giver_waiting = true;
            let is_full = |state: &mut State| state.blocks.len() > HALF && !state.is_taker_gone;
            let woken = self.0.wake_giver.wait_while(state, is_full);
            state = woken.unwrap_or_else(PoisonError::into_inner);
            state.is_giver_waiting = false;
        }
        if state.is_taker_gone {
            return Err(Gone);
        }
        state.blocks.push_back(block);
        if state.is_taker_waiting && state.blocks.len() == HALF {
            self.0.wake_taker.notify_one();
        }
        Ok(())
    }
}

impl Iterator for Taker {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        let mut state = self.0.lock();
        if state.blocks.is_empty() {
            state.is_taker_waiting = true;
            let is_scant = |state: &mut State| state.blocks.len() < HALF && !state.is_giver_gone;
            let woken = self.0.wake_taker.wait_while(state, is_scant);
            state = woken.unwrap_or_else(PoisonError::into_inner);
            state.is_taker_waiting = false;
        }
        let block = state.blocks.pop_front();
        if state.is_giver_waiting && state.blocks.len() == HALF {
            self.0.wake_giver.notify_one();
        }
        block
    }
}

impl Drop for Giver {
    fn drop(&mut self) {
        self.0.lock().is_giver_gone = true;
        self.0.wake_taker.notify_one();
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_taker_gone = true;
        state.blocks.clear();
        self.0.wake_giver.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::thread::scope;

    use super::*;

    fn numbered(number: usize) -> Block {
        Block::mono(vec![number as f32])
    }

    #[test]
    fn all_that_is_given_is_taken_in_its_order_whatever_the_number() {
        for blocks in [0, 1, HALF - 1, HALF, WAITING_MAX, WAITING_MAX + 1, 1000] {
            let (giver, taker) = handover();
            let taken: Vec<Block> = scope(|scope| {
                scope.spawn(move || {
                    for number in 0..blocks {
                        giver.give(numbered(number)).unwrap();
                    }
                });
                taker.collect()
            });
            let given: Vec<Block> = (0..blocks).map(numbered).collect();
            assert_eq!(taken, given);
        }
    }

    #[test]
    fn no_more_than_the_bound_wait_and_a_taker_that_leaves_ends_the_waiting() {
        let (giver, mut taker) = handover();
        for number in 0..WAITING_MAX {
            giver.give(numbered(number)).unwrap();
        }
        scope(|scope| {
            let waiting = scope.spawn(|| giver.give(numbered(WAITING_MAX)));
            while !giver.0.lock().is_giver_waiting && !waiting.is_finished() {
                std::thread::yield_now();
            }
            assert_eq!(giver.0.lock().blocks.len(), WAITING_MAX);
            assert_eq!(taker.next(), Some(numbered(0)));
            drop(taker);
            assert!(waiting.join().unwrap().is_err());
        });
        assert!(giver.give(numbered(0)).is_err());
    }
}
