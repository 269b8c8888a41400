//! What there is to tell of a step that has run, cut to what fits.

use retake_chain::report::Cut;
use retake_findings::{Code, Finding};
use retake_plugin_host::{LogLine, fitting};

use super::{guard::GuardRecord, stages::OpenedStep};
use crate::child::{Harmless, StepDone, StepRequest};

pub(super) fn harmless(
    record: &GuardRecord,
    promised: bool,
    delta: bool,
    findings: &mut Vec<Finding>,
) -> Harmless {
    let verdict = record.verdict();
    findings.extend(verdict.findings);
    Harmless {
        level_change_db: verdict.level_change_db,
        promised,
        delta,
    }
}

pub(super) fn step_done(
    step: &StepRequest,
    opened: &OpenedStep,
    findings: &mut Vec<Finding>,
) -> StepDone {
    /// With a handful of steps a line stays below its limit.
    const LOG_BYTES_MAX: usize = 64 * 1024;
    let record = &opened.record;
    let (report, cut) = fitting(record.report());
    findings.extend(cut.into_iter().map(|part| {
        let params = [("part", part.into())];
        Finding::of_step(Code::StepReportCut, step.index, &step.name, params)
    }));
    let mut left = LOG_BYTES_MAX;
    let log = record.log().into_iter().map(|line| in_words(&line));
    let log = log.take_while(|line| {
        let fits = line.len() <= left;
        left = left.saturating_sub(line.len());
        fits
    });
    let mut harmless = harmless(
        &opened.guard,
        opened.promises,
        step.delta.is_some(),
        findings,
    );
    if opened.only_looks {
        harmless.level_change_db.get_or_insert(0.0);
    }
    StepDone {
        index: step.index,
        latency_frames: record.latency_frames(),
        cpu_ms: record.cpu().as_millis() as u64,
        report,
        cuts: cuts_of(opened),
        log: log.collect(),
        harmless,
    }
}

/// What it cut out, once it has run.
pub(super) fn cuts_of(step: &OpenedStep) -> Vec<Cut> {
    let cuts = step.record.cuts().into_iter().map(|cut| Cut {
        start: cut.start,
        frames: cut.frames,
    });
    cuts.collect()
}

pub(super) fn in_words(line: &LogLine) -> String {
    format!("{}: {}", line.level, line.message)
}
