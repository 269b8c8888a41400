//! Music that a step before has found: it is not limited. Each stretch of it has one gain from its beginning to its end,
//! as high as its own peaks leave room for, and the gain slides there and back beside it.

use std::ops::Range;

use crate::envelope::Envelope;
use crate::segments::Segments;

/// So far off may edges be that were found, in segments: so much more is music on either side.
const EDGE: usize = 50;
/// The gain slides for so long.
const SLIDE: usize = 25;
/// What peaks of music stay under the ceiling by, so that the limiter never has to touch them.
const ROOM_DB: f32 = 0.5;

#[derive(Default)]
pub struct Music {
    /// In order, with more than a slide between them.
    stretches: Vec<Stretch>,
}

pub struct Stretch {
    /// In segments, and as it was told, in frames.
    segments: Range<usize>,
    pub told: Range<u64>,
    peak_db: f32,
}

impl Music {
    /// Of starts and lengths in frames.
    pub fn new(told: &[(u64, u64)], segments: Segments, envelope: &Envelope) -> Self {
        let mut told: Vec<_> = told
            .iter()
            .map(|&(start, frames)| start..start.saturating_add(frames))
            .collect();
        told.sort_by_key(|told| told.start);
        let mut stretches: Vec<Stretch> = Vec::new();
        for told in told {
            let start = segments.of(told.start).saturating_sub(EDGE);
            let end = (segments.of(told.end) + 1 + EDGE).min(envelope.segments());
            if start >= end {
                continue;
            }
            match stretches.last_mut() {
                Some(last) if start <= last.segments.end + 2 * SLIDE => {
                    last.segments.end = last.segments.end.max(end);
                    last.told.end = last.told.end.max(told.end);
                }
                _ => stretches.push(Stretch {
                    segments: start..end,
                    told,
                    peak_db: 0.0,
                }),
            }
        }
        for stretch in &mut stretches {
            let peaks = stretch.segments.clone().map(|n| envelope.peak_db(n));
            stretch.peak_db = peaks.fold(f32::NEG_INFINITY, f32::max);
        }
        Self { stretches }
    }

    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// What has a say between these segments.
    pub fn near(&self, segments: Range<usize>) -> Near<'_> {
        let all = &self.stretches;
        let first = all.partition_point(|one| one.segments.end + SLIDE < segments.start);
        let end = all.partition_point(|one| one.segments.start <= segments.end + SLIDE);
        Near(&all[first.min(end)..end])
    }

    /// Each stretch that is lower than the rest, and by how much.
    pub fn lowered(&self, room_db: f32) -> impl Iterator<Item = (&Stretch, f32)> {
        let lowered = self
            .stretches
            .iter()
            .map(move |one| (one, one.lowered_db(room_db)));
        lowered.filter(|(_, db)| *db > 0.0)
    }
}

impl Stretch {
    /// `room_db` is the peak that a gain takes to the ceiling.
    fn lowered_db(&self, room_db: f32) -> f32 {
        (self.peak_db + ROOM_DB - room_db).max(0.0)
    }
}

pub struct Near<'a>(&'a [Stretch]);

impl Near<'_> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has(&self, segment: usize) -> bool {
        self.0.iter().any(|one| one.segments.contains(&segment))
    }

    /// By how much the gain is lower where a segment begins.
    pub fn lowered_db(&self, node: usize, room_db: f32) -> f32 {
        let lowered = self.0.iter().map(|one| {
            let before = one.segments.start.saturating_sub(node);
            let apart = before.max(node.saturating_sub(one.segments.end));
            let near = 1.0 - apart.min(SLIDE) as f32 / SLIDE as f32;
            // Raised cosine: both ends are level.
            one.lowered_db(room_db) * (0.5 - 0.5 * (std::f32::consts::PI * near).cos())
        });
        lowered.fold(0.0, f32::max)
    }
}
