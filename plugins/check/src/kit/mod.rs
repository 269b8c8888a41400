//! The checks: what each does stands in a function of its own, and all of them in one list, in the
//! order they run.

pub mod file;

mod chance;
mod describe;
mod drive;
mod earlier;
mod inner;
mod input;
mod latency;
mod promises;
mod repeats;
mod signals;
mod streams;
mod subject;

pub use drive::Bad;
pub use signals::voices;
pub use subject::Subject;

use crate::report::Outcome;

/// A check as the kit knows it. The ids are stable: scripts and pages refer to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub id: &'static str,
    pub title: &'static str,
}

/// The three of the file itself.
pub const IMPORTS: Known = known("imports", "It imports nothing but the host's log");
pub const INSTALLATION: Known = known("installation", "It compiles, and speaks the contract");
pub const MANIFEST: Known = known("manifest", "What it says of itself keeps the rules");

const fn known(id: &'static str, title: &'static str) -> Known {
    Known { id, title }
}

/// Those that need a session.
type SessionCheck = (Known, fn(&Subject<'_>) -> Found);

pub const SESSION_CHECKS: &[SessionCheck] = &[
    (
        known("describe", "It says the same of itself each time"),
        describe::same_each_time,
    ),
    (known("silence", "It takes silence"), input::silence),
    (known("offset", "It takes a constant"), input::offset),
    (
        known("full-scale", "It takes full scale and more"),
        input::full_scale,
    ),
    (
        known("no-numbers", "It takes what is no number"),
        input::no_numbers,
    ),
    (
        known("denormals", "It takes the smallest numbers"),
        input::denormals,
    ),
    (known("impulse", "An impulse dies away"), input::impulse),
    (
        known("short", "It takes streams of no and of a few frames"),
        input::short,
    ),
    (
        known("rates", "It works at the rates it names"),
        streams::rates,
    ),
    (
        known("channels", "It works with the channels it takes"),
        streams::channels,
    ),
    (
        known("blocks", "How blocks are cut is not heard"),
        streams::blocks,
    ),
    (
        known("latency", "The latency it states is the one it has"),
        latency::measured,
    ),
    (
        known("length", "Output is as long as it should be"),
        promises::length,
    ),
    (
        known("deterministic", "The same stream gives the same bytes"),
        repeats::deterministic,
    ),
    (
        known("isolation", "Sessions know nothing of each other"),
        repeats::isolation,
    ),
    (
        known("earlier", "It takes whatever earlier steps have found"),
        earlier::anything,
    ),
    (
        known("parameters", "It works at the ends of every range"),
        streams::parameters,
    ),
    (
        known(
            "inner-values",
            "It works between the ends, and where several are set",
        ),
        inner::values,
    ),
    (
        known("level", "It keeps the change of level that it promises"),
        promises::level,
    ),
    (known("log", "It logs with measure"), promises::log),
    (
        known("cost", "It is fast and small enough for long recordings"),
        promises::cost,
    ),
];

/// Every check there is, in the order they run.
pub fn checks() -> Vec<Known> {
    let sessions = SESSION_CHECKS.iter().map(|(known, _)| *known);
    [IMPORTS, INSTALLATION, MANIFEST]
        .into_iter()
        .chain(sessions)
        .collect()
}

pub fn is_known(id: &str) -> bool {
    checks().iter().any(|known| known.id == id)
}

/// Where to read on.
pub fn see(id: &str) -> String {
    format!("see docs/plugin-check.md, \"{id}\", and docs/plugins.md")
}

/// How a check came out, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub outcome: Outcome,
    pub detail: String,
}

impl Found {
    pub fn passed(detail: impl Into<String>) -> Self {
        Self::new(Outcome::Passed, detail)
    }

    pub fn warned(detail: impl Into<String>) -> Self {
        Self::new(Outcome::Warned, detail)
    }

    pub fn failed(detail: impl Into<String>) -> Self {
        Self::new(Outcome::Failed, detail)
    }

    pub fn skipped(detail: impl Into<String>) -> Self {
        Self::new(Outcome::Skipped, detail)
    }

    fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self {
            outcome,
            detail: detail.into(),
        }
    }
}
