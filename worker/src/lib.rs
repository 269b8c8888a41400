//! Takes jobs and has their chains run.
//!
//! [`Opened::run`] is the loop that claims jobs and settles them, and checks plugins that somebody wants to
//! publish, which are leased work as well. How a chain runs is `retake_runner`'s matter.

mod config;
mod work;

pub use config::Config;
pub use work::{Opened, Parts, WorkerError, open};
