//! What a plugin that may shorten says it cut out. It must account for every frame that is missing:
//! else nobody could find a place of the original in the correction again.

use retake_audio::StageError;
use retake_plugin_manifest::CUT;

use crate::{bindings::Report, limits::CUTS_MAX, record::Cut, session::broken};

/// The lengths of one stream at two rates.
#[derive(Debug, Clone, Copy)]
pub struct Lengths {
    /// Frames at the rate the plugin works at, and what came back of them.
    pub given: u64,
    pub returned: u64,
    pub working_hz: u32,
    /// At the rate of the stream.
    pub stream_frames: u64,
    pub stream_hz: u32,
}

impl Lengths {
    /// What is left of the stream: its frames less what was cut, each counted at its rate.
    pub fn stream_left(&self) -> u64 {
        self.stream_frames
            .saturating_sub(self.at_stream_rate(self.given - self.returned))
    }

    fn at_stream_rate(&self, frames: u64) -> u64 {
        let (from, to) = (u128::from(self.working_hz), u128::from(self.stream_hz));
        ((u128::from(frames) * to + from / 2) / from) as u64
    }
}

/// Takes the cuts out of the report; they come back in frames of the stream, together exactly as
/// long as what is missing.
pub fn take(report: &mut Report, lengths: &Lengths) -> Result<Vec<Cut>, StageError> {
    let (cuts, rest) = std::mem::take(&mut report.measurements)
        .into_iter()
        .partition(|measurement| measurement.id == CUT);
    report.measurements = rest;
    let cuts: Vec<_> = cuts;
    if cuts.len() > CUTS_MAX {
        return Err(broken(format!(
            "it reports {} cuts; at most {CUTS_MAX} are taken",
            cuts.len()
        )));
    }
    let mut taken: Vec<Cut> = Vec::with_capacity(cuts.len());
    let (mut end, mut removed) = (0, 0);
    for measurement in cuts {
        let Some(span) = measurement.span else {
            return Err(broken("it reports a cut without its span".to_owned()));
        };
        let after = span.start.checked_add(span.frames);
        let Some(after) = after.filter(|&after| span.start >= end && after <= lengths.given) else {
            return Err(broken(format!(
                "it reports a cut of {} frames at frame {}; cuts must be in order and within its \
                 {} frames",
                span.frames, span.start, lengths.given
            )));
        };
        end = after;
        // What is cut is rounded in sum, so that no error adds up; where, only for itself.
        let frames =
            lengths.at_stream_rate(removed + span.frames) - lengths.at_stream_rate(removed);
        removed += span.frames;
        let earliest = taken.last().map_or(0, |cut| cut.start + cut.frames);
        let latest = lengths.stream_frames.saturating_sub(frames);
        let start = lengths.at_stream_rate(span.start).min(latest).max(earliest);
        taken.push(Cut { start, frames });
    }
    let missing = lengths.given - lengths.returned;
    if removed != missing {
        return Err(broken(format!(
            "it returned {missing} frames fewer than it was given and reports cuts of {removed}"
        )));
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::bindings::{Measurement, Span, Value};

    fn report(cuts: &[(u64, u64)]) -> Report {
        let cut = |&(start, frames): &(u64, u64)| Measurement {
            id: CUT.into(),
            label: String::new(),
            unit: String::new(),
            value: Value::Int(frames as i64),
            channel: None,
            span: Some(Span { start, frames }),
        };
        Report {
            measurements: cuts.iter().map(cut).collect(),
            curves: Vec::new(),
        }
    }

    fn lengths(returned: u64) -> Lengths {
        Lengths {
            given: 1_000,
            returned,
            working_hz: 48_000,
            stream_frames: 1_000,
            stream_hz: 48_000,
        }
    }

    #[test]
    fn cuts_that_account_for_what_is_missing_are_taken_out_of_the_report() {
        let mut told = report(&[(0, 100), (400, 50)]);
        told.measurements[1].id = "other".into();
        let cuts = take(&mut told, &lengths(900)).unwrap();
        assert_eq!((cuts[0].start, cuts[0].frames, cuts.len()), (0, 100, 1));
        assert_eq!(told.measurements[0].id, "other");
    }

    #[test]
    fn cuts_that_do_not_fit_are_the_plugins_fault() {
        let check = |cuts: &[(u64, u64)], returned, words: &str| {
            let Err(StageError::Crashed { message }) = take(&mut report(cuts), &lengths(returned))
            else {
                panic!("{cuts:?} was taken");
            };
            assert!(message.contains(words), "{message}");
        };
        check(
            &[(0, 99)],
            900,
            "100 frames fewer than it was given and reports cuts of 99",
        );
        check(&[], 999, "reports cuts of 0");
        check(&[(500, 50), (400, 50)], 900, "cuts must be in order");
        check(&[(0, 60), (59, 40)], 900, "cuts must be in order");
        check(&[(950, 100)], 900, "within its 1000 frames");
        check(&[(u64::MAX, 100)], 900, "within its 1000 frames");
        check(&vec![(0, 0); CUTS_MAX + 1], 1_000, "10001 cuts");
        let mut without_span = report(&[(0, 100)]);
        without_span.measurements[0].span = None;
        assert!(take(&mut without_span, &lengths(900)).is_err());
    }

    #[test]
    fn at_another_rate_the_cuts_are_together_as_long_as_what_is_missing() {
        let mut cuts = Vec::new();
        let mut at = 3;
        while at + 500 < 100_000 {
            cuts.push((at, 333));
            at += 334;
        }
        let removed: u64 = cuts.iter().map(|(_, frames)| frames).sum();
        let lengths = Lengths {
            given: 100_000,
            returned: 100_000 - removed,
            working_hz: 48_000,
            stream_frames: 91_875,
            stream_hz: 44_100,
        };
        let taken = take(&mut report(&cuts), &lengths).unwrap();
        let together: u64 = taken.iter().map(|cut| cut.frames).sum();
        assert_eq!(together, lengths.stream_frames - lengths.stream_left());
        let mut end = 0;
        for cut in taken {
            assert!(cut.start >= end);
            end = cut.start + cut.frames;
        }
        assert!(end <= lengths.stream_frames);
    }
}
