//! Cuts a stream at every multiple of a number of frames, however the host cut it into blocks: what
//! is measured or decided per step then does not depend on the size of a block.

use std::ops::Range;

pub struct Steps {
    frames: usize,
    filled: usize,
}

/// The part of a block that lies in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Frames of the block.
    pub range: Range<usize>,
    /// How many frames of the step came before it.
    pub offset: usize,
    /// Whether the step is full with it.
    pub ends: bool,
}

impl Steps {
    /// Steps of `frames` frames, at least one.
    pub fn new(frames: usize) -> Self {
        Self {
            frames: frames.max(1),
            filled: 0,
        }
    }

    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Frames of the step that is not yet full.
    pub fn filled(&self) -> usize {
        self.filled
    }

    /// The piece of a block of `frames` frames that begins at `from`; `None` at the block's end.
    pub fn piece(&mut self, from: usize, frames: usize) -> Option<Piece> {
        if from >= frames {
            return None;
        }
        let offset = self.filled;
        let to = frames.min(from + self.frames - offset);
        self.filled += to - from;
        let ends = self.filled == self.frames;
        if ends {
            self.filled = 0;
        }
        Some(Piece {
            range: from..to,
            offset,
            ends,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The offsets at which steps end, over a stream cut into blocks of `block` frames.
    fn ends(block: usize) -> Vec<usize> {
        let mut steps = Steps::new(7);
        let mut ends = Vec::new();
        for first in (0..100).step_by(block) {
            let frames = block.min(100 - first);
            let mut from = 0;
            while let Some(piece) = steps.piece(from, frames) {
                assert_eq!(piece.range.start, from);
                assert_eq!(piece.offset, (first + from) % 7);
                from = piece.range.end;
                if piece.ends {
                    ends.push(first + from);
                }
            }
        }
        assert_eq!(steps.filled(), 100 % 7);
        ends
    }

    #[test]
    fn steps_end_at_the_same_frames_whatever_the_block_size() {
        let expected: Vec<usize> = (1..=14).map(|step| step * 7).collect();
        for block in [1, 2, 7, 8, 50, 100] {
            assert_eq!(ends(block), expected, "blocks of {block}");
        }
    }
}
