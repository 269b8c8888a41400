//! The conformance kit: holds a plugin against the contract, check by check, and says of each what was
//! done, what came out and what the contract says. `docs/plugin-check.md` lists the checks.
//!
//! [`check_in_child`] runs it. The plugin is compiled and run in child processes behind limits and
//! deadlines: a check that never comes back is the one that failed. In the child, sessions are driven
//! call by call ([`retake_plugin_host::OpenSession`]) with rates, channels and blocks of the kit's own
//! choice, as the host might drive them.

mod bench;
mod child;
mod kit;
mod report;

pub use bench::{BenchReport, Speed};
pub use child::{CheckTerms, bench_in_child, check_in_child, child_main};
pub use kit::{Known, checks};
pub use report::{Check, CheckReport, Cost, Outcome};
