//! Cuts a stream into the blocks a session wants: at its rate, no longer than agreed, and each a
//! multiple of its quantum.

use retake_audio::{Block, Resampler, StageError};

pub struct Feed {
    resampler: Option<Resampler>,
    quantum: usize,
    block_frames: usize,
    /// Used again for each block.
    resampled: Block,
    /// Frames that do not fill a block yet.
    pending: Block,
}

type Consume<'a> = dyn FnMut(&Block) -> Result<(), StageError> + 'a;

impl Feed {
    pub fn new(
        resampler: Option<Resampler>,
        channels: usize,
        quantum: usize,
        block_frames: usize,
    ) -> Self {
        Self {
            resampler,
            quantum,
            block_frames,
            resampled: Block::new(channels),
            pending: Block::new(channels),
        }
    }

    pub fn push(&mut self, block: &Block, consume: &mut Consume<'_>) -> Result<(), StageError> {
        let Some(resampler) = &mut self.resampler else {
            return self.cut(block, consume);
        };
        let mut resampled = std::mem::take(&mut self.resampled);
        resampled.reset(block.channels());
        resampler.push(block, &mut resampled);
        let cut = self.cut(&resampled, consume);
        self.resampled = resampled;
        cut
    }

    /// The rest of `frames` in all, then at least `silence` frames of silence; the last block is
    /// padded with more of it.
    pub fn finish(
        mut self,
        frames: u64,
        silence: usize,
        consume: &mut Consume<'_>,
    ) -> Result<(), StageError> {
        if let Some(resampler) = self.resampler.take() {
            let mut rest = Block::new(self.pending.channels());
            resampler.finish(frames, &mut rest);
            self.cut(&rest, consume)?;
        }
        let mut left = (self.pending.frames() + silence).next_multiple_of(self.quantum);
        while left > 0 {
            let frames = left.min(self.block_frames);
            self.pending.resize(frames);
            consume(&self.pending)?;
            self.pending.clear();
            left -= frames;
        }
        Ok(())
    }

    fn cut(&mut self, block: &Block, consume: &mut Consume<'_>) -> Result<(), StageError> {
        let frames = block.frames();
        let fits = frames > 0 && frames <= self.block_frames && frames.is_multiple_of(self.quantum);
        if fits && self.pending.is_empty() {
            return consume(block);
        }
        let mut from = 0;
        while from < frames {
            let to = frames.min(from + self.block_frames - self.pending.frames());
            self.pending.append_range(block, from..to);
            from = to;
            if self.pending.frames() == self.block_frames {
                consume(&self.pending)?;
                self.pending.clear();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The lengths of the blocks that come out of pieces of `pieces` frames.
    fn check(
        quantum: usize,
        block_frames: usize,
        pieces: &[usize],
        silence: usize,
        expected: &[usize],
    ) {
        let mut feed = Feed::new(None, 2, quantum, block_frames);
        let (mut lengths, mut audio) = (Vec::new(), Vec::new());
        let mut consume = |block: &Block| {
            assert_eq!(block.plane(0), block.plane(1));
            lengths.push(block.frames());
            audio.extend_from_slice(block.plane(0));
            Ok(())
        };
        let mut next = 0;
        for &frames in pieces {
            let piece = Block::from_fn(2, frames, |_, n| 1.0 + (next + n) as f32);
            feed.push(&piece, &mut consume).unwrap();
            next += frames;
        }
        feed.finish(next as u64, silence, &mut consume).unwrap();
        assert_eq!(lengths, expected);
        for (n, sample) in audio.iter().enumerate() {
            assert_eq!(
                *sample,
                if n < next { 1.0 + n as f32 } else { 0.0 },
                "frame {n}"
            );
        }
    }

    #[test]
    fn blocks_are_multiples_of_the_quantum_and_no_longer_than_agreed() {
        check(480, 4800, &[4800, 4800], 0, &[4800, 4800]);
        check(480, 4800, &[4800, 100], 0, &[4800, 480]);
        check(480, 4800, &[100, 4800, 1], 480, &[4800, 960]);
        check(1, 4800, &[1, 2, 3], 0, &[1, 2, 3]);
        check(7000, 7000, &[4800, 4800], 0, &[7000, 7000]);
        check(480, 4800, &[], 480, &[480]);
        check(1, 4800, &[], 0, &[]);
        check(
            480,
            4800,
            &[40_000],
            10_000,
            &[vec![4800; 10], vec![2400]].concat(),
        );
    }
}
