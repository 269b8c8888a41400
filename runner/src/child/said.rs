//! What a child said on the way, kept for the case that it says no more: the last lines of each
//! step's log, and what it found. A child is hostile: everything here is bounded.

use std::collections::{BTreeMap, VecDeque};

use retake_findings::{Code, Finding};

use super::protocol::Request;
use crate::words::plain;

/// The last lines of a step's log that are kept; a panic's message is among them.
const LINES_KEPT: usize = 20;
const LINE_CHARS_MAX: usize = 500;
const FINDINGS_MAX: usize = 100;
/// Of a finding's parameters, as JSON.
const PARAMS_BYTES_MAX: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Said {
    /// By the steps' places in the chain; no others are listened to.
    logs: BTreeMap<usize, VecDeque<String>>,
    findings: Vec<Finding>,
}

impl Said {
    pub(super) fn of(request: &Request) -> Self {
        let steps = request.steps.iter().map(|step| step.index);
        Self {
            logs: steps.map(|index| (index, VecDeque::new())).collect(),
            findings: Vec::new(),
        }
    }

    pub(super) fn log(&mut self, step: usize, line: &str) {
        let Some(lines) = self.logs.get_mut(&step) else {
            return;
        };
        if lines.len() == LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(plain(line, LINE_CHARS_MAX));
    }

    pub(super) fn found(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(bounded(finding));
        }
    }

    /// The end of a step's log; empty for a step that was not there or said nothing.
    pub fn log_of(&self, step: usize) -> Vec<String> {
        let lines = self.logs.get(&step);
        lines.into_iter().flatten().cloned().collect()
    }

    /// Only those that a person should hear of.
    pub fn into_warnings(self) -> Vec<Finding> {
        let findings = self.findings.into_iter();
        findings.filter(Finding::is_warning).collect()
    }
}

/// What is taken of what a child found.
pub(super) fn all_bounded(findings: Vec<Finding>) -> Vec<Finding> {
    let findings = findings.into_iter().take(FINDINGS_MAX);
    findings.map(bounded).collect()
}

/// Only codes that there are, with their own severity; one short line; few parameters.
fn bounded(finding: Finding) -> Finding {
    let message = plain(&finding.message, LINE_CHARS_MAX);
    let known = Code::ALL.iter().find(|code| finding.is(**code));
    let Some(code) = known else {
        return Finding::new(Code::Note, [("text", message.into())]);
    };
    let mut params = finding.params;
    if serde_json::to_vec(&params).map_or(usize::MAX, |json| json.len()) > PARAMS_BYTES_MAX {
        params.clear();
    }
    Finding {
        code: finding.code,
        severity: code.severity(),
        params,
        message,
    }
}

#[cfg(test)]
mod tests {
    use retake_findings::Severity;

    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_strangers_are_not_listened_to() {
        let mut said = Said {
            logs: BTreeMap::from([(3, VecDeque::new())]),
            findings: Vec::new(),
        };
        for n in 0..1_000 {
            said.log(3, &format!("info: line {n}"));
            said.log(n + 4, "info: from nowhere");
            said.found(Finding::new(Code::Silent, []));
            said.found(Finding::new(
                Code::ChannelsIdentical,
                [("channels", 2.into())],
            ));
        }
        said.log(3, &"x".repeat(1 << 20));
        let log = said.log_of(3);
        assert_eq!(log.len(), LINES_KEPT);
        assert_eq!(log[LINES_KEPT - 2], "info: line 999");
        assert_eq!(log[LINES_KEPT - 1].chars().count(), LINE_CHARS_MAX + 1);
        assert_eq!(said.log_of(4), [] as [&str; 0]);
        assert_eq!(said.into_warnings().len(), FINDINGS_MAX / 2);
    }

    #[test]
    fn a_finding_is_of_the_list_and_short() {
        let mut finding = Finding::new(Code::Silent, []);
        finding.severity = Severity::Info;
        finding.message = "so\nlong ".repeat(1_000);
        finding
            .params
            .insert("text".to_owned(), "x".repeat(5_000).into());
        let taken = bounded(finding.clone());
        assert_eq!(taken.severity, Severity::Warning);
        assert!(taken.params.is_empty());
        assert_eq!(taken.message.chars().count(), LINE_CHARS_MAX + 1);
        finding.code = "made-up".to_owned();
        assert!(bounded(finding).is(Code::Note));
    }
}
