//! Where a chain is cut into segments, and what they weigh in progress.

use std::ops::Range;

use super::{PreparedKind, PreparedStep};

/// What a leg weighs in progress: a child by its steps, and reading and writing besides.
pub(super) const CHILD_WEIGHT: f32 = 1.0;
pub(super) const STEP_WEIGHT: f32 = 1.0;
pub(super) const EXTERNAL_WEIGHT: f32 = 2.0;
/// What an analyser will recommend, as long as nobody knows.
const RECOMMENDED_WEIGHT: f32 = 4.0;

/// A run of plugin steps for one child, and what comes then. Steps by their index.
pub(super) struct Segment {
    pub plugins: Range<usize>,
    pub then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The chain is at its end.
    End,
    /// A service is spoken to.
    External(usize),
    /// Another child goes on: the last step shortened what those after it are made for.
    Shortened,
    /// The last step says what runs next.
    Follow(usize),
}

impl Segment {
    /// The one that begins with step `from`.
    pub fn next(steps: &[PreparedStep], from: usize) -> Self {
        for (at, step) in steps.iter().enumerate().skip(from) {
            let after = at + 1;
            let then = match &step.kind {
                PreparedKind::External(_) => {
                    return Self {
                        plugins: from..at,
                        then: Then::External(at),
                    };
                }
                _ if step.follow => Then::Follow(at),
                // What comes after it may be no work for a child at all.
                _ if step.shortens() => match steps.get(after).map(|step| &step.kind) {
                    None => Then::End,
                    Some(PreparedKind::External(_)) => Then::External(after),
                    Some(PreparedKind::Plugin { .. } | PreparedKind::Gone(_)) => Then::Shortened,
                },
                _ => continue,
            };
            return Self {
                plugins: from..after,
                then,
            };
        }
        Self {
            plugins: from..steps.len(),
            then: Then::End,
        }
    }

    /// Where the next one begins; `None` after the last.
    pub fn after(&self) -> Option<usize> {
        match self.then {
            Then::End => None,
            Then::External(at) => Some(at + 1),
            Then::Shortened | Then::Follow(_) => Some(self.plugins.end),
        }
    }

    pub fn weight(&self) -> f32 {
        CHILD_WEIGHT + self.plugins.len() as f32 * STEP_WEIGHT
    }
}

/// What everything from step `from` on weighs.
pub(super) fn weight(steps: &[PreparedStep], from: usize) -> f32 {
    let mut weight = 0.0;
    let mut next = Some(from);
    while let Some(from) = next {
        let segment = Segment::next(steps, from);
        weight += segment.weight();
        weight += match segment.then {
            Then::External(_) => EXTERNAL_WEIGHT,
            Then::Follow(_) => RECOMMENDED_WEIGHT,
            Then::End | Then::Shortened => 0.0,
        };
        next = segment.after();
    }
    weight
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use retake_chain::{OnFailure, report::PluginRef};
    use retake_plugin_manifest::Targets;

    use super::*;
    use crate::external::{Config, External};

    /// One letter a step: `p`lugin, `s`hortening, `f`ollowed, `x`: external.
    fn steps(letters: &str) -> Vec<PreparedStep> {
        let step = |(index, letter): (usize, char)| PreparedStep {
            index,
            written: index,
            name: letter.to_string(),
            kind: match letter {
                'x' => PreparedKind::External(
                    External::new("x", "http://127.0.0.1:1/", Config::default()).unwrap(),
                ),
                _ => PreparedKind::Plugin {
                    plugin: PluginRef {
                        id: String::new(),
                        version: String::new(),
                        digest: String::new(),
                    },
                    params: serde_json::Map::new(),
                    realtime_factor: None,
                    shortens: letter == 's',
                    only_looks: false,
                    targets: Targets::default(),
                },
            },
            mix: 1.0,
            on_failure: OnFailure::Fail,
            delta: false,
            follow: letter == 'f',
            recommended: false,
            spare: Default::default(),
        };
        letters.chars().enumerate().map(step).collect()
    }

    fn check(letters: &str, expected: &[(Range<usize>, Then)]) {
        let steps = steps(letters);
        let mut segments = Vec::new();
        let mut next = Some(0);
        while let Some(from) = next {
            let segment = Segment::next(&steps, from);
            next = segment.after();
            segments.push((segment.plugins, segment.then));
        }
        assert_eq!(segments, expected, "{letters}");
    }

    #[test]
    fn a_chain_is_cut_where_a_child_cannot_go_on() {
        check("", &[(0..0, Then::End)]);
        check("pp", &[(0..2, Then::End)]);
        check("pxp", &[(0..1, Then::External(1)), (2..3, Then::End)]);
        check("x", &[(0..0, Then::External(0)), (1..1, Then::End)]);
        check("psp", &[(0..2, Then::Shortened), (2..3, Then::End)]);
        check("ss", &[(0..1, Then::Shortened), (1..2, Then::End)]);
        check("ps", &[(0..2, Then::End)]);
        check("sx", &[(0..1, Then::External(1)), (2..2, Then::End)]);
        check("pfp", &[(0..2, Then::Follow(1)), (2..3, Then::End)]);
        check("f", &[(0..1, Then::Follow(0)), (1..1, Then::End)]);
    }

    #[test]
    fn the_whole_weighs_as_much_as_its_parts() {
        assert_eq!(weight(&steps("pp"), 0), 3.0);
        assert_eq!(weight(&steps("pxp"), 0), 6.0);
        assert_eq!(weight(&steps("pxp"), 2), 2.0);
        assert_eq!(weight(&steps("f"), 0), 7.0);
    }
}
