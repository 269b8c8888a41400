//! What steps before one have found of music, and what follows from it: where the recording stays as it is, and
//! where nobody need listen.
//!
//! Time is counted in hundredths of a second.

mod left_alone;

use retake_plugin_sdk::earlier::StepReport;

pub use left_alone::LeftAlone;

/// Hops per second.
pub const SECOND: u64 = 100;
/// So far off may the edges of music be that were found: so much more is spared, on either side.
const EDGE: u64 = SECOND / 2;
/// What is spared fades out so long after that, and in before it.
const FADE: u64 = SECOND / 2;
/// Whoever slept listens again so long before there is something to hear: a network has forgotten everything by then.
const WAKE: u64 = SECOND + FADE;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Stays as it is, and says nothing of the noise.
    Music,
    /// There is nothing to take, and nothing to listen to.
    Silence,
    /// Music under a voice, of which this share stays, in thousandths.
    UnderVoice(u16),
}

/// In hops.
#[derive(Debug, Clone, Copy)]
struct Span {
    kind: Kind,
    start: u64,
    end: u64,
}

#[derive(Debug, Default)]
pub struct Spared {
    spans: Vec<Span>,
}

impl Spared {
    /// By the last step that told speech from music, whoever it was. `under_voice` of music under a voice stays.
    pub fn new(told: &[StepReport], rate_hz: u32, total_frames: u64, under_voice: f32) -> Self {
        let hop_frames = u64::from(rate_hz) / SECOND;
        let tells = |step: &&StepReport| {
            let told = ["speech", "music", "noise", "silence"];
            told.iter().any(|id| !step.report.spans(id).is_empty())
        };
        let Some(step) = told.iter().rev().find(tells) else {
            return Self::default();
        };
        let total = total_frames.div_ceil(hop_frames);
        let under = Kind::UnderVoice((1_000.0 * under_voice) as u16);
        let kinds = [
            ("music", Kind::Music),
            ("silence", Kind::Silence),
            ("speech-over-music", under),
        ];
        let mut spans = Vec::new();
        for (id, kind) in kinds {
            if kind == Kind::UnderVoice(0) {
                continue;
            }
            for (start, frames) in step.report.spans(id) {
                let end = start.saturating_add(frames).min(total_frames);
                let (start, end) = (start.div_ceil(hop_frames), end / hop_frames);
                let edge = if kind == Kind::Music { EDGE } else { 0 };
                let (start, end) = (start.saturating_sub(edge), end + edge);
                // The last hop is seldom whole.
                let end = if end + 1 >= total { u64::MAX } else { end };
                if start < end && start < total {
                    spans.push(Span { kind, start, end });
                }
            }
        }
        spans.sort_by_key(|span| span.start);
        Self { spans }
    }

    /// How much of this hop stays as it is, at least.
    pub fn share(&self, hop: u64) -> f32 {
        let near = self.spans.iter().map(|span| {
            let apart = span
                .start
                .saturating_sub(hop)
                .max((hop + 1).saturating_sub(span.end));
            let fade = 1.0 - apart.min(FADE) as f32 / FADE as f32;
            let share = match span.kind {
                Kind::Music => 1.0,
                // It would stay for a moment after its end, and the noise there with it.
                Kind::Silence => 0.0,
                Kind::UnderVoice(share) => f32::from(share) / 1_000.0,
            };
            // Raised cosine: both ends are level.
            share * (0.5 - 0.5 * (std::f32::consts::PI * fade).cos())
        });
        near.fold(0.0, f32::max)
    }

    /// Of what kind a hop is of which nobody need hear anything.
    pub fn sleeps(&self, hop: u64) -> Option<Kind> {
        let awake_by = hop.saturating_add(WAKE);
        let asleep = |span: &&Span| match span.kind {
            Kind::Music | Kind::Silence => span.start <= hop && awake_by < span.end,
            Kind::UnderVoice(share) => share == 1_000 && span.start <= hop && awake_by < span.end,
        };
        self.spans.iter().find(asleep).map(|span| span.kind)
    }

    /// Whether nothing was found, so that there is nothing to spare.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Whether what is heard in this hop may be taken for noise.
    pub fn teaches(&self, hop: u64) -> bool {
        let music = |span: &Span| span.kind == Kind::Music && span.start <= hop && hop < span.end;
        !self.spans.iter().any(music)
    }
}

#[cfg(test)]
mod tests {
    use retake_plugin_sdk::Report;

    use super::*;

    fn spared(spans: &[(&str, u64, u64)], under_voice: f32) -> Spared {
        let second = 48_000;
        let report = spans
            .iter()
            .fold(Report::default(), |report, (id, start, seconds)| {
                report
                    .count(id, "", "", 1)
                    .at(start * second, seconds * second)
            });
        let told = [StepReport::new("org.example.finder", "1.0.0", report)];
        Spared::new(&told, 48_000, 60 * second, under_voice)
    }

    #[test]
    fn music_stays_and_fades_outside_of_it() {
        let spared = spared(
            &[("music", 10, 10), ("music", 50, 10), ("music", 99, 9)],
            0.0,
        );
        for (hop, expected) in [
            (0, 0.0),
            (899, 0.0),
            (950, 1.0),
            (2_049, 1.0),
            (2_099, 0.0),
            (5_999, 1.0),
            (6_005, 1.0),
        ] {
            assert!(
                (spared.share(hop) - expected).abs() < 0.002,
                "{hop}: {}",
                spared.share(hop)
            );
        }
        assert!((spared.share(925) - 0.5).abs() < 0.01 && (spared.share(2_074) - 0.5).abs() < 0.01);
        assert_eq!(
            (spared.sleeps(949), spared.sleeps(950)),
            (None, Some(Kind::Music))
        );
        assert_eq!(
            (spared.sleeps(1_899), spared.sleeps(1_900)),
            (Some(Kind::Music), None)
        );
        assert_eq!(
            spared.sleeps(5_999),
            Some(Kind::Music),
            "nothing comes after it"
        );
        assert!(spared.teaches(949) && !spared.teaches(950) && !spared.teaches(2_049));
    }

    #[test]
    fn what_nobody_told_is_not_spared() {
        assert_eq!(spared(&[("gain", 0, 60)], 0.0).share(100), 0.0);
        assert_eq!(Spared::new(&[], 48_000, 1_000, 1.0).share(0), 0.0);
    }

    #[test]
    fn music_under_a_voice_stays_as_far_as_is_asked_for() {
        let spans = [("speech", 0, 60), ("speech-over-music", 10, 20)];
        assert_eq!(spared(&spans, 0.0).share(1_500), 0.0);
        let half = spared(&spans, 0.5);
        assert!((half.share(1_500) - 0.5).abs() < 0.01 && half.sleeps(1_500).is_none());
        assert!(half.teaches(1_500), "the voice in it is worth hearing");
        assert!(spared(&spans, 1.0).sleeps(1_500).is_some());
    }
}
