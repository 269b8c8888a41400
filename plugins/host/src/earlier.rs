//! What the steps before one in the chain have reported, as a session of it hears it.
//!
//! Between steps a report is JSON on the time line of the stream, as the job's report has it: that is
//! what passes from child to child, and nothing that is not in it can be heard.

use serde_json::Value as Json;

use crate::{
    bindings::{self as wit, earlier_steps::StepReport},
    record::{Cut, StageRecord},
};

/// A report that is longer as JSON is cut, and what is cut is told to nobody.
const REPORT_BYTES_MAX: usize = 256 * 1024;

/// A step that comes before another.
#[derive(Clone)]
pub struct EarlierStep {
    plugin: String,
    version: String,
    said: Said,
}

#[derive(Clone)]
enum Said {
    Report(Json),
    /// It is still to run, or runs.
    Later(StageRecord),
}

/// Whose ears: the stream's time line and the session's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ears {
    pub stream_hz: u32,
    pub session_hz: u32,
    pub session_frames: u64,
    /// The only channel of the session, by its place in the stream; `None` for all of them.
    pub channel: Option<u32>,
}

impl EarlierStep {
    /// One that has run, with the report that came of it.
    pub fn told(plugin: &str, version: &str, report: Json) -> Self {
        Self {
            plugin: plugin.to_owned(),
            version: version.to_owned(),
            said: Said::Report(report),
        }
    }

    /// One of the same run: heard of as soon as it has reported.
    pub fn beside(plugin: &str, version: &str, record: &StageRecord) -> Self {
        Self {
            plugin: plugin.to_owned(),
            version: version.to_owned(),
            said: Said::Later(record.clone()),
        }
    }

    /// `None`: it has not reported yet.
    fn report(&self) -> Option<Json> {
        match &self.said {
            Said::Report(report) => Some(report.clone()),
            Said::Later(record) if record.has_reported() => Some(fitting(record.report()).0),
            Said::Later(_) => None,
        }
    }

    /// Where it has measured something, by the measurement's id: starts and ends, in frames of the stream.
    pub(crate) fn spans(&self) -> Vec<(String, u64, u64)> {
        let report = self.report().unwrap_or_default();
        let measurements = report["measurements"].as_array();
        let span = |measurement: &Json| {
            let id = measurement["id"].as_str()?.to_owned();
            let span = &measurement["span"];
            let (start, frames) = span["start"].as_u64().zip(span["frames"].as_u64())?;
            (frames > 0).then(|| (id, start, start.saturating_add(frames)))
        };
        measurements
            .into_iter()
            .flatten()
            .filter_map(span)
            .collect()
    }

    fn heard(&self, ears: &Ears) -> Option<StepReport> {
        let report = self.report()?;
        let list = |name: &str| report.get(name)?.as_array().cloned();
        let all = |name: &str| list(name).unwrap_or_default().into_iter();
        let mut report = wit::Report {
            measurements: all("measurements")
                .filter_map(|m| measurement(&m, ears.channel))
                .collect(),
            curves: all("curves")
                .filter_map(|c| curve(&c, ears.channel))
                .collect(),
        };
        to_rate(
            &mut report,
            ears.stream_hz,
            ears.session_hz,
            ears.session_frames,
        );
        Some(StepReport {
            plugin: self.plugin.clone(),
            version: self.version.clone(),
            report,
        })
    }
}

/// In the order of the chain; those that have not reported yet are left out.
pub(crate) fn heard(steps: &[EarlierStep], ears: &Ears) -> Vec<StepReport> {
    steps.iter().filter_map(|step| step.heard(ears)).collect()
}

/// A report as far as it fits into the job's, and which parts of it do not.
pub fn fitting(mut report: Json) -> (Json, Vec<&'static str>) {
    let size = |json: &Json| json.to_string().len();
    let mut cut = Vec::new();
    if size(&report) > REPORT_BYTES_MAX {
        cut.push("list of curves");
        report["curves"] = serde_json::json!([]);
    }
    if size(&report) > REPORT_BYTES_MAX {
        cut.push("report");
        report = Json::Null;
    }
    (report, cut)
}

/// Frames and frames per point of a report, from one rate to another, within `frames` of it.
pub(crate) fn to_rate(report: &mut wit::Report, from_hz: u32, to_hz: u32, frames: u64) {
    let (from, to) = (u128::from(from_hz.max(1)), u128::from(to_hz));
    let at = |frame: u64| (((u128::from(frame) * to + from / 2) / from) as u64).min(frames);
    for span in report
        .measurements
        .iter_mut()
        .filter_map(|m| m.span.as_mut())
    {
        let end = at(span.start.saturating_add(span.frames));
        span.start = at(span.start);
        span.frames = end - span.start;
    }
    for curve in &mut report.curves {
        curve.frames_per_point *= f64::from(to_hz) / f64::from(from_hz.max(1));
    }
}

