//! What there is to tell of a step that has run, cut to what fits.

use retake_chain::report::Cut;
use retake_plugin_host::LogLine;

use super::{guard::GuardRecord, stages::OpenedStep};
use crate::child::{Harmless, StepDone, StepRequest};

pub(super) fn harmless(
    record: &GuardRecord,
    promised: bool,
    delta: bool,
    warnings: &mut Vec<String>,
) -> Harmless {
    let found = record.finding();
    warnings.extend(found.warnings);
    Harmless {
        level_change_db: found.level_change_db,
        promised,
        delta,
    }
}

pub(super) fn step_done(
    step: &StepRequest,
    opened: &OpenedStep,
    warnings: &mut Vec<String>,
) -> StepDone {
    /// With a handful of steps a line stays below its limit.
    const REPORT_BYTES_MAX: usize = 256 * 1024;
    const LOG_BYTES_MAX: usize = 64 * 1024;
    let size = |json: &serde_json::Value| json.to_string().len();
    let record = &opened.record;
    let mut report = record.report();
    if size(&report) > REPORT_BYTES_MAX {
        warnings.push(format!("{}: its curves are too long to be kept", step.name));
        report["curves"] = serde_json::json!([]);
    }
    if size(&report) > REPORT_BYTES_MAX {
        warnings.push(format!("{}: its report is too long to be kept", step.name));
        report = serde_json::Value::Null;
    }
    let cuts = record.cuts().into_iter().map(|cut| Cut {
        start: cut.start,
        frames: cut.frames,
    });
    let mut left = LOG_BYTES_MAX;
    let log = record.log().into_iter().map(|line| in_words(&line));
    let log = log.take_while(|line| {
        let fits = line.len() <= left;
        left = left.saturating_sub(line.len());
        fits
    });
    StepDone {
        index: step.index,
        latency_frames: record.latency_frames(),
        cpu_ms: record.cpu().as_millis() as u64,
        report,
        cuts: cuts.collect(),
        log: log.collect(),
        harmless: harmless(
            &opened.guard,
            opened.promises,
            step.delta.is_some(),
            warnings,
        ),
    }
}

pub(super) fn in_words(line: &LogLine) -> String {
    format!("{}: {}", line.level, line.message)
}
