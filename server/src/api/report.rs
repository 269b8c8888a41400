//! What was measured before and after, and what each step did and cost.

use retake_chain::report::{Measurement, StepReport, Target, Track};
use retake_findings::Finding;
use retake_jobs::{correction::Correction, id::JobId};
use schemars::JsonSchema;
use serde::Serialize;

use super::words;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Report")]
pub struct ReportView<'a> {
    #[schemars(with = "words::Id")]
    job_id: JobId,
    /// Container and codec of the recording.
    source: &'a str,
    #[schemars(with = "words::Measurement")]
    input: &'a Measurement,
    #[schemars(with = "words::Measurement")]
    output: &'a Measurement,
    /// All audio tracks of the recording; empty in old reports.
    #[schemars(with = "Vec<words::Track>")]
    tracks: &'a [Track],
    #[schemars(with = "Vec<words::StepReport>")]
    steps: &'a [StepReport],
    /// What the chain aims at, and what came of it.
    #[schemars(with = "Vec<words::Target>")]
    targets: &'a [Target],
    /// About the file, the recording, the steps and the correction, in this order.
    #[schemars(with = "Vec<words::Finding>")]
    findings: &'a [Finding],
    /// From claim to the encoded correction.
    elapsed_ms: u64,
}

impl<'a> ReportView<'a> {
    pub fn new(job_id: JobId, correction: &'a Correction) -> Self {
        let report = &correction.report;
        Self {
            job_id,
            source: &report.source,
            input: &report.input,
            output: &report.output,
            tracks: &report.tracks,
            steps: &report.steps,
            targets: &report.targets,
            findings: &report.findings,
            elapsed_ms: report.elapsed_ms,
        }
    }
}