/// Moves a report from a step's input to its output, which lacks `cuts`: in order, apart, frames of the
/// input.
pub fn without(report: &mut Json, cuts: &[Cut]) {
    if cuts.is_empty() {
        return;
    }
    if let Some(Json::Array(measurements)) = report.get_mut("measurements") {
        measurements.retain_mut(|measurement| {
            let span = &measurement["span"];
            let (Some(start), Some(frames)) = (span["start"].as_u64(), span["frames"].as_u64())
            else {
                return true;
            };
            let after = left_before(start, cuts);
            let left = left_before(start.saturating_add(frames), cuts) - after;
            measurement["span"] = serde_json::json!({ "start": after, "frames": left });
            left > 0 || frames == 0
        });
    }
    if let Some(Json::Array(curves)) = report.get_mut("curves") {
        for curve in curves {
            let per_point = curve["frames_per_point"].as_f64().unwrap_or(0.0);
            if let Json::Array(points) = &mut curve["points"]
                && per_point > 0.0
            {
                *points = points_without(points, per_point, cuts);
            }
        }
    }
}

/// How many of the first `frame` frames are still there.
fn left_before(frame: u64, cuts: &[Cut]) -> u64 {
    let gone = cuts.iter().map(|cut| {
        let end = frame.min(cut.start.saturating_add(cut.frames));
        end.saturating_sub(cut.start)
    });
    frame - gone.sum::<u64>()
}

/// Each point of the output is that of the input whose stretch its middle comes from.
fn points_without(points: &[Json], per_point: f64, cuts: &[Cut]) -> Vec<Json> {
    let mut cuts = cuts.iter().peekable();
    let mut gone = 0u64;
    let mut kept = Vec::new();
    loop {
        let middle = (kept.len() as f64 + 0.5) * per_point;
        while let Some(cut) = cuts.next_if(|cut| cut.start as f64 <= middle + gone as f64) {
            gone += cut.frames;
        }
        let place = ((middle + gone as f64) / per_point) as usize;
        match points.get(place) {
            Some(point) => kept.push(point.clone()),
            None => return kept,
        }
    }
}

/// `None` for what is of another channel, and for what is no measurement.
fn measurement(json: &Json, ears: Option<u32>) -> Option<wit::Measurement> {
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    let span = &json["span"];
    let span = span["start"].as_u64().zip(span["frames"].as_u64());
    Some(wit::Measurement {
        id: text("id")?,
        label: text("label")?,
        unit: text("unit")?,
        value: match &json["value"] {
            Json::Bool(value) => wit::Value::Toggle(*value),
            Json::String(value) => wit::Value::Text(value.clone()),
            Json::Number(value) => match value.as_i64() {
                Some(value) => wit::Value::Int(value),
                None => wit::Value::Float(value.as_f64()?),
            },
            _ => return None,
        },
        channel: channel(json, ears)?,
        span: span.map(|(start, frames)| wit::Span { start, frames }),
    })
}

fn curve(json: &Json, ears: Option<u32>) -> Option<wit::Curve> {
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    let points = json["points"].as_array()?.iter();
    Some(wit::Curve {
        id: text("id")?,
        label: text("label")?,
        unit: text("unit")?,
        channel: channel(json, ears)?,
        frames_per_point: json["frames_per_point"].as_f64()?,
        points: points
            .map(|point| point.as_f64().map(|point| point as f32))
            .collect::<Option<_>>()?,
    })
}

