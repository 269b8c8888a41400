//! The outline of a recording for drawing, in bounded memory whatever its length.

use serde::{Deserialize, Serialize};

use crate::Block;

/// Most points an outline has.
const POINTS_MAX: usize = 2048;
/// Frames per point to begin with; doubled whenever the outline is full.
const FRAMES_PER_POINT: u64 = 64;

/// Lowest and highest sample over all channels, for each run of `frames_per_point` frames (the last
/// one may be shorter).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Peaks {
    pub frames_per_point: u64,
    pub min: Vec<f32>,
    pub max: Vec<f32>,
}

/// Collects [`Peaks`] while frames pass by. Where the length is not known, two neighbours become
/// one as soon as there is no more room.
#[derive(Debug)]
pub(crate) struct PeakCollector {
    peaks: Peaks,
    /// Frames in the point that is being filled.
    filled: u64,
    low: f32,
    high: f32,
}

impl PeakCollector {
    pub(crate) fn new() -> Self {
        Self {
            peaks: Peaks {
                frames_per_point: FRAMES_PER_POINT,
                min: Vec::with_capacity(POINTS_MAX),
                max: Vec::with_capacity(POINTS_MAX),
            },
            filled: 0,
            low: f32::INFINITY,
            high: f32::NEG_INFINITY,
        }
    }

    pub(crate) fn push(&mut self, block: &Block) {
        let frames = block.frames();
        let mut from = 0;
        while from < frames {
            let wanted = (self.peaks.frames_per_point - self.filled).min((frames - from) as u64);
            let to = from + wanted as usize;
            for channel in block.planes() {
                let (low, high) = extremes(&channel[from..to]);
                self.low = self.low.min(low);
                self.high = self.high.max(high);
            }
            self.filled += wanted;
            from = to;
            if self.filled == self.peaks.frames_per_point {
                self.close_point();
            }
        }
    }

    pub(crate) fn finish(mut self) -> Peaks {
        // Twice where the first one only makes room.
        while self.filled > 0 {
            self.close_point();
        }
        self.peaks
    }

    fn close_point(&mut self) {
        if self.peaks.min.len() == POINTS_MAX {
            // The point being closed is half of a new, wider one, and stays open for the rest.
            halve(&mut self.peaks.min, f32::min);
            halve(&mut self.peaks.max, f32::max);
            self.peaks.frames_per_point *= 2;
            return;
        }
        self.peaks.min.push(self.low);
        self.peaks.max.push(self.high);
        self.filled = 0;
        self.low = f32::INFINITY;
        self.high = f32::NEG_INFINITY;
    }
}

fn halve(points: &mut Vec<f32>, merge: fn(f32, f32) -> f32) {
    for i in 0..points.len() / 2 {
        points[i] = merge(points[2 * i], points[2 * i + 1]);
    }
    points.truncate(points.len() / 2);
}

/// Eight lanes, so that the compiler can use the processor's; one loop each, or it does not see them.
pub(super) fn extremes(samples: &[f32]) -> (f32, f32) {
    let mut low = [f32::INFINITY; 8];
    let mut high = [f32::NEG_INFINITY; 8];
    let (eights, rest) = samples.as_chunks::<8>();
    for eight in eights {
        for (low, x) in low.iter_mut().zip(eight) {
            *low = if x < low { *x } else { *low };
        }
        for (high, x) in high.iter_mut().zip(eight) {
            *high = if x > high { *x } else { *high };
        }
    }
    let low = low.iter().chain(rest).fold(f32::INFINITY, |a, &b| a.min(b));
    let high = high
        .iter()
        .chain(rest)
        .fold(f32::NEG_INFINITY, |a, &b| a.max(b));
    (low, high)
}
