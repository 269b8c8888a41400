//! What the steps that have run tell those of the next child.

use retake_plugin_host::{Cut, without};

use super::{PreparedKind, segments::Walk};
use crate::child::{Earlier, StepDone};

impl Walk<'_> {
    /// The reports so far, on the time line of what the next child gets. An external service reports
    /// nothing.
    pub(super) fn earlier(&self) -> Vec<Earlier> {
        let told = self.ran.iter().enumerate().filter_map(|(place, ran)| {
            let step = self.steps.iter().find(|step| step.index == ran.index)?;
            let PreparedKind::Plugin { plugin, .. } = &step.kind else {
                return None;
            };
            Some(Earlier {
                plugin: plugin.id.clone(),
                version: plugin.version.clone(),
                report: moved(&self.ran[place..]),
            })
        });
        told.collect()
    }
}

/// The report of the first of `ran`, moved to the output of the last.
fn moved(ran: &[StepDone]) -> serde_json::Value {
    let mut report = ran
        .first()
        .map(|ran| ran.report.clone())
        .unwrap_or_default();
    for ran in ran {
        let cuts = ran.cuts.iter().map(|cut| Cut {
            start: cut.start,
            frames: cut.frames,
        });
        without(&mut report, &cuts.collect::<Vec<_>>());
    }
    report
}

#[cfg(test)]
mod tests {
    use retake_chain::report::Cut;
    use serde_json::{Value, json};

    use super::*;
    use crate::child::Harmless;

    fn ran(index: usize, span: (u64, u64), cuts: &[(u64, u64)]) -> StepDone {
        let (start, frames) = span;
        let cuts = cuts.iter().map(|&(start, frames)| Cut { start, frames });
        StepDone {
            index,
            latency_frames: 0,
            cpu_ms: 0,
            report: json!({ "measurements": [
                { "id": "music", "span": { "start": start, "frames": frames } }
            ]}),
            cuts: cuts.collect(),
            log: Vec::new(),
            harmless: Harmless::default(),
        }
    }

    #[test]
    fn a_report_is_moved_by_its_own_cuts_and_by_those_after_it() {
        let all = [
            ran(0, (1_000, 100), &[]),
            ran(1, (900, 300), &[(0, 100), (950, 60)]),
            ran(2, (0, 10), &[(20, 5)]),
        ];
        let span = |moved: Value| moved["measurements"][0]["span"].clone();
        // 100 and 10 of the frames before it go, 50 with what is cut of itself, then 5 more.
        assert_eq!(span(moved(&all)), json!({ "start": 845, "frames": 90 }));
        assert_eq!(
            span(moved(&all[1..])),
            json!({ "start": 795, "frames": 240 })
        );
        assert_eq!(span(moved(&all[2..])), json!({ "start": 0, "frames": 10 }));
    }
}
