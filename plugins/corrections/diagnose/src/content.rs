//! What a step before this one has told of speech and music.

use retake_plugin_sdk::earlier::StepReport;

/// Frames of speech in a recording, and whether there is music.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    speech: Vec<(u64, u64)>,
    music_frames: u64,
    total_frames: u64,
}

/// A recording is music if at most this part of it is speech: a word between two songs is no talk.
const SPEECH_MAX: f64 = 0.02;
/// And at least this part of it music.
const MUSIC_MIN: f64 = 0.5;

impl Content {
    /// By the last step that told any of it; `None` where none did.
    pub fn told(reports: &[StepReport], total_frames: u64) -> Option<Self> {
        let of = |step: &StepReport, id: &str| -> Vec<(u64, u64)> {
            let spans = step.report.spans(id).into_iter();
            let ends = spans
                .map(|(start, frames)| (start, start.saturating_add(frames).min(total_frames)));
            ends.filter(|(start, end)| start < end).collect()
        };
        let told = |step: &&StepReport| {
            ["speech", "music", "noise", "silence"]
                .iter()
                .any(|id| !of(step, id).is_empty())
        };
        let step = reports.iter().rev().find(told)?;
        let music = of(step, "music");
        Some(Self {
            speech: of(step, "speech"),
            music_frames: music.iter().map(|(start, end)| end - start).sum(),
            total_frames,
        })
    }

    pub fn speaks(&self, frame: u64) -> bool {
        let within = |(start, end): &(u64, u64)| (*start..*end).contains(&frame);
        self.speech.iter().any(within)
    }

    pub fn has_music(&self) -> bool {
        self.music_frames > 0
    }

    /// All of it, but for a word or two.
    pub fn is_music(&self) -> bool {
        let part = |frames: u64| frames as f64 / self.total_frames.max(1) as f64;
        let speech: u64 = self.speech.iter().map(|(start, end)| end - start).sum();
        part(speech) <= SPEECH_MAX && part(self.music_frames) >= MUSIC_MIN
    }
}
