//! Other steps' reports are other people's words: any plugin may have made them.

use retake_plugin_host::EarlierStep;
use serde_json::{Value, json};

use super::{
    Found,
    drive::{Bad, Take},
    signals,
    subject::Subject,
};

/// Ids that plugins of ours look for, and one that nobody does.
const IDS: [&str; 6] = ["speech", "music", "noise", "silence", "hum", "no-such-id"];

pub fn anything(subject: &Subject<'_>) -> Found {
    let rate = subject.usual_hz();
    let frames = rate as usize;
    let input = subject.in_channels(2, |channel| signals::voice(rate, frames, 3 + channel));
    let told = reports(rate.into());
    let plain = match subject.take().sound(&input) {
        Ok(taken) => taken,
        Err(bad) => return Found::failed(format!("a voice of 1 s went in: {}", bad.words())),
    };
    let mut changed = 0;
    for (words, report) in &told {
        let steps = [
            EarlierStep::told("org.retake.segment", "1.0.0", report.clone()),
            EarlierStep::told("org.example.stranger", "0.0.1", report.clone()),
        ];
        let take = Take {
            earlier: &steps,
            ..subject.take()
        };
        match take.sound(&input) {
            Ok(taken) => changed += usize::from(taken.planes != plain.planes),
            Err(Bad::Refused(_)) => changed += 1,
            Err(Bad::Broke(broke)) => {
                return Found::failed(format!(
                    "a voice of 1 s went in, after steps that had reported {words}: {broke}. Any plugin may have \
                     reported that: what does not make sense is passed over"
                ));
            }
        }
    }
    Found::passed(match changed {
        0 => "what earlier steps report changes nothing".to_owned(),
        _ => format!(
            "it heeds earlier steps, and bore {} odd reports of theirs",
            told.len()
        ),
    })
}

/// What can be reported within the contract, though nobody should, each in words.
fn reports(second: u64) -> Vec<(&'static str, Value)> {
    let measured = |id: &str, value: Value, span: Option<(u64, u64)>| {
        let span = span.map(|(start, frames)| json!({ "start": start, "frames": frames }));
        json!({ "id": id, "label": "", "unit": "", "value": value, "span": span })
    };
    let each = |make: &dyn Fn(&str) -> Vec<Value>| -> Value {
        IDS.iter()
            .flat_map(|id| make(id))
            .collect::<Vec<_>>()
            .into()
    };
    let spans = |spans: &[(u64, u64)]| {
        let all = each(&|id| {
            spans
                .iter()
                .map(|span| measured(id, json!(1), Some(*span)))
                .collect()
        });
        json!({ "measurements": all, "curves": [] })
    };
    let curves = |per_point: f64, points: &[f32]| {
        let curve = |id: &str| {
            let points = points.to_vec();
            json!({ "id": id, "label": "", "unit": "", "frames_per_point": per_point, "points": points })
        };
        json!({ "measurements": [], "curves": each(&|id| vec![curve(id)]) })
    };
    vec![
        ("nothing", json!({ "measurements": [], "curves": [] })),
        (
            "spans of nothing",
            spans(&[(0, 0), (second, 0), (second / 2, 0)]),
        ),
        (
            "spans that overlap, out of order",
            spans(&[
                (second / 2, second / 2),
                (0, second),
                (second / 4, 1),
                (1, second),
            ]),
        ),
        (
            "spans beyond the end",
            spans(&[(second * 9, second), (second - 1, u64::MAX / 2)]),
        ),
        (
            "values without spans",
            json!({ "measurements": each(&|id| {
                let values = [json!(-1e300), json!(i64::MIN), json!(true), json!("\u{1f3b5}\n")];
                values.into_iter().map(|value| measured(id, value, None)).collect()
            }), "curves": [] }),
        ),
        ("curves without points", curves(480.0, &[])),
        ("curves of no frames per point", curves(0.0, &[0.5, 1.0])),
        (
            "curves that run backwards",
            curves(-480.0, &[0.5, f32::MAX]),
        ),
        (
            "curves of less than a frame per point",
            curves(1e-9, &[f32::MIN, 0.0, 1.0]),
        ),
        ("curves of a year per point", curves(1e15, &[1.0])),
    ]
}
