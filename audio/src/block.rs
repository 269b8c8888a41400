//! Planar samples: what stages, readers and writers hand to each other.

/// Planar samples, nominally within -1.0..=1.0: one list per channel, all equally long.
///
/// A block is made once and used again: [`Block::clear`] keeps its memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    planes: Vec<Vec<f32>>,
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

    /// `None` where the channels are not equally long.
    pub fn from_planes(planes: Vec<Vec<f32>>) -> Option<Self> {
        let frames = planes.first().map_or(0, Vec::len);
        planes
            .iter()
            .all(|plane| plane.len() == frames)
            .then_some(Self { planes })
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

    pub fn append_range(&mut self, other: &Block, range: std::ops::Range<usize>) {
        debug_assert_eq!(self.channels(), other.channels());
        for (plane, more) in self.planes.iter_mut().zip(&other.planes) {
            plane.extend_from_slice(&more[range.clone()]);
        }
    }

    /// Fills all channels anew; each closure call gives one channel's samples to append to.
    pub fn append_with(&mut self, mut fill: impl FnMut(usize, &mut Vec<f32>)) {
        for (channel, plane) in self.planes.iter_mut().enumerate() {
            fill(channel, plane);
        }
        debug_assert!(self.planes.iter().all(|plane| plane.len() == self.frames()));
    }

    pub fn is_finite(&self) -> bool {
        self.planes.iter().all(|plane| all_finite(plane))
    }
}

/// Without a branch per sample: a NaN or an infinity has all bits of its exponent set.
pub(crate) fn all_finite(samples: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    samples
        .chunks(256)
        .all(|run| run.iter().map(|x| x.to_bits() & EXPONENT).fold(0, u32::max) < EXPONENT)
}
