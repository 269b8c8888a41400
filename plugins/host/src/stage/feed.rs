//! Cuts a stream into the blocks a session wants: at its rate, no longer than agreed, and each a
//! multiple of its quantum.

use retake_audio::{Block, Resampler, StageError};

pub struct Feed {
    resampler: Option<Resampler>,
    quantum: usize,
    block_frames: usize,
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
            pending: vec![Vec::new(); channels],
        }
    }

    pub fn push(&mut self, block: &Block, consume: &mut Consume<'_>) -> Result<(), StageError> {
        match &mut self.resampler {
            Some(resampler) => {
                let resampled = resampler.push(block);
                self.cut(&resampled, consume)
            }
            None => self.cut(block, consume),
        }
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
            let rest = resampler.finish(frames);
            self.cut(&rest, consume)?;
        }
        let mut left = (self.pending[0].len() + silence).next_multiple_of(self.quantum);
        while left > 0 {
            let frames = left.min(self.block_frames);
            for channel in &mut self.pending {
                channel.resize(frames, 0.0);
            }
            consume(&self.pending)?;
            self.pending.iter_mut().for_each(Vec::clear);
            left -= frames;
        }
        Ok(())
    }

    fn cut(&mut self, block: &Block, consume: &mut Consume<'_>) -> Result<(), StageError> {
        let frames = block[0].len();
        let fits = frames > 0 && frames <= self.block_frames && frames.is_multiple_of(self.quantum);
        if fits && self.pending[0].is_empty() {
            return consume(block);
        }
        let mut from = 0;
        while from < frames {
            let to = frames.min(from + self.block_frames - self.pending[0].len());
            for (pending, channel) in self.pending.iter_mut().zip(block) {
                pending.extend_from_slice(&channel[from..to]);
            }
            from = to;
            if self.pending[0].len() == self.block_frames {
                consume(&self.pending)?;
                self.pending.iter_mut().for_each(Vec::clear);
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
            assert_eq!(block[0], block[1]);
            lengths.push(block[0].len());
            audio.extend_from_slice(&block[0]);
            Ok(())
        };
        let mut next = 0;
        for &frames in pieces {
            let piece: Vec<f32> = (next..next + frames).map(|n| 1.0 + n as f32).collect();
            feed.push(&vec![piece.clone(), piece], &mut consume)
                .unwrap();
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
