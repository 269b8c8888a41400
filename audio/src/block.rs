//! Planar samples: what stages, readers and writers hand to each other.

use std::ops::Range;

/// Planar samples, nominally within -1.0..=1.0: one list per channel, all equally long.
///
/// A block is made once and used again: [`Block::clear`] keeps its memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    planes: Vec<Vec<f32>>,
}

/// Where a sample stands in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub channel: usize,
    pub frame: usize,
}

impl Block {
    /// No frames yet.
    pub fn new(channels: usize) -> Self {
        Self {
            planes: vec![Vec::new(); channels],
        }
    }

    pub fn with_capacity(channels: usize, frames: usize) -> Self {
        Self {
            planes: (0..channels).map(|_| Vec::with_capacity(frames)).collect(),
        }
    }

    pub fn silence(channels: usize, frames: usize) -> Self {
        Self {
            planes: vec![vec![0.0; frames]; channels],
        }
    }

    pub fn mono(samples: Vec<f32>) -> Self {
        Self {
            planes: vec![samples],
        }
    }

    /// `sample` is asked by channel and frame, for one channel after the other.
    pub fn from_fn(
        channels: usize,
        frames: usize,
        mut sample: impl FnMut(usize, usize) -> f32,
    ) -> Self {
        let mut plane = |channel| (0..frames).map(|frame| sample(channel, frame)).collect();
        Self {
            planes: (0..channels).map(&mut plane).collect(),
        }
    }

    /// `None` where the channels are not equally long.
    pub fn from_planes(planes: Vec<Vec<f32>>) -> Option<Self> {
        let frames = planes.first().map_or(0, Vec::len);
        planes
            .iter()
            .all(|plane| plane.len() == frames)
            .then_some(Self { planes })
    }

    /// As the contract's bindings take them.
    pub fn as_planes(&self) -> &Vec<Vec<f32>> {
        &self.planes
    }

    pub fn into_planes(self) -> Vec<Vec<f32>> {
        self.planes
    }

    pub fn channels(&self) -> usize {
        self.planes.len()
    }

    pub fn frames(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    pub fn is_empty(&self) -> bool {
        self.frames() == 0
    }

    pub fn plane(&self, channel: usize) -> &[f32] {
        &self.planes[channel]
    }

    pub fn plane_mut(&mut self, channel: usize) -> &mut [f32] {
        &mut self.planes[channel]
    }

    pub fn planes(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.planes.iter().map(Vec::as_slice)
    }

    pub fn planes_mut(&mut self) -> impl ExactSizeIterator<Item = &mut [f32]> {
        self.planes.iter_mut().map(Vec::as_mut_slice)
    }

    /// Of all channels, one after the other.
    pub fn samples(&self) -> impl Iterator<Item = &f32> {
        self.planes.iter().flatten()
    }

    pub fn samples_mut(&mut self) -> impl Iterator<Item = &mut f32> {
        self.planes.iter_mut().flatten()
    }

    /// Forgets the frames and keeps the memory.
    pub fn clear(&mut self) {
        self.planes.iter_mut().for_each(Vec::clear);
    }

    /// [`Block::clear`] for another number of channels.
    pub fn reset(&mut self, channels: usize) {
        self.planes.resize_with(channels, Vec::new);
        self.clear();
    }

    /// Longer by silence, or shorter.
    pub fn resize(&mut self, frames: usize) {
        for plane in &mut self.planes {
            plane.resize(frames, 0.0);
        }
    }

    pub fn drop_front(&mut self, frames: usize) {
        for plane in &mut self.planes {
            plane.drain(..frames.min(plane.len()));
        }
    }

    pub fn append(&mut self, other: &Block) {
        self.append_range(other, 0..other.frames());
    }

    /// Both have the same number of channels.
    pub fn append_range(&mut self, other: &Block, range: Range<usize>) {
        assert_eq!(self.channels(), other.channels());
        for (plane, more) in self.planes.iter_mut().zip(&other.planes) {
            plane.extend_from_slice(&more[range.clone()]);
        }
    }

    /// Each call appends to one channel's samples, to all of them equally many.
    pub fn append_with(&mut self, mut fill: impl FnMut(usize, &mut Vec<f32>)) {
        for (channel, plane) in self.planes.iter_mut().enumerate() {
            fill(channel, plane);
        }
        assert!(self.planes.iter().all(|plane| plane.len() == self.frames()));
    }

    pub fn is_finite(&self) -> bool {
        self.planes().all(all_finite)
    }

    /// The first sample of the first channel that has one which is no number.
    pub fn not_finite(&self) -> Option<Place> {
        let (channel, plane) = self.planes().enumerate().find(|(_, p)| !all_finite(p))?;
        let frame = plane.iter().position(|sample| !sample.is_finite())?;
        Some(Place { channel, frame })
    }
}

/// Without a branch per sample: a NaN or an infinity has all bits of its exponent set.
pub(crate) fn all_finite(samples: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    samples
        .chunks(256)
        .all(|run| run.iter().map(|x| x.to_bits() & EXPONENT).fold(0, u32::max) < EXPONENT)
}

/// Of the sample that is farthest from silence.
pub(crate) fn magnitude_max(samples: &[f32]) -> f32 {
    let (eights, rest) = samples.as_chunks::<8>();
    let mut max = [0.0f32; 8];
    for eight in eights {
        for (max, x) in max.iter_mut().zip(eight) {
            let x = x.abs();
            *max = if x > *max { x } else { *max };
        }
    }
    max.into_iter()
        .chain(rest.iter().map(|x| x.abs()))
        .fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(channels: usize, frames: usize) -> Block {
        Block::from_fn(channels, frames, |c, f| (100 * c + f) as f32)
    }

    #[test]
    fn channels_of_unequal_length_are_no_block() {
        assert_eq!(Block::from_planes(vec![vec![0.0; 2], vec![0.0; 3]]), None);
        let planes = vec![vec![0.0, 1.0], vec![100.0, 101.0]];
        assert_eq!(Block::from_planes(planes), Some(ramp(2, 2)));
        assert_eq!(Block::from_planes(Vec::new()), Some(Block::new(0)));
    }

    #[test]
    fn what_is_taken_from_the_front_and_put_behind_is_the_same_in_every_channel() {
        let mut block = ramp(3, 10);
        block.drop_front(4);
        block.append_range(&ramp(3, 10), 0..4);
        assert_eq!((block.channels(), block.frames()), (3, 10));
        for (channel, plane) in block.planes().enumerate() {
            let expected = [4, 5, 6, 7, 8, 9, 0, 1, 2, 3].map(|f| (100 * channel + f) as f32);
            assert_eq!(plane, expected);
        }
        block.drop_front(11);
        assert!(block.is_empty());
        block.resize(2);
        assert_eq!(block, Block::silence(3, 2));
    }

    #[test]
    fn what_is_no_number_is_found_wherever_it_stands() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for frame in [0, 255, 256, 999] {
                let mut block = ramp(2, 1000);
                assert!(block.is_finite());
                assert_eq!(block.not_finite(), None);
                block.plane_mut(1)[frame] = bad;
                assert!(!block.is_finite());
                assert_eq!(block.not_finite(), Some(Place { channel: 1, frame }));
            }
        }
        let mut block = Block::mono(vec![f32::MAX, f32::MIN, 1e-45]);
        assert!(block.is_finite());
        block.clear();
        assert!(block.is_finite());
    }
}
