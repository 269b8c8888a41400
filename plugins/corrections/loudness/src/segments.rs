//! How time is divided: hops of 100 ms, as loudness is measured, and segments of a tenth of that.

pub const SEGMENTS_PER_HOP: usize = 10;

#[derive(Debug, Clone, Copy)]
pub struct Segments {
    pub hop_frames: usize,
}

impl Segments {
    pub fn new(rate_hz: u32) -> Self {
        Self {
            hop_frames: (rate_hz as usize + 5) / 10,
        }
    }

    /// The frame with which a segment begins: ten of them are a hop, whatever the rate.
    pub fn start(self, segment: usize) -> u64 {
        let (hop, part) = (segment / SEGMENTS_PER_HOP, segment % SEGMENTS_PER_HOP);
        (hop * self.hop_frames + part * self.hop_frames / SEGMENTS_PER_HOP) as u64
    }

    pub fn frames(self, segment: usize) -> usize {
        (self.start(segment + 1) - self.start(segment)) as usize
    }

    /// The segment that a frame lies in.
    pub fn of(self, frame: u64) -> usize {
        let hop = (frame / self.hop_frames as u64) as usize;
        let mut segment = hop * SEGMENTS_PER_HOP;
        while self.start(segment + 1) <= frame {
            segment += 1;
        }
        segment
    }
}
