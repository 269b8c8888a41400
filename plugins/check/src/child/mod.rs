//! The kit in a process of its own, twice: one child compiles the plugin under the limits for that, and
//! one runs it. Neither is trusted to come back.

mod inside;
mod outside;
mod protocol;

pub use inside::child_main;
pub use outside::{CheckTerms, bench_in_child, check_in_child};
