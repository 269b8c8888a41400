//! What of the original stays, frame by frame: all or some of it where steps before this one have found what the
//! chain's author wants spared. Around it the step fades out and in again, outside of what was found.

use std::collections::BTreeMap;

use crate::earlier::EarlierStep;

/// So far off may the edges be that were found: so much more stays, on either side.
const EDGE_S: f64 = 0.5;
const FADE_S: f64 = 0.5;

/// In frames of the stream.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    start: u64,
    end: u64,
    part: f32,
}

#[derive(Debug, Default)]
pub struct Spared {
    spans: Vec<Span>,
    fade_frames: u64,
}

impl Spared {
    /// By the last step that has found anything of what is to be spared, whoever it was.
    pub fn new(earlier: &[EarlierStep], spare: &BTreeMap<String, f64>, stream_hz: u32) -> Self {
        if spare.is_empty() {
            return Self::default();
        }
        let frames = |seconds: f64| (seconds * f64::from(stream_hz)) as u64;
        let edge = frames(EDGE_S);
        let of = |step: &EarlierStep| -> Vec<Span> {
            let spans = step.spans().into_iter();
            let spared = spans.filter_map(|(id, start, end)| {
                let part = *spare.get(&id)? as f32;
                Some(Span {
                    start: start.saturating_sub(edge),
                    end: end.saturating_add(edge),
                    part,
                })
            });
            spared.filter(|span| span.part > 0.0).collect()
        };
        let mut spans = earlier.iter().rev().map(of).find(|spans| !spans.is_empty());
        let mut spans = spans.take().unwrap_or_default();
        spans.sort_by_key(|span| span.start);
        Self {
            spans,
            fade_frames: frames(FADE_S).max(1),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The part of the original in each of so many frames from `start` on; `None` where the step has them all.
    pub fn parts(&self, start: u64, frames: usize) -> Option<Vec<f32>> {
        let (end, fade) = (start + frames as u64, self.fade_frames);
        let near = |span: &&Span| span.start < end + fade && start < span.end.saturating_add(fade);
        let near: Vec<Span> = self.spans.iter().filter(near).copied().collect();
        if near.is_empty() {
            return None;
        }
        let part = |frame: u64| {
            near.iter()
                .map(|span| span.part_at(frame, fade))
                .fold(0.0, f32::max)
        };
        Some((start..end).map(part).collect())
    }
}

impl Span {
    /// A raised cosine: level at both ends.
    fn part_at(&self, frame: u64, fade: u64) -> f32 {
        let before = self.start.saturating_sub(frame);
        let apart = before.max((frame + 1).saturating_sub(self.end));
        match apart {
            0 => self.part,
            apart if apart >= fade => 0.0,
            apart => {
                let turn = std::f32::consts::PI * apart as f32 / fade as f32;
                self.part * (0.5 + 0.5 * turn.cos())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spared(spare: &[(&str, f64)]) -> Spared {
        let span = |id: &str, start: u64, frames: u64| json!({"id": id, "span": {"start": start, "frames": frames}});
        let found = json!({"measurements": [
            span("music", 10_000, 5_000),
            span("music", 40_000, 5_000),
            span("speech-over-music", 20_000, 10_000),
            span("noise", 0, 10_000),
            {"id": "music", "value": 3.0, "span": null},
        ]});
        let later = json!({"measurements": [span("hum", 0, 90_000)]});
        let earlier = [
            EarlierStep::told("org.retake.segment", "1.0.0", found),
            EarlierStep::told("org.retake.hum", "1.0.0", later),
        ];
        let spare = spare.iter().map(|&(id, part)| (id.to_owned(), part));
        Spared::new(&earlier, &spare.collect(), 1_000)
    }

    fn at(spared: &Spared, frame: u64) -> f32 {
        spared.parts(frame, 1).map_or(0.0, |parts| parts[0])
    }

    #[test]
    fn what_was_found_stays_and_fades_outside_of_it() {
        let spared = spared(&[("music", 1.0), ("speech-over-music", 0.25)]);
        for (frame, expected) in [
            (0, 0.0),
            (9_000, 0.0),
            (9_250, 0.5),
            (9_500, 1.0),
            (15_499, 1.0),
            (15_749, 0.5),
            (16_000, 0.0),
            (25_000, 0.25),
            (30_749, 0.125),
            (44_999, 1.0),
            (90_000, 0.0),
        ] {
            let found = at(&spared, frame);
            assert!((found - expected).abs() < 0.005, "{frame}: {found}");
        }
        let whole = spared.parts(9_000, 8_000).expect("there is something");
        assert!((0..8_000).all(|n| whole[n] == at(&spared, 9_000 + n as u64)));
        assert_eq!(spared.parts(35_000, 1_000), None);
    }

    #[test]
    fn what_nobody_found_or_nobody_wants_is_not_spared() {
        assert!(spared(&[]).is_empty());
        assert!(spared(&[("applause", 1.0)]).is_empty());
        assert!(spared(&[("music", 0.0)]).is_empty());
    }
}
