//! The report: spans, curves, and a sentence.

use retake_plugin_sdk::Report;

use crate::{
    listener::{FIRST_EDGE, Heard, STEP_SAMPLES},
    path::{KINDS, Kind, Stretch},
};

/// A curve has at most twice as many points.
const POINTS: usize = 2_000;
/// So many spans are told; a recording that changes more often is told of in curves and shares.
const SPANS_MAX: usize = 1_000;
/// Speech over music is speech in which music is heard for so many answers, on average as much as this.
const UNDER_ANSWERS: usize = 16;
const UNDER_MUSIC: f32 = 0.4;

/// Music in which so much speech is heard may be a voice in a room.
const UNSURE_SPEECH: f32 = 0.1;
/// So many of them are told.
const UNSURE_MAX: usize = 10;

struct Words {
    /// Of its spans.
    id: &'static str,
    label: &'static str,
    share: &'static str,
    share_label: &'static str,
}

fn words(kind: Kind) -> Words {
    let (id, label, share, share_label) = match kind {
        Kind::Speech => ("speech", "Speech", "speech-share", "Speech in all"),
        Kind::Music => ("music", "Music", "music-share", "Music in all"),
        Kind::Noise => ("noise", "Noise alone", "noise-share", "Noise alone in all"),
        Kind::Silence => ("silence", "Silence", "silence-share", "Silence in all"),
    };
    Words {
        id,
        label,
        share,
        share_label,
    }
}

pub fn report(heard: &[Heard], stretches: &[Stretch], total: u64) -> Report {
    let edge = |place: usize| match place {
        0 => 0,
        _ if place >= heard.len() => total,
        _ => (FIRST_EDGE + (place as u64 - 1) * STEP_SAMPLES).min(total),
    };
    let span = |start: usize, count: usize| (edge(start), edge(start + count) - edge(start));
    let seconds = |frames: u64| frames as f64 / f64::from(retake_smn::RATE_HZ);
    let lasts = |kind: Kind| {
        let of_kind = stretches.iter().filter(|stretch| stretch.kind == kind);
        of_kind
            .map(|stretch| span(stretch.start, stretch.count).1)
            .sum::<u64>()
    };
    let mut report = Report::default();
    if let Some(sentence) = sentence(stretches, &|kind| seconds(lasts(kind)), &|place| {
        seconds(edge(place))
    }) {
        report = report.text("finding", "Finding", &sentence);
    }
    for (stretch, speech) in unsure(heard, stretches) {
        let (start, frames) = span(stretch.start, stretch.count);
        let percent = (100.0 * speech).round();
        let words = format!(
            "{:.0} s of what is taken for music may be a voice in a room: {percent} % of it sounds like speech. It is left as it is",
            seconds(frames)
        );
        report = report
            .text("finding-unsure", "Finding", &words)
            .number("unsure", "Music that may be speech", "%", percent.into())
            .at(start, frames);
    }
    for kind in KINDS {
        let share = 100.0 * lasts(kind) as f64 / total.max(1) as f64;
        let words = words(kind);
        report = report.number(words.share, words.share_label, "%", round(share));
    }
    for stretch in stretches.iter().take(SPANS_MAX) {
        let (start, frames) = span(stretch.start, stretch.count);
        let words = words(stretch.kind);
        report = report
            .number(words.id, words.label, "s", round(seconds(frames)))
            .at(start, frames);
    }
    for (start, count) in over_music(heard, stretches) {
        let (start, frames) = span(start, count);
        report = report
            .number(
                "speech-over-music",
                "Speech over music",
                "s",
                round(seconds(frames)),
            )
            .at(start, frames);
    }
    curves(report, heard)
}

/// Stretches of music in which speech is heard, and how much.
fn unsure(heard: &[Heard], stretches: &[Stretch]) -> Vec<(Stretch, f32)> {
    let speech = |stretch: &Stretch| {
        let within = &heard[stretch.start..stretch.start + stretch.count];
        let shares = within.iter().map(|heard| match heard {
            Heard::Sound(share) => share.speech,
            Heard::Silence => 0.0,
        });
        shares.sum::<f32>() / stretch.count as f32
    };
    let music = stretches
        .iter()
        .filter(|stretch| stretch.kind == Kind::Music);
    let heard = music.map(|stretch| (*stretch, speech(stretch)));
    heard
        .filter(|(_, speech)| *speech > UNSURE_SPEECH)
        .take(UNSURE_MAX)
        .collect()
}

fn round(value: f64) -> f64 {
    (10.0 * value).round() / 10.0
}

/// What is worth telling a person; nothing of a recording that is all speech.
fn sentence(
    stretches: &[Stretch],
    lasts: &dyn Fn(Kind) -> f64,
    at: &dyn Fn(usize) -> f64,
) -> Option<String> {
    let [speech, music] = [Kind::Speech, Kind::Music].map(lasts);
    let clock = |seconds: f64| format!("{}:{:02}", seconds as u64 / 60, seconds as u64 % 60);
    match (speech > 0.0, music > 0.0) {
        (_, false) if speech > 0.0 => None,
        (false, false) => Some("Nobody speaks in this recording".to_owned()),
        (false, true) => Some(format!("Music, {} of it, and nobody speaks", clock(music))),
        (_, true) => {
            let of_music = stretches
                .iter()
                .filter(|stretch| stretch.kind == Kind::Music);
            let mut places: Vec<_> = of_music.map(|stretch| clock(at(stretch.start))).collect();
            let more = places.len().saturating_sub(5);
            places.truncate(5);
            let more = match more {
                0 => String::new(),
                more => format!(" and in {more} more places"),
            };
            let places = places.join(", ");
            Some(format!(
                "Speech and {} of music, at {places}{more}",
                clock(music)
            ))
        }
        (true, false) => None,
    }
}

/// Where music is heard within speech for several seconds, as first answers and counts.
fn over_music(heard: &[Heard], stretches: &[Stretch]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for stretch in stretches.iter().filter(|s| s.kind == Kind::Speech) {
        let within = &heard[stretch.start..stretch.start + stretch.count];
        for (offset, window) in within.windows(UNDER_ANSWERS).enumerate() {
            let music = window.iter().map(|heard| match heard {
                Heard::Sound(share) => share.music,
                Heard::Silence => 0.0,
            });
            if music.sum::<f32>() < UNDER_MUSIC * UNDER_ANSWERS as f32 {
                continue;
            }
            let (start, end) = (
                stretch.start + offset,
                stretch.start + offset + UNDER_ANSWERS,
            );
            match found.last_mut() {
                Some((first, count)) if *first + *count >= start => *count = end - *first,
                _ => found.push((start, UNDER_ANSWERS)),
            }
        }
    }
    found
}

fn curves(report: Report, heard: &[Heard]) -> Report {
    let together = heard.len().div_ceil(2 * POINTS).max(1);
    let points = |share: fn(&retake_smn::Share) -> f32| {
        let point = |answers: &[Heard]| {
            let shares = answers.iter().map(|heard| match heard {
                Heard::Sound(heard) => share(heard),
                Heard::Silence => 0.0,
            });
            let mean = shares.sum::<f32>() / answers.len() as f32;
            (100.0 * mean).round()
        };
        heard.chunks(together).map(point).collect::<Vec<_>>()
    };
    let per_point = (together as u64 * STEP_SAMPLES) as f64;
    report
        .curve(
            "speech",
            "Speech heard",
            "%",
            per_point,
            points(|s| s.speech),
        )
        .curve("music", "Music heard", "%", per_point, points(|s| s.music))
        .curve("noise", "Noise heard", "%", per_point, points(|s| s.noise))
}
