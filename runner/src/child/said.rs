//! What a child said on the way, kept for the case that it says no more: the last lines of each
//! step's log, and its warnings. A child is hostile: everything here is bounded.

use std::collections::{BTreeMap, VecDeque};

use super::protocol::Request;
use crate::words::plain;

/// The last lines of a step's log that are kept; a panic's message is among them.
const LINES_KEPT: usize = 20;
const LINE_CHARS_MAX: usize = 500;
const WARNINGS_MAX: usize = 20;

#[derive(Debug, Default)]
pub(crate) struct Said {
    /// By the steps' places in the chain; no others are listened to.
    logs: BTreeMap<usize, VecDeque<String>>,
    warnings: Vec<String>,
}

impl Said {
    pub(super) fn of(request: &Request) -> Self {
        let steps = request.steps.iter().map(|step| step.index);
        Self {
            logs: steps.map(|index| (index, VecDeque::new())).collect(),
            warnings: Vec::new(),
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

    pub(super) fn warn(&mut self, warning: &str) {
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(plain(warning, LINE_CHARS_MAX));
        }
    }

    /// The end of a step's log; empty for a step that was not there or said nothing.
    pub fn log_of(&self, step: usize) -> Vec<String> {
        let lines = self.logs.get(&step);
        lines.into_iter().flatten().cloned().collect()
    }

    pub fn into_warnings(self) -> Vec<String> {
        self.warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_strangers_are_not_listened_to() {
        let mut said = Said {
            logs: BTreeMap::from([(3, VecDeque::new())]),
            warnings: Vec::new(),
        };
        for n in 0..1_000 {
            said.log(3, &format!("info: line {n}"));
            said.log(n + 4, "info: from nowhere");
            said.warn("the file is cut off");
        }
        said.log(3, &"x".repeat(1 << 20));
        let log = said.log_of(3);
        assert_eq!(log.len(), LINES_KEPT);
        assert_eq!(log[LINES_KEPT - 2], "info: line 999");
        assert_eq!(log[LINES_KEPT - 1].chars().count(), LINE_CHARS_MAX + 1);
        assert_eq!(said.log_of(4), [] as [&str; 0]);
        assert_eq!(said.into_warnings().len(), WARNINGS_MAX);
    }
}
