//! What the steps before this one in the chain have found: [`reports`].

use std::cell::RefCell;

use crate::bindings::retake::correction::{earlier_steps as wit, types};
use crate::report::Report;

/// What one of the steps before this one reported. Its spans and frames per point are in frames of
/// this plugin's input.
pub struct StepReport {
    /// The id of the step's plugin.
    pub plugin: String,
    /// The version of that plugin.
    pub version: String,
    /// Read it with [`Report::get`], [`Report::get_text`], [`Report::spans`] and [`Report::points`].
    pub report: Report,
}

thread_local! {
    static TOLD: RefCell<Vec<StepReport>> = const { RefCell::new(Vec::new()) };
}

/// The reports there are, in the order of the chain. Call it in `analyze` or in the first `process`;
/// in `open` there are none. It may be empty at any time: a plugin does without.
///
/// A step that only listens has reported before anything is shown to a later one; one that changes
/// audio is heard of in `process`, by a plugin that analyzes. Where a step in between shortened, spans
/// and curves have moved with the audio. A plugin that asks needs a host that speaks version 0.1.2 of
/// the contract.
pub fn reports() -> Vec<StepReport> {
    if cfg!(target_arch = "wasm32") {
        wit::reports().into_iter().map(from_contract).collect()
    } else {
        TOLD.with_borrow(|told| told.iter().map(StepReport::copy).collect())
    }
}

/// What [`reports`] says on this thread from now on, where there is no host: for a plugin's own tests.
pub fn tell(reports: Vec<StepReport>) {
    TOLD.set(reports);
}

fn from_contract(told: wit::StepReport) -> StepReport {
    let types::Report {
        measurements,
        curves,
    } = told.report;
    StepReport {
        plugin: told.plugin,
        version: told.version,
        report: Report {
            measurements,
            curves,
        },
    }
}

impl StepReport {
    /// The report of a plugin of that id, for [`tell`].
    pub fn new(plugin: &str, version: &str, report: Report) -> Self {
        Self {
            plugin: plugin.into(),
            version: version.into(),
            report,
        }
    }

    fn copy(&self) -> Self {
        let report = Report {
            measurements: self.report.measurements.clone(),
            curves: self.report.curves.clone(),
        };
        Self::new(&self.plugin, &self.version, report)
    }
}