/// Which channel of the session something was found of, in the outer `None` none at all.
fn channel(json: &Json, ears: Option<u32>) -> Option<Option<u32>> {
    let of = json["channel"].as_u64().map(|channel| channel as u32);
    match (of, ears) {
        (Some(of), Some(ears)) => (of == ears).then_some(Some(0)),
        (of, _) => Some(of),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn spans(report: &Json) -> Vec<(u64, u64)> {
        let measurements = report["measurements"].as_array().unwrap().iter();
        let spans = measurements.filter_map(|m| {
            let span = &m["span"];
            span["start"].as_u64().zip(span["frames"].as_u64())
        });
        spans.collect()
    }

    fn report(measured: &[(u64, u64)]) -> Json {
        let measured = measured.iter().map(|(start, frames)| {
            json!({ "id": "music", "label": "", "unit": "", "value": 1, "span": { "start": start, "frames": frames } })
        });
        json!({ "measurements": measured.collect::<Vec<_>>(), "curves": [] })
    }

    #[test]
    fn spans_lose_what_was_cut_and_those_that_were_cut_whole_go() {
        let cuts = [(100, 50), (300, 100)].map(|(start, frames)| Cut { start, frames });
        let check = |span: (u64, u64), expected: &[(u64, u64)]| {
            let mut report = report(&[span]);
            without(&mut report, &cuts);
            assert_eq!(spans(&report), expected, "{span:?}");
        };
        check((0, 100), &[(0, 100)]);
        check((0, 200), &[(0, 150)]);
        check((110, 20), &[]);
        check((120, 60), &[(100, 30)]);
        check((150, 10), &[(100, 10)]);
        check((90, 400), &[(90, 250)]);
        check((400, 10), &[(250, 10)]);
        check((320, 0), &[(250, 0)]);
    }

    #[test]
    fn curves_lose_the_points_of_what_was_cut() {
        let mut report = json!({ "measurements": [], "curves": [
            { "id": "p", "frames_per_point": 10.0, "points": [0, 1, 2, 3, 4, 5, 6, 7] }
        ]});
        let cuts = [(20, 20), (60, 10)].map(|(start, frames)| Cut { start, frames });
        without(&mut report, &cuts);
        assert_eq!(report["curves"][0]["points"], json!([0, 1, 4, 5, 7]));
    }

    #[test]
    fn what_is_heard_is_on_the_time_line_of_whoever_hears() {
        let mut said = report(&[(44_100, 22_050), (88_200, 44_100)]);
        said["measurements"][0]["channel"] = json!(1);
        said["measurements"][1]["value"] = json!(0.5);
        said["curves"] = json!([{
            "id": "p", "label": "P", "unit": "", "frames_per_point": 441.0, "points": [0.25, 1]
        }]);
        let step = EarlierStep::told("org.example.finder", "1.2.3", said);
        let ears = |channel| Ears {
            stream_hz: 44_100,
            session_hz: 16_000,
            session_frames: 40_000,
            channel,
        };
        let all = heard(std::slice::from_ref(&step), &ears(None));
        assert_eq!(
            (all[0].plugin.as_str(), all[0].version.as_str()),
            ("org.example.finder", "1.2.3")
        );
        let of = &all[0].report.measurements;
        let span = |m: &wit::Measurement| m.span.map(|span| (span.start, span.frames));
        assert_eq!(
            (span(&of[0]), of[0].channel),
            (Some((16_000, 8_000)), Some(1))
        );
        // Its end is that of the stream.
        assert_eq!(span(&of[1]), Some((32_000, 8_000)));
        assert!(matches!(of[1].value, wit::Value::Float(value) if value == 0.5));
        let curve = &all[0].report.curves[0];
        assert_eq!(
            (curve.frames_per_point, &*curve.points),
            (160.0, &[0.25, 1.0][..])
        );

        let first = heard(std::slice::from_ref(&step), &ears(Some(0)));
        assert_eq!(
            first[0].report.measurements.len(),
            1,
            "what is of the second is not heard"
        );
        let second = heard(&[step], &ears(Some(1)));
        assert_eq!(second[0].report.measurements[0].channel, Some(0));
    }

    #[test]
    fn what_has_not_reported_is_not_heard_of() {
        let record = StageRecord::default();
        let step = [EarlierStep::beside("org.example.finder", "1.0.0", &record)];
        let ears = Ears {
            stream_hz: 48_000,
            session_hz: 48_000,
            session_frames: 1,
            channel: None,
        };
        assert!(heard(&step, &ears).is_empty());
        record.add_report(
            wit::Report {
                measurements: Vec::new(),
                curves: Vec::new(),
            },
            None,
        );
        assert_eq!(heard(&step, &ears).len(), 1);
    }

    #[test]
    fn a_report_too_long_for_the_job_loses_its_curves_first() {
        let many = |count: usize| vec![0.25; count];
        let (kept, cut) = fitting(json!({ "measurements": [], "curves": many(10) }));
        assert_eq!(
            (kept["curves"].as_array().unwrap().len(), cut.len()),
            (10, 0)
        );
        let (kept, cut) = fitting(json!({ "measurements": [], "curves": many(100_000) }));
        assert_eq!(
            (kept, cut),
            (
                json!({ "measurements": [], "curves": [] }),
                vec!["list of curves"]
            )
        );
        let (kept, cut) = fitting(json!({ "measurements": many(100_000), "curves": [] }));
        assert_eq!((kept, cut.len()), (Json::Null, 2));
    }
}
